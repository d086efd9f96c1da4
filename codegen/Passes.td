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

    ```mlir test/codegen/assign-ids.mlir#gemm
    plan.gemm %m, %m into %n : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
    ```
    becomes
    ```mlir test/codegen/assign-ids.mlir#gemm becomes
    plan.gemm %m, %m into %n {plan.id = 0 : i32} : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
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

    ```mlir test/codegen/describe-steps-example.mlir#clear
    plan.program @train world 1 stage 0 accumulation 1 arena 64 memory {gradients = 64 : i64} flops 0 {
      %g = plan.buffer "gradient g" gradients at 0 persistent : memref<64xi8>
      %x = plan.view %g at 0 : memref<64xi8> -> memref<16xf32>
      plan.section "begin"
      plan.clear %x : memref<16xf32>
    }
    ```
    stays, and behind it stands
    ```mlir test/codegen/describe-steps-example.mlir#clear becomes
    llvm.mlir.global external constant @tessera_steps("{\22works\22:[{\22name\22:\22clear\22,\22kind\22:\22clear\22,\22bytes\22:64...\00")
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

    ```mlir test/codegen/cpu/lower-programs-example.mlir#launch
    plan.program @predict world 1 stage 0 accumulation 1 arena 128 memory {activations = 128 : i64} flops 0 {
      %a = plan.buffer "a" activations at 0 live [0, 0] : memref<128xi8>
      %x = plan.view %a at 0 : memref<128xi8> -> memref<16xf32>
      %y = plan.view %a at 64 : memref<128xi8> -> memref<16xf32>
      plan.section "run"
      plan.launch @negate(%x, %y) {plan.iterations = 1 : i64} : (memref<16xf32>, memref<16xf32>) -> ()
    }
    ```
    becomes
    ```mlir test/codegen/cpu/lower-programs-example.mlir#lowered becomes
    llvm.func internal @predict.run(%context: !llvm.ptr, %arena: !llvm.ptr) {
    ...
    %kernel = llvm.mlir.addressof @negate : !llvm.ptr
    %scratch = llvm.mlir.zero : !llvm.ptr
    llvm.call @tessera_launch(%context, %kernel, %arguments, %iterations, %scratch, %stride) : ...
    llvm.return
    }
    llvm.mlir.global external constant @tessera_manifest("...\00")
    llvm.mlir.global external constant @tessera_entries() ... : !llvm.array<2 x struct<(ptr, ptr)>>
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
