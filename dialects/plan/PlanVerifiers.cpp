//===- PlanVerifiers.cpp - What the operations of a plan must keep to *- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/plan/Plan.h"

using namespace mlir;
using namespace tessera::plan;

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  Operation *symbol =
      symbolTable.lookupNearestSymbolFrom(*this, getKernelAttr());
  // Code generation has checked a kernel that it has built; a device's is in a
  // module of its own.
  if (!symbol)
    symbol = symbolTable.lookupNearestSymbolFrom(
        *this, SymbolRefAttr::get(
                   StringAttr::get(getContext(), PlanDialect::kDeviceModule),
                   {getKernelAttr()}));
  StringRef kind = symbol ? symbol->getName().getStringRef() : StringRef();
  if (kind == "llvm.func" || kind == "gpu.func")
    return success();
  auto kernel = dyn_cast_if_present<func::FuncOp>(symbol);
  if (!kernel || !kernel->hasAttr(kernelAttrName))
    return emitOpError("no kernel is named ") << getKernelAttr();
  // On buffers the kernel's results follow its arguments as operands.
  SmallVector<Type> expected(kernel.getArgumentTypes());
  llvm::append_range(expected, kernel.getResultTypes());
  SmallVector<Type> actual(getInputs().getTypes());
  llvm::append_range(actual, getOutputs().getTypes());
  if (actual.size() != expected.size())
    return emitOpError("kernel ")
           << getKernelAttr() << " has " << expected.size()
           << " arguments and results, the launch has " << actual.size();
  for (auto [i, pair] : llvm::enumerate(llvm::zip(actual, expected))) {
    auto have = cast<ShapedType>(std::get<0>(pair)),
         want = dyn_cast<ShapedType>(std::get<1>(pair));
    if (!want || have.getShape() != want.getShape() ||
        have.getElementType() != want.getElementType())
      return emitOpError("operand or result #")
             << i << " is " << have << ", but kernel " << getKernelAttr()
             << " has " << std::get<1>(pair);
  }
  return success();
}

/// What a GEMM says of its count.
static LogicalResult verifyCount(GemmOp gemm) {
  bool counts = gemm.getCounted().has_value();
  if (counts != static_cast<bool>(gemm.getCount()) ||
      counts != gemm.getRoom().has_value())
    return gemm.emitOpError("needs a count, what it bounds and of how many, or "
                            "none of these");
  if (!counts)
    return success();
  auto type = cast<ShapedType>(gemm.getCount().getType());
  if (type.getNumElements() != 1 || !type.getElementType().isInteger(32))
    return gemm.emitOpError("must be counted by one i32, not by ") << type;
  bool inner = *gemm.getCounted() == Counted::Inner;
  int64_t size = inner ? gemm.getK() : gemm.getM();
  int64_t room = *gemm.getRoom();
  if (room <= 0 || size % room)
    return gemm.emitOpError("is counted by parts of ")
           << room << ", which do not divide " << size;
  bool hasRows = inner ? gemm.getTransposeA() && !gemm.getTransposeB()
                       : !gemm.getTransposeA();
  if (!hasRows)
    return gemm.emitOpError("is counted along a dimension that is not the rows "
                            "of its operands");
  if (gemm.getEpilogue() != Epilogue::None || (inner && gemm.getBias()))
    return gemm.emitOpError("can be counted without epilogue only, and along "
                            "its inner dimension without bias");
  Value result = gemm.getResult() ? gemm.getResult() : Value(gemm.getOut());
  if (inner && !getElementTypeOrSelf(result).isF32())
    return gemm.emitOpError("can be counted along its inner dimension only "
                            "where sums are stored in f32");
  return success();
}

LogicalResult GemmOp::verify() {
  if (static_cast<bool>(getOut()) != getOutputs().empty())
    return emitOpError("needs either a result or a buffer to write into");
  auto a = cast<ShapedType>(getA().getType()),
       b = cast<ShapedType>(getB().getType());
  if (a.getRank() != 2 || b.getRank() != 2)
    return emitOpError("operands must be matrices");
  if (getK() != b.getDimSize(getTransposeB()))
    return emitOpError("inner sizes differ: ")
           << getK() << " and " << b.getDimSize(getTransposeB());
  Value result = getResult() ? Value(getResult()) : Value(getOut());
  auto c = cast<ShapedType>(result.getType());
  if (c.getShape() != ArrayRef<int64_t>{getM(), getN()})
    return emitOpError("result must have shape ") << getM() << "x" << getN();
  if (getBias() && cast<ShapedType>(getBias().getType()).getShape() !=
                       ArrayRef<int64_t>{getN()})
    return emitOpError("bias must have one element per column: ") << getN();
  if (getAddend() &&
      cast<ShapedType>(getAddend().getType()).getShape() != c.getShape())
    return emitOpError("addend must have the result's shape");
  Type factor = a.getElementType(), sum = c.getElementType();
  if (b.getElementType() != factor || !(sum == factor || sum.isF32()))
    return emitOpError("factors must have one element type, and the result "
                       "that type or f32");
  bool saves = getEpilogue() == Epilogue::GeluSaved;
  if (getOutputs().size() > (saves ? 2 : 1) ||
      (getOut() && !getOutputs().empty()))
    return emitOpError("has too many results");
  if (saves && getResult() && !getSaved())
    return emitOpError("must have the GELU's operand as a second result");
  bool wantsAux = getEpilogue() == Epilogue::GeluGrad || (saves && getOut());
  if (static_cast<bool>(getAux()) != wantsAux)
    return emitOpError(wantsAux ? "needs" : "has no use for")
           << " 'aux' with the epilogue " << stringifyEpilogue(getEpilogue());
  if (failed(verifyCount(*this)))
    return failure();
  Value saved = getAux() ? Value(getAux()) : getSaved();
  if (saved && saved.getType() != result.getType())
    return emitOpError("the GELU's operand must have the result's type");
  return success();
}

LogicalResult BufferOp::verify() {
  if (!getResult().getType().hasStaticShape())
    return emitOpError("must have a static size");
  if (getBytes() > kMaxBytes || static_cast<int64_t>(getOffset()) > kMaxBytes)
    return emitOpError("size and offset must be at most ") << kMaxBytes;
  if (getBytes() % kAlignment || getOffset() % kAlignment ||
      static_cast<int64_t>(getOffset()) < 0)
    return emitOpError("size and offset must be multiples of ") << kAlignment;
  if (getPersistent() == getLive().has_value())
    return emitOpError("must be either persistent or have a lifetime");
  if (isInFile() && (!getPersistent() || getCategory() != Category::Optimizer))
    return emitOpError("lies in the file, so it must be persistent and of "
                       "category optimizer");
  if (isInFile() && getOffset() % kPage)
    return emitOpError("lies in the file, so its offset must be a multiple of ")
           << kPage;
  if (getLive() && (getLive()->size() != 2 || getFirst() < 0 ||
                    getFirst() > getLast() || getLast() == INT64_MAX))
    return emitOpError("lifetime must be [first step, last step]");
  return success();
}

/// Bytes of \p type, more than kMaxBytes where they cannot be counted.
static int64_t countBytes(ShapedType type) {
  int64_t bytes = getElementBytes(type.getElementType());
  for (int64_t size : type.getShape())
    if (llvm::MulOverflow(bytes, size, bytes))
      return INT64_MAX;
  return bytes;
}

LogicalResult ViewOp::verify() {
  BufferOp buffer = getBufferOp();
  if (!buffer)
    return emitOpError("must be a view of a plan.buffer");
  ShapedType type = getResult().getType();
  int64_t element = getElementBytes(type.getElementType());
  int64_t room = buffer.getBytes(), bytes = countBytes(type);
  auto program = (*this)->getParentOfType<ProgramOp>();
  // The last rank's part, along each axis by itself at first: no product and
  // no sum of these overflows.
  int64_t end = 0;
  for (auto [stride, ranks] :
       {std::pair<int64_t, int64_t>(getOffset(), 2),
        {getRankStride(), program.getShards()},
        {getReplicaStride(), program.getReplicas()},
        {getSecondaryStride(), program.getSecondary()}}) {
    if (stride < 0 || stride % element)
      return emitOpError(
                 "offset and stride must be multiples of the element's ")
             << element << " bytes";
    if (ranks > 1 && stride > room / (ranks - 1))
      return emitOpError("begins beyond the end of a buffer of ") << room;
    end += (ranks - 1) * stride;
  }
  if (bytes > room || end + bytes > room)
    return emitOpError("ends at byte ")
           << end + std::min(bytes, kMaxBytes) << " of a buffer of " << room;
  return success();
}
