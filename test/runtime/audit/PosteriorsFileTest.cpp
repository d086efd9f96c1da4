//===- PosteriorsFileTest.cpp - Tests of answers in a file ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/PosteriorsFile.h"
#include "test/runtime/data/GraphBytes.h"
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace tessera::runtime;

namespace {

class PosteriorsFileTest : public testing::Test {
protected:
  void TearDown() override { unlink(path.c_str()); }
  bool read(const TensorBytes &tensors) {
    std::ofstream(path, std::ios::binary) << tensors.bytes();
    return readPosteriors(path, 2, 2, posteriors, error);
  }
  std::string reasonOf(const TensorBytes &tensors) {
    EXPECT_FALSE(read(tensors));
    std::string start = "the posteriors '" + path + "' cannot be used: ";
    EXPECT_EQ(error.substr(0, start.size()), start);
    return error.substr(std::min(start.size(), error.size()));
  }
  static TensorBytes with(const char *name, const std::vector<double> &values,
                          const char *dtype = "F32",
                          const std::vector<int64_t> &shape = {2, 2}) {
    TensorBytes tensors;
    tensors.set(name, dtype, shape, values);
    return tensors;
  }

  std::string path = testing::TempDir() + "answers." + std::to_string(getpid());
  Posteriors posteriors;
  std::string error;
};

TEST_F(PosteriorsFileTest, HasPosteriorsOrLogits) {
  ASSERT_TRUE(read(with("posteriors", {0.25, 0.75, 1, 0}, "F64"))) << error;
  EXPECT_EQ(posteriors.values, (std::vector<float>{0.25f, 0.75f, 1, 0}));
  EXPECT_EQ(posteriors.rows, 2);
  ASSERT_TRUE(read(with("logits", {0, 0, -50, 50}))) << error;
  EXPECT_EQ(posteriors.values[0], 0.5f);
  EXPECT_EQ(posteriors.values[3], 1);
  // Rows of little precision are divided by their sum.
  ASSERT_TRUE(read(with("posteriors", {0.503, 0.503, 1, 0}))) << error;
  EXPECT_EQ(posteriors.values[0], 0.5f);
}

TEST_F(PosteriorsFileTest, IsRefusedWithTheReason) {
  EXPECT_EQ(reasonOf(with("other", {0, 0, 0, 0})),
            "it has no tensor 'posteriors' and none 'logits'");
  TensorBytes both = with("posteriors", {1, 0, 1, 0});
  both.set("logits", "F32", {2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(reasonOf(both), "it has both 'posteriors' and 'logits': keep one");
  EXPECT_EQ(reasonOf(with("logits", {0, 0, 0, 0}, "F32", {4, 1})),
            "'logits' has the shape [4, 1], not [2, 2] of the graph's nodes "
            "and classes");
  EXPECT_EQ(reasonOf(with("logits", {0, 0, 0, NAN})),
            "'logits'[1, 1] is not finite");
  EXPECT_EQ(reasonOf(with("posteriors", {0.5, 0.5, 0.7, 0.2})),
            "row 1 of 'posteriors' sums to 0.900000, not to 1");
  EXPECT_EQ(reasonOf(with("posteriors", {-0.5, 1.5, 1, 0})),
            "row 0 of 'posteriors' has -0.500000, which is no probability; "
            "name the tensor 'logits' if softmax is to be taken");
  std::ofstream(path) << "no tensors";
  EXPECT_FALSE(readPosteriors(path, 2, 2, posteriors, error));
  EXPECT_NE(error.find(path), std::string::npos);
}

} // namespace
