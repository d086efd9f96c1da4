//===- Data.h - What a program trains on ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_H
#define TESSERA_RUNTIME_DATA_H

#include "runtime/Manifest.h"
#include <memory>
#include <string>

namespace tessera {

/// Consecutive samples that one step learns from.
struct GlobalBatch {
  int64_t position = 0;     ///< of its first sample in the order of the data
  int64_t microBatches = 1; ///< that each rank computes
};

/// Fills a program's inputs for one rank.
class BatchSource {
public:
  virtual ~BatchSource() = default;

  /// Fills \p slot at \p address for this rank's micro-batch \p micro of
  /// \p batch. False for a name it does not know.
  virtual bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
                    int64_t micro) = 0;

  /// 1 / number of targets that count in \p batch.
  virtual float scale(const GlobalBatch &batch) const = 0;

  /// Tokens of \p batch; 0 for a graph, whose step is an epoch.
  virtual int64_t tokens(const GlobalBatch &batch) const = 0;

  /// One line for people: what the data is.
  virtual std::string describe() const = 0;
};

/// How samples follow one another.
enum class SampleOrder { sequential, shuffled };

/// Opens \p path for training as rank \p rank of \p ranks: tokens for a
/// transformer, a graph for a GNN. Ends the process on data that does not fit
/// the model.
std::unique_ptr<BatchSource> openBatchSource(const Manifest &manifest,
                                             const std::string &path,
                                             SampleOrder order, uint64_t seed,
                                             int rank, int ranks);

} // namespace tessera

#endif // TESSERA_RUNTIME_DATA_H
