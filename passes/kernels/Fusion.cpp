//===- Fusion.cpp - Which operations make one kernel ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Fusion works on anchors: reductions, and values that must be stored. All
// other fusible operations belong to the anchors that need them, and are
// repeated where several kernels do. Storing a value is worth it once two
// kernels would each have to read more than one tensor to recompute it.

#include "passes/kernels/Fusion.h"
#include "dialects/zero/Zero.h"
#include "passes/kernels/Anchors.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::kernels;
using namespace tessera::nn;

static RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

namespace {

struct Group {
  IterationSpace space;
  SmallVector<unsigned> anchors; ///< in program order
  uint64_t time = 0;             ///< when it runs, see Fusion::time
  bool merged = false;           ///< true: its anchors moved to another group
};

class Fusion : Anchors {
public:
  Fusion(Block &block, int64_t mostColumnSums)
      : Anchors(block), mostColumnSums(mostColumnSums) {
    for (auto section : block.getOps<nn::SectionOp>())
      sections.push_back(order.lookup(section));
  }

  FailureOr<std::vector<Cluster>> run() {
    findRoots();
    do {
      if (failed(formAnchors()))
        return failure();
      formGroups();
    } while (storeShared());
    return finish();
  }

private:
  //===--------------------------------------------------------------------===//
  // Groups of anchors
  //===--------------------------------------------------------------------===//

  /// When \p value exists.
  uint64_t availableAt(Value value) {
    auto anchor = anchorOf.find(value);
    if (anchor != anchorOf.end())
      return groups[anchors[anchor->second].group].time;
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != &block)
      return 0;
    // A view exists with what it looks at.
    if (isTransparent(op))
      return std::max(availableAt(op->getOperand(0)), fixedTime(op));
    return fixedTime(op);
  }

  /// The earliest time for \p anchor, not before its own section.
  /// Its wait for group \p without does not count.
  uint64_t earliest(const Anchor &anchor, unsigned without = ~0u) {
    auto section =
        llvm::upper_bound(sections, order.lookup(anchor.value.getDefiningOp()));
    uint64_t time =
        section == sections.begin() ? 0 : *std::prev(section) << tick;
    for (Value leaf : anchor.cone.leaves) {
      auto producer = anchorOf.find(leaf);
      if (producer == anchorOf.end() ||
          anchors[producer->second].group != without)
        time = std::max(time, availableAt(leaf));
    }
    return time + 1;
  }

  /// The latest time before which \p value must exist: its first user that
  /// stays in place, or the first group other than \p except that reads it.
  uint64_t neededAt(Value value, ArrayRef<unsigned> except) {
    uint64_t time = ~uint64_t(0);
    auto readers = readersOf.find(value);
    if (readers != readersOf.end())
      for (unsigned reader : readers->second)
        if (!llvm::is_contained(except, anchors[reader].group))
          time = std::min(time, groups[anchors[reader].group].time);
    for (Operation *user : value.getUsers()) {
      if (isTransparent(user)) {
        // The view itself, where something outside looks through it.
        if (isUsedOutside(user->getResult(0)))
          time = std::min(time, fixedTime(user));
      } else if (!isFusible(user)) {
        time = std::min(time, fixedTime(user));
      }
    }
    return time;
  }

  void formGroups() {
    groups.clear();
    readersOf.clear();
    for (auto [index, anchor] : llvm::enumerate(anchors)) {
      anchor.group = groups.size();
      groups.push_back(
          {anchor.space, {static_cast<unsigned>(index)}, 0, false});
      groups.back().time = earliest(anchor);
      for (Value leaf : anchor.cone.leaves) {
        readersOf[leaf].push_back(index);
        // Through a view, the group reads what the view looks at.
        for (Operation *op = leaf.getDefiningOp(); op && isTransparent(op);
             op = op->getOperand(0).getDefiningOp())
          readersOf[op->getOperand(0)].push_back(index);
      }
      for (unsigned candidate : findCandidates(index))
        tryMerge(candidate, anchors[index].group);
    }
  }

  /// Groups that compute what the anchor reads, then groups that read the same.
  SmallVector<unsigned> findCandidates(unsigned index) {
    const Anchor &anchor = anchors[index];
    llvm::SetVector<unsigned> candidates;
    for (Value leaf : anchor.cone.leaves) {
      auto producer = anchorOf.find(leaf);
      if (producer != anchorOf.end())
        candidates.insert(anchors[producer->second].group);
    }
    for (Value leaf : anchor.cone.leaves) {
      if (tensorType(leaf).getNumElements() !=
          anchor.space.rows * anchor.space.columns)
        continue;
      for (unsigned reader : readersOf[leaf])
        if (reader < index)
          candidates.insert(anchors[reader].group);
    }
    SmallVector<unsigned> suitable;
    for (unsigned group : candidates)
      if (group != anchor.group && groups[group].space == anchor.space)
        suitable.push_back(group);
    return suitable;
  }

  /// True if \p leaf, made by an anchor of the same group, is read at the very
  /// element that is being computed.
  bool canStayInside(const Anchor &producer, const Anchor &consumer) {
    // Values along the columns are complete only after the last row.
    return !consumer.space.byColumns ||
           (producer.role.kind == RoleKind::Column &&
            !consumer.value.getDefiningOp<nn::ReduceOp>());
  }

  /// True if \p anchor is computed from a reduction within groups \p into and
  /// \p from, so that a kernel of both sees by it what role the anchor has.
  bool hasReduction(const Anchor &anchor, unsigned into, unsigned from) {
    if (isa<nn::ReduceOp>(anchor.value.getDefiningOp()))
      return true;
    return llvm::any_of(anchor.cone.leaves, [&](Value leaf) {
      auto producer = anchorOf.find(leaf);
      if (producer == anchorOf.end())
        return false;
      const Anchor &other = anchors[producer->second];
      return (other.group == into || other.group == from) &&
             other.role == anchor.role && hasReduction(other, into, from);
    });
  }

  /// True if a kernel of groups \p into and \p from can tell its results'
  /// roles: one that comes from a reduction elsewhere looks as if it were full,
  /// which is as good only where all are like it.
  bool showsRoles(unsigned into, unsigned from) {
    bool anyLost = false, allLost = true;
    for (unsigned group : {into, from})
      for (unsigned index : groups[group].anchors) {
        const Anchor &anchor = anchors[index];
        bool isLost = anchor.role.kind != RoleKind::Full &&
                      !hasReduction(anchor, into, from);
        anyLost |= isLost;
        allLost &= isLost;
      }
    return !anyLost || allLost;
  }

  /// Sums along the columns that group \p group has.
  int64_t countColumnSums(unsigned group) {
    if (!groups[group].space.byColumns)
      return 0;
    return llvm::count_if(groups[group].anchors, [&](unsigned anchor) {
      return isa<nn::ReduceOp>(anchors[anchor].value.getDefiningOp());
    });
  }

  void tryMerge(unsigned into, unsigned from) {
    if (groups[into].merged || groups[from].merged || into == from ||
        !showsRoles(into, from) ||
        countColumnSums(into) + countColumnSums(from) > mostColumnSums)
      return;
    Group &target = groups[into], &source = groups[from];
    for (unsigned consumer : source.anchors)
      for (Value leaf : anchors[consumer].cone.leaves) {
        Value viewed = getViewed(leaf);
        auto producer = anchorOf.find(viewed);
        if (producer == anchorOf.end() ||
            anchors[producer->second].group != into)
          continue;
        // Under another shape it is read elsewhere than where it is computed.
        if (viewed != leaf)
          return;
        if (!canStayInside(anchors[producer->second], anchors[consumer]) ||
            !isReadInPlace(leaf, anchors[consumer]))
          return;
      }
    uint64_t time = target.time;
    for (unsigned anchor : source.anchors)
      time = std::max(time, earliest(anchors[anchor], into));
    for (const Group *group : {&target, &source})
      for (unsigned anchor : group->anchors) {
        if (neededAt(anchors[anchor].value, {into, from}) <= time)
          return;
        for (Value leaf : anchors[anchor].cone.leaves)
          if (getDeadline(leaf) <= time)
            return;
      }
    for (unsigned anchor : source.anchors)
      anchors[anchor].group = into;
    llvm::append_range(target.anchors, source.anchors);
    llvm::sort(target.anchors);
    target.time = time;
    source.merged = true;
  }

  /// True if every read of \p leaf in the anchor's cone has the role with which
  /// the leaf is computed in the same space.
  bool isReadInPlace(Value leaf, const Anchor &consumer) {
    Role made = anchors[anchorOf.lookup(leaf)].role;
    Cone cone;
    return rolesAgree(consumer.value.getDefiningOp(), consumer.space,
                      consumer.role, leaf, made, cone);
  }

  bool rolesAgree(Operation *op, const IterationSpace &space, Role role,
                  Value leaf, Role made, Cone &seen) {
    if (!seen.body.insert(op))
      return true;
    for (Value operand : op->getOperands()) {
      Role read = role;
      if (isa<nn::ReduceOp>(op))
        read = {RoleKind::Full, 1};
      else if (auto broadcast = dyn_cast<nn::BroadcastOp>(op))
        read = getBroadcastRole(broadcast, space, role)
                   .value_or(Role{RoleKind::Table, 1});
      else if (auto gather = dyn_cast<nn::GatherOp>(op))
        read = operand == gather.getTable() ? Role{RoleKind::Table, 1}
                                            : Role{RoleKind::Row, 1};
      else if (isa<nn::SliceColumnsOp>(op))
        read = {RoleKind::Table, 1};
      else if (auto bits = dyn_cast<nn::RandomBitsOp>(op))
        read = operand == bits.getStream()
                   ? Role{RoleKind::Table, 1}
                   : Role{RoleKind::Row, bits.getRowsOfSample()};
      if (operand == leaf) {
        bool single =
            getElements(space, made) == 1 && getElements(space, read) == 1;
        if (read != made && !single)
          return false;
        continue;
      }
      Operation *definition = operand.getDefiningOp();
      if (isInside(definition) && !isAnchor(operand) &&
          !rolesAgree(definition, space, read, leaf, made, seen))
        return false;
    }
    return true;
  }

  //===--------------------------------------------------------------------===//
  // What to store rather than repeat
  //===--------------------------------------------------------------------===//

  /// Makes a root of each value that two groups would compute from more than
  /// one tensor of its size. True if there is one.
  bool storeShared() {
    DenseMap<Operation *, llvm::SmallDenseSet<unsigned, 2>> usedBy;
    for (Anchor &anchor : anchors)
      for (Operation *op : anchor.cone.body)
        usedBy[op].insert(anchor.group);
    auto isShared = [&](Operation *op) {
      // What is widened is stored before it is: in fewer bits.
      if (isa<arith::ConstantOp, arith::ExtFOp, nn::BroadcastOp,
              nn::SliceColumnsOp, nn::IotaOp, nn::RandomBitsOp>(op) ||
          isTransparent(op) || isAnchor(op->getResult(0)))
        return false;
      auto users = usedBy.find(op);
      // One value per row is stored for nothing, next to what it comes from.
      return users != usedBy.end() && users->second.size() > 1 &&
             (findReduction(op->getResult(0)) ||
              countReads(op->getResult(0)) > 1);
    };
    // What is stored early counts at once: more is then computed from it alone.
    bool found = false;
    for (Operation &op : block) {
      if (!isFusible(&op) || !isShared(&op))
        continue;
      // Only the last of a chain: what leads to it is then repeated no more.
      bool last = llvm::any_of(op.getUsers(), [&](Operation *user) {
        return usedBy.contains(user) && !isShared(user);
      });
      if (last)
        found |= roots.insert(op.getResult(0)).second;
    }
    return found;
  }

  //===--------------------------------------------------------------------===//
  // Clusters
  //===--------------------------------------------------------------------===//

  std::vector<Cluster> finish() {
    SmallVector<unsigned> sorted;
    for (auto [index, group] : llvm::enumerate(groups))
      if (!group.merged)
        sorted.push_back(index);
    llvm::stable_sort(sorted, [&](unsigned a, unsigned b) {
      return groups[a].time < groups[b].time;
    });
    SmallVector<Operation *> operations;
    for (Operation &op : block)
      operations.push_back(&op);

    std::vector<Cluster> clusters;
    for (unsigned index : sorted) {
      const Group &group = groups[index];
      Cluster cluster;
      cluster.space = group.space;
      llvm::SetVector<Operation *> body;
      llvm::SetVector<Value> inputs;
      for (unsigned anchor : group.anchors) {
        body.insert_range(anchors[anchor].cone.body);
        for (Value leaf : anchors[anchor].cone.leaves) {
          auto producer = anchorOf.find(leaf);
          if (producer == anchorOf.end() ||
              anchors[producer->second].group != index)
            inputs.insert(leaf);
        }
        Value value = anchors[anchor].value;
        if (roots.contains(value) || neededAt(value, {index}) != ~uint64_t(0))
          cluster.outputs.push_back(value);
      }
      cluster.body = body.takeVector();
      llvm::sort(cluster.body, [&](Operation *a, Operation *b) {
        return order.lookup(a) < order.lookup(b);
      });
      cluster.inputs = inputs.takeVector();
      uint64_t position = group.time >> tick;
      cluster.after = position ? operations[position - 1] : nullptr;
      clusters.push_back(std::move(cluster));
    }
    return clusters;
  }

  DenseMap<Value, SmallVector<unsigned>> readersOf;
  SmallVector<uint64_t> sections;
  int64_t mostColumnSums; ///< of a group
  std::vector<Group> groups;
};

} // namespace

FailureOr<std::vector<Cluster>> kernels::fuse(Block &block,
                                              int64_t mostColumnSums) {
  return Fusion(block, mostColumnSums).run();
}
