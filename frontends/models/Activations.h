//===- Activations.h - Activations by their operations ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_ACTIVATIONS_H
#define TESSERA_FRONTENDS_MODELS_ACTIVATIONS_H

#include "mlir/IR/Builders.h"

namespace tessera {

/// Whether \p operation is registered in \p context and can be an activation:
/// it knows its gradient and its formula, as `nn.gelu` does.
bool isActivation(llvm::StringRef operation, mlir::MLIRContext &context);

/// The activation \p operation of \p x, elementwise: a result of its type.
mlir::Value createActivation(mlir::OpBuilder &builder, mlir::Location loc,
                             llvm::StringRef operation, mlir::Value x);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_ACTIVATIONS_H
