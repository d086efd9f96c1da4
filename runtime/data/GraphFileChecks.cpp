//===- GraphFileChecks.cpp - Whether a graph file is sound ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/GraphFile.h"
#include "runtime/data/GraphNumbers.h"
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tessera::runtime {

static constexpr int64_t mostNodesAndEdges =
    std::numeric_limits<int32_t>::max();
static constexpr const char *integerTypes =
    "I64, I32, I16, I8, U32, U16 or U8 is wanted";

static std::string quoted(const std::string &name) {
  return "tensor '" + name + "' ";
}

static std::string hasType(const std::string &name, const Tensor &tensor,
                           const std::string &wanted) {
  return quoted(name) + "has type " + tensor.dtype + ": " + wanted;
}

static std::string hasShape(const std::string &name, const Tensor &tensor,
                            const std::string &wanted) {
  return quoted(name) + "has shape " + shapeText(tensor.shape) + ": " + wanted;
}

static std::string elementIs(const Tensor &tensor, int64_t index,
                             const std::string &name, const std::string &value,
                             const std::string &wanted) {
  return "element " + placeText(tensor.shape, index) + " of " + quoted(name) +
         "is " + value + ": " + wanted;
}

/// [count] or [count, 1].
static bool isColumn(const Tensor &tensor, int64_t count) {
  const std::vector<int64_t> &shape = tensor.shape;
  return !shape.empty() && shape[0] == count &&
         (shape.size() == 1 || (shape.size() == 2 && shape[1] == 1));
}

/// [count, columns] with several columns.
static bool isTable(const Tensor &tensor, int64_t count) {
  const std::vector<int64_t> &shape = tensor.shape;
  return shape.size() == 2 && shape[0] == count && shape[1] > 1;
}

/// What is wrong with the numbers of \p tensor, if one is not finite.
static std::string checkFinite(const std::string &name, const Tensor &tensor) {
  int64_t count = tensor.elements(), found = count;
  float value = 0;
  bool numeric = visitFloats(tensor, [&](auto get) {
    // Whole blocks first: a loop that may end anywhere is not vectorised.
    static constexpr int64_t block = 1024;
    for (int64_t begin = 0; begin < count; begin += block) {
      int64_t end = std::min(begin + block, count);
      bool finite = true;
      for (int64_t i = begin; i < end; ++i)
        finite &= std::abs(get(i)) <= std::numeric_limits<float>::max();
      if (finite)
        continue;
      for (found = begin; std::isfinite(get(found));)
        ++found;
      value = get(found);
      return;
    }
  });
  if (!numeric)
    return hasType(name, tensor,
                   "F64, F32, BF16, F16, BOOL or whole numbers are wanted");
  if (found == count)
    return "";
  return elementIs(tensor, found, name, std::to_string(value) + " in F32",
                   "finite numbers are wanted; replace it");
}

std::string GraphFile::checkNames() {
  x = file->find("x");
  indptr = file->find("x.indptr");
  indices = file->find("x.indices");
  values = file->find("x.values");
  edgeIndex = file->find("edge_index");
  y = file->find("y");
  const Tensor *weight = file->find("edge_weight"),
               *attribute = file->find("edge_attr");
  if (x && (indptr || indices || values))
    return "it has both 'x' and 'x.indptr', 'x.indices' or 'x.values': keep "
           "one form of the features";
  if (!x && !indptr && !indices)
    return "it has no tensor 'x', nor 'x.indptr' and 'x.indices' for sparse "
           "features";
  if (!x && !(indptr && indices))
    return std::string("it has no tensor '") +
           (indptr ? "x.indices'" : "x.indptr'") +
           ", which sparse features need";
  for (const char *name :
       {"edge_index", "y", "train_mask", "val_mask", "test_mask"})
    if (!file->find(name))
      return std::string("it has no tensor '") + name + "'";
  if (weight && attribute)
    return "it has both 'edge_weight' and 'edge_attr': keep the one that "
           "weighs the edges";
  weights = weight ? weight : attribute;
  if (weights)
    weightTensor = weight ? "edge_weight" : "edge_attr";
  return "";
}

std::string GraphFile::check() {
  std::string error = checkNames();
  if (error.empty())
    error = x ? checkFeatures() : checkSparseFeatures();
  if (error.empty())
    error = checkEdges();
  if (error.empty() && weights)
    error = checkWeights();
  if (error.empty())
    error = checkLabels();
  for (const char *name : maskNames)
    if (error.empty())
      error = checkMask(name);
  return error;
}

std::string GraphFile::checkFeatures() {
  if (x->shape.size() != 2)
    return hasShape("x", *x, "[nodes, features] is wanted");
  counts.nodes = x->shape[0];
  counts.features = x->shape[1];
  if (counts.nodes < 1 || counts.nodes > mostNodesAndEdges ||
      counts.features < 1 || counts.features > mostColumns)
    return hasShape("x", *x,
                    "1 to 2147483647 nodes and 1 to " +
                        std::to_string(mostColumns) + " features are possible");
  return checkFinite("x", *x);
}

std::string GraphFile::checkSparseFeatures() {
  if (indptr->shape.size() != 1 || indptr->shape[0] < 2)
    return hasShape("x.indptr", *indptr, "[nodes + 1] is wanted");
  if (indices->shape.size() != 1)
    return hasShape("x.indices", *indices, "[entries] is wanted");
  int64_t rows = indptr->shape[0] - 1, entries = indices->shape[0];
  if (rows > mostNodesAndEdges)
    return hasShape("x.indptr", *indptr, "1 to 2147483647 nodes are possible");
  if (values && values->shape != indices->shape)
    return hasShape("x.values", *values,
                    "that of 'x.indices', " + shapeText(indices->shape) +
                        ", is wanted");
  std::string error;
  auto bad = [&](const char *name, int64_t i, int64_t value,
                 const std::string &wanted) {
    error = elementIs(*indices, i, name, std::to_string(value), wanted);
  };
  std::string ofEntries = "the number of entries, " + std::to_string(entries);
  bool whole = visitIntegers(*indptr, [&](auto begins) {
    int64_t before = 0;
    for (int64_t i = 0; i <= rows && error.empty(); ++i) {
      auto value = static_cast<int64_t>(begins[i]);
      if (i == 0 && value != 0)
        bad("x.indptr", i, value, "the first must be 0");
      else if (value < before || value > entries)
        bad("x.indptr", i, value,
            "it must neither decrease nor exceed " + ofEntries);
      else if (i == rows && value != entries)
        bad("x.indptr", i, value, "the last must be " + ofEntries);
      before = value;
    }
  });
  if (!whole)
    return hasType("x.indptr", *indptr, integerTypes);
  if (!error.empty())
    return error;
  whole = visitIntegers(*indices, [&](auto columns) {
    for (int64_t i = 0; i < entries; ++i) {
      auto column = static_cast<int64_t>(columns[i]);
      if (column < 0 || column >= mostColumns)
        return bad("x.indices", i, column,
                   "it must lie in [0, " + std::to_string(mostColumns) + ")");
      counts.features = std::max(counts.features, column + 1);
    }
    // The row in which a column was last seen.
    std::vector<int64_t> seen(counts.features, -1);
    visitIntegers(*indptr, [&](auto begins) {
      for (int64_t row = 0; row < rows; ++row)
        for (auto i = static_cast<int64_t>(begins[row]);
             i < static_cast<int64_t>(begins[row + 1]); ++i)
          if (std::exchange(seen[columns[i]], row) == row)
            return bad("x.indices", i, static_cast<int64_t>(columns[i]),
                       "row " + std::to_string(row) + " has it twice");
    });
  });
  if (!whole)
    return hasType("x.indices", *indices, integerTypes);
  if (!error.empty())
    return error;
  counts.nodes = rows;
  if (counts.features < 1)
    return "tensor 'x.indices' is empty: no node has a feature";
  return values ? checkFinite("x.values", *values) : "";
}

std::string GraphFile::checkEdges() {
  const std::vector<int64_t> &shape = edgeIndex->shape;
  if (shape.size() == 2 && shape[0] != 2 && shape[1] == 2)
    return hasShape("edge_index", *edgeIndex,
                    "[2, edges] is wanted; transpose it");
  if (shape.size() != 2 || shape[0] != 2)
    return hasShape("edge_index", *edgeIndex, "[2, edges] is wanted");
  counts.edges = shape[1];
  if (counts.edges > mostNodesAndEdges - counts.nodes)
    return hasShape("edge_index", *edgeIndex,
                    "nodes and edges together are at most 2147483647, as "
                    "indices have 32 bits");
  std::string error;
  bool whole = visitIntegers(*edgeIndex, [&](auto ends) {
    for (int64_t i = 0; i < 2 * counts.edges; ++i) {
      auto node = static_cast<int64_t>(ends[i]);
      if (node >= 0 && node < counts.nodes)
        continue;
      error =
          elementIs(*edgeIndex, i, "edge_index", std::to_string(node),
                    "nodes lie in [0, " + std::to_string(counts.nodes) + ")");
      return;
    }
  });
  return whole ? error : hasType("edge_index", *edgeIndex, integerTypes);
}

std::string GraphFile::checkWeights() {
  if (!isColumn(*weights, counts.edges))
    return hasShape(weightTensor, *weights,
                    "one weight for each of the " +
                        std::to_string(counts.edges) +
                        " edges is wanted, as a GCN takes no other features of "
                        "edges; remove it or choose one column");
  return checkFinite(weightTensor, *weights);
}

std::string GraphFile::checkLabels() {
  if (isTable(*y, counts.nodes))
    return hasShape("y", *y,
                    "one class for each node is wanted; of one-hot labels "
                    "give the argmax, of several tasks choose a column");
  if (!isColumn(*y, counts.nodes))
    return hasShape("y", *y,
                    "one class for each of the " +
                        std::to_string(counts.nodes) + " nodes is wanted");
  std::string error;
  bool whole = visitIntegers(*y, [&](auto labels) {
    for (int64_t i = 0; i < counts.nodes; ++i) {
      auto label = static_cast<int64_t>(labels[i]);
      if (label >= mostColumns) {
        error =
            elementIs(*y, i, "y", std::to_string(label),
                      "classes are less than " + std::to_string(mostColumns));
        return;
      }
      counts.classes = std::max(counts.classes, label + 1);
    }
  });
  if (!whole)
    return hasType("y", *y,
                   std::string(integerTypes) +
                       ", and a negative number where there is no label");
  if (error.empty() && counts.classes < 1)
    return "tensor 'y' has no label: classes are numbered from 0";
  return error;
}

std::string GraphFile::checkMask(const std::string &name) {
  const Tensor &mask = *file->find(name);
  if (isTable(mask, counts.nodes))
    return hasShape(name, mask,
                    "one flag for each node is wanted; of several splits "
                    "choose a column");
  if (!isColumn(mask, counts.nodes))
    return hasShape(name, mask,
                    "one flag for each of the " + std::to_string(counts.nodes) +
                        " nodes is wanted" +
                        (mask.shape.size() == 1 && mask.dtype != "BOOL"
                             ? "; of a list of nodes make a mask"
                             : ""));
  std::string error;
  auto check = [&](auto flags) {
    visitIntegers(*y, [&](auto labels) {
      for (int64_t i = 0; i < counts.nodes; ++i) {
        auto flag = static_cast<int64_t>(flags[i]);
        if (flag != 0 && flag != 1)
          error = elementIs(mask, i, name, std::to_string(flag),
                            "a flag is 0 or 1; of a list of nodes make a mask");
        else if (flag && static_cast<int64_t>(labels[i]) < 0)
          error = "node " + std::to_string(i) + " is in '" + name +
                  "' but has no label, as 'y' is " + std::to_string(labels[i]) +
                  " there: take it out of the mask";
        if (!error.empty())
          return;
      }
    });
  };
  if (mask.dtype == "BOOL")
    check(Numbers<uint8_t>{mask.data});
  else if (!visitIntegers(mask, check))
    return hasType(name, mask, "BOOL, or whole numbers 0 and 1, is wanted");
  return error;
}

} // namespace tessera::runtime
