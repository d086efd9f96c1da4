//===- OptimizerInterface.td - What an optimizer declares --*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_OPTIMIZER_OPTIMIZERINTERFACE_TD
#define TESSERA_DIALECTS_OPTIMIZER_OPTIMIZERINTERFACE_TD

include "mlir/IR/CommonAttrConstraints.td"
include "mlir/IR/OpBase.td"

def OptimizerAttrInterface : AttrInterface<"OptimizerAttrInterface"> {
  let cppNamespace = "::tessera::optimizer";
  let description = [{
    An optimizer with its hyperparameters: what it keeps beside a parameter,
    which numbers of a step it reads, and its formula. All else (shards, masters,
    offload, checkpoints, the plan, the manifest, the kernels of each target)
    follows from these.

    A step updates each element by itself. Its formula is written in two parts:
    first the numbers that all elements of a class share, in fp64, then the
    arithmetic of an element, in fp32, with each fused multiply-add spelled out,
    so that all targets compute the same bits.
  }];
  let methods = [
    InterfaceMethod<"The optimizer's name in lower case: \"adamw\".",
      "::llvm::StringRef", "getName">,
    InterfaceMethod<[{
      What it keeps of each element beside the parameter, in fp32 and 0 before
      the first step.
    }], "::llvm::SmallVector<::tessera::optimizer::State>", "getStates">,
    InterfaceMethod<[{
      The numbers of a step, which the runtime computes in fp64 and gives in
      fp32, in this order.
    }], "::llvm::SmallVector<::tessera::optimizer::Scalar>", "getScalars">,
    InterfaceMethod<[{
      Writes the numbers that all elements of the class \p parameters share, from
      the step's \p scalars; all are of type f64.
    }], "::llvm::SmallVector<::mlir::Value>", "computeNumbers",
      (ins "::tessera::optimizer::Formula &":$formula,
           "::mlir::ValueRange":$scalars,
           "const ::tessera::optimizer::ClassParameters &":$parameters)>,
    InterfaceMethod<[{
      Writes the step of each element; all values are of one type. The results
      are the next parameter and the next states.
    }], "::llvm::SmallVector<::mlir::Value>", "computeUpdate",
      (ins "::tessera::optimizer::Formula &":$formula,
           "const ::tessera::optimizer::Element &":$element)>
  ];
}

/// What a rank keeps of a group from step to step.
def Optimizer_StateName : ConfinedAttr<StrAttr, [AttrConstraint<
    CPred<"::tessera::isStateName("
          "::llvm::cast<::mlir::StringAttr>($_self).getValue())">,
    "name of a state: letters, digits and underscores">]>;

#endif // TESSERA_DIALECTS_OPTIMIZER_OPTIMIZERINTERFACE_TD
