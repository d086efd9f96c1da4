//===- PlanDialect.cpp - The plan dialect -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/plan/Within.h"

using namespace mlir;
using namespace tessera::plan;

#include "dialects/plan/PlanDialect.cpp.inc"
#include "dialects/plan/PlanEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/plan/PlanTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.cpp.inc"

/// What \p buffer is called where it is printed: its name, and before it the
/// layer that fills it.
static std::string getPrintedName(BufferOp buffer) {
  auto layer = buffer.getLoc()->findInstanceOf<NameLoc>();
  return (layer ? layer.getName().str() + "." : "") + buffer.getName().str();
}

namespace {
struct BufferNames : OpAsmOpInterface::ExternalModel<BufferNames, BufferOp> {
  void getAsmResultNames(Operation *op, OpAsmSetValueNameFn setName) const {
    auto buffer = cast<BufferOp>(op);
    setName(buffer.getResult(), getPrintedName(buffer));
  }
};

/// A view is called as the buffer is.
struct ViewNames : OpAsmOpInterface::ExternalModel<ViewNames, ViewOp> {
  void getAsmResultNames(Operation *op, OpAsmSetValueNameFn setName) const {
    auto view = cast<ViewOp>(op);
    if (BufferOp buffer = view.getBufferOp())
      setName(view.getResult(), getPrintedName(buffer));
  }
};
} // namespace

void PlanDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/plan/PlanTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/plan/PlanOps.cpp.inc"
      >();
  BufferOp::attachInterface<BufferNames>(*getContext());
  ViewOp::attachInterface<ViewNames>(*getContext());
}

bool tessera::plan::isStep(Operation *op) {
  return isa<LaunchOp, GemmOp, StartOp, WaitOp, FenceOp, ClearOp, CopyOp,
             FetchOp, EvictOp>(op);
}

int64_t tessera::plan::getElementBytes(Type type) {
  return (type.getIntOrFloatBitWidth() + 7) / 8;
}

int64_t tessera::plan::getBytes(ShapedType type) {
  return type.getNumElements() * getElementBytes(type.getElementType());
}

int64_t SectionOp::getTimes() {
  return isOfMicroBatch()
             ? cast<ProgramOp>((*this)->getParentOp()).getAccumulation()
             : 1;
}

SmallVector<std::pair<StartOp, int64_t>>
tessera::plan::getCollectives(ProgramOp program) {
  SmallVector<std::pair<StartOp, int64_t>> all;
  int64_t times = 1;
  for (Operation &op : program.getBody().front()) {
    if (auto section = dyn_cast<SectionOp>(op))
      times = section.getTimes();
    else if (auto start = dyn_cast<StartOp>(op))
      all.push_back({start, times});
  }
  return all;
}

SmallVector<Operation *> ProgramOp::getSteps() {
  SmallVector<Operation *> steps;
  for (Operation &op : getBody().front())
    if (isStep(&op))
      steps.push_back(&op);
  return steps;
}

int64_t ProgramOp::getMemory(Category category) {
  auto bytes = getMemory().getAs<IntegerAttr>(stringifyCategory(category));
  return bytes ? bytes.getInt() : 0;
}

void ProgramOp::setMemory(ArrayRef<int64_t> bytes) {
  Builder builder(getContext());
  SmallVector<NamedAttribute> entries;
  for (auto [i, count] : llvm::enumerate(bytes)) {
    auto category = static_cast<Category>(i);
    // Most programs have none.
    if (count || category != Category::Cache)
      entries.push_back(builder.getNamedAttr(stringifyCategory(category),
                                             builder.getI64IntegerAttr(count)));
  }
  setMemoryAttr(builder.getDictionaryAttr(entries));
}

int64_t ProgramOp::getOffloadOffset() {
  int64_t end = getArenaBytes();
  for (auto other : (*this)->getParentRegion()->getOps<ProgramOp>())
    if (FlatSymbolRefAttr host = getWithin(other);
        host && host.getAttr() == getSymNameAttr())
      end = std::max<int64_t>(end, other.getArenaBytes());
  return llvm::alignTo(end, 2 << 20);
}

int64_t BufferOp::getPlace() {
  if (!isInFile())
    return getOffset();
  return (*this)->getParentOfType<ProgramOp>().getOffloadOffset() + getOffset();
}

int64_t ViewOp::getBytes() { return plan::getBytes(getResult().getType()); }

int64_t ViewOp::getSpan() {
  auto program = (*this)->getParentOfType<ProgramOp>();
  int64_t shards = program ? program.getShards() : 1;
  int64_t replicas = program ? program.getReplicas() : 1;
  int64_t secondary = program ? program.getSecondary() : 1;
  return (shards - 1) * getRankStride() + (replicas - 1) * getReplicaStride() +
         (secondary - 1) * getSecondaryStride() + getBytes();
}

int64_t StartOp::getElements() {
  auto whole =
      getKind() == Collective::AllGather ? getDestination() : getSource();
  return cast<ShapedType>(whole.getType()).getNumElements();
}

int64_t StartOp::getReceivedBytes(int64_t world) {
  auto type = cast<ShapedType>(getSource().getType());
  int64_t bytes = getElements() * getElementBytes(type.getElementType());
  int64_t members = getMembers(world);
  return getKind() == Collective::AllReduce ? bytes * (members - 1)
                                            : bytes / members * (members - 1);
}
