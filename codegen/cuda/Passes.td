//===- Passes.td - Passes of CUDA code generation ----------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_PASSES_TD
#define TESSERA_CODEGEN_CUDA_PASSES_TD

include "mlir/Pass/PassBase.td"

def ShapeKernels : Pass<"cuda-shape-kernels", "mlir::ModuleOp"> {
  let summary = "Say how large each kernel's grid is and what memory it takes";
  let description = [{
    Kernels get the attributes `plan.iterations` (threads of all grids),
    `plan.scratch` (bytes per launch) and `plan.flops` (floating-point
    operations per launch), by which the plan reserves memory and counts
    arithmetic.

    ```mlir test/codegen/cuda/shape-kernels-example.mlir#exp becomes
    func.func private @exp(%x: tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan.flops = 128 : i64, plan.iterations = 32 : i64, plan.kernel, plan.scratch = 0 : i64} {
      %y = math.exp %x : tensor<8x16xf32>
      return %y : tensor<8x16xf32>
    }
    ```
  }];
}

def BuildKernels : Pass<"cuda-build-kernels", "mlir::ModuleOp"> {
  let summary = "Write kernels as the code of one thread of a grid";
  let description = [{
    Each kernel, a function from tensors to tensors, becomes one device function
    per grid in the module `@device`. An operation that is a kernel by itself
    writes its own code; all others map rows to groups of threads, or columns to
    strips, with reductions by warps and blocks in a fixed order.

    ```mlir test/codegen/cuda/build-kernels-example.mlir#exp
    func.func private @exp(%x: tensor<1024xf32>) -> tensor<1024xf32> attributes {plan.kernel} {
      %y = math.exp %x : tensor<1024xf32>
      return %y : tensor<1024xf32>
    }
    ```
    becomes
    ```mlir test/codegen/cuda/build-kernels-example.mlir#exp becomes
    gpu.func @exp(%x: memref<1024xf32> {llvm.noalias}, %y: memref<1024xf32> {llvm.noalias}, %scratch: memref<0xi8> {llvm.noalias}) kernel attributes {known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 1, 1, 1>, nvvm.minctasm = 1 : i32, plan.kernel = "exp"} {
      %block = gpu.block_id  x
      %thread = gpu.thread_id  x
      %most = arith.constant 1024 : index
      %first = arith.muli %block, %most : index
      %width = arith.constant 4 : index
      %offset = arith.muli %thread, %width : index
      %at = arith.addi %first, %offset : index
      %numbers = vector.load %x[%at] {alignment = 16 : i64} : memref<1024xf32>, vector<4xf32>
      %powers = math.exp %numbers : vector<4xf32>
      vector.store %powers, %y[%at] {alignment = 16 : i64} : memref<1024xf32>, vector<4xf32>
      gpu.return
    }
    ```
  }];
  let statistics = [
    Statistic<"numFunctions", "functions", "Device functions written">
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::nvgpu::NVGPUDialect",
                           "::mlir::NVVM::NVVMDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def LowerMath : Pass<"cuda-lower-math"> {
  let summary = "Write functions that PTX has as LLVM's intrinsics";
  let description = [{
    Square roots, roundings and the like are single instructions; upstream's
    conversion would call CUDA's device library for them.

    ```mlir test/codegen/cuda/lower-math-example.mlir#sqrt
    %y = math.sqrt %x : f32
    ```
    becomes
    ```mlir test/codegen/cuda/lower-math-example.mlir#sqrt becomes
    %y = llvm.call_intrinsic "llvm.sqrt"(%x) : (f32) -> f32
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // TESSERA_CODEGEN_CUDA_PASSES_TD
