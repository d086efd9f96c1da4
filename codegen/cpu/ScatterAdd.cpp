//===- ScatterAdd.cpp - The kernel of nn.scatter_add ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/VectorBuilder.h"
#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Columns of an iteration. Iterations own columns, not rows, since any two
/// rows may meet at one index; each adds the rows in ascending order.
constexpr int64_t stripColumns = 64;

class ScatterAddEmitter {
public:
  ScatterAddEmitter(nn::ScatterAddOp op, KernelBody &body)
      : vb(body.builder, body.loc), body(body), constant(op.getInit()) {
    auto table = cast<RankedTensorType>(op.getInit().getType());
    tableRows = table.getDimSize(0);
    width = table.getDimSize(1);
    rows = cast<RankedTensorType>(op.getIndices().getType()).getNumElements();
  }

  static int64_t getIterations(nn::ScatterAddOp op) {
    auto table = cast<RankedTensorType>(op.getInit().getType());
    return llvm::divideCeil(table.getDimSize(1), stripColumns);
  }

  void emit() {
    Value indices = vb.flatten(body.inputs[1]);
    Value added = vb.flatten(body.inputs[2]);
    Value table = vb.flatten(body.outputs[0]);
    vb.loop(body.begin, body.end, 1, [&](Value strip) {
      Value column = vb.mul(strip, stripColumns);
      emitInit(table, column);
      vb.loop(vb.index(0), vb.index(rows), 1, [&](Value row) {
        Value target = vb.toIndex(vb.loadScalar(indices, row));
        Value to = vb.mul(target, width), from = vb.mul(row, width);
        emitStrip(column, [&](Value at, Value mask) {
          Value place = vb.add(to, at);
          Value sum = vb.addf(vb.load(table, place, mask),
                              vb.load(added, vb.add(from, at), mask));
          vb.store(sum, table, place, mask);
        });
      });
    });
  }

private:
  /// Calls \p emitVector for the vectors of a strip with their column and mask.
  void emitStrip(Value column, function_ref<void(Value, Value)> emitVector) {
    int64_t vectors =
        llvm::divideCeil(std::min(width, stripColumns), vectorLanes);
    for (int64_t v = 0; v < vectors; ++v) {
      Value at = vb.add(column, v * vectorLanes);
      Value mask;
      if (width % stripColumns &&
          (width > stripColumns || width < (v + 1) * vectorLanes))
        mask = vb.mask(vb.sub(vb.index(width), at));
      emitVector(at, mask);
    }
  }

  void forTable(Value column, function_ref<void(Value, Value)> emitVector) {
    vb.loop(vb.index(0), vb.index(tableRows), 1, [&](Value row) {
      Value start = vb.mul(row, width);
      emitStrip(column, [&](Value at, Value mask) {
        emitVector(vb.add(start, at), mask);
      });
    });
  }

  /// Brings the strip to its start value: a constant, or the operand where
  /// that lies in another buffer.
  void emitInit(Value table, Value column) {
    OpBuilder &b = vb.builder;
    if (!body.inputs[0]) {
      DenseElementsAttr value;
      matchPattern(constant, m_Constant(&value));
      double number = value.getSplatValue<APFloat>().convertToDouble();
      forTable(column, [&](Value at, Value mask) {
        vb.store(vb.splat(number), table, at, mask);
      });
      return;
    }
    Value init = vb.flatten(body.inputs[0]);
    auto address = [&](Value buffer) -> Value {
      return memref::ExtractAlignedPointerAsIndexOp::create(b, vb.loc, buffer);
    };
    Value apart = arith::CmpIOp::create(b, vb.loc, arith::CmpIPredicate::ne,
                                        address(init), address(table));
    auto guard = scf::IfOp::create(b, vb.loc, apart, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard insertion(b);
    b.setInsertionPointToStart(guard.thenBlock());
    forTable(column, [&](Value at, Value mask) {
      vb.store(vb.load(init, at, mask), table, at, mask);
    });
  }

  VectorBuilder vb;
  KernelBody &body;
  Value constant;
  int64_t tableRows, width, rows;
};

struct ScatterAddKernel
    : KernelEmissionOpInterface::ExternalModel<ScatterAddKernel,
                                               nn::ScatterAddOp> {
  int64_t getIterations(Operation *op) const {
    return ScatterAddEmitter::getIterations(cast<nn::ScatterAddOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    ScatterAddEmitter(cast<nn::ScatterAddOp>(op), body).emit();
  }
};

} // namespace

void tessera::cpu::registerScatterAdd(MLIRContext *context) {
  nn::ScatterAddOp::attachInterface<ScatterAddKernel>(*context);
}
