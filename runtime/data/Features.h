//===- Features.h - The features of a graph's nodes -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_FEATURES_H
#define TESSERA_RUNTIME_DATA_FEATURES_H

#include "runtime/data/Adjacency.h"
#include "runtime/data/GraphFile.h"
#include "runtime/data/SortRoom.h"

namespace tessera::runtime {

/// What a model makes of a graph's features.
struct FeatureForm {
  /// At least the file's, and as many unless features are sparse there.
  int64_t columns = 0;
  /// The smallest of all features is taken off each, then a node's are divided
  /// by their sum or 1, the larger: PyTorch Geometric's NormalizeFeatures.
  bool normalize = false;
};

/// Why the features of \p file cannot stay sparse in \p form; empty where they
/// can: with a negative number among them, every 0 would become another number.
std::string sparseFeaturesError(const GraphFile &file, FeatureForm form);

/// Writes the features of \p file to \p destination, [nodes, columns].
void copyFeatures(const GraphFile &file, FeatureForm form, float *destination);

/// The same by blocks of columns, where there is no room for all.
class FeatureColumns {
public:
  /// \p file must outlive this.
  FeatureColumns(const GraphFile &file, FeatureForm form);

  /// Writes columns [\p first, \p first + \p width) of all nodes to
  /// \p destination, [nodes, featureBlock].
  void copy(int64_t first, int64_t width, float *destination) const;

private:
  const GraphFile &file;
  float smallest = 0;
  std::vector<float> divisors; ///< of nodes; empty: features stay as they are
};

/// Writes them as \p rows, a row for each node, and as \p transpose, a row for
/// each column; sparseFeaturesError() must be empty. Entries of a row are in
/// the order of the file, of which there are file.featureEntries().
void copySparseFeatures(const GraphFile &file, FeatureForm form,
                        SparseRows rows, SparseRows transpose);

/// Writes the transpose of \p rows, of which there are \p count with \p columns
/// columns. Its entries are in the order of the rows.
void transposeRows(SparseRows rows, int64_t count, int64_t columns,
                   SparseRows transpose);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_FEATURES_H
