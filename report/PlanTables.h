//===- PlanTables.h - The figures of the page of a plan ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_PLANTABLES_H
#define TESSERA_REPORT_PLANTABLES_H

#include "report/PlanReport.h"

namespace tessera {

/// What the plan is of, and its main figures, as HTML.
void printPlanHeader(const PlanReport &report, llvm::raw_ostream &out);

/// Tables of time, memory and communication, as HTML.
void printPlanTables(const PlanReport &report, llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_REPORT_PLANTABLES_H
