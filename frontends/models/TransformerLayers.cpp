//===- TransformerLayers.cpp - The layers of a Transformer ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/TransformerLayers.h"
#include "frontends/models/Activations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace tessera;

void SelfAttention::declare(ModuleWriter &writer) const {
  qkv.declare(writer);
  if (norm)
    for (const LayerName &name : {norm->queries, norm->keys})
      writer.parameter(name.name + ".weight", {shape.headDim},
                       Initializer::constant(1), name.group);
  projection.declare(writer);
}

/// The rows' keys and values go into the cache, from which queries read all of
/// their texts'.
Value SelfAttention::attendCached(ModuleWriter &writer, Value packed) const {
  OpBuilder &ops = writer.builder();
  Location loc = writer.loc();
  const CachedRows &rows = *writer.getCachedRows();
  auto [numbers, scales] = writer.nextCache(shape.kvHeads, shape.headDim);
  auto read = [&](nn::CacheOp cache) -> Value {
    return nn::GetCacheOp::create(ops, loc, cache.getTensorType(),
                                  cache.getSymName());
  };
  Value before = read(numbers), scalesBefore = scales ? read(scales) : Value();
  auto write = nn::CacheWriteOp::create(
      ops, loc, before.getType(), scales ? scalesBefore.getType() : Type(),
      packed, before, rows.slots, rows.positions, rows.count, scalesBefore,
      shape.heads, shape.layout);
  nn::SetCacheOp::create(ops, loc, numbers.getSymName(), write.getResult());
  if (scales)
    nn::SetCacheOp::create(ops, loc, scales.getSymName(),
                           write.getNextScales());
  int64_t count = cast<RankedTensorType>(packed.getType()).getDimSize(0);
  IntegerAttr window =
      shape.window ? ops.getI64IntegerAttr(*shape.window) : IntegerAttr();
  double scale = 1.0 / std::sqrt(static_cast<double>(shape.headDim));
  return nn::CachedAttentionOp::create(
      ops, loc, writer.f32({count, shape.heads * shape.headDim}), packed,
      write.getResult(), rows.slots, rows.positions, rows.count,
      write.getNextScales(), shape.heads, shape.layout, shape.hasAlibi,
      APFloat(scale), window, rows.areOfOneSlot);
}

Value SelfAttention::apply(ModuleWriter &writer, Value x) const {
  Value packed = qkv.apply(writer, x);
  int64_t rows = cast<RankedTensorType>(packed.getType()).getDimSize(0);
  int64_t batch = rows / shape.length;
  if (norm)
    packed = nn::HeadNormOp::create(
                 writer.builder(), writer.loc(), packed.getType(),
                 writer.f32({rows, shape.heads + 2 * shape.kvHeads}), packed,
                 writer.use(norm->queries.name + ".weight"),
                 writer.use(norm->keys.name + ".weight"), shape.heads,
                 shape.kvHeads, APFloat(norm->eps))
                 .getResult();
  if (shape.rotates)
    packed = nn::RotaryOp::create(
        writer.builder(), writer.loc(), packed.getType(), packed,
        writer.rotaryTable(shape.length, shape.headDim / 2), shape.heads,
        shape.kvHeads, /*back=*/false);
  if (writer.getCachedRows())
    return projection.apply(writer, attendCached(writer, packed));
  double scale = 1.0 / std::sqrt(static_cast<double>(shape.headDim));
  ModuleWriter::Draw drawn = writer.draw(shape.dropout);
  double rate = drawn ? shape.dropout : 0;
  IntegerAttr window;
  if (shape.window)
    window = writer.builder().getI64IntegerAttr(*shape.window);
  Value attended = nn::AttentionOp::create(
                       writer.builder(), writer.loc(),
                       writer.f32({rows, shape.heads * shape.headDim}),
                       writer.f32({batch * shape.heads, shape.length}), packed,
                       batch, shape.heads, shape.kvHeads, shape.layout,
                       /*causal=*/true, window, shape.hasAlibi, APFloat(scale),
                       drawn.operands(), APFloat(rate))
                       .getResult();
  return projection.apply(writer, attended);
}

void FeedForward::declare(ModuleWriter &writer) const {
  up.declare(writer);
  down.declare(writer);
}

Value FeedForward::apply(ModuleWriter &writer, Value x) const {
  OpBuilder &ops = writer.builder();
  Location loc = writer.loc();
  Value wide = up.apply(writer, x);
  if (!gated)
    return down.apply(writer, createActivation(ops, loc, activation, wide));
  auto type = cast<RankedTensorType>(wide.getType());
  RankedTensorType half =
      writer.f32({type.getDimSize(0), type.getDimSize(1) / 2});
  auto parts = nn::SplitColumnsOp::create(ops, loc, TypeRange{half, half}, wide)
                   .getParts();
  Value gate = createActivation(ops, loc, activation, parts[0]);
  return down.apply(writer, arith::MulFOp::create(ops, loc, gate, parts[1]));
}

void ResidualBlock::declare(ModuleWriter &writer) const {
  norm->declare(writer);
  body->declare(writer);
}

Value ResidualBlock::apply(ModuleWriter &writer, Value x) const {
  Value branch = body->apply(writer, norm->apply(writer, x));
  return writer.add(x, writer.dropout(branch, dropout));
}
