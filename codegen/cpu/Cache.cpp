//===- Cache.cpp - Writing keys and values into a cache ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CachedRows.h"
#include "codegen/cpu/Kernels.h"

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
        for (auto [v, value] : llvm::enumerate(values))
          vb.store(value, cache, vb.add(to, v * kLanes), mask(v));
      }
    });
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
