//===- Contracts.cpp - What passes ask of functions -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Contracts.h"
#include "dialects/AttributeNames.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/NN.h"
#include "dialects/plan/Plan.h"
#include "dialects/zero/Zero.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace tessera;

/// A tensor that a rank can hold, of elements that kernels compute with.
static bool isStaticTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || tensor.getEncoding())
    return false;
  Type element = tensor.getElementType();
  int64_t elements = 1;
  for (int64_t size : tensor.getShape())
    if (llvm::MulOverflow(elements, size, elements))
      return false;
  // Sizes are counted in bits here and there.
  if (llvm::MulOverflow(elements, int64_t(64), elements))
    return false;
  return element.isF32() || element.isF64() || element.isF16() ||
         element.isBF16() || element.isSignlessInteger(1) ||
         element.isSignlessInteger(8) || element.isSignlessInteger(32) ||
         element.isSignlessInteger(64);
}

namespace {

/// Types and names that have passed already: a program has few, and each pass
/// asks anew.
struct Known {
  DenseSet<Type> types, results;
  DenseSet<OperationName> names;
};

} // namespace

/// \p op takes or gives \p types.
static LogicalResult verifyTypes(Operation *op, TypeRange types, Known &known) {
  for (Type type : types) {
    if (known.types.contains(type))
      continue;
    if (!isStaticTensor(type) && !isa<graph::CSRType, zero::TokenType>(type))
      return op->emitOpError("has ")
             << type
             << ": programs and kernels work on tensors of static shape whose "
                "elements are f16, bf16, f32, f64, i1, i8, i32 or i64";
    known.types.insert(type);
  }
  return success();
}

/// What code generation relies on besides: which arguments results overwrite.
static LogicalResult verifyInPlace(func::FuncOp kernel) {
  for (unsigned i = 0; i < kernel.getNumResults(); ++i) {
    Attribute attribute = kernel.getResultAttr(i, inPlaceAttrName);
    if (!attribute)
      continue;
    SmallVector<int64_t> arguments;
    if (auto numbers = dyn_cast<DenseI64ArrayAttr>(attribute))
      llvm::append_range(arguments, numbers.asArrayRef());
    else if (auto array = dyn_cast<ArrayAttr>(attribute))
      for (Attribute element : array) {
        auto number = dyn_cast<IntegerAttr>(element);
        arguments.push_back(number ? number.getValue().getLimitedValue() : -1);
      }
    else
      arguments.push_back(-1);
    for (int64_t argument : arguments)
      if (argument < 0 || argument >= kernel.getNumArguments())
        return kernel.emitOpError("result #")
               << i << " may overwrite " << attribute
               << ": an array of argument numbers is wanted";
  }
  return success();
}

/// And what a last argument counts.
static LogicalResult verifyCount(func::FuncOp kernel) {
  for (unsigned i = 0; i < kernel.getNumArguments(); ++i)
    for (StringRef name : {countsRowsAttrName, countsSumsAttrName}) {
      Attribute attribute = kernel.getArgAttr(i, name);
      if (!attribute)
        continue;
      auto room = dyn_cast<IntegerAttr>(attribute);
      auto type = dyn_cast<RankedTensorType>(kernel.getArgument(i).getType());
      if (i + 1 < kernel.getNumArguments() || !room || !type ||
          type.getNumElements() != 1 || !type.getElementType().isInteger(32) ||
          !room.getValue().isStrictlyPositive() ||
          room.getValue().getActiveBits() > 62)
        return kernel.emitOpError("argument #")
               << i << " has " << name << " = " << attribute
               << ": a last argument of one i32 may count rows, of 1 at least";
    }
  return success();
}

/// What follows from the name of \p op.
static LogicalResult verifyName(Operation &op) {
  if (isa<CallOpInterface>(op))
    return op.emitOpError("calls a function: write out what it does in its "
                          "place");
  if (op.hasTrait<OpTrait::IsTerminator>() && !isa<func::ReturnOp>(op))
    return op.emitOpError("ends a program or kernel: func.return must");
  return success();
}

static LogicalResult verifyOperation(Operation &op, Known &known) {
  if (op.getNumRegions())
    return op.emitOpError("has a region: programs and kernels are straight "
                          "lines of operations");
  if (!known.names.contains(op.getName())) {
    if (failed(verifyName(op)))
      return failure();
    known.names.insert(op.getName());
  }
  if (failed(verifyTypes(&op, op.getResultTypes(), known)))
    return failure();
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    if (!isa<DenseElementsAttr>(constant.getValue()))
      return op.emitOpError("has a value that is not written out: give it as "
                            "dense<...>");
  // Sizes divide one another where values are placed in rows and columns.
  for (Type type : op.getResultTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type);
        tensor && known.results.insert(type).second &&
        tensor.getNumElements() == 0)
      return op.emitOpError("makes ") << type << ", which has no elements";
  return success();
}

static LogicalResult verifyFunction(func::FuncOp function, Known &known) {
  if (function.isExternal())
    return function.emitOpError("has no body: programs and kernels are written "
                                "out; remove the declaration");
  if (!function.getBody().hasOneBlock())
    return function.emitOpError("has several blocks: programs and kernels are "
                                "straight lines of operations");
  if (failed(verifyTypes(function, function.getArgumentTypes(), known)))
    return failure();
  for (Operation &op : function.getBody().front())
    if (failed(verifyOperation(op, known)))
      return failure();
  return success();
}

static LogicalResult verify(ModuleOp module, bool kernels) {
  Known known;
  for (auto function : module.getOps<func::FuncOp>())
    if (function->hasAttr(kernelAttrName) == kernels &&
        (failed(verifyFunction(function, known)) ||
         (kernels &&
          (failed(verifyInPlace(function)) || failed(verifyCount(function))))))
      return failure();
  return success();
}

LogicalResult tessera::verifyPrograms(ModuleOp module) {
  return verify(module, /*kernels=*/false);
}

LogicalResult tessera::verifyKernels(ModuleOp module) {
  return verify(module, /*kernels=*/true);
}

LogicalResult tessera::verifyLaunches(ModuleOp module) {
  SymbolTableCollection symbols;
  WalkResult result = module.walk([&](plan::LaunchOp launch) {
    if (symbols.lookupNearestSymbolFrom<func::FuncOp>(launch,
                                                      launch.getKernelAttr()))
      return WalkResult::advance();
    launch.emitOpError("is of a kernel that has been built already: plan "
                       "before kernels are built");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult tessera::verifyGroups(ModuleOp module) {
  DenseMap<StringAttr, zero::GroupOp> groups;
  for (auto group : module.getOps<zero::GroupOp>())
    for (auto name : group.getParameters().getAsRange<FlatSymbolRefAttr>())
      if (!groups.try_emplace(name.getAttr(), group).second)
        return group.emitOpError("has ")
                   .append(name, ", which is in another group already")
                   .attachNote(groups[name.getAttr()].getLoc())
               << "the other group is here";
  for (auto parameter : module.getOps<nn::ParameterOp>())
    if (!groups.contains(parameter.getSymNameAttr()))
      return parameter.emitOpError("is in no zero.group");
  return success();
}

/// Elements of what \p state is of: a group, or a cache.
static FailureOr<int64_t> getStateElements(plan::StateOp state,
                                           SymbolTable &symbols) {
  if (state.getState() == zero::ZeroDialect::cacheState) {
    if (auto cache = symbols.lookup<nn::CacheOp>(state.getGroup()))
      return cache.getTensorType().getNumElements();
    return state.emitOpError("no nn.cache is named ") << state.getGroupAttr();
  }
  if (auto group = symbols.lookup<zero::GroupOp>(state.getGroup()))
    return static_cast<int64_t>(group.getPadded());
  return state.emitOpError("no zero.group is named ") << state.getGroupAttr();
}

LogicalResult tessera::verifyStates(ModuleOp module) {
  SymbolTable symbols(module);
  for (auto program : module.getOps<plan::ProgramOp>()) {
    for (auto start : program.getBody().getOps<plan::StartOp>())
      if (start.getGroup() && !symbols.lookup<zero::GroupOp>(*start.getGroup()))
        return start.emitOpError("no zero.group is named ")
               << start.getGroupAttr();
    for (auto state : program.getBody().getOps<plan::StateOp>()) {
      FailureOr<int64_t> found = getStateElements(state, symbols);
      if (failed(found))
        return failure();
      int64_t elements = *found;
      if (state.getSharded())
        elements /= program.getShards();
      int64_t room = state.getBuffer().getType().getNumElements();
      if (elements > room / plan::getElementBytes(state.getElementType()))
        return state.emitOpError("has ")
               << room << " bytes for " << elements << " elements of "
               << state.getElementType();
    }
  }
  return success();
}

/// Whether all names and texts of \p op are UTF-8, as manifests and reports
/// are.
static LogicalResult verifyTexts(Operation *op) {
  WalkResult result = op->getAttrDictionary().walk([&](StringAttr text) {
    if (llvm::json::isUTF8(text.getValue()))
      return WalkResult::advance();
    op->emitError("has ") << text << ", which is no UTF-8: give another text";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Whether each tensor that files of weights hold has a name of its own.
static LogicalResult verifyPartNames(ModuleOp module) {
  DenseMap<StringAttr, nn::ParameterOp> owners;
  for (auto parameter : module.getOps<nn::ParameterOp>())
    owners[parameter.getSymNameAttr()] = parameter;
  for (auto parameter : module.getOps<nn::ParameterOp>())
    if (std::optional<ArrayAttr> names = parameter.getPartNames())
      for (auto name : names->getAsRange<StringAttr>())
        if (auto [at, isNew] = owners.try_emplace(name, parameter); !isNew)
          return parameter.emitOpError("part ")
                     .append(name, " has the name of another tensor")
                     .attachNote(at->second.getLoc())
                 << "which is of this parameter";
  return success();
}

LogicalResult tessera::verifySymbols(ModuleOp module) {
  if (failed(verifyTexts(module)) || failed(verifyPartNames(module)))
    return failure();
  for (Operation &op : *module.getBody()) {
    if (!isa<func::FuncOp, nn::ParameterOp, nn::CacheOp, zero::GroupOp,
             plan::ProgramOp>(op))
      return op.emitOpError("does not belong at a module's top: only "
                            "func.func, nn.parameter, nn.cache, zero.group and "
                            "plan.program do");
    if (failed(verifyTexts(&op)))
      return failure();
    if (auto program = dyn_cast<plan::ProgramOp>(op))
      for (Operation &part : program.getBody().front())
        if (isa<plan::InputOp, plan::OutputOp>(part) &&
            failed(verifyTexts(&part)))
          return failure();
  }
  return success();
}
