//===- StepGroups.h - Whose parameters a step works on ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_PLAN_STEPGROUPS_H
#define TESSERA_DIALECTS_PLAN_STEPGROUPS_H

#include "dialects/plan/Plan.h"

namespace tessera::plan {

/// The groups of parameters, which are layers, that buffers and steps of a
/// program belong to.
class StepGroups {
public:
  explicit StepGroups(ProgramOp program);

  /// The group whose state or message \p buffer is; empty for none.
  llvm::StringRef getGroup(BufferOp buffer) const {
    return groups.lookup(buffer.getOperation());
  }
  /// The group whose buffers \p step reads or writes, or whose message it waits
  /// for; empty for none.
  llvm::StringRef getGroup(mlir::Operation *step) const;
  /// The layer that each of \p steps, in their order, is part of: its group, or
  /// that of what is computed before it.
  llvm::SmallVector<llvm::StringRef>
  getLayers(llvm::ArrayRef<mlir::Operation *> steps) const;

private:
  llvm::DenseMap<mlir::Operation *, llvm::StringRef> groups; ///< of buffers
};

} // namespace tessera::plan

#endif // TESSERA_DIALECTS_PLAN_STEPGROUPS_H
