//===- KernelValues.h - What kernels compute at a place ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a kernel of elementwise operations, broadcasts and reductions computes
// at one place, whoever walks over the places: the loops of a CPU's
// thread (GeneralKernel.h) or the threads of a grid (codegen/cuda). Values of
// 16 bits are held in fp32, already rounded: what a kernel computes does not
// depend on which values are stored.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_KERNELVALUES_H
#define TESSERA_CODEGEN_KERNELS_KERNELVALUES_H

#include "codegen/kernels/Philox.h"
#include "dialects/nn/IterationSpace.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::codegen {

/// How a kernel walks over its values.
struct KernelSpace {
  nn::IterationSpace space;
  /// True if rows and columns do not matter: one long row.
  bool flat = false;

  static KernelSpace get(mlir::func::FuncOp kernel);
};

/// The part of a row or strip that one vector covers.
struct Lanes {
  mlir::Value column; ///< index of the first
  mlir::Value mask;   ///< null: all lanes
};

class KernelValues {
public:
  /// Vectors by value and kind of role.
  using Vectors = llvm::DenseMap<std::pair<mlir::Value, unsigned>, mlir::Value>;

  /// \p inputs and \p outputs are the buffers of the kernel's arguments and
  /// results; vectors have the lanes of \p vb.
  KernelValues(mlir::func::FuncOp kernel, const nn::IterationSpace &space,
               VectorBuilder &vb, mlir::ValueRange inputs,
               mlir::ValueRange outputs);

  /// Starts another row; null: there are no rows.
  void setRow(mlir::Value index) {
    row = index;
    rowValues.clear();
  }
  /// Full elements are found as if rows had \p count columns.
  void setColumns(int64_t count) { columns = count; }

  /// A value with one element per row, in the current row.
  mlir::Value evaluateRow(mlir::Value value, nn::Role role);
  /// A value with one element a column or an element a row and column.
  mlir::Value evaluate(mlir::Value value, nn::Role role, const Lanes &lanes);
  /// The operand of \p reduce at \p lanes, neutral in lanes that the mask
  /// leaves out.
  mlir::Value evaluateOperand(nn::ReduceOp reduce, const Lanes &lanes);
  /// Evaluates every row value that \p values are made of, so that it stands
  /// before a loop over columns.
  void prepare(llvm::ArrayRef<mlir::Value> values);

  /// The number that changes nothing in \p reduce, in all lanes.
  mlir::Value neutral(nn::ReduceOp reduce);
  mlir::Value combine(nn::ReduceOp reduce, mlir::Value a, mlir::Value b);
  /// \p vector's lanes combined, halving it until one is left.
  mlir::Value reduceLanes(nn::ReduceOp reduce, mlir::Value vector);
  /// Sets what \p reduce gives: in the current row, or in the current columns.
  void setRowResult(nn::ReduceOp reduce, mlir::Value scalar);
  void setColumnResult(nn::ReduceOp reduce, mlir::Value vector);
  /// Passes over the row before \p value is known.
  unsigned getDepth(mlir::Value value);

  /// What is computed of results in the current row, in lanes: a result, or a
  /// part of one whose parts stand side by side.
  struct Part {
    unsigned result;
    mlir::Value value;
    int64_t offset;  ///< columns of the result before it
    int64_t columns; ///< of the result
  };
  /// The parts of results \p wanted, in order.
  llvm::SmallVector<Part> getParts(llvm::ArrayRef<unsigned> wanted);
  /// Where the lanes of \p part lie in its buffer.
  mlir::Value getPosition(const Part &part, const Lanes &lanes);
  /// Where an element of \p role lies in its buffer.
  mlir::Value getPosition(nn::Role role, const Lanes &lanes);
  /// Stores a result at \p position, added to what is there if the kernel says
  /// so.
  void store(unsigned result, mlir::Value value, mlir::Value position,
             mlir::Value mask = {});
  /// The same for one element.
  void storeScalar(unsigned result, mlir::Value value, mlir::Value position);

  llvm::SmallVector<mlir::Value> results;
  llvm::SmallVector<nn::ReduceOp> reductions;
  /// What is known at the current lanes; whoever moves on clears it.
  Vectors vectors;

private:
  mlir::Value getRowIndex(nn::IotaOp iota, llvm::ArrayRef<int64_t> rows);
  mlir::Value drawBits(nn::RandomBitsOp bits, const Lanes &lanes);
  mlir::Value index(int64_t value) { return vb.index(value); }
  mlir::Type elementType(mlir::Value value);
  mlir::VectorType vectorType(mlir::Value value);
  mlir::Value round(mlir::Value value, mlir::Value held);
  mlir::Value cloneElementwise(mlir::Operation *op, mlir::ValueRange operands,
                               mlir::Type type);
  mlir::TypedAttr getNumber(mlir::arith::ConstantOp constant);
  mlir::Value compute(mlir::Value value, nn::Role role, const Lanes &lanes);
  bool accumulates(unsigned result);

  mlir::func::FuncOp kernel;
  nn::IterationSpace space;
  VectorBuilder &vb;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t columns;
  llvm::DenseMap<mlir::Value, mlir::Value> buffers;
  llvm::SmallVector<mlir::Value> outputs;
  llvm::DenseMap<mlir::Value, unsigned> depths;
  /// Of random bits by their operand `stream`, loaded before all else.
  llvm::DenseMap<mlir::Value, RandomStream> streams;
  mlir::Value row;
  llvm::DenseMap<mlir::Value, mlir::Value> rowValues;
};

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_KERNELVALUES_H
