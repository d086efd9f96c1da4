//===- KernelInterface.td - Operations that are kernels ----*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CPU_KERNELINTERFACE_TD
#define TESSERA_CODEGEN_CPU_KERNELINTERFACE_TD

include "mlir/IR/OpBase.td"

def KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::tessera::cpu";
  let description = [{
    An operation that is a kernel by itself: attention, aggregation, an
    optimizer's update. What is elementwise, broadcast or reduced along rows or
    columns needs no implementation of this interface: the general emitter
    fuses and vectorises it.

    The kernel has one parallel loop. How its iterations are dealt to threads
    must not change a bit of the result.
  }];
  let methods = [
    InterfaceMethod<"Iterations of the parallel loop.",
      "int64_t", "getIterations", (ins)>,
    InterfaceMethod<"Bytes of scratch memory a thread; a multiple of 64.",
      "int64_t", "getScratchBytes", (ins), [{}], [{ return 0; }]>,
    InterfaceMethod<"Floating-point operations of one launch.",
      "int64_t", "getFlops", (ins), [{}], [{ return 0; }]>,
    InterfaceMethod<[{
      Bytes that one launch reads and writes in memory: each operand and result
      once, where the operation does not know better.
    }], "int64_t", "getMovedBytes", (ins), [{}],
      [{ return ::tessera::cpu::getTensorBytes($_op); }]>,
    InterfaceMethod<[{
      Writes the iterations [begin, end) at the body's builder. The operation's
      tensors are the body's buffers: its operands `inputs`, its results
      `outputs`, in order.
    }], "void", "emitKernel", (ins "::tessera::cpu::KernelBody &":$body)>,
    InterfaceMethod<[{
      The operand whose buffer result `result` may overwrite, or -1.
    }], "int64_t", "getInPlaceOperand", (ins "int64_t":$result), [{}],
      [{ return -1; }]>
  ];
}

#endif // TESSERA_CODEGEN_CPU_KERNELINTERFACE_TD
