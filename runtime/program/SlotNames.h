//===- SlotNames.h - Names of inputs and outputs ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler gives them to programs and to their inputs and outputs, and the
// runtime runs, fills and reads them by these names.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_SLOTNAMES_H
#define TESSERA_RUNTIME_PROGRAM_SLOTNAMES_H

#include <array>
#include <cstdint>
#include <string>

namespace tessera::runtime::slotNames {

using Name = const char *;

// Inputs of a text: [batch, sequence] tokens and those that follow them; the
// place in the sequence to predict.
inline constexpr Name tokens = "tokens", position = "position";
// What is to be predicted, -100 where nothing is, and one over how many count.
inline constexpr Name targets = "targets", scale = "scale";
// The table of rotary positions: cosines, then sines, [2, sequence, half of a
// head's columns].
inline constexpr Name rotary = "rotary";
// Inputs of a graph: compressed rows of edges, and of their transpose.
inline constexpr Name features = "features", rowPtr = "row_ptr", col = "col",
                      weight = "weight", rowPtrT = "row_ptr_t", colT = "col_t",
                      weightT = "weight_t";
// The same of features that are sparse.
inline constexpr Name featureRowPtr = "feature_row_ptr",
                      featureCol = "feature_col",
                      featureValue = "feature_value",
                      featureRowPtrT = "feature_row_ptr_t",
                      featureColT = "feature_col_t",
                      featureValueT = "feature_value_t";
// Those of a sparse matrix together: rows, then rows of the transpose.
using MatrixNames = std::array<Name, 6>;
inline constexpr MatrixNames edgeNames = {rowPtr,  col,  weight,
                                          rowPtrT, colT, weightT};
inline constexpr MatrixNames featureNames = {featureRowPtr, featureCol,
                                             featureValue,  featureRowPtrT,
                                             featureColT,   featureValueT};
// Those of the edges into the nodes that a step learns from, by the whole
// graph's numbers, which are `nodes`: the last layer's.
inline constexpr MatrixNames lastEdgeNames = {"row_ptr.last", "col.last",
                                              "weight.last",  "row_ptr_t.last",
                                              "col_t.last",   "weight_t.last"};
// Memory in which edges are sorted that no step reads.
inline constexpr Name sortRoom = "sort_room";
// Inputs of a sampled micro-batch: the original ids of its nodes, the seeds
// first, then hop by hop.
inline constexpr Name nodes = "nodes";
/// What input \p name of a sparse matrix is called where it is of the block
/// that layer \p layer works on: "row_ptr.0".
inline std::string ofBlock(Name name, int64_t layer) {
  return std::string(name) + "." + std::to_string(layer);
}
// Memory for what sampling keeps: the graph's edges, two micro-batches.
inline constexpr Name sampleRoom = "sample_room";
// In place of "col.0" where the first block's columns are all nodes of the
// graph: where its entries begin, by the whole graph's numbers.
inline constexpr Name source = "source";
/// How many nodes of it are within \p hop hops of the seeds: "count.0".
inline std::string countWithin(int64_t hop) {
  return "count." + std::to_string(hop);
}
// Inputs of dropout: for each draw step, draw and key, [draws, 4]; the places
// in the order of the data that a text's samples have, [batch].
inline constexpr Name draws = "draws", samples = "samples";
// Inputs of the optimizer: of the step, where classes of parameters end,
// and what makes scaled gradients true ones.
inline constexpr Name hyper = "hyper", classEnds = "class_ends",
                      unscale = "unscale";

// Programs of an audit: predictions on the whole graph, on a subgraph of test
// nodes, and of the attack for all that it is asked of.
inline constexpr Name predictWhole = "predict_whole",
                      predictTest = "predict_test", predictAll = "predict_all";
// The program that says how likely each token is, and its outputs.
inline constexpr Name score = "score", logProbability = "log_probability",
                      mean = "mean", deviation = "deviation";

// Outputs.
inline constexpr Name loss = "loss", gradNorm = "grad_norm",
                      correct = "correct", logits = "logits";

} // namespace tessera::runtime::slotNames

#endif // TESSERA_RUNTIME_PROGRAM_SLOTNAMES_H
