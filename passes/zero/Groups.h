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

/// A group and the parameters in it, in the order of their offsets.
struct Group {
  GroupOp op;
  mlir::SmallVector<nn::ParameterOp> parameters;

  llvm::StringRef getName() { return op.getSymName(); }
  int64_t getPadded() { return op.getPadded(); }
  /// The whole group as programs read it, and as the optimizer updates it.
  mlir::RankedTensorType getType();
  mlir::RankedTensorType getMasterType();
  /// True where these types differ: the group then has a master.
  bool isMixed() { return getType() != getMasterType(); }
};

/// Where a parameter lies.
struct Place {
  unsigned group;
  int64_t offset;
};

struct Groups {
  mlir::SmallVector<Group> groups;
  /// By the parameter's name.
  llvm::DenseMap<mlir::StringAttr, Place> places;
};

/// Writes a zero.group for each group that the module's parameters name, in
/// the order in which they appear. Decayed parameters come first in their
/// group; each starts at a multiple of 16 elements; a group is padded to a
/// multiple of 16 · \p world.
mlir::FailureOr<Groups> createGroups(mlir::ModuleOp module, int64_t world);

/// Gives every use of a parameter in \p function a view of its group's whole
/// parameters, and erases the nn.get_parameter operations.
///
/// Where \p world is 1 or \p stage is below 3 the whole parameters are the
/// state's memory. In stage 3 they are gathered before use and released after.
/// A group stays gathered from one use to the next if no other group is used
/// in between, or if it has at most \p persistence elements. Returns the
/// number of gathers.
mlir::FailureOr<int64_t> partitionParameters(mlir::func::FuncOp function,
                                             Groups &groups, int64_t stage,
                                             int64_t world,
                                             int64_t persistence);

} // namespace tessera::zero

#endif // TESSERA_PASSES_ZERO_GROUPS_H
