//===- CachedAttention.cpp - Attention to cached keys -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CachedAttention.h"
#include "codegen/cpu/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Up to so many rows each is computed alone, even those of one text.
constexpr int64_t fewRows = 16;

bool hasTiles(nn::CachedAttentionOp op) {
  return op.getOneSlot() && op.getRows() > fewRows;
}

struct CachedAttentionKernel
    : KernelEmissionOpInterface::ExternalModel<CachedAttentionKernel,
                                               nn::CachedAttentionOp> {
  int64_t getIterations(Operation *op) const {
    auto attention = cast<nn::CachedAttentionOp>(op);
    return hasTiles(attention)
               ? getTileIterations(attention)
               : CachedRows<nn::CachedAttentionOp>::getIterations(attention);
  }
  int64_t getScratchBytes(Operation *op) const {
    auto attention = cast<nn::CachedAttentionOp>(op);
    return hasTiles(attention) ? getTileScratchBytes(attention)
                               : getRowScratchBytes(attention);
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    auto attention = cast<nn::CachedAttentionOp>(op);
    hasTiles(attention) ? emitTiles(attention, body)
                        : emitRows(attention, body);
  }
};

struct CachedAttentionPartsKernel
    : KernelEmissionOpInterface::ExternalModel<CachedAttentionPartsKernel,
                                               nn::CachedAttentionPartsOp> {
  /// As many as there can be parts.
  int64_t getIterations(Operation *op) const {
    auto attention = cast<nn::CachedAttentionPartsOp>(op);
    return attention.getRows() * attention.getKeyHeads() *
           attention.getPartCount();
  }
  int64_t getScratchBytes(Operation *op) const {
    return getRowScratchBytes(cast<nn::CachedAttentionPartsOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    emitParts(cast<nn::CachedAttentionPartsOp>(op), body);
  }
};

/// An iteration has a row of a head; rows are innermost, as only the first are
/// there.
struct MergeAttentionPartsKernel
    : KernelEmissionOpInterface::ExternalModel<MergeAttentionPartsKernel,
                                               nn::MergeAttentionPartsOp> {
  int64_t getIterations(Operation *op) const {
    auto merge = cast<nn::MergeAttentionPartsOp>(op);
    return merge.getRows() * merge.getHeads();
  }

  void emitKernel(Operation *op, KernelBody &body) const {
    auto merge = cast<nn::MergeAttentionPartsOp>(op);
    VectorBuilder vb(body.builder, body.loc);
    int64_t rows = merge.getRows();
    Value positions = vb.flatten(body.inputs[3]);
    Value count =
        vb.toIndex(vb.loadScalar(vb.flatten(body.inputs[4]), vb.index(0)));
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value row = vb.rem(iteration, rows);
      // Of a row that is not there no part is read.
      Value isThere = arith::CmpIOp::create(
          vb.builder, vb.loc, arith::CmpIPredicate::slt, row, count);
      auto guard = scf::IfOp::create(vb.builder, vb.loc, isThere,
                                     /*withElseRegion=*/false);
      OpBuilder::InsertionGuard insertion(vb.builder);
      vb.builder.setInsertionPointToStart(guard.thenBlock());
      emitRow(merge, body, vb, row, vb.div(iteration, rows),
              vb.toIndex(vb.loadScalar(positions, row)));
    });
  }

private:
  static void emitRow(nn::MergeAttentionPartsOp op, KernelBody &body,
                      VectorBuilder &vb, Value row, Value head,
                      Value position) {
    int64_t heads = op.getHeads(), dim = op.getHeadDim(),
            kept = op.getPartCount(),
            vectors = llvm::divideCeil(dim, vectorLanes);
    auto length = static_cast<int64_t>(op.getPartLength());
    Value sums = vb.flatten(body.inputs[0]),
          maxima = vb.flatten(body.inputs[1]),
          totals = vb.flatten(body.inputs[2]);
    Value begin = vb.div(getFirstKey(vb, position, op.getWindow()), length);
    Value place = vb.add(vb.mul(row, heads), head);
    // The maximum, the total and the sums.
    SmallVector<Value> whole(2 + vectors, vb.splat(0.0));
    whole[0] = vb.splat(noMaximum);
    whole = vb.loop(
        begin, vb.add(vb.div(position, length), 1), 1, whole,
        [&](Value number, ValueRange before) {
          Value at = vb.add(vb.mul(place, kept), vb.rem(number, kept));
          Joint joint(vb, before[0], vb.splat(vb.loadScalar(maxima, at)));
          SmallVector<Value> next = {
              joint.maximum,
              joint.join(before[1], vb.splat(vb.loadScalar(totals, at)))};
          for (int64_t v = 0; v < vectors; ++v)
            next.push_back(joint.join(
                before[2 + v],
                vb.load(sums, vb.add(vb.mul(at, dim), v * vectorLanes),
                        vb.mask(dim - v * vectorLanes))));
          return next;
        });
    Value out = vb.flatten(body.outputs[0]);
    for (int64_t v = 0; v < vectors; ++v)
      vb.store(vb.divf(whole[2 + v], whole[1]), out,
               vb.add(vb.mul(place, dim), v * vectorLanes),
               vb.mask(dim - v * vectorLanes));
  }
};

} // namespace

int64_t tessera::cpu::getAttentionPart(nn::CachedAttentionOp op) {
  auto window = static_cast<int64_t>(op.getWindow().value_or(INT64_MAX));
  return op.getOneSlot() || std::min(op.getSlotLength(), window) <= partKeys
             ? 0
             : partKeys;
}

void tessera::cpu::registerCachedAttention(MLIRContext *context) {
  nn::CachedAttentionOp::attachInterface<CachedAttentionKernel>(*context);
  nn::CachedAttentionPartsOp::attachInterface<CachedAttentionPartsKernel>(
      *context);
  nn::MergeAttentionPartsOp::attachInterface<MergeAttentionPartsKernel>(
      *context);
}
