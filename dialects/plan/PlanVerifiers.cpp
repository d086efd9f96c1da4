//===- PlanVerifiers.cpp - What the operations of a plan must keep to -----===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/plan/Plan.h"

using namespace mlir;
using namespace tessera::plan;

/// The function that a device's module has for a launch's kernel; it says which
/// kernel it is made of, since assemblers have rules of their own for names.
static Operation *findDeviceKernel(LaunchOp launch,
                                   SymbolTableCollection &symbolTable) {
  Operation *device = symbolTable.lookupNearestSymbolFrom(
      launch,
      StringAttr::get(launch.getContext(), PlanDialect::deviceModuleName));
  if (!device || device->getNumRegions() == 0)
    return nullptr;
  for (Operation &function : device->getRegion(0).getOps())
    if (function.getAttr(tessera::kernelAttrName) ==
        launch.getKernelAttr().getAttr())
      return &function;
  return nullptr;
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbolTable) {
  Operation *symbol =
      symbolTable.lookupNearestSymbolFrom(*this, getKernelAttr());
  // Code generation has checked a kernel that it has built.
  if (!symbol)
    symbol = findDeviceKernel(*this, symbolTable);
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
  Epilogue end = gemm.getEpilogue();
  bool isEnded = inner ? gemm.getBias() || end != Epilogue::None
                       : end != Epilogue::None && end != Epilogue::Gelu;
  if (isEnded)
    return gemm.emitOpError("can end with a bias and a GELU where its rows are "
                            "counted, and with neither where its inner "
                            "dimension is");
  Value result = gemm.getResult() ? gemm.getResult() : Value(gemm.getOut());
  if (inner && !getElementTypeOrSelf(result).isF32())
    return gemm.emitOpError("can be counted along its inner dimension only "
                            "where sums are stored in f32");
  return success();
}

LogicalResult GemmOp::verify() {
  if (getLocal() && (*this)->getParentOfType<ProgramOp>())
    return emitOpError("is local, so it must be a step of a kernel");
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

LogicalResult RowLoopOp::verify() {
  int64_t rows = getRows(), chunk = getChunkRows(), parts = getParts();
  if (chunk < 1 || rows < 1 || parts < 1)
    return emitOpError("numbers must be at least 1");
  if (parts > getChunks())
    return emitOpError("has ")
           << parts << " parts for " << getChunks() << " chunks";
  if (getRest().has_value() != (rows % chunk != 0))
    return emitOpError("must have a kernel for the rest of the rows exactly "
                       "where there is one");
  return success();
}

/// Whether \p have is \p want with \p rows rows instead of \p chunk.
static bool isSliced(ShapedType have, ShapedType want, int64_t rows,
                     int64_t chunk) {
  return have.getRank() == want.getRank() && have.getRank() > 0 &&
         have.getDimSize(0) == rows && want.getDimSize(0) == chunk &&
         have.getShape().drop_front() == want.getShape().drop_front() &&
         have.getElementType() == want.getElementType();
}

/// Whether kernel \p name takes \p rows rows of what \p loop has.
static LogicalResult verifyChunk(RowLoopOp loop, FlatSymbolRefAttr name,
                                 int64_t rows, SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<func::FuncOp>(loop, name);
  if (!kernel || !kernel->hasAttr(tessera::kernelAttrName) ||
      kernel.isExternal())
    return loop.emitOpError("no kernel is named ") << name;
  if (isa<func::ReturnOp>(kernel.getBody().front().front()))
    return loop.emitOpError("kernel ") << name << " does nothing";
  for (Operation &op : kernel.getBody().front()) {
    auto gemm = dyn_cast<GemmOp>(op);
    if (!(gemm && gemm.getLocal()) && !isa<LaunchOp, func::ReturnOp>(op))
      return loop.emitOpError("kernel ")
             << name << " has " << op.getName()
             << ": it must be made of launches and local GEMMs";
  }
  auto shapedAt = [](TypeRange types, size_t i) {
    return i < types.size() ? dyn_cast<ShapedType>(types[i]) : ShapedType();
  };
  TypeRange arguments = kernel.getArgumentTypes(),
            results = kernel.getResultTypes();
  size_t sums = 0, inputs = loop.getInputs().size();
  bool fits = results.size() == loop.getOutputs().size();
  for (auto [i, type] : llvm::enumerate(loop.getInputs().getTypes())) {
    ShapedType want = shapedAt(arguments, i);
    fits &= want && (type == want || isSliced(cast<ShapedType>(type), want,
                                              loop.getRows(), rows));
  }
  for (auto [i, type] : llvm::enumerate(loop.getOutputs().getTypes())) {
    auto have = cast<ShapedType>(type);
    ShapedType want = shapedAt(results, i);
    if (want && !sums && isSliced(have, want, loop.getRows(), rows))
      continue;
    fits &= want && have.getElementType() == want.getElementType() &&
            have.getRank() == want.getRank() + 1 &&
            have.getDimSize(0) == static_cast<int64_t>(loop.getParts()) &&
            have.getShape().drop_front() == want.getShape() &&
            shapedAt(arguments, inputs + sums) == want;
    ++sums;
  }
  if (!fits || arguments.size() != inputs + sums)
    return loop.emitOpError("kernel ")
           << name << " is " << kernel.getFunctionType()
           << ", which does not take " << rows << " rows of "
           << loop.getInputs().getTypes() << " and give those of "
           << loop.getOutputs().getTypes();
  return success();
}

LogicalResult RowLoopOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyChunk(*this, getChunkAttr(), getChunkRows(), symbols)))
    return failure();
  return getRest() ? verifyChunk(*this, getRestAttr(),
                                 getRows() % getChunkRows(), symbols)
                   : success();
}

LogicalResult BufferOp::verify() {
  if (!getResult().getType().hasStaticShape())
    return emitOpError("must have a static size");
  if (getBytes() > maxBytes || static_cast<int64_t>(getOffset()) > maxBytes)
    return emitOpError("size and offset must be at most ") << maxBytes;
  if (getBytes() % bufferAlignment || getOffset() % bufferAlignment ||
      static_cast<int64_t>(getOffset()) < 0)
    return emitOpError("size and offset must be multiples of ")
           << bufferAlignment;
  if (getPersistent() == getLive().has_value())
    return emitOpError("must be either persistent or have a lifetime");
  if (isInFile() && (!getPersistent() || getCategory() != Category::Optimizer))
    return emitOpError("lies in the file, so it must be persistent and of "
                       "category optimizer");
  if (isInFile() && getOffset() % pageBytes)
    return emitOpError("lies in the file, so its offset must be a multiple of ")
           << pageBytes;
  if (getLive() && (getLive()->size() != 2 || getFirst() < 0 ||
                    getFirst() > getLast() || getLast() == INT64_MAX))
    return emitOpError("lifetime must be [first step, last step]");
  return success();
}

/// Bytes of \p type, more than maxBytes where they cannot be counted.
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
           << end + std::min(bytes, maxBytes) << " of a buffer of " << room;
  return success();
}
