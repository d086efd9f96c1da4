//===- ModelBuilder.h - From a specification to phase `model` ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELBUILDER_H
#define TESSERA_FRONTENDS_MODELBUILDER_H

#include "frontends/Specification.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace tessera {

/// The module's attribute that holds what the phases after `model` need of the
/// specification: a dictionary of the manifest's entries name, model,
/// training, target and tied (docs/manifest.md), with `prefetch` besides in
/// training. A dumped module so carries all that compiling on takes.
inline constexpr llvm::StringLiteral specificationAttrName = "tessera.spec";

/// Builds the module of phase `model`. It holds the parameters, in the order
/// of the model, and functions, whose arguments and results are named by
/// `nn.input` and `nn.output`:
///
///  - @objective: a micro-batch to its share of the loss of the global batch.
///    Transformers: (tokens [B, T], targets [B, T], scale []) -> loss [].
///    Graphs: (features, row_ptr, col, weight, row_ptr_t, col_t, weight_t,
///    targets [nodes], scale []) -> loss [].
///  - @eval, for graphs: the same arguments to loss [] and correct [], how many
///    of the nodes that count are classified rightly. Without it the objective
///    serves.
///  - @predict: Transformers: (tokens [1, T], position [1]) -> logits [V] of
///    the token after that position. Graphs: (features, ..., weight_t) ->
///    logits [nodes, classes].
///
/// \p context must have all dialects of dialects/AllDialects.h loaded or
/// registered.
mlir::OwningOpRef<mlir::ModuleOp> buildModel(const Specification &specification,
                                             mlir::MLIRContext &context);

/// Checks the attribute `tessera.spec` of a module that was read: it is there,
/// and its entries have the types that the phases and the runtime expect, and
/// values that a specification can have.
mlir::LogicalResult verifySpecificationAttr(mlir::ModuleOp module);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELBUILDER_H
