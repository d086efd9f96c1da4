//===- Resolution.h - Values that follow from others ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_RESOLUTION_H
#define TESSERA_FRONTENDS_RESOLUTION_H

#include "frontends/Diagnostics.h"
#include "frontends/Specification.h"

namespace tessera {

/// Resolves the values of a validated \p message that follow from others.
/// \p path is the specification's, which names it by default.
Specification resolve(const spec::Specification &message, llvm::StringRef path);

/// Resolves the values of \p training that follow from its others: those of its
/// optimizer, and where its schedule ends.
void resolveTraining(spec::Training &training);

/// Sets the batches of \p training, a graph neural network's on \p world ranks.
void resolveGraphBatches(spec::Training &training, int64_t world);

/// Sets of \p model what its kind of layers says of edges: self-loops and
/// weights.
void resolveEdges(spec::Gnn &model);

/// Reads the shape of the graph that \p message names, relative to the folder
/// \p base, into \p message.
void resolveGraph(spec::Specification &message, llvm::StringRef base,
                  Diagnostics &diagnostics);

} // namespace tessera

#endif // TESSERA_FRONTENDS_RESOLUTION_H
