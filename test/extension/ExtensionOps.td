//===- ExtensionOps.td - Operations from outside -----------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A dialect of what is added to the compiler without a change to its folders.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_EXTENSIONOPS_TD
#define TESSERA_TEST_EXTENSION_EXTENSIONOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/nn/NNBase.td"

def Extension_Dialect : Dialect {
  let name = "extension";
  let cppNamespace = "::tessera::extension";
  let dependentDialects = ["::tessera::nn::NNDialect"];
}

def Extension_QuickGeluOp : Op<Extension_Dialect, "quick_gelu", [
    Pure, NN_Cheap, NN_MixedPrecision, NN_Decomposable,
    DeclareOpInterfaceMethods<DifferentiableOpInterface>,
    SameOperandsAndResultType]> {
  let summary = "x · sigmoid(1.702 · x)";
  let description = [{
    A fast approximation of the GELU (Hendrycks and Gimpel, arXiv 1606.08415,
    section 2).
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

#endif // TESSERA_TEST_EXTENSION_EXTENSIONOPS_TD
