//===- Passes.td - Passes of all targets --------------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_PASSES_TD
#define TESSERA_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def AssignIds : Pass<"plan-assign-ids", "mlir::ModuleOp"> {
  let summary = "Number what the runtime is called for";
  let description = [{
    The manifest describes GEMMs, collectives and the functions of a device, and
    programs call the runtime with their numbers. Both read the attribute
    `plan.id`: GEMMs of one shape have one number, over all programs; collectives
    are numbered within a program, those of one within another behind the
    other's, functions of a device within their module.

    ```mlir
    plan.gemm %a, %b into %c : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
    ```
    becomes
    ```mlir
    plan.gemm %a, %b into %c {plan.id = 0 : i32} : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
    ```
  }];
}

def DescribeSteps : Pass<"plan-describe-steps", "mlir::ModuleOp"> {
  let summary = "Write what the steps of training are for a profile";
  let description = [{
    A profile names each call of the runtime by the step of the plan that makes
    it. The names, layers, arithmetic and bytes of the steps of `train`, and the
    memory in use at each, become a global of JSON text, whose format
    docs/manifest.md describes. Kernels must not have been built yet.

    ```mlir
    plan.program @train ... {
      ...
      plan.section "begin"
      plan.clear %view : memref<16xf32>
    }
    ```
    stays, and behind it stands
    ```mlir
    llvm.mlir.global external constant @tessera_steps("{...}\00")
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def LowerPrograms : Pass<"plan-lower-programs", "mlir::ModuleOp"> {
  let summary = "Write programs as functions that call the runtime";
  let description = [{
    Each entry of a program becomes a function of a context and an arena that
    calls the runtime's C interface (runtime/abi.h) step by step; addresses are
    the plan's offsets. The manifest and the table of entries become globals,
    and groups and parameters, which the manifest has, are erased. Kernels must
    have been built: a launch calls those of a CPU, and those of a device
    by their number in its module, one grid after the other.

    ```mlir
    plan.program @predict ... {
      ...
      plan.section "run"
      plan.launch @gelu(%x, %y) {plan.iterations = 16 : i64} : (memref<16x16xf32>, memref<16x16xf32>) -> ()
    }
    ```
    becomes
    ```mlir
    llvm.mlir.global external constant @tessera_manifest("{...}\00")
    llvm.mlir.global external constant @tessera_entries() : !llvm.array<2 x struct<(ptr, ptr)>> {...}
    llvm.func @predict.run(%context: !llvm.ptr, %arena: !llvm.ptr) {
      ...
      llvm.call @tessera_launch(%context, %gelu, %arguments, %iterations, %scratch, %stride)
      llvm.return
    }
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "mlir::memref::MemRefDialect",
                           "mlir::arith::ArithDialect"];
}

def VerifyTarget : Pass<"llvm-verify-target", "mlir::ModuleOp"> {
  let summary = "Check the contract of the phase target";
  let description = [{
    The module holds nothing but the LLVM dialect and, for a device, a module of
    its code in the LLVM and NVVM dialects; it defines what the runtime looks
    for: `tessera_manifest` and `tessera_entries`.
  }];
}

#endif // TESSERA_CODEGEN_PASSES_TD
