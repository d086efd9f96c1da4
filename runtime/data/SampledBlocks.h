//===- SampledBlocks.h - A sampled subgraph as layers read it ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_SAMPLEDBLOCKS_H
#define TESSERA_RUNTIME_DATA_SAMPLEDBLOCKS_H

#include "runtime/data/Adjacency.h"
#include "runtime/data/NeighborSampler.h"

namespace tessera::runtime {

/// The blocks of a sampled subgraph. Layer b of L works on block b: the edges
/// into the nodes within L - 1 - b hops (rows), from those within L - b hops
/// (columns).
///
/// Weights are those of the form on the whole sampled subgraph, as PyTorch
/// Geometric's layers weigh it: degrees count its edges alone, in every block.
/// A form with self-loops adds one to each row, with the weight of one that was
/// drawn where one was. A row has its edges as they were drawn, then its loop.
///
/// So block b's rows are a prefix of those of block 0. Transposes are not.
class SampledBlocks {
public:
  /// \p transposed: of which blocks the transpose is wanted, one for a layer.
  /// Arrays lie in \p memory.
  SampledBlocks(AdjacencyForm form, std::vector<bool> transposed,
                Memory memory = std::pmr::get_default_resource());

  /// Has room for subgraphs of \p nodes nodes of which \p expanded are
  /// expanded, block b having \p entries[b] entries.
  void reserve(int64_t nodes, int64_t expanded,
               const std::vector<int64_t> &entries);
  /// Bytes of what reserve() takes.
  int64_t bytes() const;

  /// Makes the blocks of \p graph. Allocates nothing where there is room.
  void build(const SampledGraph &graph);

  int64_t rows(int64_t block) const { return counts[blocks() - 1 - block]; }
  int64_t columns(int64_t block) const { return counts[blocks() - block]; }
  int64_t entries(int64_t block) const { return rowPtr[rows(block)]; }
  /// Block 0's, of which any other's are a prefix.
  const int32_t *rowPtrs() const { return rowPtr.data(); }
  const int32_t *cols() const { return col.data(); }
  const float *weights() const { return weight.data(); }
  /// Those of the transpose; null where it is not wanted.
  const SparseRows &transpose(int64_t block) const { return views[block]; }

private:
  struct Transpose {
    std::pmr::vector<int32_t> rowPtr, col;
    std::pmr::vector<float> weight;
  };

  int64_t blocks() const { return static_cast<int64_t>(transposed.size()); }
  void weigh();

  AdjacencyForm form;
  std::vector<bool> transposed;
  std::vector<int64_t> counts;
  std::pmr::vector<float>
      factor; ///< d^-1/2 of each node, where the form wants it
  std::pmr::vector<int32_t> rowPtr, col;
  std::pmr::vector<float> weight;
  std::vector<Transpose> transposes;
  std::vector<SparseRows> views;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_SAMPLEDBLOCKS_H
