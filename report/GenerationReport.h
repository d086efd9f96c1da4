//===- GenerationReport.h - The plan of a model that generates --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_GENERATIONREPORT_H
#define TESSERA_REPORT_GENERATIONREPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace tessera {

/// The memory of each program of \p module, a planned model that generates
/// (spec.generation), and of the whole: programs share their states, and one
/// runs at a time. As a table for a terminal, or JSON (docs/plan.md).
void printGenerationText(mlir::ModuleOp module, llvm::raw_ostream &out);
void printGenerationJson(mlir::ModuleOp module, llvm::raw_ostream &out);

} // namespace tessera

#endif // TESSERA_REPORT_GENERATIONREPORT_H
