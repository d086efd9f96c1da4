//===- CheckpointIndex.h - What a checkpoint consists of --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A checkpoint is a folder with a safetensors file of each rank and one
// checkpoint.json, which says which elements of which parameter lie where, and
// how far the run was (docs/runtime.md). Nothing in it depends on groups,
// stages or the number of ranks that reads it.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTINDEX_H
#define TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTINDEX_H

#include "runtime/data/DataFingerprint.h"
#include "runtime/program/Parts.h"
#include "runtime/training/Progress.h"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// Steps that the name of a checkpoint's folder has digits for.
constexpr int64_t maxSteps = 999'999'999'999;

/// The name in checkpoints of what the optimizer updates; what else it keeps
/// has names of its own (OptimizerState::savedAs).
inline const std::string savedWeight = "weight";

/// The names of all that is saved of each parameter.
std::vector<std::string> savedStates(const Manifest &manifest);

/// What stands before the parameter's name in a file: "" for weights, else such
/// as "optimizer.exp_avg.".
std::string prefixOf(const std::string &saved);

/// The state in memory that is saved as \p saved.
const State &sourceOf(const tessera_context &context, const std::string &saved,
                      int group);

/// Elements of a parameter's state in a file.
struct SavedPiece {
  std::string state; ///< its name in checkpoints
  int parameter = 0; ///< index into the parameters of the checkpoint
  Range range;
  std::string dtype;  ///< as safetensors names it
  int64_t offset = 0; ///< bytes from the file's start
};

struct SavedFile {
  std::string name;
  int64_t bytes = 0;
  std::vector<SavedPiece> pieces;
  std::vector<uint32_t> checksums; ///< of each block
};

struct SavedParameter {
  std::string name;
  std::vector<int64_t> shape;
  int64_t elements() const;
};

/// The text of a checkpoint.json with all checksums 0, and where in it they
/// are to be written: of the files' blocks in order, then of the text itself.
struct IndexText {
  static constexpr std::string_view sealBegin = ",\n\"checksum\": \"",
                                    noChecksum = "00000000", end = "\"}\n";
  std::string text;
  std::vector<size_t> places;

  /// Writes a checksum as eight hexadecimal digits. Allocates nothing.
  void put(size_t place, uint32_t value);
  /// Writes the last one, once all others are there.
  void seal();
};

struct CheckpointIndex {
  static constexpr const char *fileName = "checkpoint.json";
  static constexpr int formatVersion = 2;

  std::string folder;
  std::string model;
  int world = 1, stage = 0;
  int64_t blockBytes = 4 << 20;
  std::vector<SavedParameter> parameters;
  /// Of each parameter, weights among them.
  std::vector<std::string> states;
  std::vector<SavedFile> files;
  Progress progress;
  /// What determined the mathematics of the run (Manifest::fingerprint) and its
  /// data; nothing where the checkpoint does not say it.
  std::map<std::string, std::string> fingerprint;
  std::optional<DataFingerprint> data;

  std::string pathOf(const SavedFile &file) const {
    return folder + "/" + file.name;
  }
  int64_t blockCount() const;
  IndexText text() const;
  /// Reads the index in \p folder; none with the reason, which names the file
  /// and the entry, in \p error where it is missing, damaged, has a value that
  /// no run writes, or does not say where each element is. What it returns is
  /// valid: files tile their data, states their parameters, and sums of sizes
  /// and counts do not overflow.
  static std::optional<CheckpointIndex> read(const std::string &folder,
                                             std::string &error);
};

/// The file that \p rank writes: its name, size and pieces; and, where asked
/// for, its header and the places in the arena of its pieces.
SavedFile planFile(const tessera_context &context, int rank,
                   std::string *header = nullptr,
                   std::vector<int64_t> *places = nullptr);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_CHECKPOINT_CHECKPOINTINDEX_H
