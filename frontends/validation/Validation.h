//===- Validation.h - The checks of a specification -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_VALIDATION_VALIDATION_H
#define TESSERA_FRONTENDS_VALIDATION_VALIDATION_H

#include "frontends/Diagnostics.h"
#include "frontends/spec.pb.h"

namespace tessera {

/// Checks what is given in \p message, each value for itself and all of them
/// together. With \p complete, also that nothing needed is missing; the reader
/// clears it where it dropped wrong fields.
void validate(const spec::Specification &message, bool complete,
              Diagnostics &diagnostics);

/// Refuses a graph in which no node has a neighbour, not even itself.
void checkEdges(const spec::Gnn &model, Diagnostics &diagnostics);

/// Refuses sampled micro-batches that the graph of \p message, whose shape is
/// resolved, is too small or too large for.
void checkSampleRoom(const spec::Specification &message,
                     Diagnostics &diagnostics);

/// Refuses an audit that the graph of \p message, whose shape is resolved as
/// that of its shadow's graph is, is too small for; \p hasShadowGraph: these
/// are two graphs.
void checkAuditSizes(const spec::Specification &message, bool hasShadowGraph,
                     Diagnostics &diagnostics);

} // namespace tessera

#endif // TESSERA_FRONTENDS_VALIDATION_VALIDATION_H
