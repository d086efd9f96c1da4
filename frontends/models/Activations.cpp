//===- Activations.cpp - Activations by their operations ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An activation is an operation of one tensor with one result: the dialects'
// registered operations are its registry, and the specification's values name
// them (spec.proto).
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Activations.h"
#include "dialects/nn/NN.h"

using namespace mlir;
using namespace tessera;

bool tessera::isActivation(StringRef operation, MLIRContext &context) {
  std::optional<RegisteredOperationName> name =
      RegisteredOperationName::lookup(operation, &context);
  return name && name->hasTrait<OpTrait::OneOperand>() &&
         name->hasTrait<OpTrait::OneResult>() &&
         name->hasTrait<OpTrait::SameOperandsAndResultType>() &&
         name->hasInterface<nn::DifferentiableOpInterface>() &&
         name->hasInterface<nn::DecomposableOpInterface>();
}

Value tessera::createActivation(OpBuilder &builder, Location loc,
                                StringRef operation, Value x) {
  if (!isActivation(operation, *builder.getContext()))
    llvm::report_fatal_error("no activation is registered as `" +
                             Twine(operation) + "`");
  OperationState state(loc, operation);
  state.addOperands(x);
  state.addTypes(x.getType());
  return builder.create(state)->getResult(0);
}
