//===- ModelBuilder.h - From a specification to phase `model` ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELBUILDER_H
#define TESSERA_FRONTENDS_MODELBUILDER_H

#include "frontends/Specification.h"
#include "frontends/models/Kinds.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace tessera {

/// Builds the module of phase `model`. It holds the parameters, in the order
/// of the model, and functions, whose arguments and results are named by
/// `nn.input` and `nn.output`; arguments that never change have
/// `nn.filled_once`, and those of a sampled micro-batch `nn.only_if_read` and
/// `nn.counted` (dialects/AttributeNames.h):
///
///  - @objective: a micro-batch to its share of the loss of the global batch.
///    Transformers: (tokens [B, T], targets [B, T], scale []) -> loss [].
///    Graphs: (features, row_ptr, col, weight, row_ptr_t, col_t, weight_t,
///    targets [nodes], scale []) -> loss []; the features may be several
///    arrays, or sparse, and edges that no layer reads are left out. With
///    sampling: (features, nodes, the six arrays of each layer's block, targets
///    [batch], scale [], counts of nodes by hop) -> loss [].
///  - @eval: the same arguments, but for the scale and of the whole graph, to
///    log_probability and correct [rows]: of each target that is not negative,
///    one for each token or node, the logarithm of its probability, and 1 where
///    it is the likeliest.
///  - @predict: Transformers: (tokens [1, T], position [1]) -> logits [V] of
///    the token after that position. Graphs: (features, ..., weight_t) ->
///    logits [nodes, classes].
///
/// Returns nothing, with an error, where a group of the optimizer matches no
/// parameter.
///
/// \p context must have all dialects of dialects/AllDialects.h loaded or
/// registered.
mlir::OwningOpRef<mlir::ModuleOp> buildModel(const Specification &specification,
                                             mlir::MLIRContext &context);

/// The same of the parts \p kinds, which may be of a caller's own.
mlir::OwningOpRef<mlir::ModuleOp> buildModel(const Specification &specification,
                                             const ModelKinds &kinds,
                                             mlir::MLIRContext &context);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELBUILDER_H
