//===- PlanChart.h - A chart of a step --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_PLANCHART_H
#define TESSERA_REPORT_PLANCHART_H

#include "report/PlanReport.h"

namespace tessera {

/// Writes a page (report/Html.h) of the programs `train` of \p models, whose
/// reports are \p reports: for each what computes and what communicates over
/// the predicted time of a step, the memory in use by category with its peak,
/// and tables. Of several models, which an executable has for an audit, first a
/// table of all programs.
void printPlanChart(llvm::ArrayRef<mlir::ModuleOp> models,
                    llvm::ArrayRef<PlanReport> reports, llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_REPORT_PLANCHART_H
