//===- Linear.cpp - A linear layer ----------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Linear.h"
#include "dialects/graph/Graph.h"

#include <cmath>

using namespace mlir;
using namespace tessera;

std::vector<ParameterPart> Linear::partsOf(StringRef suffix) const {
  std::vector<ParameterPart> result = parts;
  for (ParameterPart &part : result)
    part.name += suffix;
  return result;
}

void Linear::declare(ModuleWriter &writer) const {
  SmallVector<int64_t> shape = {out, in};
  if (layout == WeightLayout::InOut)
    std::swap(shape[0], shape[1]);
  writer.matrix(MatrixKind::Linear, name.name + ".weight", shape,
                /*inner=*/layout == WeightLayout::OutIn, initializer,
                name.group, partsOf(".weight"));
  if (hasBias)
    writer.parameter(name.name + ".bias", {out}, biasInitializer, name.group,
                     partsOf(".bias"));
}

Value Linear::multiply(ModuleWriter &writer, Value x) const {
  OpBuilder &ops = writer.builder();
  Location loc = writer.loc();
  std::string weightName = name.name + ".weight";
  bool isTransposed = layout == WeightLayout::OutIn;
  if (!isa<graph::CSRType>(x.getType()))
    return writer.multiply(x, weightName, isTransposed);
  Value weight = writer.use(weightName);
  if (isTransposed)
    weight = nn::TransposeOp::create(ops, loc, writer.f32({in, out}), weight,
                                     ArrayRef<int64_t>{1, 0});
  return graph::AggregateOp::create(ops, loc, x, weight, /*transpose=*/false);
}

Value Linear::addBias(ModuleWriter &writer, Value product) const {
  return hasBias ? writer.addBias(product, writer.use(name.name + ".bias"))
                 : product;
}

Value Linear::apply(ModuleWriter &writer, Value x) const {
  return addBias(writer, multiply(writer, x));
}

Initializer Linear::bounded(int64_t in) {
  return Initializer::uniform(1 / std::sqrt(static_cast<double>(in)));
}
