//===- Groups.cpp - Groups of parameters ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/zero/Groups.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

RankedTensorType Group::getType() {
  return parameters.front().getValueType().clone({getPadded()});
}

RankedTensorType Group::getMasterType() {
  return parameters.front().getTensorType().clone({getPadded()});
}

FailureOr<Groups> zero::createGroups(func::FuncOp step, int64_t world,
                                     const GroupLimits &limits) {
  auto module = step->getParentOfType<ModuleOp>();
  SmallVector<GroupMembers> formed = formGroups(step, world, limits);
  if (formed.empty())
    return module.emitError("no nn.parameter: there is nothing to partition");

  SymbolTable symbols(module);
  OpBuilder builder(module.getContext());
  for (auto parameter : module.getOps<nn::ParameterOp>())
    builder.setInsertionPointAfter(parameter);
  Groups groups;
  for (const GroupMembers &members : formed) {
    StringAttr name = builder.getStringAttr(members.name);
    if (Operation *other = symbols.lookup(name))
      return other->emitOpError("has the name of a group: rename ") << name;
    SmallVector<nn::ParameterOp> parameters;
    for (bool decay : {true, false})
      for (nn::ParameterOp parameter : members.parameters)
        if (parameter.getDecay() == decay)
          parameters.push_back(parameter);
    nn::ParameterOp first = parameters.front();
    SmallVector<Attribute> symbolRefs;
    SmallVector<int64_t> offsets;
    int64_t end = 0, decayEnd = 0;
    for (nn::ParameterOp parameter : parameters) {
      RankedTensorType type = parameter.getTensorType();
      if (type.getElementType() != first.getTensorType().getElementType() ||
          parameter.getComputeType() != first.getComputeType())
        return parameter.emitOpError("has elements of another type than those "
                                     "before it in group ")
               << name << ": give it a group of its own";
      int64_t offset = llvm::alignTo(end, ZeroDialect::kAlignment);
      end = offset + type.getNumElements();
      if (parameter.getDecay())
        decayEnd = end;
      symbolRefs.push_back(FlatSymbolRefAttr::get(parameter.getSymNameAttr()));
      offsets.push_back(offset);
      groups.places[parameter.getSymNameAttr()] = {
          static_cast<unsigned>(groups.groups.size()), offset};
    }
    int64_t padded = llvm::alignTo(end, ZeroDialect::kAlignment * world);
    auto op = GroupOp::create(builder, parameters.front().getLoc(), name,
                              builder.getArrayAttr(symbolRefs), offsets, end,
                              padded, decayEnd, members.persistent);
    groups.groups.push_back({op, std::move(parameters), members.layer});
  }
  return groups;
}
