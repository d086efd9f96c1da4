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

/// What norms of rows share: a weight that starts at 1.
class Norm : public Layer {
public:
  Norm(LayerName name, int64_t width, double eps)
      : name(std::move(name)), width(width), eps(eps) {}

  void declare(ModuleWriter &writer) const override {
    declareVector(writer, ".weight", 1);
  }

protected:
  void declareVector(ModuleWriter &writer, const char *part,
                     double start) const {
    writer.parameter(name.name + part, {width}, Initializer::constant(start),
                     name.group);
  }
  Value use(ModuleWriter &writer, const char *part) const {
    return writer.use(name.name + part);
  }
  /// The type of a number for each row of \p x.
  static RankedTensorType rowsOf(ModuleWriter &writer, Value x) {
    auto type = cast<RankedTensorType>(x.getType());
    return writer.f32(type.getShape().drop_back());
  }

  LayerName name;
  int64_t width;
  double eps;
};

/// nn.layer_norm; the bias starts at 0.
class LayerNorm : public Norm {
public:
  using Norm::Norm;

  void declare(ModuleWriter &writer) const override {
    Norm::declare(writer);
    declareVector(writer, ".bias", 0);
  }

  Value apply(ModuleWriter &writer, Value x) const override {
    RankedTensorType rows = rowsOf(writer, x);
    Value weight = use(writer, ".weight"), bias = use(writer, ".bias");
    return nn::LayerNormOp::create(writer.builder(), writer.loc(), x.getType(),
                                   rows, rows, x, weight, bias, APFloat(eps))
        .getResult();
  }
};

/// nn.rms_norm.
class RmsNorm : public Norm {
public:
  using Norm::Norm;

  Value apply(ModuleWriter &writer, Value x) const override {
    return nn::RmsNormOp::create(writer.builder(), writer.loc(), x.getType(),
                                 rowsOf(writer, x), x, use(writer, ".weight"),
                                 APFloat(eps))
        .getResult();
  }
};

} // namespace

template <typename Kind>
static std::unique_ptr<Layer> create(LayerName name, int64_t width,
                                     double eps) {
  return std::make_unique<Kind>(std::move(name), width, eps);
}

Registry<NormFactory> &tessera::getNorms() {
  static Registry<NormFactory> norms = {{"layer_norm", create<LayerNorm>},
                                        {"rms_norm", create<RmsNorm>}};
  return norms;
}
