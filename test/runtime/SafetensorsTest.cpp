//===- SafetensorsTest.cpp - Tests of the tensor files --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Safetensors.h"
#include <cmath>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace tessera;

namespace {

std::string pathOf(const char *name) { return testing::TempDir() + name; }

void writeRaw(const std::string &path, const std::string &header,
              const std::string &data) {
  std::ofstream file(path, std::ios::binary);
  uint64_t length = header.size();
  file.write(reinterpret_cast<char *>(&length), 8);
  file << header << data;
}

std::string errorOf(const std::string &path) {
  std::string error;
  EXPECT_EQ(SafetensorsFile::open(path, error), nullptr);
  return error;
}

void writeOne(const std::string &path, float value) {
  SafetensorsWriter writer(path, {{"note", "x"}});
  writer.declare("scalar", {});
  writer.declare("matrix", {2, 3});
  writer.begin();
  float matrix[6] = {1, 2, 3, 4, 5, value};
  writer.write(&value, 1);
  writer.write(matrix, 2);
  writer.write(matrix + 2, 4);
  writer.commit();
}

TEST(Safetensors, ReadsWhatItWrote) {
  std::string path = pathOf("roundtrip.safetensors"), error;
  writeOne(path, 7.5f);
  auto file = SafetensorsFile::open(path, error);
  ASSERT_TRUE(file) << error;
  EXPECT_EQ(file->metadata().at("note"), "x");
  const Tensor *matrix = file->find("matrix");
  ASSERT_TRUE(matrix);
  EXPECT_EQ(shapeText(matrix->shape), "[2, 3]");
  float values[6];
  ASSERT_TRUE(copyAsFloat(*matrix, 0, 6, values));
  EXPECT_EQ(values[5], 7.5f);
  ASSERT_TRUE(copyAsFloat(*file->find("scalar"), 0, 1, values));
  EXPECT_EQ(values[0], 7.5f);
  EXPECT_EQ(file->find("other"), nullptr);
}

TEST(Safetensors, ConvertsNarrowTypes) {
  std::string path = pathOf("narrow.safetensors"), error;
  // 1.5, -2, infinity, the smallest subnormal of each type.
  writeRaw(path,
           R"({"b":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]},)"
           R"("h":{"dtype":"F16","shape":[4],"data_offsets":[6,14]}})",
           std::string("\xC0\x3F\x00\xC0\x80\x7F"
                       "\x00\x3E\x00\xC0\x00\x7C\x01\x00",
                       14));
  auto file = SafetensorsFile::open(path, error);
  ASSERT_TRUE(file) << error;
  float values[4];
  ASSERT_TRUE(copyAsFloat(*file->find("b"), 0, 3, values));
  EXPECT_EQ(values[0], 1.5f);
  EXPECT_EQ(values[1], -2.0f);
  EXPECT_EQ(values[2], INFINITY);
  ASSERT_TRUE(copyAsFloat(*file->find("h"), 0, 4, values));
  EXPECT_EQ(values[0], 1.5f);
  EXPECT_EQ(values[1], -2.0f);
  EXPECT_EQ(values[2], INFINITY);
  EXPECT_EQ(values[3], 0x1p-24f);
}

TEST(Safetensors, SaysWhatIsWrong) {
  std::string path = pathOf("bad.safetensors");
  EXPECT_EQ(errorOf(pathOf("missing.safetensors")),
            "cannot open '" + pathOf("missing.safetensors") +
                "': No such file or directory");
  std::ofstream(path) << "abc";
  EXPECT_NE(errorOf(path).find("shorter than 8 bytes"), std::string::npos);
  std::ofstream(path) << "abcdefghijkl";
  EXPECT_NE(errorOf(path).find("cut short"), std::string::npos);
  writeRaw(path, "not json", "");
  EXPECT_NE(errorOf(path).find("not JSON"), std::string::npos);
  writeRaw(path, R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
           "1234");
  EXPECT_NE(errorOf(path).find("tensor 't' ends after the file"),
            std::string::npos);
  writeRaw(path, R"({"t":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
           "12345678");
  EXPECT_NE(errorOf(path).find("shape [3] has 8 bytes"), std::string::npos);
  writeRaw(path, R"({"t":{"dtype":"Q7","shape":[2],"data_offsets":[0,8]}})",
           "12345678");
  EXPECT_NE(errorOf(path).find("type Q7"), std::string::npos);
  writeRaw(path, R"({"t":{"shape":[2],"data_offsets":[0,8]}})", "12345678");
  EXPECT_NE(errorOf(path).find("lacks dtype"), std::string::npos);
  EXPECT_NE(errorOf(testing::TempDir()).find("is not a file"),
            std::string::npos);
}

TEST(SafetensorsWriter, LeavesNothingUncommitted) {
  std::string path = pathOf("uncommitted.safetensors");
  unlink(path.c_str());
  {
    SafetensorsWriter writer(path);
    writer.declare("a", {1000});
    writer.begin();
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  EXPECT_NE(access((path + ".tmp").c_str(), F_OK), 0);
}

// A writer killed at any moment leaves the old content or the new one.
TEST(SafetensorsWriter, KilledWriterLeavesACompleteFile) {
  std::string path = pathOf("killed.safetensors"), error;
  writeOne(path, 0);
  for (int trial = 0; trial < 20; ++trial) {
    pid_t child = fork();
    if (child == 0)
      for (float value = 1;; ++value)
        writeOne(path, value);
    usleep(1000 + trial * 337);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    auto file = SafetensorsFile::open(path, error);
    ASSERT_TRUE(file) << error;
    float scalar, last;
    ASSERT_TRUE(copyAsFloat(*file->find("scalar"), 0, 1, &scalar));
    ASSERT_TRUE(copyAsFloat(*file->find("matrix"), 5, 6, &last));
    EXPECT_EQ(scalar, last);
  }
}

TEST(SafetensorsWriter, SaysWhereItCannotWrite) {
  EXPECT_EXIT(
      {
        SafetensorsWriter writer("/nonexistent/w.safetensors");
        writer.declare("a", {1});
        writer.begin();
      },
      testing::ExitedWithCode(1),
      "error: cannot write '/nonexistent/w.safetensors.tmp': No such file");
}

} // namespace
