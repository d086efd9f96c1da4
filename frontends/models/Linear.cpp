//===- Linear.cpp - A linear layer ----------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Linear.h"

using namespace mlir;
using namespace tessera;

void Linear::declare(ModuleWriter &writer) const {
  SmallVector<int64_t> shape = {out, in};
  if (layout == WeightLayout::InOut)
    std::swap(shape[0], shape[1]);
  writer.parameter(name.name + ".weight", shape, initializer, name.group);
  if (hasBias)
    writer.parameter(name.name + ".bias", {out}, biasInitializer, name.group);
}

Value Linear::apply(ModuleWriter &writer, Value x) const {
  Value weight = writer.use(name.name + ".weight");
  int64_t rows = cast<RankedTensorType>(x.getType()).getDimSize(0);
  Value result = nn::MatmulOp::create(
      writer.builder(), writer.loc(), writer.f32({rows, out}), x, weight,
      /*transpose_a=*/false, /*transpose_b=*/layout == WeightLayout::OutIn);
  return hasBias ? writer.addBias(result, writer.use(name.name + ".bias"))
                 : result;
}
