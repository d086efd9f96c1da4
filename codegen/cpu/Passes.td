//===- Passes.td - Passes of CPU code generation -----------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_PASSES_TD
#define TESSERA_CODEGEN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def ShapeKernels : Pass<"cpu-shape-kernels", "mlir::ModuleOp"> {
  let summary = "Say how often each kernel's loop runs and what memory it takes";
  let description = [{
    Kernels get the attributes `plan.iterations`, `plan.scratch` (bytes per
    thread) and `plan.flops` (floating-point operations per launch), by which
    the plan reserves memory and counts arithmetic. Where an argument counts rows of
    the results (`plan.counts_rows`), `plan.counted_iterations` says how often the
    loop runs for a count; the other numbers are those of all rows.

    ```mlir test/codegen/cpu/shape-kernels-example.mlir#exp becomes
    func.func private @exp(%x: tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan.flops = 128 : i64, plan.iterations = 1 : i64, plan.kernel, plan.scratch = 0 : i64} {
      %y = math.exp %x : tensor<8x16xf32>
      return %y : tensor<8x16xf32>
    }
    ```
  }];
}

def BuildKernels : Pass<"cpu-build-kernels", "mlir::ModuleOp"> {
  let summary = "Write kernels as vectorised loops over memory";
  let description = [{
    Each kernel, a function from tensors to tensors, becomes a function over
    buffers with the calling convention of `tessera_kernel` (runtime/abi.h) and one
    parallel loop. An operation that is a kernel by itself writes its own code;
    all other kernels are vectorised along their columns.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // TESSERA_CODEGEN_CPU_PASSES_TD
