//===- AuditModel.h - A model that an audit trains and asks -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITMODEL_H
#define TESSERA_RUNTIME_COMMANDS_AUDITMODEL_H

#include "runtime/data/Data.h"
#include "runtime/program/Context.h"
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tessera::runtime {

/// The memory of all models of an executable: one of them runs at a time, so
/// that they share it.
class AuditArena {
public:
  /// With room for each program of \p manifests, on the \p localRank-th of
  /// \p localSize ranks of this node.
  AuditArena(const std::vector<const Manifest *> &manifests, int localRank,
             int localSize);

  Device &device() const { return *openedDevice; }
  char *address() const { return arena; }
  int64_t bytes() const { return size; }
  void clear() const;

private:
  Device *openedDevice;
  char *arena;
  int64_t size = 0;
};

/// One of the models, whose programs have its parameters in the same place.
class AuditModel {
public:
  /// \p threads run its programs.
  AuditModel(const Manifest &manifest, const AuditArena &arena, int threads);

  /// Has whatever the arena held before be gone, and draws new parameters by
  /// \p seed, by which training then drops, too.
  void initialize(uint64_t seed);
  /// Takes them from a file of weights.
  void load(const std::string &path);

  /// Of the last initialize.
  uint64_t parameterSeed() const { return seed; }

  /// Trains for \p steps steps on \p source.
  void train(BatchSource &source, int64_t steps);

  /// The logits, [rows, classes], that \p program gives for the inputs that
  /// \p fill writes.
  std::vector<float>
  predict(const char *program,
          const std::function<void(const tessera_context &)> &fill);

  /// The context of \p program; exits the process where there is none.
  tessera_context &open(const std::string &program);

  const Manifest &manifest;
  /// Called before each step of training; may be empty.
  std::function<void()> onStep;

private:
  const AuditArena &arena;
  int threads;
  uint64_t seed = 1; ///< of the parameters
  std::map<std::string, std::unique_ptr<tessera_context>> contexts;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITMODEL_H
