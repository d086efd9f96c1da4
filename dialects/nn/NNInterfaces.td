//===- NNInterfaces.td - How operations differentiate ------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNINTERFACES_TD
#define TESSERA_DIALECTS_NN_NNINTERFACES_TD

include "mlir/IR/OpBase.td"

def DifferentiableOpInterface : OpInterface<"DifferentiableOpInterface"> {
  let cppNamespace = "::tessera::nn";
  let description = [{
    An operation that can be differentiated: given the gradients of a scalar
    objective with respect to its results, it builds those with respect to its
    operands (reverse mode, vector-Jacobian product).

    What an operation saves for the backward pass are its own SSA operands and
    results; one that needs more (a row's mean, a log-sum-exp) has it as a
    further result. The memory planner sees these uses and keeps the values
    alive for just as long.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the gradients of the operands at the builder's insertion point.
      `resultGradients` has one value per result, null where the objective does
      not depend on that result; at least one is not null. `operandGradients`
      has one slot per operand, all null on entry; a slot that stays null means
      that the operand has no gradient (an index, a target). The gradients
      have the operands' types.
    }], "void", "buildGradients",
    (ins "::mlir::OpBuilder &":$builder,
         "::mlir::ValueRange":$resultGradients,
         "::llvm::MutableArrayRef<::mlir::Value>":$operandGradients)>
  ];
}

def DecomposableOpInterface : OpInterface<"DecomposableOpInterface"> {
  let cppNamespace = "::tessera::nn";
  let description = [{
    A composite that is arithmetic on tensors: `arith`, `math` and the general
    core. Phase kernels writes it out (the pass `nn-decompose`) and fuses it
    with what stands around it, for every target, so that such an operation
    needs no kernel of its own.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the arithmetic at the builder's insertion point and returns a value
      for each result, of its type. What has fewer than 32 bits is widened where
      it is read, and results are rounded at the end.
    }], "::llvm::SmallVector<::mlir::Value>", "decompose",
    (ins "::mlir::OpBuilder &":$builder)>
  ];
}

def MixedPrecisionOpInterface : OpInterface<"MixedPrecisionOpInterface"> {
  let cppNamespace = "::tessera::nn";
  let description = [{
    An operation that computes in fp32 whatever its tensors' types, so that a
    policy may give them 16 bits.
  }];
  let methods = [
    InterfaceMethod<[{
      True for an operand or result that the policy leaves in fp32: a statistic
      of a row, a loss, a scalar factor.
    }], "bool", "staysWide", (ins "::mlir::Value":$value), [{}],
    [{ return false; }]>
  ];
}

#endif // TESSERA_DIALECTS_NN_NNINTERFACES_TD
