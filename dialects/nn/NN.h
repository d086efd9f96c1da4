//===- NN.h - The nn dialect ------------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NN_H
#define TESSERA_DIALECTS_NN_NN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/nn/NNDialect.h.inc"
#include "dialects/nn/NNEnums.h.inc"
#include "dialects/nn/NNInterfaces.h.inc"

namespace tessera::nn {
/// Of operations that move elements and change none: operands and result have
/// one element type, whichever it is.
template <typename Op>
class MovesElements : public mlir::OpTrait::TraitBase<Op, MovesElements> {};
/// Marks operations that take about as long as reading their operands; see
/// NN_Cheap.
template <typename ConcreteOp>
class Cheap : public mlir::OpTrait::TraitBase<ConcreteOp, Cheap> {};
} // namespace tessera::nn

#define GET_OP_CLASSES
#include "dialects/nn/NNOps.h.inc"

namespace tessera::nn {

/// Makes the elementwise operations of `arith` and `math` differentiable.
void registerElementwiseGradients(mlir::DialectRegistry &registry);

/// A tensor with the same value everywhere; integers take a whole number.
mlir::Value createSplat(mlir::OpBuilder &builder, mlir::Location loc,
                        mlir::RankedTensorType type, double value);

/// \p input repeated to \p shape along the dimensions that \p dims leaves out.
mlir::Value createBroadcast(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value input, llvm::ArrayRef<int64_t> shape,
                            llvm::ArrayRef<int64_t> dims);

/// True if \p value is a floating-point constant equal to \p number everywhere.
bool isSplat(mlir::Value value, double number);

/// The scalar \p value as a tensor of \p type.
mlir::Value broadcastScalar(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value scalar, mlir::RankedTensorType type);

/// Random bits below this number drop an element: \p rate · 2³².
uint32_t getDropThreshold(double rate);

/// \p value in fp32, if it has fewer bits.
mlir::Value widen(mlir::OpBuilder &builder, mlir::Location loc,
                  mlir::Value value);

/// \p value rounded to the element type of \p like, if that has fewer bits.
mlir::Value narrow(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value value, mlir::Value like);

/// The fp32 value that \p value, of 16 bits, was rounded from. Where nothing
/// else uses it the operation that makes it then gives more bits; else it is
/// widened as it is.
mlir::Value unround(mlir::OpBuilder &builder, mlir::Value value);

/// The name that a program's argument or result goes by in the manifest, or
/// an empty string.
llvm::StringRef getInputName(mlir::Value argument);

/// The input that counts the rows of \p op, of a program (rowCountAttrName);
/// null where they are not counted.
mlir::Value getRowCount(mlir::Operation *op);

} // namespace tessera::nn

#endif // TESSERA_DIALECTS_NN_NN_H
