//===- FeaturesTest.cpp - Tests of features -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Features.h"
#include "runtime/data/FeatureSums.h"
#include "test/runtime/data/GraphBytes.h"
#include <gmock/gmock.h>

using namespace tessera::runtime;
using testing::ElementsAre;

namespace {

/// Features 2 0 3, none, 0 0.5 0, in a file that stores entry 2 of node 0
/// first.
TensorBytes sparseGraph(const std::vector<double> &values = {3, 2, 0.5}) {
  TensorBytes graph = smallGraph();
  graph.remove("x");
  graph.set("x.indptr", "I64", {4}, {0, 2, 2, 3});
  graph.set("x.indices", "U8", {3}, {2, 0, 1});
  graph.set("x.values", "F32", {3}, values);
  return graph;
}

/// The file of \p tensors, whose bytes must stay.
std::unique_ptr<GraphFile> open(const std::string &bytes) {
  std::string error;
  auto file = GraphFile::read(bytes, "g", error);
  EXPECT_TRUE(file) << error;
  return file;
}

struct Matrix {
  std::vector<int32_t> rowPtr, col;
  std::vector<float> weight;
  Matrix(int64_t rows, int64_t entries)
      : rowPtr(rows + 1, -1), col(entries, -1), weight(entries, -1) {}
  SparseRows rows() { return {rowPtr.data(), col.data(), weight.data()}; }
};

TEST(Features, StaySparse) {
  std::string bytes = sparseGraph().bytes();
  auto file = open(bytes);
  EXPECT_EQ(file->featureEntries(), 3);
  // A model may have more columns, and room for more entries.
  Matrix rows(3, 4), transpose(4, 4);
  copySparseFeatures(*file, {.columns = 4}, rows.rows(), transpose.rows());
  EXPECT_THAT(rows.rowPtr, ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(rows.col, ElementsAre(2, 0, 1, -1));
  EXPECT_THAT(rows.weight, ElementsAre(3, 2, 0.5, -1));
  EXPECT_THAT(transpose.rowPtr, ElementsAre(0, 1, 2, 3, 3));
  EXPECT_THAT(transpose.col, ElementsAre(0, 2, 0, -1));
  EXPECT_THAT(transpose.weight, ElementsAre(2, 0.5, 3, -1));
}

TEST(Features, OfOneColumnAreTransposed) {
  TensorBytes tensors = sparseGraph();
  tensors.set("x.indptr", "I64", {4}, {0, 1, 1, 2});
  tensors.set("x.indices", "U8", {2}, {0, 0});
  tensors.set("x.values", "F32", {2}, {4, 5});
  std::string bytes = tensors.bytes();
  Matrix rows(3, 2), transpose(1, 2);
  copySparseFeatures(*open(bytes), {.columns = 1}, rows.rows(),
                     transpose.rows());
  EXPECT_THAT(transpose.rowPtr, ElementsAre(0, 2));
  EXPECT_THAT(transpose.col, ElementsAre(0, 2));
  EXPECT_THAT(transpose.weight, ElementsAre(4, 5));
}

TEST(Features, BecomeSparse) {
  TensorBytes tensors = smallGraph();
  tensors.set("x", "F32", {3, 2}, {0, 2, 0, 0, 5, 6});
  std::string bytes = tensors.bytes();
  auto file = open(bytes);
  EXPECT_EQ(file->featureEntries(), 3);
  Matrix rows(3, 3), transpose(2, 3);
  copySparseFeatures(*file, {.columns = 2}, rows.rows(), transpose.rows());
  EXPECT_THAT(rows.rowPtr, ElementsAre(0, 1, 1, 3));
  EXPECT_THAT(rows.col, ElementsAre(1, 0, 1));
  EXPECT_THAT(rows.weight, ElementsAre(2, 5, 6));
  EXPECT_THAT(transpose.col, ElementsAre(2, 0, 2));
}

// A sum below 1 stays; so does a node without features.
TEST(Features, AreNormalised) {
  std::string bytes = sparseGraph().bytes();
  auto file = open(bytes);
  FeatureForm form = {.columns = 3, .normalize = true};
  EXPECT_EQ(sparseFeaturesError(*file, form), "");
  std::vector<float> x(9);
  copyFeatures(*file, form, x.data());
  EXPECT_THAT(x, ElementsAre(0.4f, 0, 0.6f, 0, 0, 0, 0, 0.5f, 0));
  Matrix rows(3, 3), transpose(3, 3);
  copySparseFeatures(*file, form, rows.rows(), transpose.rows());
  EXPECT_THAT(rows.weight, ElementsAre(0.6f, 0.4f, 0.5f));
  EXPECT_THAT(transpose.weight, ElementsAre(0.4f, 0.5f, 0.6f));
}

// The smallest of all is taken off: 1 here, so that one becomes 0.
TEST(Features, AreNormalisedWithoutZeros) {
  std::string bytes = smallGraph().bytes();
  auto file = open(bytes);
  FeatureForm form = {.columns = 2, .normalize = true};
  std::vector<float> x(6);
  copyFeatures(*file, form, x.data());
  EXPECT_THAT(x, ElementsAre(0, 1, 2 / 5.f, 3 / 5.f, 4 / 9.f, 5 / 9.f));
  Matrix rows(3, 6), transpose(2, 6);
  copySparseFeatures(*file, form, rows.rows(), transpose.rows());
  EXPECT_THAT(rows.weight,
              ElementsAre(0, 1, 2 / 5.f, 3 / 5.f, 4 / 9.f, 5 / 9.f));
}

TEST(Features, ThatAreNegativeDoNotStaySparse) {
  std::string bytes = sparseGraph({3, -2, 0.5}).bytes();
  auto file = open(bytes);
  EXPECT_EQ(sparseFeaturesError(*file, {.columns = 3}), "");
  FeatureForm form = {.columns = 3, .normalize = true};
  EXPECT_EQ(sparseFeaturesError(*file, form),
            "the graph 'g' has the feature -2.000000, which normalize_features "
            "takes off all features, so that none stays 0: give "
            "feature_entries: 0, or change it");
  std::vector<float> x(9);
  copyFeatures(*file, form, x.data());
  EXPECT_THAT(x, ElementsAre(0, 2 / 7.f, 5 / 7.f, 1 / 3.f, 1 / 3.f, 1 / 3.f,
                             2 / 6.5f, 2.5f / 6.5f, 2 / 6.5f));
}

// Blocks of columns have the bits of all of them.
TEST(Features, AreCopiedByColumns) {
  auto check = [](const TensorBytes &tensors, int64_t columns) {
    std::string bytes = tensors.bytes();
    auto file = open(bytes);
    for (bool normalize : {false, true}) {
      FeatureForm form = {.columns = columns, .normalize = normalize};
      std::vector<float> x(3 * columns), block(3 * featureBlock);
      copyFeatures(*file, form, x.data());
      FeatureColumns reader(*file, form);
      for (int64_t first = 0; first < columns; first += 2) {
        int64_t width = std::min<int64_t>(2, columns - first);
        reader.copy(first, width, block.data());
        for (int64_t node = 0; node < 3; ++node)
          for (int64_t i = 0; i < width; ++i)
            EXPECT_EQ(block[node * featureBlock + i],
                      x[node * columns + first + i])
                << normalize << node << first + i;
      }
    }
  };
  check(smallGraph(), 2);
  check(sparseGraph(), 3);
  check(sparseGraph(), 5);
  check(sparseGraph({3, -2, 0.5}), 4);
}

// More entries than are read at a time.
TEST(Features, OfManyEntriesAreCopied) {
  constexpr int64_t columns = 1500;
  std::vector<double> used(2 * columns), values(2 * columns);
  for (int64_t i = 0; i < 2 * columns; ++i) {
    used[i] = static_cast<double>(i % columns);
    values[i] = static_cast<double>(i + 1);
  }
  TensorBytes tensors = sparseGraph();
  tensors.set("x.indptr", "I32", {4}, {0, columns, columns, 2 * columns});
  tensors.set("x.indices", "U16", {2 * columns}, used);
  tensors.set("x.values", "F64", {2 * columns}, values);
  std::string bytes = tensors.bytes();
  auto file = open(bytes);
  std::vector<float> x(3 * columns, -1), part(3 * 2, -1);
  file->copyFeatures(columns, x.data());
  file->copyColumns(columns - 2, 2, 2, part.data());
  for (int64_t i = 0; i < columns; ++i) {
    EXPECT_EQ(x[i], static_cast<float>(i + 1));
    EXPECT_EQ(x[columns + i], 0);
    EXPECT_EQ(x[2 * columns + i], static_cast<float>(columns + i + 1));
  }
  EXPECT_THAT(part, ElementsAre(1499, 1500, 0, 0, 2999, 3000));
}

// More columns than are summed at a time.
TEST(Features, AreSummedOverNeighbours) {
  constexpr int64_t nodes = 4, columns = 35;
  std::vector<int32_t> rowPtr = {0, 2, 3, 3, 6}, col = {1, 3, 0, 0, 2, 3};
  std::vector<float> weight = {0.5, 2, 1, 1, -1, 3};
  std::vector<float> x(nodes * columns), expected;
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i % 11) - 5;
  expected = x;
  for (int hop = 0; hop < 2; ++hop) {
    std::vector<float> before = expected;
    for (int64_t i = 0; i < nodes; ++i)
      for (int64_t c = 0; c < columns; ++c) {
        float &sum = expected[i * columns + c] = 0;
        for (int32_t e = rowPtr[i]; e < rowPtr[i + 1]; ++e)
          sum += weight[e] * before[col[e] * columns + c];
      }
  }
  SparseRows edges = {rowPtr.data(), col.data(), weight.data()};
  std::vector<float> from(nodes * featureBlock);
  takeFromNeighbors({.hops = 2}, edges, nodes, columns, x.data(), from.data());
  EXPECT_EQ(x, expected);
}

// Node 1 has none, and keeps nothing of its own; weights are not read.
TEST(Features, AreTheLargestOfNeighbours) {
  constexpr int64_t nodes = 3, columns = 10;
  std::vector<int32_t> rowPtr = {0, 2, 2, 3}, col = {1, 2, 0};
  std::vector<float> weight = {9, 9, 9};
  std::vector<float> x(nodes * columns), expected(nodes * columns);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i * 7 % 11) - 12;
  for (int64_t c = 0; c < columns; ++c) {
    expected[c] = std::max(x[columns + c], x[2 * columns + c]);
    expected[2 * columns + c] = x[c];
  }
  std::vector<float> from(nodes * featureBlock);
  takeFromNeighbors({.hops = 1, .isMaximum = true},
                    {rowPtr.data(), col.data(), weight.data()}, nodes, columns,
                    x.data(), from.data());
  EXPECT_EQ(x, expected);
}

TEST(Features, AreNamedByWhatTheyAre) {
  EXPECT_EQ(FeaturePart().name(), "features");
  EXPECT_EQ(FeaturePart{.hops = 12}.name(), "features.sum.12");
  for (const char *name : {"features", "features.sum.12", "features.max"}) {
    std::optional<FeaturePart> part = FeaturePart::named(name);
    ASSERT_TRUE(part) << name;
    EXPECT_EQ(part->name(), name);
  }
  for (const char *name :
       {"feature", "features.", "features.min", "features.max.1",
        "features.sum.", "features.sum.0", "features.sum.-1", "features.sum.2x",
        "features.sum.99999999999999999999", "feature_row_ptr"})
    EXPECT_FALSE(FeaturePart::named(name)) << name;
}

} // namespace
