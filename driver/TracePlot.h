//===- TracePlot.h - Profiles over their plan -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_TRACEPLOT_H
#define TESSERA_DRIVER_TRACEPLOT_H

#include "driver/RunLogs.h"
#include "report/TracePage.h"

namespace tessera {

/// Writes the page of \p traces, over the plan that \p options name, if they
/// do.
llvm::LogicalResult plotTraces(const PlotOptions &options,
                               llvm::ArrayRef<NamedTrace> traces);

} // namespace tessera

#endif // TESSERA_DRIVER_TRACEPLOT_H
