//===- Cache.cpp - Writing keys and values into a cache ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CachedRows.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/Quantize.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

class CacheWriteEmitter : CachedRows<nn::CacheWriteOp> {
public:
  using CachedRows::CachedRows;
  using CachedRows::getIterations;

  void emit() {
    Value cache = vb.flatten(body.outputs[0]);
    forRows(/*together=*/1, [&](Value head, Value row) {
      Value slot = read(slots, row);
      Value offset = vb.mul(read(positions, row), dim);
      for (int64_t which : {0, 1}) {
        Value to = vb.add(locateCached(slot, head, which), offset);
        SmallVector<Value> values = loadHead(qkv, locate(row, head, which + 1));
        Value divisor = scales ? emitScale(values, vb.div(to, dim)) : Value();
        for (auto [v, value] : llvm::enumerate(values)) {
          if (scales)
            value = toBytes(vb, value, divisor);
          vb.store(value, cache, vb.add(to, v * vectorLanes), mask(v));
        }
      }
    });
  }

private:
  /// Stores the scale of \p values at \p position, and returns what they are
  /// divided by.
  Value emitScale(ArrayRef<Value> values, Value position) {
    OpBuilder &b = vb.builder;
    Value most;
    for (Value value : values) {
      Value magnitude = getMagnitude(vb, value);
      most = most ? vb.max(most, magnitude) : magnitude;
    }
    most = vector::ReductionOp::create(b, vb.loc, vector::CombiningKind::MAXSI,
                                       most);
    Value wanted = vb.divf(
        arith::BitcastOp::create(b, vb.loc, b.getF32Type(), most).getResult(),
        vb.number(127));
    // Rounded up: one that is smaller would be too small for the largest.
    Type type = cast<MemRefType>(scales.getType()).getElementType();
    Value nearest = vb.narrow(wanted, type);
    Type bits = b.getIntegerType(type.getIntOrFloatBitWidth());
    Value one = arith::ConstantOp::create(b, vb.loc, b.getIntegerAttr(bits, 1));
    Value above = arith::BitcastOp::create(
        b, vb.loc, type,
        vb.add(arith::BitcastOp::create(b, vb.loc, bits, nearest).getResult(),
               one));
    Value isBelow = arith::CmpFOp::create(b, vb.loc, arith::CmpFPredicate::OLT,
                                          vb.widen(nearest), wanted);
    Value scale = arith::SelectOp::create(b, vb.loc, isBelow, above, nearest);
    vb.storeScalar(scale, vb.flatten(body.outputs[1]), position);
    Value wide = vb.widen(scale);
    Value isNothing = arith::CmpFOp::create(
        b, vb.loc, arith::CmpFPredicate::OEQ, wide, vb.number(0));
    return vb.splat(
        arith::SelectOp::create(b, vb.loc, isNothing, vb.number(1), wide)
            .getResult());
  }
};

struct CacheWriteKernel
    : KernelEmissionOpInterface::ExternalModel<CacheWriteKernel,
                                               nn::CacheWriteOp> {
  int64_t getIterations(Operation *op) const {
    return CacheWriteEmitter::getIterations(cast<nn::CacheWriteOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    CacheWriteEmitter(cast<nn::CacheWriteOp>(op), body).emit();
  }
};

} // namespace

void tessera::cpu::registerCache(MLIRContext *context) {
  nn::CacheWriteOp::attachInterface<CacheWriteKernel>(*context);
}
