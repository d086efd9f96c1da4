//===- AuditSummary.h - What an audit's trials say --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITSUMMARY_H
#define TESSERA_RUNTIME_COMMANDS_AUDITSUMMARY_H

#include "runtime/audit/Report.h"
#include "runtime/commands/AuditTrial.h"
#include <vector>

namespace tessera::runtime {

/// What the trials say together of query number \p query. \p onOneGraph: the
/// classes of target and shadow are the same.
QueryResult summarizeQuery(const std::vector<Trial> &trials, size_t query,
                           AuditQuery kind,
                           const std::vector<Defense> &defenses,
                           bool onOneGraph, const BootstrapSettings &bootstrap);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITSUMMARY_H
