//===- Validation.h - The checks of a specification -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_VALIDATION_H
#define TESSERA_FRONTENDS_VALIDATION_H

#include "frontends/Diagnostics.h"
#include "frontends/Specification.h"

namespace tessera {

/// Checks what is given in \p message, each value for itself and all of them
/// together. With \p complete, also that nothing needed is missing; the reader
/// clears it where it dropped wrong fields.
void validate(const spec::Specification &message, bool complete,
              Diagnostics &diagnostics);

/// Resolves the values of a validated \p message that follow from others.
/// \p path is the specification's, which names it by default.
Specification resolve(const spec::Specification &message, llvm::StringRef path);

/// Reads the shape of the graph that \p message names, relative to the folder
/// \p base, into \p message.
void resolveGraph(spec::Specification &message, llvm::StringRef base,
                  Diagnostics &diagnostics);

} // namespace tessera

#endif // TESSERA_FRONTENDS_VALIDATION_H
