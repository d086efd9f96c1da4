//===- Specification.h - A model's specification, read and checked --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_SPECIFICATION_H
#define TESSERA_FRONTENDS_SPECIFICATION_H

#include "frontends/spec.pb.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tessera {

/// A specification that has passed every check.
struct Specification {
  /// What was read, with every value that depends on another one resolved:
  /// name, batches, feed_forward, position_capacity, decay_steps, the graph's
  /// shape. Read fields by their accessors, which apply the static defaults.
  spec::Specification message;
  /// Micro-batches a rank computes each step:
  /// global_batch = micro_batch * world * accumulation.
  int64_t accumulation = 1;
  /// Bytes that a rank may take in training, and where that was said.
  std::optional<int64_t> memoryLimit;
  std::string memoryLimitPlace;

  /// Width of one attention head. Transformers only.
  int64_t headDim() const {
    return message.transformer().hidden() / message.transformer().heads();
  }
  /// Rows of the activations: tokens of a micro-batch, or nodes.
  int64_t rows() const {
    return message.has_gnn() ? message.gnn().nodes()
                             : message.training().micro_batch() *
                                   message.transformer().sequence_length();
  }
};

/// Reads the specification in \p path, applies \p overrides in order, each
/// `path=value` as the option `--set` takes it, and checks the whole. What is
/// wrong is written to \p errors, a line each:
///
///     file:line:column: error: what; remedy
///     --set path=value: error: what; remedy
///
/// Returns nothing where there was any error. Where \p machinePath is given,
/// the machine of that file (frontends/Machine.h) takes the place of the
/// specification's before the overrides.
std::optional<Specification>
loadSpecification(llvm::StringRef path, llvm::ArrayRef<std::string> overrides,
                  llvm::raw_ostream &errors, llvm::StringRef machinePath = "");

/// The same for \p text, which diagnostics call \p path. Relative paths in it
/// are taken from the folder of \p path.
std::optional<Specification>
parseSpecification(llvm::StringRef text, llvm::StringRef path,
                   llvm::ArrayRef<std::string> overrides,
                   llvm::raw_ostream &errors, llvm::StringRef machinePath = "");

} // namespace tessera

#endif // TESSERA_FRONTENDS_SPECIFICATION_H
