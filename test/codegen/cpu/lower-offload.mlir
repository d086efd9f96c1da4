// RUN: tessera-opt %s --plan-assign-ids --plan-lower-programs | FileCheck %s

// The file is mapped behind the arena of 128 bytes, at 2 MiB. Buffers that lie
// next to one another there are fetched and evicted in one piece.

zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
nn.parameter @w : tensor<32xf32> init normal(0.5) group "g"

plan.program @train world 1 stage 0 accumulation 1 arena 128 offload 16384
    memory {parameters = 128 : i64} flops 0 {
  %p = plan.buffer "parameter g" parameters at 0 persistent : memref<128xi8>
  %m = plan.buffer "moment1 g" optimizer in file at 0 persistent : memref<128xi8>
  %v = plan.buffer "moment2 g" optimizer in file at 4096 persistent : memref<128xi8>
  %o = plan.buffer "moment2 h" optimizer in file at 12288 persistent : memref<128xi8>
  plan.state parameter @g %p : memref<128xi8>
  plan.state moment1 @g %m : memref<128xi8>
  plan.state moment2 @g %v : memref<128xi8>
  // CHECK-LABEL: llvm.func internal @train.update(
  // CHECK-SAME: %[[C:.*]]: !llvm.ptr, %[[ARENA:.*]]: !llvm.ptr)
  // CHECK-DAG: %[[BASE:.*]] = llvm.mlir.constant(2097152 : i64)
  // CHECK-DAG: %[[TWO:.*]] = llvm.mlir.constant(8192 : i64)
  // CHECK-DAG: %[[LAST:.*]] = llvm.mlir.constant(2109440 : i64)
  // CHECK-DAG: %[[ONE:.*]] = llvm.mlir.constant(4096 : i64)
  plan.section "update"
  // CHECK: %[[A:.*]] = llvm.getelementptr %[[ARENA]][%[[BASE]]]
  // CHECK: llvm.call @tessera_fetch(%[[C]], %[[A]], %[[TWO]])
  // CHECK: %[[B:.*]] = llvm.getelementptr %[[ARENA]][%[[LAST]]]
  // CHECK: llvm.call @tessera_fetch(%[[C]], %[[B]], %[[ONE]])
  plan.fetch %v, %o, %m : memref<128xi8>, memref<128xi8>, memref<128xi8>
  // CHECK: llvm.call @tessera_evict(%[[C]], %{{.*}}, %[[ONE]])
  plan.evict %m : memref<128xi8>
}

// CHECK: @tessera_manifest("{
// CHECK-SAME: \22offload\22:{\22offset\22:2097152,\22bytes\22:16384}
// CHECK-SAME: {\22state\22:\22moment2\22,\22group\22:0,\22offset\22:2101248,\22elements\22:32
