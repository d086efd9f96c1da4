//===- StepGroups.h - Whose parameters a step works on ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_STEPGROUPS_H
#define TESSERA_REPORT_STEPGROUPS_H

#include "dialects/plan/Plan.h"

namespace tessera {

/// The groups of parameters, which are layers, that buffers and steps of a
/// program belong to.
class StepGroups {
public:
  explicit StepGroups(plan::ProgramOp program);

  /// The group whose state or message \p buffer is; empty for none.
  llvm::StringRef getGroup(plan::BufferOp buffer) const {
    return groups.lookup(buffer.getOperation());
  }
  /// The group whose buffers \p step reads or writes; empty for none.
  llvm::StringRef getGroup(mlir::Operation *step) const;

private:
  llvm::DenseMap<mlir::Operation *, llvm::StringRef> groups; ///< of buffers
};

} // namespace tessera

#endif // TESSERA_REPORT_STEPGROUPS_H
