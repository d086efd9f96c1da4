//===- WeightFilesTest.cpp - Tests of weights in one file or many ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/WeightFiles.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

class WeightFilesTest : public testing::Test {
protected:
  void SetUp() override {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    write("config.json", "{}");
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(const char *name, const std::string &text) {
    std::ofstream(folder + "/" + name) << text;
  }
  void writeTensors(const char *name, const std::vector<std::string> &tensors) {
    SafetensorsWriter writer(folder + "/" + name);
    for (const std::string &tensor : tensors)
      writer.declare(tensor, {1});
    writer.begin();
    for (size_t i = 0; i < tensors.size(); ++i) {
      auto value = static_cast<float>(i);
      writer.write(&value, 1);
    }
    writer.commit();
  }
  void writeIndex(const std::string &map) {
    write("model.safetensors.index.json",
          R"({"metadata": {"total_size": 12}, "weight_map": )" + map + "}");
  }
  std::string errorOf() {
    std::string error;
    EXPECT_EQ(WeightFiles::open(folder, error), nullptr);
    return error;
  }

  std::string folder = testing::TempDir() + "published";
};

TEST_F(WeightFilesTest, FindsTensorsInTheFilesOfTheIndex) {
  writeTensors("model-00001-of-00002.safetensors", {"a", "b"});
  writeTensors("model-00002-of-00002.safetensors", {"c"});
  writeTensors("other.safetensors", {"d"});
  writeIndex(R"({"a": "model-00001-of-00002.safetensors",
                 "b": "model-00001-of-00002.safetensors",
                 "c": "model-00002-of-00002.safetensors"})");
  std::string error;
  auto files = WeightFiles::open(folder, error);
  ASSERT_TRUE(files) << error;
  EXPECT_EQ(files->files().size(), 2u);
  WeightFiles::Found b = files->find("b");
  ASSERT_TRUE(b);
  EXPECT_EQ(*reinterpret_cast<const float *>(b.tensor->data), 1.0f);
  EXPECT_TRUE(files->find("c"));
  EXPECT_FALSE(files->find("d"));
}

TEST_F(WeightFilesTest, ReadsOneFileOfAFolderOrByItself) {
  writeTensors("model.safetensors", {"a"});
  std::string error;
  EXPECT_TRUE(isPublishedFolder(folder));
  for (const std::string &path : {folder, folder + "/model.safetensors"}) {
    auto files = WeightFiles::open(path, error);
    ASSERT_TRUE(files) << error;
    EXPECT_TRUE(files->find("a"));
  }
}

TEST_F(WeightFilesTest, RefusesWhatDisagrees) {
  EXPECT_NE(errorOf().find("has neither model.safetensors nor "
                           "model.safetensors.index.json"),
            std::string::npos);
  writeTensors("x.safetensors", {"a", "b"});
  writeTensors("y.safetensors", {"b"});
  writeIndex(R"({"a": "x.safetensors", "b": "y.safetensors"})");
  EXPECT_NE(errorOf().find("both have a tensor 'b'"), std::string::npos);
  writeIndex(R"({"a": "x.safetensors", "c": "x.safetensors"})");
  EXPECT_NE(errorOf().find("says that tensor 'c' is in 'x.safetensors', which "
                           "has none of that name"),
            std::string::npos);
  writeIndex(R"({"a": "missing.safetensors"})");
  EXPECT_NE(errorOf().find("missing.safetensors"), std::string::npos);
  for (const char *name : {"../x.safetensors", ".x", ""}) {
    writeIndex(R"({"a": ")" + std::string(name) + "\"}");
    EXPECT_NE(errorOf().find("is no index of weights: weight_map['a'] is \""),
              std::string::npos);
  }
  write("model.safetensors.index.json", R"({"weight_map": {"a": 1}})");
  EXPECT_NE(errorOf().find("weight_map['a'] is 1"), std::string::npos);
  write("model.safetensors.index.json", "{");
  EXPECT_NE(errorOf().find("it is not JSON"), std::string::npos);
}

} // namespace
