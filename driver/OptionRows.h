//===- OptionRows.h - LLVM's options as rows of a table -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_OPTIONROWS_H
#define TESSERA_DRIVER_OPTIONROWS_H

#include "runtime/commands/CommandTable.h"
#include "llvm/Support/CommandLine.h"

namespace tessera {

/// Whether \p option may be given several times.
bool isRepeatable(const llvm::cl::Option &option);

/// The options of \p command that its --help shows, by their names. What stands
/// for a pass or a pipeline has none of its own and is left out.
std::vector<runtime::OptionRow> listOptions(llvm::cl::SubCommand &command);

} // namespace tessera

#endif // TESSERA_DRIVER_OPTIONROWS_H
