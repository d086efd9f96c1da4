//===- Passes.td - Passes on kernels of all targets --------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_PASSES_TD
#define TESSERA_CODEGEN_KERNELS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ApproximateMathPass : Pass<"math-approximate"> {
  let summary = "Replace fp32 transcendental functions by polynomials";
  let description = [{
    A call of the C library's `expf` per lane would undo vectorisation. The
    polynomials are upstream's, with fused multiply-adds; fp64 is left alone.

    ```mlir test/codegen/approximate-math.mlir#exp
    %y = math.exp %x : vector<16xf32>
    ```
    becomes
    ```mlir test/codegen/approximate-math.mlir#polynomial becomes
    %k = math.floor %scaled : vector<16xf32>
    ...
    %p = math.fma %r, %c5, %c4 : vector<16xf32>
    ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // TESSERA_CODEGEN_KERNELS_PASSES_TD
