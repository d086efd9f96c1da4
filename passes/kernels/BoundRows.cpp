//===- BoundRows.cpp - Skip rows beyond a count -----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "passes/kernels/CountedRows.h"
#include "passes/kernels/Passes.h"
#include <map>

namespace tessera::kernels {
#define GEN_PASS_DEF_BOUNDROWS
#include "passes/kernels/Passes.h.inc"
} // namespace tessera::kernels

using namespace mlir;
using namespace tessera;
using namespace tessera::kernels;

namespace {

struct BoundRows : kernels::impl::BoundRowsBase<BoundRows> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<func::FuncOp> programs;
    for (auto function : module.getOps<func::FuncOp>())
      if (isCounted(function))
        programs.push_back(function);
    if (programs.empty())
      return;
    if (failed(verifyPrograms(module)) || failed(verifyKernels(module)) ||
        failed(verifyLaunches(module)))
      return signalPassFailure();
    // All are analysed before kernels change.
    SymbolTable symbols(module);
    std::vector<CountedRows> rows;
    for (func::FuncOp program : programs) {
      if (failed(verifyCounts(program)))
        return signalPassFailure();
      rows.emplace_back(program, symbols);
    }
    for (const CountedRows &program : rows)
      for (auto [op, bound] : program.getBounds()) {
        Value count = program.getScalar(bound.count);
        if (auto launch = dyn_cast<plan::LaunchOp>(op))
          boundLaunch(launch, bound, count, symbols);
        else
          boundGemm(cast<plan::GemmOp>(op), bound, count);
      }
    eraseUnused(module);
  }

private:
  using KernelKey = std::tuple<Operation *, int, int64_t, const void *>;

  static bool isCounted(func::FuncOp function) {
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (function.getArgAttr(i, countedAttrName))
        return true;
    return false;
  }

  /// An argument that names its count has rows, and names it as a string.
  static LogicalResult verifyCounts(func::FuncOp function) {
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      Attribute name = function.getArgAttr(i, countedAttrName);
      if (!name)
        continue;
      auto type = dyn_cast<RankedTensorType>(function.getArgument(i).getType());
      if (!isa<StringAttr>(name) || !type || type.getRank() == 0 ||
          type.getNumElements() == 0)
        return function.emitOpError("argument #")
               << i << " has " << countedAttrName << " = " << name
               << ": an argument with rows may name an input that counts them";
    }
    return success();
  }

  /// \p kernel with a count of type \p type as its last argument.
  func::FuncOp getCounted(func::FuncOp kernel, const CountBound &bound,
                          Type type, SymbolTable &symbols) {
    func::FuncOp &counted =
        kernels[{kernel, bound.kind, bound.room, type.getAsOpaquePointer()}];
    if (counted)
      return counted;
    counted = kernel.clone();
    counted.setSymName((kernel.getSymName() + "_counted").str());
    OpBuilder builder(kernel);
    bool isRows = bound.kind == CountBound::Rows;
    NamedAttribute room(
        builder.getStringAttr(isRows ? countsRowsAttrName : countsSumsAttrName),
        builder.getI64IntegerAttr(bound.room));
    (void)counted.insertArgument(counted.getNumArguments(), type,
                                 builder.getDictionaryAttr(room),
                                 kernel.getLoc());
    symbols.insert(counted, std::next(kernel->getIterator()));
    originals.push_back(kernel);
    return counted;
  }

  void boundLaunch(plan::LaunchOp launch, const CountBound &bound, Value count,
                   SymbolTable &symbols) {
    auto kernel = symbols.lookup<func::FuncOp>(launch.getKernel());
    launch.setKernel(
        getCounted(kernel, bound, count.getType(), symbols).getSymName());
    launch.getInputsMutable().append(count);
    ++(bound.kind == CountBound::Rows ? numLaunches : numSums);
  }

  void boundGemm(plan::GemmOp gemm, const CountBound &bound, Value count) {
    gemm.getCountMutable().assign(count);
    gemm.setCounted(bound.kind == CountBound::Inner ? plan::Counted::Inner
                                                    : plan::Counted::Rows);
    gemm.setRoom(bound.room);
    ++numGemms;
  }

  /// Erases kernels that are launched with counts only.
  void eraseUnused(ModuleOp module) {
    llvm::SmallDenseSet<StringRef> used;
    module.walk(
        [&](plan::LaunchOp launch) { used.insert(launch.getKernel()); });
    for (func::FuncOp kernel : originals)
      if (used.insert(kernel.getSymName()).second)
        kernel.erase();
  }

  std::map<KernelKey, func::FuncOp> kernels;
  SmallVector<func::FuncOp> originals;
};

} // namespace
