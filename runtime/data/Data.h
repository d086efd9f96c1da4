//===- Data.h - What a program trains on ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_DATA_H
#define TESSERA_RUNTIME_DATA_DATA_H

#include "runtime/data/DataFingerprint.h"
#include "runtime/files/Output.h"
#include "runtime/program/Manifest.h"
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

struct tessera_context;

namespace tessera::runtime {

class Communicator;

/// Consecutive samples that one step learns from.
struct GlobalBatch {
  int64_t position = 0;     ///< of its first sample in the order of the data
  int64_t microBatches = 1; ///< that each rank computes
};

/// Fills a program's inputs for one rank.
class BatchSource {
public:
  virtual ~BatchSource() = default;

  /// Fills \p slots, inputs of \p context's program that stay as they are from
  /// before the first step on. Null, or the first of them that has a name it
  /// does not know.
  virtual const Slot *load(const tessera_context &,
                           const std::vector<const Slot *> &slots) {
    return slots.empty() ? nullptr : slots.front();
  }

  /// Fills \p slot at \p address for this rank's micro-batch \p micro of
  /// \p batch. False for a name it does not know. Where the data cannot be
  /// read the input is filled all the same, so that the rank can go on to meet
  /// its peers, and error() says why.
  virtual bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
                    int64_t micro) = 0;

  /// Why an input could not be read; null where all could.
  virtual const char *error() const { return nullptr; }

  /// Reads the data once for what would otherwise end the run later, and ends
  /// it now. A verdict is kept in \p directory, where that is not empty, for
  /// the next run. All ranks call it.
  virtual void verify(Communicator &, const std::string &) const {}

  /// What distinguishes the data from other data; all ranks have the same.
  virtual std::optional<DataFingerprint> fingerprint() const { return {}; }

  /// 1 / number of targets that count in \p batch.
  virtual float scale(const GlobalBatch &batch) const = 0;

  /// Tokens of \p batch; 0 for a graph.
  virtual int64_t tokens(const GlobalBatch &batch) const = 0;

  /// Nodes that \p batch learns from by sampled neighbourhoods; 0 for tokens,
  /// and for a graph whose step is an epoch.
  virtual int64_t seeds(const GlobalBatch &) const { return 0; }

  /// How often the data has been gone through before the sample at \p position
  /// in its order, with a fraction.
  virtual double epochs(int64_t position) const {
    return static_cast<double>(position);
  }

  /// One line for people: what the data is.
  virtual std::string describe() const = 0;

  /// The same for what a graph is like, before load; empty for tokens.
  virtual std::string describeGraph() const { return ""; }

  /// More that `train` says at its start, for \p steps steps: rows of a name
  /// and a text.
  virtual std::vector<std::pair<std::string, std::string>>
  settings(int64_t) const {
    return {};
  }
};

/// How samples follow one another.
enum class SampleOrder { Sequential, Shuffled };

/// Opens \p path for training as rank \p rank of \p ranks: tokens for a
/// transformer, of the type \p type ("u8", "u16" or "i32"; empty where the file
/// says it), a graph for a GNN. Exits the process on data that does not fit the
/// model. What sampling takes lies in \p memory, as far as that goes.
std::unique_ptr<BatchSource>
openBatchSource(const Manifest &manifest, const std::string &path,
                const std::string &type, SampleOrder order, uint64_t seed,
                int rank, int ranks, std::span<char> memory = {});

/// The memory that \p context's program has for sampling; empty where it has
/// none.
std::span<char> sampleMemory(const tessera_context &context);

/// The files that \p path may stand for: itself or a pair of tokens and index.
std::vector<UsedFile> dataFiles(const std::string &path);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_DATA_H
