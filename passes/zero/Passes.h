//===- Passes.h - The phase zero --------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_ZERO_PASSES_H
#define TESSERA_PASSES_ZERO_PASSES_H

#include "dialects/nn/NN.h"
#include "dialects/zero/Zero.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassOptions.h"

namespace tessera::zero {

#define GEN_PASS_DECL
#include "passes/zero/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/zero/Passes.h.inc"

/// How a training step is partitioned. What is left out here is taken from the
/// module's specification.
struct ZeroPipelineOptions : mlir::PassPipelineOptions<ZeroPipelineOptions> {
  Option<int64_t> stage{*this, "stage",
                        llvm::cl::desc("ZeRO stage, 0 to 3; negative: the "
                                       "specification's"),
                        llvm::cl::init(-1)};
  Option<int64_t> world{
      *this, "world", llvm::cl::desc("Number of ranks; 0: the specification's"),
      llvm::cl::init(0)};
  Option<int64_t> shardRanks{
      *this, "shard-ranks",
      llvm::cl::desc("Ranks that states are partitioned over; 0: the "
                     "specification's"),
      llvm::cl::init(0)};
  Option<int64_t> secondaryRanks{
      *this, "secondary-ranks",
      llvm::cl::desc("Ranks among which parameters are kept from their first "
                     "gather on; negative: the specification's"),
      llvm::cl::init(-1)};
  Option<int64_t> quantizedGathers{
      *this, "quantized-gathers",
      llvm::cl::desc("1: stage 3 gathers parameters as bytes; negative: the "
                     "specification's"),
      llvm::cl::init(-1)};
  Option<int64_t> bucketBytes{
      *this, "bucket-bytes",
      llvm::cl::desc("Most bytes of a group's gradients; 0: no limit; "
                     "negative: the specification's"),
      llvm::cl::init(-1)};
  Option<int64_t> persistenceThreshold{
      *this, "persistence-threshold",
      llvm::cl::desc("Parameters of at most N elements stay whole; "
                     "negative: the specification's"),
      llvm::cl::init(-1)};
  Option<int64_t> gatherBytes{
      *this, "gather-bytes",
      llvm::cl::desc("Layers become one group up to N bytes; negative: "
                     "the specification's"),
      llvm::cl::init(-1)};
  Option<int64_t> prefetch{
      *this, "prefetch",
      llvm::cl::desc("Gathers in flight ahead of use; negative: the "
                     "specification's"),
      llvm::cl::init(-1)};
  Option<int64_t> prefetchBytes{
      *this, "prefetch-bytes",
      llvm::cl::desc("Most bytes gathered at a time; 0: no limit; negative: "
                     "the specification's"),
      llvm::cl::init(-1)};
};

/// The phase `zero`: partitions the training step, orders its collectives and
/// checks the phase's contract.
void buildZeroPipeline(mlir::OpPassManager &manager,
                       const ZeroPipelineOptions &options = {});

/// Makes the phase known to pass drivers as `zero-pipeline`.
void registerZeroPipeline();

} // namespace tessera::zero

#endif // TESSERA_PASSES_ZERO_PASSES_H
