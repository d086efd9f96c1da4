//===- GraphFile.h - A graph in a safetensors file --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one reader of graphs, for the compiler and for executables, so that both
// take and refuse the same files. docs/runtime.md describes the format.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_GRAPHFILE_H
#define TESSERA_RUNTIME_DATA_GRAPHFILE_H

#include "runtime/data/EdgeSource.h"
#include "runtime/files/Safetensors.h"
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// The counts that a graph's program depends on.
struct GraphShape {
  int64_t nodes = 0;
  int64_t edges = 0;    ///< Directed, as the file has them.
  int64_t features = 0; ///< Of a node; of sparse ones those that are used.
  int64_t classes = 0;  ///< Largest label + 1.
};

/// A graph that has been read and found sound.
class GraphFile final : public EdgeSource {
public:
  /// Features and classes at most.
  static constexpr int64_t mostColumns = 131072;

  /// Maps \p path; null, with what is wrong and how to mend it in \p error,
  /// where it cannot be read, is damaged, or is no graph to learn from.
  static std::unique_ptr<GraphFile> open(const std::string &path,
                                         std::string &error);
  /// The same for a file's \p bytes, which errors call \p name. They must
  /// outlive the result.
  static std::unique_ptr<GraphFile>
  read(std::string_view bytes, const std::string &name, std::string &error);

  const std::string &path() const override { return file->path(); }
  const GraphShape &shape() const { return counts; }
  int64_t nodeCount() const override { return counts.nodes; }
  /// Sparse features do not say how many columns there are beyond the used.
  bool hasSparseFeatures() const { return indptr; }

  /// The features that are stored; of dense ones those that are not 0.
  int64_t featureEntries() const;
  /// The smallest feature, of sparse ones 0 where that is smaller.
  float smallestFeature() const;

  /// Writes columns [\p first, \p first + \p width) of x to rows of \p leading
  /// numbers each; those beyond shape().features are 0.
  void copyColumns(int64_t first, int64_t width, int64_t leading,
                   float *destination) const;
  /// Writes x as [nodes, \p columns], \p columns being at least
  /// shape().features, and equal to it unless features are sparse.
  void copyFeatures(int64_t columns, float *destination) const;
  /// Writes x as compressed rows: where each node's entries begin, [nodes + 1],
  /// and for featureEntries() entries their columns and numbers.
  void copySparseFeatures(int32_t *begins, int32_t *columns,
                          float *numbers) const;

  /// The tensor that weighs edges, "edge_weight" or "edge_attr"; null where
  /// none does and all weights are 1.
  const char *weightName() const override { return weightTensor; }

  /// The class of each node; negative where it has none, which only nodes in
  /// no mask may lack.
  std::vector<int32_t> labels() const;
  /// The nodes of "train", "val" or "test", ascending.
  std::vector<int32_t> split(const std::string &name) const;

  /// The share of edges whose ends have one class, of those whose ends have
  /// any; not a number where there are none ("edge homophily": Zhu et al.,
  /// "Beyond homophily in graph neural networks", NeurIPS 2020).
  double homophily() const;

  /// Why nothing can be learned from it, though it can be evaluated; empty
  /// where something can.
  std::string trainingError() const;

  /// A warning that names the tensors which mean nothing here; empty where
  /// there are none.
  std::string unusedTensors() const;

  /// Gives back the memory that reading took; it can be read again.
  void release() const override;

private:
  GraphFile() = default;
  static std::unique_ptr<GraphFile>
  checked(std::unique_ptr<SafetensorsFile> file, std::string &error);
  void visitEdges(Visit visit, void *body) const override;
  /// Calls \p body(get), get(i) being the number of entry i.
  template <typename Body> void visitFeatures(Body &&body) const;
  /// Some entries of sparse features.
  struct EntryBlock {
    static constexpr int64_t room = 1024;
    int64_t begin = 0, count = 0;
    int32_t column[room];
    float number[room];
  };
  /// Calls \p body(row, column, number) for each entry of sparse features.
  template <typename Body> void forEntries(Body &&body) const;
  /// Reads the entries from \p begin on, as many as there is room for.
  void readEntries(int64_t begin, EntryBlock &block) const;
  /// Reads the edges from \p begin on, as many as there is room for.
  void readEdges(int64_t begin, EdgeBlock &block) const;
  /// Each returns what is wrong, or nothing.
  std::string check();
  std::string checkNames();
  std::string checkFeatures();
  std::string checkSparseFeatures();
  std::string checkEdges();
  std::string checkWeights();
  std::string checkLabels();
  std::string checkMask(const std::string &name);

  std::unique_ptr<SafetensorsFile> file;
  GraphShape counts;
  const Tensor *x = nullptr, *indptr = nullptr, *indices = nullptr,
               *values = nullptr, *edgeIndex = nullptr, *weights = nullptr,
               *y = nullptr;
  const char *weightTensor = nullptr;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_GRAPHFILE_H
