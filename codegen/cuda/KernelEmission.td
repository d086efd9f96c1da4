//===- KernelEmission.td - Kernels that write their code ---*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_KERNELEMISSION_TD
#define TESSERA_CODEGEN_CUDA_KERNELEMISSION_TD

include "mlir/IR/OpBase.td"

def KernelEmissionOpInterface : OpInterface<"KernelEmissionOpInterface"> {
  let cppNamespace = "::tessera::cuda";
  let description = [{
    How an operation that is a kernel by itself (`KernelOpInterface`) is
    written for a GPU. A kernel is one grid or several that run one after another. Blocks of a grid
    run in any order and do not know of each other; sums have a fixed order, so
    that a result has the same bits on every run.
  }];
  let methods = [
    InterfaceMethod<"The grids of the kernel, in order.",
      "::llvm::SmallVector<::tessera::cuda::Grid>", "getGrids", (ins)>,
    InterfaceMethod<[{
      Bytes of memory that the grids of one launch share freely; a multiple of
      64.
    }], "int64_t", "getScratchBytes", (ins), [{}], [{ return 0; }]>,
    InterfaceMethod<[{
      Writes what one thread of grid number `grid` does. The operation's tensors
      are the buffers: its operands `inputs`, its results `outputs`, in order.
    }], "void", "emitThread", (ins "unsigned":$grid,
        "::tessera::cuda::ThreadBuilder &":$builder,
        "const ::tessera::cuda::KernelBuffers &":$buffers)>
  ];
}

#endif // TESSERA_CODEGEN_CUDA_KERNELEMISSION_TD
