//===- KernelEmission.td - Kernels that write their code ---*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_KERNELEMISSION_TD
#define TESSERA_CODEGEN_CPU_KERNELEMISSION_TD

include "mlir/IR/OpBase.td"

def KernelEmissionOpInterface : OpInterface<"KernelEmissionOpInterface"> {
  let cppNamespace = "::tessera::cpu";
  let description = [{
    How an operation that is a kernel by itself (`KernelOpInterface`) is
    written for a CPU. The kernel has one parallel loop. How its iterations are
    dealt to threads must not change a bit of the result.
  }];
  let methods = [
    InterfaceMethod<"Iterations of the parallel loop.",
      "int64_t", "getIterations", (ins)>,
    InterfaceMethod<"Bytes of scratch memory per thread; a multiple of 64.",
      "int64_t", "getScratchBytes", (ins), [{}], [{ return 0; }]>,
    InterfaceMethod<[{
      Writes the iterations [begin, end) at the body's builder. The operation's
      tensors are the body's buffers: its operands `inputs`, its results
      `outputs`, in order.
    }], "void", "emitKernel", (ins "::tessera::cpu::KernelBody &":$body)>
  ];
}

#endif // TESSERA_CODEGEN_CPU_KERNELEMISSION_TD
