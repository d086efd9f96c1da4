//===- Features.cpp - The features of a graph's nodes ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Features.h"
#include <algorithm>

namespace tessera::runtime {

std::string sparseFeaturesError(const GraphFile &file, FeatureForm form) {
  if (!form.normalize)
    return "";
  float smallest = file.smallestFeature();
  if (smallest >= 0)
    return "";
  return "the graph '" + file.path() + "' has the feature " +
         std::to_string(smallest) +
         ", which normalize_features takes off all features, so that none "
         "stays 0: give feature_entries: 0, or change it";
}

/// Takes \p smallest off \p count features of a node and makes their sum 1,
/// where it is more.
static void normalizeRow(float *row, int64_t count, float smallest) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += row[i] -= smallest;
  auto divisor = static_cast<float>(std::max(sum, 1.0));
  for (int64_t i = 0; i < count; ++i)
    row[i] /= divisor;
}

void copyFeatures(const GraphFile &file, FeatureForm form, float *destination) {
  file.copyFeatures(form.columns, destination);
  if (!form.normalize)
    return;
  int64_t nodes = file.shape().nodes;
  float smallest =
      *std::min_element(destination, destination + nodes * form.columns);
  for (int64_t node = 0; node < nodes; ++node)
    normalizeRow(destination + node * form.columns, form.columns, smallest);
}

FeatureColumns::FeatureColumns(const GraphFile &file, FeatureForm form)
    : file(file) {
  if (!form.normalize)
    return;
  smallest = file.smallestFeature();
  if (form.columns > file.shape().features)
    smallest = std::min(smallest, 0.0f);
  int64_t nodes = file.shape().nodes;
  std::vector<float> block(nodes * featureBlock);
  std::vector<double> sums(nodes, 0.0);
  for (int64_t first = 0; first < form.columns; first += featureBlock) {
    int64_t width = std::min(featureBlock, form.columns - first);
    file.copyColumns(first, width, featureBlock, block.data());
    for (int64_t node = 0; node < nodes; ++node)
      for (int64_t i = 0; i < width; ++i)
        sums[node] += block[node * featureBlock + i] - smallest;
  }
  divisors.reserve(nodes);
  for (double sum : sums)
    divisors.push_back(static_cast<float>(std::max(sum, 1.0)));
}

void FeatureColumns::copy(int64_t first, int64_t width,
                          float *destination) const {
  file.copyColumns(first, width, featureBlock, destination);
  for (size_t node = 0; node < divisors.size(); ++node)
    for (int64_t i = 0; i < width; ++i) {
      float &feature = destination[node * featureBlock + i];
      feature = (feature - smallest) / divisors[node];
    }
}

void copySparseFeatures(const GraphFile &file, FeatureForm form,
                        SparseRows rows, SparseRows transpose) {
  file.copySparseFeatures(rows.rowPtr, rows.col, rows.weight);
  int64_t nodes = file.shape().nodes, columns = form.columns;
  int64_t entries = rows.rowPtr[nodes];
  if (form.normalize) {
    // Something is 0 where there is no entry.
    float smallest =
        entries < nodes * columns
            ? 0.0f
            : *std::min_element(rows.weight, rows.weight + entries);
    for (int64_t node = 0; node < nodes; ++node)
      normalizeRow(rows.weight + rows.rowPtr[node],
                   rows.rowPtr[node + 1] - rows.rowPtr[node], smallest);
  }
  transposeRows(rows, nodes, columns, transpose);
}

void transposeRows(SparseRows rows, int64_t count, int64_t columns,
                   SparseRows transpose) {
  int64_t entries = rows.rowPtr[count];
  // Where a column begins, and while entries are dealt, where its next is.
  int32_t *next = transpose.rowPtr + 1;
  std::fill_n(transpose.rowPtr, columns + 1, 0);
  for (int64_t i = 0; i < entries; ++i)
    if (rows.col[i] + 1 < columns)
      ++next[rows.col[i] + 1];
  for (int64_t column = 1; column < columns; ++column)
    next[column] += next[column - 1];
  for (int64_t node = 0; node < count; ++node)
    for (int32_t i = rows.rowPtr[node]; i < rows.rowPtr[node + 1]; ++i) {
      int32_t at = next[rows.col[i]]++;
      transpose.col[at] = static_cast<int32_t>(node);
      transpose.weight[at] = rows.weight[i];
    }
}

} // namespace tessera::runtime
