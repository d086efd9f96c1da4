//===- PosteriorsFile.cpp - Answers of a model in a file ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/PosteriorsFile.h"
#include "runtime/data/GraphNumbers.h"
#include "runtime/files/Safetensors.h"
#include <cmath>

namespace tessera::runtime {

/// What is wrong with row \p index of posteriors, or nothing; divides it by its
/// sum.
static std::string checkRow(std::span<float> row, int64_t index) {
  static constexpr double most = 0.01;
  double sum = 0;
  for (float entry : row) {
    if (!(entry >= 0 && entry <= 1 + most))
      return "row " + std::to_string(index) + " of 'posteriors' has " +
             std::to_string(entry) +
             ", which is no probability; name the tensor 'logits' if softmax "
             "is to be taken";
    sum += entry;
  }
  if (std::abs(sum - 1) > most)
    return "row " + std::to_string(index) + " of 'posteriors' sums to " +
           std::to_string(sum) + ", not to 1";
  for (float &entry : row)
    entry = static_cast<float>(entry / sum);
  return "";
}

/// What is wrong with \p file, or nothing.
static std::string convert(const SafetensorsFile &file, int64_t nodes,
                           int64_t classes, Posteriors &posteriors) {
  const Tensor *given = file.find("posteriors"), *logits = file.find("logits");
  if (!given == !logits)
    return given ? "it has both 'posteriors' and 'logits': keep one"
                 : "it has no tensor 'posteriors' and none 'logits'";
  std::string name = given ? "'posteriors'" : "'logits'";
  const Tensor &tensor = given ? *given : *logits;
  std::vector<int64_t> shape = {nodes, classes};
  if (tensor.shape != shape)
    return name + " has the shape " + shapeText(tensor.shape) + ", not " +
           shapeText(shape) + " of the graph's nodes and classes";
  std::vector<float> values(nodes * classes);
  bool isNumeric = visitFloats(tensor, [&](auto get) {
    for (int64_t i = 0; i < nodes * classes; ++i)
      values[i] = get(i);
  });
  if (!isNumeric)
    return name + " has the type " + tensor.dtype +
           ": F32, F64, F16 or BF16 is wanted";
  for (int64_t i = 0; i < nodes * classes; ++i)
    if (!std::isfinite(values[i]))
      return name + placeText(shape, i) + " is not finite";
  if (logits) {
    posteriors = softmax(values, nodes, classes);
    return "";
  }
  posteriors = {nodes, classes, std::move(values)};
  for (int64_t i = 0; i < nodes; ++i)
    if (std::string reason = checkRow(posteriors.row(i), i); !reason.empty())
      return reason;
  return "";
}

bool readPosteriors(const std::string &path, int64_t nodes, int64_t classes,
                    Posteriors &posteriors, std::string &error) {
  auto file = SafetensorsFile::open(path, error);
  if (!file)
    return false;
  std::string reason = convert(*file, nodes, classes, posteriors);
  if (reason.empty())
    return true;
  error = "the posteriors '" + path + "' cannot be used: " + reason;
  return false;
}

} // namespace tessera::runtime
