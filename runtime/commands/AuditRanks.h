//===- AuditRanks.h - Ranks that share the trials of an audit ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITRANKS_H
#define TESSERA_RUNTIME_COMMANDS_AUDITRANKS_H

#include "runtime/commands/AuditTrial.h"
#include "runtime/program/Communicator.h"
#include <functional>
#include <string>
#include <vector>

namespace tessera::runtime {

/// \p trial as bytes, which unpackTrial makes the same trial of, to the bit: on
/// a machine like this one.
std::string packTrial(const Trial &trial);
/// Exits the process where \p bytes are not of packTrial.
Trial unpackTrial(const std::string &bytes);

/// The trials of all \p splits, which are given to \p onDone in their order on
/// rank 0. A rank runs whole trials as long as there is one for each; the ranks
/// share the parts of those that are left. \p onBegin is called with the
/// number of the split that this rank turns to. A rank that fails ends all. All
/// ranks call it.
void shareTrials(Communicator &communicator, const AuditSetup &setup,
                 std::span<const AuditSplit> splits,
                 const std::function<void(int64_t)> &onBegin,
                 const std::function<void(Trial)> &onDone);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITRANKS_H
