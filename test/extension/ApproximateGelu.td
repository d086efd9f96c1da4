//===- ApproximateGelu.td - A pass from outside ------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pass that lies outside the compiler's folders.
//
// In the tree a pass touches four files: its declaration in its phase's
// passes/PHASE/Passes.td, a .cpp beside it, passes/PHASE/CMakeLists.txt, and
// its place in passes/PHASE/Pipeline.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_APPROXIMATEGELU_TD
#define TESSERA_TEST_EXTENSION_APPROXIMATEGELU_TD

include "mlir/Pass/PassBase.td"

def ApproximateGelu : Pass<"extension-approximate-gelu", "mlir::ModuleOp"> {
  let summary = "Compute GELUs by x · sigmoid(1.702 · x)";
  let description = [{
    A sigmoid takes one exponential, where the GELU's tanh takes a longer
    polynomial. The result differs by 0.02 at most, so that the model is another
    one: it is for models that were trained with the approximation.

    ```mlir test/extension/approximate-gelu.mlir#gelu
    %y = nn.gelu %x : tensor<4x16xf32>
    ```
    becomes
    ```mlir test/extension/approximate-gelu.mlir#gelu becomes
    %y = extension.quick_gelu %x : tensor<4x16xf32>
    ```
  }];
  let options = [
    Option<"minElements", "min-elements", "uint64_t", "0",
           "Leave tensors with fewer elements as they are">
  ];
  let statistics = [
    Statistic<"numReplaced", "replaced", "GELUs that were replaced">
  ];
  let dependentDialects = ["extension::ExtensionDialect"];
}

#endif // TESSERA_TEST_EXTENSION_APPROXIMATEGELU_TD
