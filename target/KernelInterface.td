//===- KernelInterface.td - Operations that are kernels ----*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TARGET_KERNELINTERFACE_TD
#define TESSERA_TARGET_KERNELINTERFACE_TD

include "mlir/IR/OpBase.td"

def KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::tessera";
  let description = [{
    An operation that is a kernel by itself: attention, aggregation, an
    optimizer's update. What is elementwise, broadcast or reduced along rows or
    columns needs no implementation of this interface: a target's general
    emitter fuses and vectorises it.

    The interface says what every target's kernel computes and moves. The code
    is a target's own (`KernelEmissionOpInterface` of codegen/cpu and
    codegen/cuda).
  }];
  let methods = [
    InterfaceMethod<"Floating-point operations of one launch.",
      "int64_t", "getFlops", (ins), [{}], [{ return 0; }]>,
    InterfaceMethod<[{
      Bytes that one launch reads and writes in memory: each operand and result
      once, where the operation does not know better.
    }], "int64_t", "getMovedBytes", (ins), [{}],
      [{ return ::tessera::getTensorBytes($_op); }]>,
    InterfaceMethod<[{
      The operand whose buffer result `result` may overwrite, or -1.
    }], "int64_t", "getInPlaceOperand", (ins "int64_t":$result), [{}],
      [{ return -1; }]>,
    InterfaceMethod<[{
      Whether operand `operand` may be a constant, the same number everywhere,
      that the kernel writes into its result instead of reading it. Any other
      operand is in memory.
    }], "bool", "takesConstant", (ins "int64_t":$operand), [{}],
      [{ return false; }]>
  ];
}

#endif // TESSERA_TARGET_KERNELINTERFACE_TD
