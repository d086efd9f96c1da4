//===- NameLayers.cpp - The layers of operations --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "passes/train/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::train {
#define GEN_PASS_DEF_NAMELAYERS
#include "passes/train/Passes.h.inc"
} // namespace tessera::train

using namespace mlir;
using namespace tessera;

/// The layer of the parameter \p name, "h.0.mlp.up.weight": "h.0.mlp.up".
static StringRef getLayer(StringRef name) {
  auto [layer, last] = name.rsplit('.');
  return last.empty() ? name : layer;
}

/// The innermost layer that both \p before and what follows it, \p after, are
/// in: "h.0" of "h.0.attention.dense" and "h.0.mlp.up". What goes from one
/// layer of a list to another is of the one before: "h.0" of "h.0.mlp.down" and
/// "h.1.norm".
static StringRef getCommonLayer(StringRef before, StringRef after) {
  SmallVector<StringRef> ours, others;
  before.split(ours, '.');
  after.split(others, '.');
  size_t count = 0, length = 0;
  auto take = [&](StringRef part) { length += part.size() + (count++ > 0); };
  while (count < std::min(ours.size(), others.size()) &&
         ours[count] == others[count])
    take(ours[count]);
  unsigned number;
  if (count < std::min(ours.size(), others.size()) &&
      !ours[count].getAsInteger(10, number) &&
      !others[count].getAsInteger(10, number))
    take(ours[count]);
  return before.take_front(length);
}

/// The layer of a parameter that \p op reads, directly or as a view of it or
/// repeated; empty where it reads none.
static StringRef findReadLayer(Operation *op,
                               const DenseMap<Value, StringRef> &read) {
  for (Value operand : op->getOperands())
    if (StringRef layer = read.lookup(operand); !layer.empty())
      return layer;
  return "";
}

static void setLayer(Operation *op, StringRef layer) {
  Location loc = op->getLoc();
  if (auto named = dyn_cast<NameLoc>(loc))
    loc = named.getChildLoc();
  if (!layer.empty())
    loc = NameLoc::get(StringAttr::get(op->getContext(), layer), loc);
  op->setLoc(loc);
}

static void nameLayers(func::FuncOp function) {
  Block &block = function.getBody().front();
  for (BlockArgument argument : block.getArguments())
    if (auto input = function.getArgAttrOfType<StringAttr>(
            argument.getArgNumber(), inputAttrName))
      argument.setLoc(NameLoc::get(input));
  // What is read of parameters, and the operations since the last one that
  // reads some.
  DenseMap<Value, StringRef> read;
  SmallVector<Operation *> between;
  StringRef before;
  for (Operation &op : block) {
    StringRef layer;
    if (auto parameter = dyn_cast<nn::GetParameterOp>(op))
      layer = getLayer(parameter.getParameter());
    else
      layer = findReadLayer(&op, read);
    if (layer.empty()) {
      between.push_back(&op);
      continue;
    }
    if (isa<nn::GetParameterOp, nn::BroadcastOp, nn::ReshapeOp, nn::SliceOp,
            nn::TransposeOp>(op))
      read[op.getResult(0)] = layer;
    setLayer(&op, layer);
    for (Operation *other : between)
      setLayer(other, getCommonLayer(before, layer));
    between.clear();
    before = layer;
  }
  for (Operation *other : between)
    setLayer(other, "");
}

namespace {

struct NameLayers : train::impl::NameLayersBase<NameLayers> {
  void runOnOperation() override {
    if (failed(verifyPrograms(getOperation())))
      return signalPassFailure();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        nameLayers(function);
  }
};

} // namespace
