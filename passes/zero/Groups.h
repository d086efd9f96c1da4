//===- Groups.h - Groups of parameters --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_ZERO_GROUPS_H
#define TESSERA_PASSES_ZERO_GROUPS_H

#include "dialects/nn/NN.h"
#include "dialects/zero/Zero.h"

namespace tessera::zero {

/// What decides which parameters form a group. It does not depend on the stage,
/// so that sums over groups have one order in all stages.
struct GroupLimits {
  /// Most bytes of a group's gradients, with padding; 0: no limit.
  int64_t bucketBytes = 0;
  /// Layers become one group up to this many bytes of parameters; 0: none do.
  int64_t gatherBytes = 0;
  /// Parameters of at most this many elements persist; 0: none do.
  int64_t persistenceThreshold = 0;
};

/// Parameters that are to be a group.
struct GroupMembers {
  std::string name;
  /// In the order of the module.
  mlir::SmallVector<nn::ParameterOp> parameters;
  /// Groups cut from one layer have one number.
  unsigned layer = 0;
  bool persistent = false;
};

/// A group and the parameters in it, in the order of their offsets.
struct Group {
  GroupOp op;
  mlir::SmallVector<nn::ParameterOp> parameters;
  unsigned layer = 0;

  llvm::StringRef getName() { return op.getSymName(); }
  int64_t getPadded() { return op.getPadded(); }
  /// The whole group as programs read it, and as the optimizer updates it.
  mlir::RankedTensorType getType();
  mlir::RankedTensorType getMasterType();
  /// True where these types differ: the group then has a master.
  bool isMixed() { return getType() != getMasterType(); }
};

/// The ranks of a program: replicas x shards.
struct Grid {
  int64_t world = 1, shards = 1;
  /// Ranks among which parameters are kept from their first gather on; 0: none
  /// are.
  int64_t secondary = 0;
  /// Parameters that are gathered before use travel as bytes.
  bool quantized = false;
  int64_t getReplicas() const { return world / shards; }
  /// The axis that states are partitioned along.
  Axis getShardAxis() const {
    return shards == world ? Axis::World : Axis::Shards;
  }
};

/// Where a parameter lies.
struct Place {
  unsigned group;
  int64_t offset;
};

struct Groups {
  mlir::SmallVector<Group> groups;
  /// What the optimizer treats differently, alike for all groups; some may have
  /// no parameter of a class.
  mlir::SmallVector<optimizer::ClassParameters> classes;
  /// By the parameter's name.
  llvm::DenseMap<mlir::StringAttr, Place> places;
};

/// True for what is only another form of a parameter, and is made again at each
/// use: a view; or a broadcast, which a kernel reads as its operand, so that it
/// must not reach beyond the parameter's release.
bool isForm(mlir::Operation *op);

/// Deals the module's parameters to groups:
/// - parameters that persist, of all layers, to groups of their own, the first
///   ones;
/// - a layer (what `nn.parameter` names as its group) to a group, or to several
///   where its gradients take more than a bucket: cut between parameters, so
///   that only a parameter alone exceeds the limit; what of it is read in
///   blocks to another;
/// - several layers to one group where that makes fewer gathers and moves no
///   more: where \p step always uses them one after the other.
mlir::SmallVector<GroupMembers>
formGroups(mlir::func::FuncOp step, int64_t world, const GroupLimits &limits);

/// Writes a zero.group for each of formGroups. Its parameters are ordered by
/// their classes: those that decay and those that do not, then what differs in
/// the groups of \p settings. Each parameter starts at a multiple of 16
/// elements; a group is padded to a multiple of 16 · \p world.
mlir::FailureOr<Groups> createGroups(mlir::func::FuncOp step, int64_t world,
                                     const GroupLimits &limits,
                                     const optimizer::Settings &settings);

/// Gives every use of a parameter in \p function a view of its group's whole
/// parameters, and erases the nn.get_parameter operations.
///
/// Where there is one rank, \p stage is below 3 or the group persists the whole
/// parameters are the state's memory. Else they are gathered before use and
/// released after. A group stays gathered from one use to the next if no group
/// of another layer is used in between. Returns the number of gathers. Where
/// the grid has a secondary axis all gathers but the first are along it. Where
/// it is quantized a rank's part becomes bytes before each gather, and the
/// gathered bytes become parameters; what is kept between gathers is bytes.
mlir::FailureOr<int64_t> partitionParameters(mlir::func::FuncOp function,
                                             Groups &groups, int64_t stage,
                                             const Grid &grid);

} // namespace tessera::zero

#endif // TESSERA_PASSES_ZERO_GROUPS_H
