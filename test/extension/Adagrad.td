//===- Adagrad.td - An optimizer from outside --------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An optimizer that lies outside the compiler's folders, in a dialect of its
// own.
//
// In the tree it would be in three files: its attribute in
// dialects/optimizer/OptimizerAttrs.td, its formula and its row of the table in
// dialects/optimizer/Optimizers.cpp, and its name and fields in the
// specification's `Optimizer` (frontends/spec.proto).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_ADAGRAD_TD
#define TESSERA_TEST_EXTENSION_ADAGRAD_TD

include "mlir/IR/AttrTypeBase.td"
include "dialects/optimizer/OptimizerInterface.td"

def Outside_Dialect : Dialect {
  let name = "outside";
  let cppNamespace = "::tessera::extension";
  let summary = "What tests add to the compiler";
  let useDefaultAttributePrinterParser = 1;
}

def Outside_AdagradAttr
    : AttrDef<
          Outside_Dialect,
          "Adagrad", [DeclareAttrInterfaceMethods<OptimizerAttrInterface>]> {
  let mnemonic = "adagrad";
  let summary = "steps that shrink with the sum of squared gradients";
  let description = [{
    Duchi et al., JMLR 12 (2011), with weight decay in the gradient:

      h  = g + wd · p
      s' = s + h²
      p' = p - lr · h / (sqrt(s') + eps)
  }];
  let parameters = (ins AttrParameter<"::mlir::FloatAttr", "">:$eps);
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif // TESSERA_TEST_EXTENSION_ADAGRAD_TD
