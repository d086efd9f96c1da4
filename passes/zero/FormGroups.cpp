//===- FormGroups.cpp - Which parameters form a group -----------*- C++ -*-===//
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

bool zero::isForm(Operation *op) {
  return isa<nn::ReshapeOp, nn::SliceOp, nn::BroadcastOp>(op);
}

static int64_t getElementBytes(RankedTensorType type) {
  return llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

/// What the parameters of a group have in common: the types of their elements
/// as the optimizer has them and as programs read them.
static std::pair<Type, Type> getTypes(nn::ParameterOp parameter) {
  return {parameter.getTensorType().getElementType(),
          parameter.getValueType().getElementType()};
}

namespace {

class GroupFormer {
public:
  GroupFormer(func::FuncOp step, int64_t world, const GroupLimits &limits)
      : step(step), world(world), limits(limits) {}

  SmallVector<GroupMembers> run();

private:
  struct Layer {
    std::string name;
    SmallVector<nn::ParameterOp> parameters;
  };

  void collectLayers();
  void collectTurns();
  void collectTurns(Value value, unsigned layer,
                    SmallVectorImpl<std::pair<Operation *, unsigned>> &users);
  bool persists(nn::ParameterOp parameter) {
    return parameter.getTensorType().getNumElements() <=
           limits.persistenceThreshold;
  }
  int64_t getElements(ArrayRef<nn::ParameterOp> parameters);
  int64_t getBucketBytes(ArrayRef<nn::ParameterOp> parameters);
  bool mayMerge(ArrayRef<nn::ParameterOp> parameters);
  int64_t countTurns(unsigned first, unsigned last);
  void cut(StringRef name, ArrayRef<nn::ParameterOp> parameters, unsigned layer,
           bool persistent);

  func::FuncOp step;
  int64_t world;
  const GroupLimits &limits;
  /// The parameters that persist, by the types of their elements.
  llvm::MapVector<std::pair<Type, Type>, SmallVector<nn::ParameterOp>>
      persistent;
  SmallVector<Layer> layers;
  /// The layers in the order in which the step uses them.
  SmallVector<unsigned> turns;
  DenseMap<StringAttr, RankedTensorType> gradientTypes;
  SmallVector<GroupMembers> groups;
};

} // namespace

void GroupFormer::collectLayers() {
  // What is read in blocks is bytes, apart from a layer's other parameters.
  llvm::MapVector<std::pair<StringAttr, unsigned>, SmallVector<nn::ParameterOp>>
      named;
  auto module = step->getParentOfType<ModuleOp>();
  for (auto parameter : module.getOps<nn::ParameterOp>()) {
    if (persists(parameter))
      persistent[getTypes(parameter)].push_back(parameter);
    else
      named[{parameter.getGroupAttr(), parameter.getBlocksAlong().has_value()}]
          .push_back(parameter);
  }
  for (auto &[key, parameters] : named) {
    auto [name, inBlocks] = key;
    layers.push_back(
        {name.str() + (inBlocks ? ".blocks" : ""), std::move(parameters)});
  }
  for (auto update : step.getOps<nn::UpdateOp>())
    gradientTypes[update.getParameterAttr().getAttr()] =
        cast<RankedTensorType>(update.getGradient().getType());
}

void GroupFormer::collectTurns(
    Value value, unsigned layer,
    SmallVectorImpl<std::pair<Operation *, unsigned>> &users) {
  for (Operation *user : value.getUsers()) {
    if (isForm(user))
      collectTurns(user->getResult(0), layer, users);
    else if (user->getBlock() == value.getParentBlock())
      users.emplace_back(user, layer);
  }
}

void GroupFormer::collectTurns() {
  DenseMap<StringAttr, unsigned> layerOf;
  for (auto [index, layer] : llvm::enumerate(layers))
    for (nn::ParameterOp parameter : layer.parameters)
      layerOf[parameter.getSymNameAttr()] = index;
  SmallVector<std::pair<Operation *, unsigned>> users;
  for (auto read : step.getBody().front().getOps<nn::GetParameterOp>()) {
    auto layer = layerOf.find(read.getParameterAttr().getAttr());
    if (layer != layerOf.end())
      collectTurns(read.getResult(), layer->second, users);
  }
  llvm::sort(users, [](const auto &a, const auto &b) {
    return a.first == b.first ? a.second < b.second
                              : a.first->isBeforeInBlock(b.first);
  });
  for (auto [user, layer] : users)
    if (turns.empty() || turns.back() != layer)
      turns.push_back(layer);
}

/// How often the step begins to use the layers from \p first to \p last, taken
/// as one.
int64_t GroupFormer::countTurns(unsigned first, unsigned last) {
  int64_t count = 0;
  bool before = false;
  for (unsigned layer : turns) {
    bool now = first <= layer && layer <= last;
    count += now && !before;
    before = now;
  }
  return count;
}

/// Elements of a group of \p parameters, with its padding.
int64_t GroupFormer::getElements(ArrayRef<nn::ParameterOp> parameters) {
  int64_t elements = 0;
  for (nn::ParameterOp parameter : parameters)
    elements += llvm::alignTo(parameter.getValueType().getNumElements(),
                              ZeroDialect::elementAlignment);
  return llvm::alignTo(elements, ZeroDialect::elementAlignment * world);
}

int64_t GroupFormer::getBucketBytes(ArrayRef<nn::ParameterOp> parameters) {
  int64_t size = 0;
  for (nn::ParameterOp parameter : parameters) {
    RankedTensorType type = gradientTypes.lookup(parameter.getSymNameAttr());
    size =
        std::max(size, getElementBytes(type ? type : parameter.getValueType()));
  }
  return size * getElements(parameters);
}

bool GroupFormer::mayMerge(ArrayRef<nn::ParameterOp> parameters) {
  nn::ParameterOp first = parameters.front();
  RankedTensorType type = first.getValueType();
  for (nn::ParameterOp parameter : parameters)
    if (getTypes(parameter) != getTypes(first))
      return false;
  if (limits.bucketBytes && getBucketBytes(parameters) > limits.bucketBytes)
    return false;
  return getElementBytes(type) * getElements(parameters) <= limits.gatherBytes;
}

/// Makes groups of \p parameters, each with as many as a bucket has room for.
void GroupFormer::cut(StringRef name, ArrayRef<nn::ParameterOp> parameters,
                      unsigned layer, bool persistent) {
  SmallVector<SmallVector<nn::ParameterOp>> pieces(1);
  for (nn::ParameterOp parameter : parameters) {
    pieces.back().push_back(parameter);
    if (!limits.bucketBytes || pieces.back().size() == 1 ||
        getBucketBytes(pieces.back()) <= limits.bucketBytes)
      continue;
    pieces.back().pop_back();
    pieces.push_back({parameter});
  }
  for (auto [index, piece] : llvm::enumerate(pieces)) {
    std::string pieceName = name.str();
    if (pieces.size() > 1)
      pieceName += ":" + std::to_string(index + 1);
    groups.push_back({pieceName, std::move(piece), layer, persistent});
  }
}

SmallVector<GroupMembers> GroupFormer::run() {
  collectLayers();
  collectTurns();
  unsigned number = 0;
  for (auto &[types, parameters] : persistent) {
    std::string name = "persistent";
    if (persistent.size() > 1)
      llvm::raw_string_ostream(name) << "-" << types.second;
    cut(name, parameters, number++, /*persistent=*/true);
  }
  for (unsigned first = 0, next; first < layers.size(); first = next) {
    SmallVector<nn::ParameterOp> parameters = layers[first].parameters;
    int64_t times = countTurns(first, first);
    for (next = first + 1; next < layers.size(); ++next) {
      size_t before = parameters.size();
      llvm::append_range(parameters, layers[next].parameters);
      if (mayMerge(parameters) && countTurns(next, next) == times &&
          countTurns(first, next) == times)
        continue;
      parameters.truncate(before);
      break;
    }
    std::string name = layers[first].name;
    if (next > first + 1)
      name += ".." + layers[next - 1].name;
    cut(name, parameters, number++, /*persistent=*/false);
  }
  return std::move(groups);
}

SmallVector<GroupMembers> zero::formGroups(func::FuncOp step, int64_t world,
                                           const GroupLimits &limits) {
  return GroupFormer(step, world, limits).run();
}
