//===- ProgramTest.h - Runs of whole executables ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_PROGRAMTEST_H
#define TESSERA_TEST_RUNTIME_PROGRAMTEST_H

#include "runtime/files/Safetensors.h"
#include "test/runtime/Process.h"
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

namespace tessera::runtime {

/// Runs of the executables that FakeProgram.cpp makes, linked as the compiler
/// links, in a folder of the test with some text in it.
class ProgramTest : public testing::Test {
protected:
  void SetUp() override {
    char pattern[] = "/tmp/tessera-test-XXXXXX";
    folder = mkdtemp(pattern);
    std::ofstream data(file("data"));
    for (int i = 0; i < 4000; ++i)
      data << "tiles of glass and stone, " << i * i % 97 << "; ";
  }
  void TearDown() override { run({"rm", "-rf", folder}); }

  std::string file(const std::string &name) const {
    return folder + "/" + name;
  }

  /// The command of a fake: under mpirun where its name says that it has
  /// several ranks.
  std::vector<std::string> command(const std::string &fake,
                                   const std::string &rest) const {
    std::vector<std::string> words;
    std::string ranks = fake.substr(5, 1);
    if (ranks != "1")
      words = {"mpirun", "-np", ranks, "--oversubscribe", "--bind-to", "none"};
    words.push_back(std::string(FAKE_FOLDER) + "/" + fake);
    std::stringstream stream(rest);
    std::string word;
    while (stream >> word) {
      if (word[0] == '@')
        word = file(word.substr(1));
      words.push_back(word);
    }
    return words;
  }

  Result runFake(const std::string &fake, const std::string &rest,
                 const std::vector<std::string> &environment = {}) {
    return run(command(fake, rest), environment);
  }

  /// One process, without mpirun, whatever the fake's ranks are.
  Result runDirectly(const std::string &fake, const std::string &rest,
                     const std::vector<std::string> &environment = {}) {
    std::vector<std::string> words = command(fake, rest);
    while (!words.front().starts_with(FAKE_FOLDER))
      words.erase(words.begin());
    return run(words, environment);
  }

  /// The same; the log then says how much each step of rank 0 allocated.
  Result runCounted(const std::string &fake, const std::string &rest) {
    std::vector<std::string> words = command(fake, rest);
    // Only the ranks: mpirun's own allocations are none of ours.
    auto program =
        std::find_if(words.begin(), words.end(), [](const std::string &word) {
          return word.starts_with(FAKE_FOLDER);
        });
    words.insert(program, {"env", "LD_PRELOAD=" INTERPOSER,
                           "TESSERA_COUNT_ALLOCATIONS=1"});
    return run(words);
  }

  std::string read(const std::string &name) const {
    std::ifstream stream(file(name), std::ios::binary);
    std::stringstream content;
    content << stream.rdbuf();
    return content.str();
  }

  /// "loss grad_norm" by step, as printed; the last line of a step counts.
  std::map<int, std::string> losses(const std::string &log) const {
    std::map<int, std::string> result;
    std::stringstream lines(read(log));
    std::string line;
    while (std::getline(lines, line)) {
      nlohmann::json j = nlohmann::json::parse(line);
      size_t begin = line.find("\"loss\""), end = line.find(", \"lr\"");
      result[j.at("step")] = line.substr(begin, end - begin);
    }
    return result;
  }

  std::map<std::string, std::vector<float>> tensors(const std::string &name) {
    std::map<std::string, std::vector<float>> result;
    std::string error;
    auto opened = SafetensorsFile::open(file(name), error);
    EXPECT_TRUE(opened) << error;
    if (opened)
      for (const auto &[key, tensor] : opened->tensors()) {
        result[key].resize(tensor.elements());
        copyAsFloat(tensor, 0, tensor.elements(), result[key].data());
      }
    return result;
  }

  /// A file of the checkpoint of \p step in the folder "c".
  std::string inCheckpoint(int step, const std::string &name) const {
    char folder[64];
    snprintf(folder, sizeof folder, "c/step-%012d/", step);
    return folder + name;
  }

  /// Removes files, so that another run may begin them.
  void forget(std::initializer_list<std::string> names) const {
    for (const std::string &name : names)
      unlink(file(name).c_str());
  }

  bool exists(const std::string &name) const {
    return access(file(name).c_str(), F_OK) == 0;
  }

  /// Flips one bit of a file.
  void flip(const std::string &name, size_t byte, int bit) const {
    std::string content = read(name);
    ASSERT_LT(byte, content.size());
    content[byte] ^= static_cast<char>(1 << bit);
    std::ofstream(file(name), std::ios::binary) << content;
  }

  void fails(const std::string &fake, const std::string &rest,
             const std::string &message,
             const std::vector<std::string> &environment = {}) {
    Result result = runFake(fake, rest, environment);
    EXPECT_EQ(result.code, 1) << result.text;
    EXPECT_NE(result.text.find(message), std::string::npos) << result.text;
  }

  std::string folder;
};

/// The words of a run whose samples come in order.
inline constexpr const char *sequential =
    "train --data @data --order sequential ";

} // namespace tessera::runtime

#endif // TESSERA_TEST_RUNTIME_PROGRAMTEST_H
