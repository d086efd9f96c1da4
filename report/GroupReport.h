//===- GroupReport.h - The groups of a plan ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_GROUPREPORT_H
#define TESSERA_REPORT_GROUPREPORT_H

#include "dialects/plan/Plan.h"
#include "dialects/zero/Zero.h"

namespace tessera {

/// What a plan says of a group.
struct GroupFacts {
  zero::GroupOp op;
  /// Bytes of its gradients before they are reduced, with padding.
  int64_t bucketBytes = 0;
  /// Bytes of its parameters as one rank keeps them, and whether that is a
  /// part.
  int64_t parameterBytes = 0;
  bool isSharded = false;
  /// One parameter alone is larger than the specification's `bucket_bytes`.
  bool exceedsLimit = false;
};

/// The groups of \p program in the order of the module.
llvm::SmallVector<GroupFacts> getGroupFacts(plan::ProgramOp program);

} // namespace tessera

#endif // TESSERA_REPORT_GROUPREPORT_H
