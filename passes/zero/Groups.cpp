//===- Groups.cpp - Groups of parameters ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/zero/Groups.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::zero;

RankedTensorType Group::getType() {
  return parameters.front().getValueType().clone({getPadded()});
}

RankedTensorType Group::getMasterType() {
  return parameters.front().getTensorType().clone({getPadded()});
}

namespace {

/// Deals parameters to classes.
class Classes {
public:
  explicit Classes(const optimizer::Settings &settings) : settings(settings) {
    for (const optimizer::ParameterGroup &group : settings.groups)
      expressions.emplace_back(group.match);
    // Two of them even where nothing decays, so that where a parameter lies
    // does not depend on how much others decay.
    classes = {{1, settings.weightDecay}, {1, 0}};
  }

  /// The number of the class of \p parameter.
  unsigned getClass(nn::ParameterOp parameter) {
    optimizer::ClassParameters own = {
        1, parameter.getDecay() ? settings.weightDecay : 0};
    for (auto [group, expression] : llvm::zip(settings.groups, expressions))
      if (expression.match(parameter.getSymName()))
        return getClass(
            {group.lrScale, group.weightDecay.value_or(own.weightDecay)});
    return parameter.getDecay() ? 0 : 1;
  }

  SmallVector<optimizer::ClassParameters> classes;

private:
  unsigned getClass(const optimizer::ClassParameters &wanted) {
    auto *found = llvm::find(classes, wanted);
    if (found == classes.end())
      found = classes.insert(found, wanted);
    return found - classes.begin();
  }

  const optimizer::Settings &settings;
  std::vector<llvm::Regex> expressions;
};

} // namespace

FailureOr<Groups> zero::createGroups(func::FuncOp step, int64_t world,
                                     const GroupLimits &limits,
                                     const optimizer::Settings &settings) {
  auto module = step->getParentOfType<ModuleOp>();
  SmallVector<GroupMembers> formed = formGroups(step, world, limits);
  if (formed.empty())
    return module.emitError("no nn.parameter: there is nothing to partition");

  SymbolTable symbols(module);
  OpBuilder builder(module.getContext());
  Classes classes(settings);
  // Numbers follow the module's order, not that of groups.
  DenseMap<Operation *, unsigned> classOf;
  for (auto parameter : module.getOps<nn::ParameterOp>()) {
    builder.setInsertionPointAfter(parameter);
    classOf[parameter] = classes.getClass(parameter);
  }
  Groups groups;
  groups.classes = classes.classes;
  for (const GroupMembers &members : formed) {
    StringAttr name = builder.getStringAttr(members.name);
    if (Operation *other = symbols.lookup(name))
      return other->emitOpError("has the name of a group: rename ") << name;
    SmallVector<nn::ParameterOp> parameters;
    for (unsigned c = 0; c < groups.classes.size(); ++c)
      for (nn::ParameterOp parameter : members.parameters)
        if (classOf[parameter] == c)
          parameters.push_back(parameter);
    nn::ParameterOp first = parameters.front();
    SmallVector<Attribute> symbolRefs;
    SmallVector<int64_t> offsets, classEnds(groups.classes.size(), 0);
    int64_t end = 0;
    for (nn::ParameterOp parameter : parameters) {
      RankedTensorType type = parameter.getValueType();
      if (parameter.getTensorType().getElementType() !=
              first.getTensorType().getElementType() ||
          type.getElementType() != first.getValueType().getElementType())
        return parameter.emitOpError("has elements of another type than those "
                                     "before it in group ")
               << name << ": give it a group of its own";
      int64_t offset = llvm::alignTo(end, ZeroDialect::elementAlignment);
      end = offset + type.getNumElements();
      for (size_t c = classOf[parameter]; c < classEnds.size(); ++c)
        classEnds[c] = end;
      symbolRefs.push_back(FlatSymbolRefAttr::get(parameter.getSymNameAttr()));
      offsets.push_back(offset);
      groups.places[parameter.getSymNameAttr()] = {
          static_cast<unsigned>(groups.groups.size()), offset};
    }
    // The last class ends with the group.
    classEnds.pop_back();
    int64_t padded = llvm::alignTo(end, ZeroDialect::elementAlignment * world);
    auto op = GroupOp::create(builder, parameters.front().getLoc(), name,
                              builder.getArrayAttr(symbolRefs), offsets, end,
                              padded, classEnds, members.persistent);
    groups.groups.push_back({op, std::move(parameters), members.layer});
  }
  return groups;
}
