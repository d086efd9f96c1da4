//===- Posteriors.h - What a model answers to a query ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_POSTERIORS_H
#define TESSERA_RUNTIME_AUDIT_POSTERIORS_H

#include <cstdint>
#include <span>
#include <vector>

namespace tessera::runtime {

/// A probability for each class, a row per node that was asked for. The rows of
/// a model sum to 1; those that a defense has changed need not.
struct Posteriors {
  int64_t rows = 0, classes = 0;
  std::vector<float> values; ///< [rows, classes]

  std::span<const float> row(int64_t index) const {
    return {values.data() + index * classes, static_cast<size_t>(classes)};
  }
  std::span<float> row(int64_t index) {
    return {values.data() + index * classes, static_cast<size_t>(classes)};
  }
};

/// The posteriors of \p logits, [rows, classes], divided by \p temperature,
/// which is above 0. Logarithms of posteriors serve as logits, too. A row that
/// has a NaN or +infinity has NaN alone.
Posteriors softmax(std::span<const float> logits, int64_t rows, int64_t classes,
                   double temperature = 1);

/// Rows \p nodes of \p posteriors, in this order.
Posteriors selectRows(const Posteriors &posteriors,
                      std::span<const int32_t> nodes);

/// The class that a row predicts, the first of several that are largest.
int32_t predictedClass(std::span<const float> row);

/// The share of rows that predict their class of \p labels, one per row. 0
/// where there are no rows.
double accuracy(const Posteriors &posteriors, std::span<const int32_t> labels);

/// What of a row is a distribution: entries below 0 clipped, the rest divided
/// by their sum. Uniform where none is above 0.
std::vector<double> distribution(std::span<const float> row);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_POSTERIORS_H
