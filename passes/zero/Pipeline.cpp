//===- Pipeline.cpp - The phase zero ----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "passes/zero/Passes.h"

using namespace mlir;
using namespace tessera;

void zero::buildZeroPipeline(OpPassManager &manager,
                             const ZeroPipelineOptions &options) {
  ZeroPartitionOptions partition;
  partition.stage = options.stage;
  partition.world = options.world;
  partition.shardRanks = options.shardRanks;
  partition.secondaryRanks = options.secondaryRanks;
  partition.quantizedGathers = options.quantizedGathers;
  partition.bucketBytes = options.bucketBytes;
  partition.persistenceThreshold = options.persistenceThreshold;
  partition.gatherBytes = options.gatherBytes;
  manager.addPass(createZeroPartition(partition));
  ZeroScheduleOptions schedule;
  schedule.prefetch = options.prefetch;
  schedule.prefetchBytes = options.prefetchBytes;
  manager.addPass(createZeroSchedule(schedule));
  manager.addPass(createVerifyZero());
}

void zero::registerZeroPipeline() {
  PassPipelineRegistration<ZeroPipelineOptions>(
      "zero-pipeline", "The phase zero: partition, schedule, verify",
      [](OpPassManager &manager, const ZeroPipelineOptions &options) {
        buildZeroPipeline(manager, options);
      });
}
