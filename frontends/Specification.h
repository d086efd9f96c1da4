//===- Specification.h - A model's specification, read and checked --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_SPECIFICATION_H
#define TESSERA_FRONTENDS_SPECIFICATION_H

#include "frontends/SourceText.h"
#include "frontends/spec.pb.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tessera {

/// A program of a graph neural network that predicts, for a graph of a size of
/// its own.
struct GraphQuery {
  std::string name;
  int64_t nodes = 0;
  int64_t edges = 0; ///< Without self-loops that the model adds.
};

/// A specification that has passed every check.
struct Specification {
  /// What was read, with every value that depends on another one resolved:
  /// name, batches, feed_forward, position_capacity, heads and biases,
  /// decay_steps, the graph's shape; in audit.shadow, all of the shadow's gnn
  /// and training. Read fields by their accessors, which apply the static
  /// defaults.
  spec::Specification message;
  /// Micro-batches that a rank computes each step:
  /// global_batch = micro_batch * world * accumulation.
  int64_t accumulation = 1;
  /// Bytes that a rank may take in training, and where that was said.
  std::optional<int64_t> memoryLimit;
  std::string memoryLimitPlace;
  /// Where each of the optimizer's groups was given.
  std::vector<std::string> groupPlaces;
  /// The file of `gnn.graph` as it is opened from here; empty for none.
  std::string graphPath;
  /// The same of an audit's shadow that is on a graph of its own; and whether
  /// it is, by a file or by counts.
  std::string shadowGraphPath;
  bool hasShadowGraph = false;
  /// Where each of the optimizer's groups of the shadow was given.
  std::vector<std::string> shadowGroupPlaces;
  /// The file of `tokenizer` as it is opened from here; empty for none.
  std::string tokenizerPath;
  /// Programs that predict, beside `predict` for the specification's graph.
  std::vector<GraphQuery> queries;
  /// Each micro-batch has features of its own: nodes are rows of a batch. For
  /// models without edges.
  bool hasBatchesOfRows = false;

  /// Tokens of a text that `prefill` takes at a time, at most.
  int64_t prefillChunk() const {
    return std::min<int64_t>(512, message.generation().context());
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
/// Returns nothing where there was any error.
std::optional<Specification>
loadSpecification(llvm::StringRef path, llvm::ArrayRef<std::string> overrides,
                  llvm::raw_ostream &errors);

/// The same for the text \p source. Where \p machine is given, the machine that
/// it describes (frontends/Machine.h) takes the place of the specification's
/// before the overrides.
std::optional<Specification> parseSpecification(
    const SourceText &source, llvm::ArrayRef<std::string> overrides,
    llvm::raw_ostream &errors, const SourceText *machine = nullptr);

/// Reads the specification in \p path as a text (readSource), and writes to
/// \p errors why it cannot be.
std::optional<SourceText> loadSource(llvm::StringRef path,
                                     llvm::raw_ostream &errors);

} // namespace tessera

#endif // TESSERA_FRONTENDS_SPECIFICATION_H
