//===- Spec.h - The dialect of specifications -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_SPEC_SPEC_H
#define TESSERA_DIALECTS_SPEC_SPEC_H

#include "dialects/spec/Parameters.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"

#include "dialects/optimizer/Optimizer.h"

#include "dialects/spec/SpecDialect.h.inc"
#include "dialects/spec/SpecEnums.h.inc"
#include "dialects/spec/SpecInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/spec/SpecAttrs.h.inc"

namespace tessera::spec {

/// The specification that \p module carries, or null. The compiler's modules
/// all have one (verifySpecificationAttr); those of tests of single passes need
/// none. A pass then goes by its options, and for what they do not say by the
/// functions below, which say what holds where a specification says nothing.
SpecificationAttr getSpecification(mlir::ModuleOp module);

/// The ranks of \p module's specification; one rank without a specification.
ParallelAttr getParallel(mlir::ModuleOp module);

/// The types of numbers of its specification; fp32 without one.
PrecisionAttr getPrecision(mlir::ModuleOp module);

/// The micro-batches that a rank computes each step; 1 without a specification.
int64_t getAccumulation(mlir::ModuleOp module);

/// Most bytes that a rank may take in training; INT64_MAX for any number.
int64_t getMemoryLimit(mlir::ModuleOp module);

/// What its specification says of the optimizer. Fails with a diagnostic
/// without a specification.
mlir::FailureOr<optimizer::Settings> getOptimizer(mlir::ModuleOp module);

/// The numbers of a step that its optimizer reads; those of AdamW without a
/// specification.
int64_t getScalarCount(mlir::ModuleOp module);

/// The models that \p module holds, each a module with a specification of its
/// own that phases compile apart: those within it, or itself where there are
/// none.
llvm::SmallVector<mlir::ModuleOp> getModels(mlir::ModuleOp module);

/// What the model of \p module is audited by; null where it is not.
AuditAttr getAudit(mlir::ModuleOp module);

/// How the model of \p module generates; null where it is trained.
GenerationAttr getGeneration(mlir::ModuleOp module);

/// The program that \p module is there for, by which its parameters form
/// groups: `train`, or `decode` where it generates.
llvm::StringRef getMainProgram(mlir::ModuleOp module);

/// Whether a defense of \p kind reads the number \p field, a name of
/// spec.proto.
bool readsField(DefenseKind kind, llvm::StringRef field);

/// What the step recomputes, as its compilation has chosen; null before that.
RecomputedAttr getRecomputed(mlir::ModuleOp module);

/// What is known of the machine of \p module: nothing where it has no
/// `spec.machine`.
MachineAttr getMachine(mlir::ModuleOp module);

/// \p type as types are called in IR: "f32", "bf16" or "f16".
llvm::StringRef getTypeName(NumberType type);

} // namespace tessera::spec

#endif // TESSERA_DIALECTS_SPEC_SPEC_H
