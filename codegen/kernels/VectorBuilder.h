//===- VectorBuilder.h - Writes vectorised loops ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels are written on flat buffers: a buffer of any rank is seen as a
// memref of one dimension, and positions are counts of elements.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_VECTORBUILDER_H
#define TESSERA_CODEGEN_KERNELS_VECTORBUILDER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace tessera::codegen {

/// Lanes of a generated fp32 vector, on every CPU: LLVM splits vectors where
/// registers are narrower, and the order of additions stays the same.
constexpr int64_t vectorLanes = 16;

/// \p value rounded up to a multiple of \p unit.
constexpr int64_t roundUp(int64_t value, int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// Powers under 2^-80 count as zero: no sum with 1 can feel them, and products
/// of theirs would be denormal numbers, on which CPUs are slow.
constexpr double smallestExponent = -80;

/// Short names for the operations that kernels are made of. Vectors have
/// `lanes` lanes of fp32 unless said otherwise; positions are of type index.
class VectorBuilder {
public:
  VectorBuilder(mlir::OpBuilder &builder, mlir::Location loc)
      : builder(builder), loc(loc) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t lanes = vectorLanes;
  /// Bytes that positions of vectors in memory are multiples of, if the vector
  /// has as many; 0: any element may be the first.
  int64_t alignment = 0;

  mlir::VectorType vectorType() const;
  mlir::VectorType vectorType(mlir::Type element) const;

  // Positions.
  mlir::Value index(int64_t value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, int64_t b);
  mlir::Value div(mlir::Value a, int64_t b);
  mlir::Value rem(mlir::Value a, int64_t b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value toI32(mlir::Value position);
  mlir::Value toIndex(mlir::Value integer);

  // Numbers: scalars and vectors alike.
  mlir::Value number(double value);
  mlir::Value splat(double value);
  mlir::Value splat(mlir::Value scalar);
  mlir::Value addf(mlir::Value a, mlir::Value b);
  mlir::Value subf(mlir::Value a, mlir::Value b);
  mlir::Value mulf(mlir::Value a, mlir::Value b);
  mlir::Value divf(mlir::Value a, mlir::Value b);
  /// The larger one; NaN in \p b is kept.
  mlir::Value maxf(mlir::Value a, mlir::Value b);
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  mlir::Value toF32(mlir::Value integer);
  /// 2 to the power of each lane, within 1.5 units in the last place; exactly
  /// 0 below smallestExponent. Lanes must be under 128. NaN stays NaN.
  mlir::Value exp2(mlir::Value x);
  /// The sum of all lanes, by a tree.
  mlir::Value sum(mlir::Value vector);

  /// A number or vector in fp32, if it has fewer bits.
  mlir::Value widen(mlir::Value value);
  /// A number or vector in \p element, if that has fewer bits than it;
  /// rounded to nearest, ties to even.
  mlir::Value narrow(mlir::Value value, mlir::Type element);

  // Memory. Buffers may hold 16 bits per element: what is loaded is widened,
  // what is stored rounded.
  /// A buffer of static shape as one dimension.
  mlir::Value flatten(mlir::Value buffer);
  /// \p count elements of \p type at byte \p offset of \p bytes, a buffer of
  /// i8. The offset is advanced to the next multiple of 64.
  mlir::Value carve(mlir::Value bytes, int64_t &offset, int64_t count,
                    mlir::Type type = {});
  mlir::Value load(mlir::Value buffer, mlir::Value position);
  /// The same in the buffer's type; storing such a vector rounds nothing.
  mlir::Value loadRaw(mlir::Value buffer, mlir::Value position);
  mlir::Value load(mlir::Value buffer, mlir::Value position, mlir::Value mask);
  mlir::Value loadScalar(mlir::Value buffer, mlir::Value position);
  void store(mlir::Value vector, mlir::Value buffer, mlir::Value position);
  void store(mlir::Value vector, mlir::Value buffer, mlir::Value position,
             mlir::Value mask);
  void storeScalar(mlir::Value scalar, mlir::Value buffer,
                   mlir::Value position);
  /// \p count where it lies between 0 and the number of lanes, else the nearer
  /// of the two.
  mlir::Value clampToLanes(mlir::Value count);
  /// True in the first \p count lanes; any count is allowed.
  mlir::Value mask(mlir::Value count);
  /// Null where all lanes are wanted.
  mlir::Value mask(int64_t count);

  // Control.
  using Body = llvm::function_ref<void(mlir::Value iteration)>;
  using ReducingBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value iteration, mlir::ValueRange values)>;
  void loop(mlir::Value begin, mlir::Value end, int64_t step, Body body);
  void loop(int64_t begin, int64_t end, int64_t step, Body body);
  /// A loop that carries \p initial along; returns the last values.
  llvm::SmallVector<mlir::Value> loop(mlir::Value begin, mlir::Value end,
                                      int64_t step, mlir::ValueRange initial,
                                      ReducingBody body);
  /// Calls \p body for each vector of \p count elements: position of its first
  /// element, and the mask of a last vector that is not full (else null).
  /// Full vectors are a loop of the emitted code.
  void vectors(
      int64_t count,
      llvm::function_ref<void(mlir::Value position, mlir::Value mask)> body);

  /// Transposes vectorLanes vectors, in registers.
  llvm::SmallVector<mlir::Value> transpose(llvm::SmallVector<mlir::Value> rows);
};

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_VECTORBUILDER_H
