//===- ComposedKernel.cpp - Kernels made of kernels -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/ComposedKernel.h"
#include "codegen/cpu/GemmScratch.h"
#include "codegen/kernels/Buffers.h"
#include "dialects/AttributeNames.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cpu;

/// The kernel \p launch is of.
static func::FuncOp getCallee(plan::LaunchOp launch) {
  return SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      launch, launch.getKernelAttr());
}

static int64_t getAlignedBytes(Type type) {
  return llvm::alignTo(plan::getBytes(cast<ShapedType>(type)),
                       plan::bufferAlignment);
}

bool tessera::cpu::isComposed(func::FuncOp kernel) {
  return llvm::any_of(kernel.getBody().front(), [](Operation &op) {
    return isa<plan::LaunchOp, plan::GemmOp>(op);
  });
}

/// Whether a step of a composed kernel can be one.
static LogicalResult verifyStep(Operation &op) {
  if (auto launch = dyn_cast<plan::LaunchOp>(op)) {
    func::FuncOp callee = getCallee(launch);
    if (callee && llvm::none_of(callee.getBody().front(), [](Operation &inner) {
          return isa_and_present<plan::PlanDialect>(inner.getDialect());
        }))
      return success();
    return launch.emitOpError("is a step of a kernel, so its own kernel must "
                              "be made of arithmetic");
  }
  if (auto gemm = dyn_cast<plan::GemmOp>(op)) {
    auto isWide = [](Type type) { return getElementTypeOrSelf(type).isF32(); };
    if (gemm.getLocal() && !gemm.getAccumulate() && !gemm.getCount() &&
        gemm.getEpilogue() == plan::Epilogue::None && gemm.getResult() &&
        llvm::all_of(op.getOperandTypes(), isWide) &&
        llvm::all_of(op.getResultTypes(), isWide) &&
        getScratchBytes(GemmShape::get(gemm), 1) >= 0)
      return success();
    return gemm.emitOpError("is a step of a kernel, so it must be local, of "
                            "f32 and without an epilogue or a count");
  }
  if (isa<func::ReturnOp>(op)) {
    SmallPtrSet<Value, 4> seen;
    for (Value value : op.getOperands())
      if (!value.getDefiningOp() || !seen.insert(value).second)
        return op.emitOpError("of a kernel made of launches must give what "
                              "its steps give, each once");
    return success();
  }
  return op.emitOpError("stands beside launches and GEMMs: a kernel is made "
                        "of these alone or of none");
}

LogicalResult tessera::cpu::verifyComposed(func::FuncOp kernel) {
  if (!isComposed(kernel))
    return success();
  for (Operation &op : kernel.getBody().front())
    if (failed(verifyStep(op)))
      return failure();
  return success();
}

namespace {

/// Where the values of a composed kernel lie.
struct Places {
  /// By value: the number of the result whose buffer it has, or -1 and where it
  /// begins in the scratch memory.
  DenseMap<Value, std::pair<int64_t, int64_t>> of;
  int64_t bytes = 0; ///< of scratch memory

  explicit Places(func::FuncOp kernel);

private:
  static Value getOverwritten(OpResult result);
};

} // namespace

/// The operand whose place \p result may take: what its step reads last.
Value Places::getOverwritten(OpResult result) {
  Operation *step = result.getOwner();
  auto isLast = [&](Value operand) {
    return operand.getDefiningOp() &&
           llvm::all_of(operand.getUsers(), [&](Operation *user) {
             return user == step || user->isBeforeInBlock(step);
           });
  };
  if (auto gemm = dyn_cast<plan::GemmOp>(step))
    return gemm.getAddend() && isLast(gemm.getAddend()) ? gemm.getAddend()
                                                        : Value();
  auto launch = cast<plan::LaunchOp>(step);
  auto numbers = getCallee(launch).getResultAttrOfType<ArrayAttr>(
      result.getResultNumber(), inPlaceAttrName);
  if (!numbers)
    return {};
  for (auto number : numbers.getAsRange<IntegerAttr>())
    if (Value operand = launch.getInputs()[number.getInt()];
        isLast(operand) && operand.getType() == result.getType())
      return operand;
  return {};
}

Places::Places(func::FuncOp kernel) {
  Block &block = kernel.getBody().front();
  // What a step calls has its memory first.
  for (Operation &op : block) {
    if (auto launch = dyn_cast<plan::LaunchOp>(op))
      bytes = std::max(bytes, getKernelShape(getCallee(launch)).scratchBytes);
    if (auto gemm = dyn_cast<plan::GemmOp>(op))
      bytes = std::max(bytes, getScratchBytes(GemmShape::get(gemm), 1));
  }
  bytes = llvm::alignTo(bytes, plan::bufferAlignment);
  for (auto [number, value] :
       llvm::enumerate(block.getTerminator()->getOperands()))
    of[value] = {number, 0};
  // From the end, so that a value's place is known where its operand asks.
  for (Operation &op : llvm::reverse(block)) {
    if (isa<func::ReturnOp>(op))
      continue;
    for (OpResult result : op.getResults()) {
      auto [place, isNew] = of.try_emplace(result, -1, bytes);
      if (isNew)
        bytes += getAlignedBytes(result.getType());
      // A result that may overwrite an argument is written when that is read.
      int64_t number = place->second.first;
      if (number >= 0 && kernel.getResultAttr(number, inPlaceAttrName))
        continue;
      if (Value operand = getOverwritten(result))
        of.try_emplace(operand, place->second);
    }
  }
}

KernelShape tessera::cpu::getComposedShape(func::FuncOp kernel) {
  KernelShape shape;
  shape.iterations = 1;
  shape.scratchBytes = Places(kernel).bytes;
  return shape;
}

namespace {

/// Writes the steps.
class Writer {
public:
  Writer(func::FuncOp kernel, KernelBody &body)
      : body(body), builder(body.builder), places(kernel) {
    for (auto [argument, buffer] :
         llvm::zip(kernel.getArguments(), body.inputs))
      buffers[argument] = buffer;
    for (Operation &op : kernel.getBody().front()) {
      if (auto launch = dyn_cast<plan::LaunchOp>(op))
        write(launch);
      if (auto gemm = dyn_cast<plan::GemmOp>(op))
        write(gemm);
    }
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, body.loc, value);
  }

  /// Bytes of the scratch memory as a buffer of \p type.
  Value getScratch(int64_t offset, MemRefType type) {
    return memref::ViewOp::create(builder, body.loc, type, body.scratch,
                                  index(offset), ValueRange());
  }

  Value getBuffer(Value value) {
    Value &buffer = buffers[value];
    if (buffer)
      return buffer;
    auto [result, offset] = places.of.lookup(value);
    MemRefType type = codegen::getBufferType(value.getType());
    buffer = result >= 0 ? body.outputs[result] : getScratch(offset, type);
    return buffer;
  }

  void write(plan::LaunchOp launch) {
    func::FuncOp callee = getCallee(launch);
    KernelShape shape = getKernelShape(callee);
    SmallVector<Value> operands;
    for (Value input : launch.getInputs())
      operands.push_back(getBuffer(input));
    for (Value output : launch.getOutputs())
      operands.push_back(getBuffer(output));
    operands.push_back(index(0));
    operands.push_back(index(shape.iterations));
    auto scratch = MemRefType::get({shape.scratchBytes}, builder.getI8Type());
    operands.push_back(
        body.scratch ? getScratch(0, scratch)
                     : memref::AllocaOp::create(builder, body.loc, scratch));
    func::CallOp::create(builder, body.loc,
                         (callee.getSymName() + ".body").str(), TypeRange(),
                         operands);
  }

  void write(plan::GemmOp gemm) {
    Value out = getBuffer(gemm.getResult());
    GemmShape shape = GemmShape::get(gemm);
    if (Value addend = gemm.getAddend())
      if (Value from = getBuffer(addend); from != out)
        copyUnlessSame(from, out);
    auto step = plan::GemmOp::create(
        builder, body.loc, TypeRange(), getBuffer(gemm.getA()),
        getBuffer(gemm.getB()),
        gemm.getBias() ? getBuffer(gemm.getBias()) : Value(), /*aux=*/Value(),
        /*addend=*/Value(), out, /*count=*/Value(), gemm.getTransposeA(),
        gemm.getTransposeB(), shape.accumulate, plan::Epilogue::None,
        /*counted=*/plan::CountedAttr(), /*room=*/IntegerAttr());
    step.setLocal(true);
    int64_t bytes = cpu::getScratchBytes(shape, 1);
    step->setAttr(scratchAttrName, builder.getI64IntegerAttr(bytes));
  }

  /// Copies \p from to \p to, unless a loop has put both at one place.
  void copyUnlessSame(Value from, Value to) {
    auto getAddress = [&](Value buffer) -> Value {
      return memref::ExtractAlignedPointerAsIndexOp::create(builder, body.loc,
                                                            buffer);
    };
    Value differ =
        arith::CmpIOp::create(builder, body.loc, arith::CmpIPredicate::ne,
                              getAddress(from), getAddress(to));
    auto branch = scf::IfOp::create(builder, body.loc, differ,
                                    /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    memref::CopyOp::create(builder, body.loc, from, to);
  }

  KernelBody &body;
  OpBuilder &builder;
  Places places;
  DenseMap<Value, Value> buffers;
};

} // namespace

void tessera::cpu::emitComposed(func::FuncOp kernel, KernelBody &body) {
  Writer(kernel, body);
}
