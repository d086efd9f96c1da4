//===- PlanPicture.h - A picture of a step ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_PLANPICTURE_H
#define TESSERA_REPORT_PLANPICTURE_H

#include "report/PlanReport.h"

namespace tessera {

/// Writes a page (report/Html.h) of the program `train` of \p module, whose
/// report is \p report: what computes and what communicates over the predicted
/// time of a step, the memory in use by category with its peak, and tables.
void printPlanPicture(mlir::ModuleOp module, const PlanReport &report,
                      llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_REPORT_PLANPICTURE_H
