//===- Linear.h - A linear layer --------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_LINEAR_H
#define TESSERA_FRONTENDS_MODELS_LINEAR_H

#include "frontends/models/Layer.h"

namespace tessera {

/// Which way round a file stores the weight of a linear layer.
enum class WeightLayout {
  OutIn, ///< [out, in]: the GEMM takes its transpose.
  InOut, ///< [in, out]
};

/// x, [rows, in], times a weight, plus a bias where there is one: [rows, out].
/// x may be sparse, a graph.csr: its entries alone are multiplied, in the
/// forward pass and for the gradient of the weight.
/// The parameters are NAME.weight and NAME.bias; biases start at 0 unless
/// something else is given.
class Linear : public Layer {
public:
  Linear(LayerName name, int64_t in, int64_t out, WeightLayout layout,
         bool hasBias, Initializer initializer,
         Initializer biasInitializer = Initializer::constant(0))
      : name(std::move(name)), in(in), out(out), layout(layout),
        hasBias(hasBias), initializer(initializer),
        biasInitializer(biasInitializer) {}

  /// The same layer, which files hold as several of the same input: \p parts
  /// are their names and outputs. For weights [out, in].
  Linear inParts(std::vector<ParameterPart> parts) const {
    Linear layer = *this;
    layer.parts = std::move(parts);
    return layer;
  }

  void declare(ModuleWriter &writer) const override;
  mlir::Value apply(ModuleWriter &writer, mlir::Value x) const override;

  /// The two halves of apply, for what is linear and can stand between them.
  mlir::Value multiply(ModuleWriter &writer, mlir::Value x) const;
  mlir::Value addBias(ModuleWriter &writer, mlir::Value product) const;

  /// Whether a row of the result is narrower than one of x.
  bool narrows() const { return out < in; }
  int64_t getIn() const { return in; }
  int64_t getOut() const { return out; }

  /// PyTorch's initialisation of linear layers with \p in inputs, for weights
  /// and biases: uniform within 1 / sqrt(in), which is He et al. (arXiv
  /// 1502.01852) with a slope of sqrt(5).
  static Initializer bounded(int64_t in);

private:
  /// The parts of the parameter that files call \p suffix.
  std::vector<ParameterPart> partsOf(llvm::StringRef suffix) const;

  LayerName name;
  std::vector<ParameterPart> parts;
  int64_t in, out;
  WeightLayout layout;
  bool hasBias;
  Initializer initializer, biasInitializer;
};

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_LINEAR_H
