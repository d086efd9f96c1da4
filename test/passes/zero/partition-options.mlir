// RUN: not tessera-opt %s --zero-partition=stage=4 2>&1 | FileCheck %s --check-prefix=STAGE
// RUN: not tessera-opt %s --zero-partition="world=4 shard-ranks=1" 2>&1 | FileCheck %s --check-prefix=SHARD
// RUN: not tessera-opt %s --zero-partition="world=4 secondary-ranks=1" 2>&1 | FileCheck %s --check-prefix=SECONDARY

// Options are checked as the specification's fields are.

// STAGE: partition-options.mlir:[[#@LINE+3]]:1: error: there is no ZeRO stage 4: it must be 0, 1, 2 or 3
// SHARD: partition-options.mlir:[[#@LINE+2]]:1: error: a shard group cannot have 1 of 4 ranks: their number must divide the world, and be above 1
// SECONDARY: partition-options.mlir:[[#@LINE+1]]:1: error: parameters cannot be kept among 1 of 4 ranks: their number must divide these, and be above 1
module {
}
