// RUN: tessera-opt %s --plan-assign-ids --plan-lower-programs | FileCheck %s

// A rank finds its part by its place on the grid of replicas x shards, and a
// collective in place finds the shard that its ranks share by `stride`.

zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
nn.parameter @w : tensor<64xf32> init normal(0.5) group "g"

plan.program @train world 4 shards 2 stage 1 accumulation 1 arena 256
    memory {gradients = 256 : i64} flops 0 {
  %g = plan.buffer "gradient g" gradients at 0 persistent : memref<256xi8>
  plan.state gradient @g %g : memref<256xi8>
  %shard = plan.view %g at 0 rank_stride 128 : memref<256xi8> -> memref<32xf32>
  %piece = plan.view %g at 0 rank_stride 128 replica_stride 64 : memref<256xi8> -> memref<16xf32>
  // CHECK-LABEL: llvm.func internal @train.run(
  // CHECK-DAG: %[[TWO:.*]] = llvm.mlir.constant(2 : i64)
  // CHECK-DAG: %[[SHARD:.*]] = llvm.mlir.constant(128 : i64)
  // CHECK-DAG: %[[PIECE:.*]] = llvm.mlir.constant(64 : i64)
  // CHECK: %[[RANK:.*]] = llvm.sext
  // CHECK: %[[S:.*]] = llvm.urem %[[RANK]], %[[TWO]]
  // CHECK: %[[R:.*]] = llvm.udiv %[[RANK]], %[[TWO]]
  // CHECK: llvm.mul %[[S]], %[[SHARD]]
  // CHECK: llvm.mul %[[R]], %[[PIECE]]
  // CHECK: llvm.call @tessera_zero
  plan.section "run"
  plan.clear %piece : memref<16xf32>
  %t = plan.start reduce_scatter @g over 2 step 2 from %shard to %piece in_place : memref<32xf32>, memref<16xf32>
  plan.wait %t
  plan.fence %t
}

// CHECK: @tessera_manifest
// CHECK-SAME: \22kind\22:\22reduce_scatter\22,\22group\22:0,\22elements\22:32,\22ranks\22:2,\22step\22:2,\22stride\22:128,
// CHECK-SAME: \22bytes\22:64
