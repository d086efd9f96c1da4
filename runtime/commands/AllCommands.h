//===- AllCommands.h - The commands of every executable ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_ALLCOMMANDS_H
#define TESSERA_RUNTIME_COMMANDS_ALLCOMMANDS_H

#include "runtime/commands/Command.h"

namespace tessera::runtime {

extern const Command trainCommand, evalCommand, predictCommand, gradsCommand,
    generateCommand, scoreCommand, auditCommand, sampleCommand, exportCommand,
    infoCommand, describeCommand;

/// In the order of the help.
inline constexpr const Command *allCommands[] = {
    &trainCommand,    &evalCommand,  &predictCommand, &gradsCommand,
    &generateCommand, &scoreCommand, &auditCommand,   &sampleCommand,
    &exportCommand,   &infoCommand,  &describeCommand};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_ALLCOMMANDS_H
