//===- TracePage.h - Measured steps over predicted ones ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_TRACEPAGE_H
#define TESSERA_REPORT_TRACEPAGE_H

#include "report/PlanReport.h"
#include "report/Trace.h"

namespace tessera {

/// A trace as a page shows it.
struct NamedTrace {
  std::string name;
  Trace trace;
};

/// What a trace is held against: the program `train` of a module in phase
/// `plan`, and the machine that times are predicted for.
struct TracePlan {
  plan::ProgramOp program;
  Machine machine;
};

/// Fails where the steps of \p trace are not those of \p program.
llvm::Error checkTrace(const Trace &trace, plan::ProgramOp program);

/// Writes a page (report/Html.h) of \p traces: of each the step of median time,
/// rank by rank, below the step that \p plan predicts, if there is one; and
/// tables of what took how long, with what was predicted, what differs most
/// first.
void printTracePage(llvm::ArrayRef<NamedTrace> traces, const TracePlan *plan,
                    llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_REPORT_TRACEPAGE_H
