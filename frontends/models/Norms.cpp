//===- Norms.cpp - The norms of rows --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Norms.h"

using namespace mlir;
using namespace tessera;

namespace {

/// nn.layer_norm; the weight starts at 1, the bias at 0.
class LayerNorm : public Layer {
public:
  LayerNorm(LayerName name, int64_t width, double eps)
      : name(std::move(name)), width(width), eps(eps) {}

  void declare(ModuleWriter &writer) const override {
    writer.parameter(name.name + ".weight", {width}, Initializer::constant(1),
                     name.group);
    writer.parameter(name.name + ".bias", {width}, Initializer::constant(0),
                     name.group);
  }

  Value apply(ModuleWriter &writer, Value x) const override {
    auto type = cast<RankedTensorType>(x.getType());
    RankedTensorType statistics = writer.f32(type.getShape().drop_back());
    Value weight = writer.use(name.name + ".weight");
    Value bias = writer.use(name.name + ".bias");
    return nn::LayerNormOp::create(writer.builder(), writer.loc(), type,
                                   statistics, statistics, x, weight, bias,
                                   APFloat(eps))
        .getResult();
  }

private:
  LayerName name;
  int64_t width;
  double eps;
};

/// nn.rms_norm; the weight starts at 1.
class RmsNorm : public Layer {
public:
  RmsNorm(LayerName name, int64_t width, double eps)
      : name(std::move(name)), width(width), eps(eps) {}

  void declare(ModuleWriter &writer) const override {
    writer.parameter(name.name + ".weight", {width}, Initializer::constant(1),
                     name.group);
  }

  Value apply(ModuleWriter &writer, Value x) const override {
    auto type = cast<RankedTensorType>(x.getType());
    return nn::RmsNormOp::create(writer.builder(), writer.loc(), type,
                                 writer.f32(type.getShape().drop_back()), x,
                                 writer.use(name.name + ".weight"),
                                 APFloat(eps))
        .getResult();
  }

private:
  LayerName name;
  int64_t width;
  double eps;
};

} // namespace

template <typename Norm>
static std::unique_ptr<Layer> create(LayerName name, int64_t width,
                                     double eps) {
  return std::make_unique<Norm>(std::move(name), width, eps);
}

Registry<NormFactory> &tessera::getNorms() {
  static Registry<NormFactory> norms = {{"layer_norm", create<LayerNorm>},
                                        {"rms_norm", create<RmsNorm>}};
  return norms;
}
