//===- TransformerLayers.cpp - The layers of a Transformer ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/TransformerLayers.h"
#include "frontends/models/Activations.h"

#include <cmath>

using namespace mlir;
using namespace tessera;

void SelfAttention::declare(ModuleWriter &writer) const {
  qkv.declare(writer);
  projection.declare(writer);
}

Value SelfAttention::apply(ModuleWriter &writer, Value x) const {
  Value packed = qkv.apply(writer, x);
  int64_t rows = cast<RankedTensorType>(packed.getType()).getDimSize(0);
  int64_t batch = rows / shape.length;
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
  Value wide = createActivation(writer.builder(), writer.loc(), activation,
                                up.apply(writer, x));
  return down.apply(writer, wide);
}

void ResidualBlock::declare(ModuleWriter &writer) const {
  norm->declare(writer);
  body->declare(writer);
}

Value ResidualBlock::apply(ModuleWriter &writer, Value x) const {
  Value branch = body->apply(writer, norm->apply(writer, x));
  return writer.add(x, writer.dropout(branch, dropout));
}
