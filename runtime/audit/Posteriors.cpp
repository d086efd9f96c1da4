//===- Posteriors.cpp - What a model answers to a query -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Posteriors.h"
#include <algorithm>
#include <cmath>

namespace tessera::runtime {

Posteriors softmax(std::span<const float> logits, int64_t rows, int64_t classes,
                   double temperature) {
  Posteriors result{rows, classes, std::vector<float>(rows * classes)};
  std::vector<double> powers(classes);
  for (int64_t i = 0; i < rows; ++i) {
    std::span<const float> row = logits.subspan(i * classes, classes);
    double largest = -HUGE_VAL, sum = 0;
    for (float logit : row)
      largest = std::max<double>(largest, logit);
    for (int64_t j = 0; j < classes; ++j)
      sum += powers[j] = std::exp((row[j] - largest) / temperature);
    for (int64_t j = 0; j < classes; ++j)
      result.values[i * classes + j] = static_cast<float>(powers[j] / sum);
  }
  return result;
}

Posteriors selectRows(const Posteriors &posteriors,
                      std::span<const int32_t> nodes) {
  Posteriors result{static_cast<int64_t>(nodes.size()), posteriors.classes, {}};
  result.values.reserve(result.rows * result.classes);
  for (int32_t node : nodes) {
    std::span<const float> row = posteriors.row(node);
    result.values.insert(result.values.end(), row.begin(), row.end());
  }
  return result;
}

int32_t predictedClass(std::span<const float> row) {
  return static_cast<int32_t>(std::max_element(row.begin(), row.end()) -
                              row.begin());
}

double accuracy(const Posteriors &posteriors, std::span<const int32_t> labels) {
  int64_t right = 0;
  for (int64_t i = 0; i < posteriors.rows; ++i)
    right += predictedClass(posteriors.row(i)) == labels[i];
  return posteriors.rows ? double(right) / double(posteriors.rows) : 0;
}

std::vector<double> distribution(std::span<const float> row) {
  std::vector<double> result(row.begin(), row.end());
  double sum = 0;
  for (double &entry : result)
    sum += entry = std::max(entry, 0.0);
  for (double &entry : result)
    entry = sum > 0 ? entry / sum : 1.0 / double(result.size());
  return result;
}

} // namespace tessera::runtime
