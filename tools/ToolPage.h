//===- ToolPage.h - The manual page of a tool without commands ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TOOLS_TOOLPAGE_H
#define TESSERA_TOOLS_TOOLPAGE_H

#include "llvm/ADT/StringRef.h"

namespace tessera {

/// What a tool says of itself, apart from its options.
struct ToolPage {
  llvm::StringLiteral name, summary, operands, description, seeAlso;
};

/// Sets LLVM's parser up for a tool: --version answers with the versions of
/// Tessera and LLVM, --describe with a manual page of the options and passes
/// that are registered by then. Options that LLVM's code generators have
/// registered so far are shown by --help-hidden alone. \p page lives until the
/// process ends.
void setUpTool(const ToolPage &page);

} // namespace tessera

#endif // TESSERA_TOOLS_TOOLPAGE_H
