//===- Optimizers.cpp - The optimizers and their formulas -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/optimizer/Optimizer.h"

using namespace mlir;
using namespace tessera::optimizer;

using EmitError = function_ref<InFlightDiagnostic()>;

/// Betas and momentum.
static LogicalResult verifyDecay(EmitError emitError, StringRef name,
                                 FloatAttr number) {
  double value = number.getValueAsDouble();
  if (number.getType().isF64() && value >= 0 && value < 1)
    return success();
  return emitError() << name << " is " << number
                     << ": an f64 from 0 to below 1 is wanted";
}

static LogicalResult verifyEpsilon(EmitError emitError, FloatAttr number) {
  double value = number.getValueAsDouble();
  if (number.getType().isF64() && value > 0 && std::isfinite(value))
    return success();
  return emitError() << "eps is " << number
                     << ": a finite f64 above 0 is wanted";
}

static LogicalResult verifyMoments(EmitError emitError, FloatAttr beta1,
                                   FloatAttr beta2) {
  return success(succeeded(verifyDecay(emitError, "beta1", beta1)) &&
                 succeeded(verifyDecay(emitError, "beta2", beta2)));
}

/// (1 - lr · wd), which elements that do not decay are not multiplied by.
static Value computeDecay(Formula &f, Value lr,
                          const ClassParameters &parameters) {
  Value one = f.constant(lr, 1);
  if (parameters.weightDecay == 0)
    return one;
  return f.sub(one, f.mul(lr, parameters.weightDecay));
}

static Value computeRate(Formula &f, Value lr,
                         const ClassParameters &parameters) {
  return parameters.lrScale == 1 ? lr : f.mul(lr, parameters.lrScale);
}

//===----------------------------------------------------------------------===//
// AdamW and Adam
//===----------------------------------------------------------------------===//

/// [-lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t), \p decay].
static SmallVector<Value> computeAdamNumbers(Formula &f, ValueRange scalars,
                                             Value rate, Value decay) {
  return {f.neg(f.div(rate, scalars[1])),
          f.div(f.constant(rate, 1), f.sqrt(scalars[2])), decay};
}

/// The moments of \p gradient, and what is added to the parameter. The means
/// and their order of operations are those of torch.optim.
static SmallVector<Value> computeMoments(Formula &f, const Element &e,
                                         Value gradient, Value parameter,
                                         double beta1, double beta2,
                                         double eps) {
  Value mean = e.states[0], variance = e.states[1];
  mean = f.fma(f.sub(gradient, mean), 1 - beta1, mean);
  Value square =
      f.mul(f.mul(f.constant(gradient, 1 - beta2), gradient), gradient);
  variance = f.fma(variance, beta2, square);
  // One division less than sqrt(v) / sqrt(1 - beta2^t): its result differs by
  // the last place at most.
  Value denominator =
      f.fma(f.sqrt(variance), e.numbers[1], f.constant(variance, eps));
  parameter = f.add(parameter, f.div(f.mul(e.numbers[0], mean), denominator));
  return {parameter, mean, variance};
}

static SmallVector<State> getMoments() {
  return {{"moment1", "exp_avg"}, {"moment2", "exp_avg_sq"}};
}

static SmallVector<Scalar> getAdamScalars(FloatAttr beta1, FloatAttr beta2) {
  return {{Scalar::LearningRate},
          {Scalar::Correction, beta1.getValueAsDouble()},
          {Scalar::Correction, beta2.getValueAsDouble()},
          {Scalar::Step}};
}

LogicalResult AdamWAttr::verify(EmitError emitError, FloatAttr beta1,
                                FloatAttr beta2, FloatAttr eps) {
  return success(succeeded(verifyMoments(emitError, beta1, beta2)) &&
                 succeeded(verifyEpsilon(emitError, eps)));
}

StringRef AdamWAttr::getName() const { return "adamw"; }

SmallVector<State> AdamWAttr::getStates() const { return getMoments(); }

SmallVector<Scalar> AdamWAttr::getScalars() const {
  return getAdamScalars(getBeta1(), getBeta2());
}

SmallVector<Value>
AdamWAttr::computeNumbers(Formula &f, ValueRange scalars,
                          const ClassParameters &parameters) const {
  Value rate = computeRate(f, scalars[0], parameters);
  return computeAdamNumbers(f, scalars, rate,
                            computeDecay(f, rate, parameters));
}

SmallVector<Value> AdamWAttr::computeUpdate(Formula &f,
                                            const Element &e) const {
  return computeMoments(f, e, e.gradient, f.mul(e.parameter, e.numbers[2]),
                        getBeta1().getValueAsDouble(),
                        getBeta2().getValueAsDouble(),
                        getEps().getValueAsDouble());
}

LogicalResult AdamAttr::verify(EmitError emitError, FloatAttr beta1,
                               FloatAttr beta2, FloatAttr eps) {
  return AdamWAttr::verify(emitError, beta1, beta2, eps);
}

StringRef AdamAttr::getName() const { return "adam"; }

SmallVector<State> AdamAttr::getStates() const { return getMoments(); }

SmallVector<Scalar> AdamAttr::getScalars() const {
  return getAdamScalars(getBeta1(), getBeta2());
}

SmallVector<Value>
AdamAttr::computeNumbers(Formula &f, ValueRange scalars,
                         const ClassParameters &parameters) const {
  Value rate = computeRate(f, scalars[0], parameters);
  return computeAdamNumbers(f, scalars, rate,
                            f.constant(rate, parameters.weightDecay));
}

SmallVector<Value> AdamAttr::computeUpdate(Formula &f, const Element &e) const {
  Value gradient = f.fma(e.parameter, e.numbers[2], e.gradient);
  return computeMoments(
      f, e, gradient, e.parameter, getBeta1().getValueAsDouble(),
      getBeta2().getValueAsDouble(), getEps().getValueAsDouble());
}

//===----------------------------------------------------------------------===//
// SGD
//===----------------------------------------------------------------------===//

LogicalResult SGDAttr::verify(EmitError emitError, FloatAttr momentum,
                              bool nesterov) {
  if (failed(verifyDecay(emitError, "momentum", momentum)))
    return failure();
  if (nesterov && momentum.getValueAsDouble() == 0)
    return emitError() << "nesterov needs a momentum above 0";
  return success();
}

StringRef SGDAttr::getName() const { return "sgd"; }

SmallVector<State> SGDAttr::getStates() const {
  if (getMomentum().getValueAsDouble() == 0)
    return {};
  return {{"momentum", "momentum_buffer"}};
}

SmallVector<Scalar> SGDAttr::getScalars() const {
  return {{Scalar::LearningRate}};
}

SmallVector<Value>
SGDAttr::computeNumbers(Formula &f, ValueRange scalars,
                        const ClassParameters &parameters) const {
  Value rate = computeRate(f, scalars[0], parameters);
  return {f.neg(rate), f.constant(rate, parameters.weightDecay)};
}

SmallVector<Value> SGDAttr::computeUpdate(Formula &f, const Element &e) const {
  Value step = f.fma(e.parameter, e.numbers[1], e.gradient);
  SmallVector<Value> results = {Value()};
  if (!e.states.empty()) {
    double momentum = getMomentum().getValueAsDouble();
    // The first sum is the gradient, as PyTorch's is, since it begins with 0.
    Value sum = f.fma(e.states[0], momentum, step);
    results.push_back(sum);
    step = getNesterov() ? f.fma(sum, momentum, step) : sum;
  }
  results[0] = f.fma(step, e.numbers[0], e.parameter);
  return results;
}

//===----------------------------------------------------------------------===//
// Lion
//===----------------------------------------------------------------------===//

LogicalResult LionAttr::verify(EmitError emitError, FloatAttr beta1,
                               FloatAttr beta2) {
  return verifyMoments(emitError, beta1, beta2);
}

StringRef LionAttr::getName() const { return "lion"; }

SmallVector<State> LionAttr::getStates() const {
  return {{"moment", "exp_avg"}};
}

SmallVector<Scalar> LionAttr::getScalars() const {
  return {{Scalar::LearningRate}};
}

SmallVector<Value>
LionAttr::computeNumbers(Formula &f, ValueRange scalars,
                         const ClassParameters &parameters) const {
  Value rate = computeRate(f, scalars[0], parameters);
  return {f.neg(rate), computeDecay(f, rate, parameters)};
}

SmallVector<Value> LionAttr::computeUpdate(Formula &f, const Element &e) const {
  double beta1 = getBeta1().getValueAsDouble(),
         beta2 = getBeta2().getValueAsDouble();
  Value mean = e.states[0];
  Value direction = f.sign(f.fma(mean, beta1, f.mul(e.gradient, 1 - beta1)));
  Value parameter =
      f.fma(direction, e.numbers[0], f.mul(e.parameter, e.numbers[1]));
  mean = f.fma(mean, beta2, f.mul(e.gradient, 1 - beta2));
  return {parameter, mean};
}

//===----------------------------------------------------------------------===//
// What specifications name
//===----------------------------------------------------------------------===//

static FloatAttr makeNumber(MLIRContext *context, double value) {
  return FloatAttr::get(Float64Type::get(context), value);
}

/// An optimizer whose parameters are numbers alone.
template <typename Optimizer, size_t... Index>
static OptimizerAttrInterface makeOf(EmitError emitError, MLIRContext *context,
                                     ArrayRef<double> values,
                                     std::index_sequence<Index...>) {
  return Optimizer::getChecked(emitError, context,
                               makeNumber(context, values[Index])...);
}

template <typename Optimizer, size_t count>
static OptimizerAttrInterface make(EmitError emitError, MLIRContext *context,
                                   ArrayRef<double> values) {
  return makeOf<Optimizer>(emitError, context, values,
                           std::make_index_sequence<count>());
}

static OptimizerAttrInterface makeSGD(EmitError emitError, MLIRContext *context,
                                      ArrayRef<double> values) {
  return SGDAttr::getChecked(emitError, context, makeNumber(context, values[0]),
                             values[1] != 0);
}

ArrayRef<Kind> tessera::optimizer::getKinds() {
  static const Kind kinds[] = {
      {"adamw",
       {{"beta1", 0.9}, {"beta2", 0.999}, {"eps", 1e-8}},
       make<AdamWAttr, 3>},
      {"adam",
       {{"beta1", 0.9}, {"beta2", 0.999}, {"eps", 1e-8}},
       make<AdamAttr, 3>},
      {"sgd", {{"momentum", 0}, {"nesterov", 0}}, makeSGD},
      {"lion", {{"beta1", 0.9}, {"beta2", 0.99}}, make<LionAttr, 2>},
  };
  return kinds;
}

const Kind *tessera::optimizer::findKind(StringRef name) {
  for (const Kind &kind : getKinds())
    if (kind.name == name)
      return &kind;
  return nullptr;
}
