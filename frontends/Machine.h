//===- Machine.h - The machine that times are predicted for ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MACHINE_H
#define TESSERA_FRONTENDS_MACHINE_H

#include "dialects/spec/Spec.h"
#include "frontends/Diagnostics.h"
#include "frontends/SourceText.h"
#include "frontends/spec.pb.h"

namespace tessera {

/// The fields of \p machine that were given. The dialect `spec` must be loaded.
spec::MachineAttr machineAttr(const spec::Machine &machine,
                              mlir::MLIRContext &context);

/// Reads \p source, a specification's text with nothing but its `machine`, into
/// \p machine. Returns false where there was an error; limits are left to
/// validate().
bool readMachine(const SourceText &source, spec::Machine &machine,
                 Diagnostics &diagnostics);

/// Reads the file \p path as a text (readSource), and writes to \p errors why
/// it cannot be.
std::optional<SourceText> loadMachine(llvm::StringRef path,
                                      llvm::raw_ostream &errors);

/// Reads \p source as readMachine does, with its limits checked; errors are
/// written to \p errors.
std::optional<spec::Machine> parseMachine(const SourceText &source,
                                          llvm::raw_ostream &errors);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MACHINE_H
