// RUN: tessera-opt %s --cpu-build-kernels --plan-assign-ids --plan-lower-programs | FileCheck %s

// Two ranks of a program with two entries: steps are calls of the runtime, and
// addresses are the plan's offsets in the arena.

zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
nn.parameter @w : tensor<32xf32> init normal(0.5) group "g"

func.func private @copy(%x: tensor<16xf32>) -> tensor<16xf32> attributes {plan.kernel} {
  %y = arith.negf %x : tensor<16xf32>
  return %y : tensor<16xf32>
}

// CHECK-NOT: plan.
// CHECK-NOT: zero.group
// CHECK-NOT: nn.parameter

// CHECK-DAG: llvm.func @tessera_launch(!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, !llvm.ptr, i64)
// CHECK-DAG: llvm.func @tessera_gemm(!llvm.ptr, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr, !llvm.ptr)
// CHECK-DAG: llvm.func @tessera_collective_start(!llvm.ptr, i32)
// CHECK-DAG: llvm.func @tessera_rank(!llvm.ptr) -> i32
// CHECK-DAG: llvm.func @copy(

plan.program @train world 2 stage 1 accumulation 1 arena 1408
    memory {activations = 1024 : i64, parameters = 128 : i64, workspace = 256 : i64} flops 512 {
  %p = plan.buffer "parameter g" parameters at 0 persistent : memref<128xi8>
  %s = plan.buffer "scratch" workspace at 128 persistent : memref<256xi8>
  %a = plan.buffer "a" activations at 384 live [0, 5] : memref<1024xi8>
  plan.state parameter @g %p : memref<128xi8>
  plan.scratch %s threads 4 : memref<256xi8>
  %full = plan.view %p at 0 : memref<128xi8> -> memref<32xf32>
  %part = plan.view %p at 0 rank_stride 64 : memref<128xi8> -> memref<16xf32>
  %m = plan.view %a at 0 : memref<1024xi8> -> memref<8x8xf32>
  %n = plan.view %a at 256 : memref<1024xi8> -> memref<8x8xf32>
  %v = plan.view %a at 512 : memref<1024xi8> -> memref<16xf32>
  %w = plan.view %a at 576 : memref<1024xi8> -> memref<16xf32>

  // CHECK-LABEL: llvm.func internal @train.begin(
  // CHECK-SAME: %[[C:.*]]: !llvm.ptr, %[[ARENA:.*]]: !llvm.ptr)
  // CHECK-DAG: %[[AT:.*]] = llvm.mlir.constant(384 : i64)
  // CHECK-DAG: %[[BYTES:.*]] = llvm.mlir.constant(256 : i64)
  // CHECK: %[[M:.*]] = llvm.getelementptr %[[ARENA]][%[[AT]]]
  // CHECK: llvm.call @tessera_zero(%[[C]], %[[M]], %[[BYTES]])
  // CHECK-NEXT: llvm.return
  plan.section "begin"
  plan.clear %m : memref<8x8xf32>

  // CHECK-LABEL: llvm.func internal @train.micro(
  plan.section "micro"
  // CHECK: llvm.call @tessera_copy(
  plan.copy %m to %n : memref<8x8xf32>
  // CHECK: %[[NOBIAS:.*]] = llvm.mlir.zero : !llvm.ptr
  // CHECK: %[[NOAUX:.*]] = llvm.mlir.zero : !llvm.ptr
  // CHECK: llvm.call @tessera_gemm(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[NOBIAS]], %[[NOAUX]], %{{.*}}, %{{.*}})
  plan.gemm %m, %m into %n {plan.scratch = 256 : i64}
      : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
  // The part of this rank is where its number says.
  // CHECK: %[[RANK:.*]] = llvm.call @tessera_rank
  // CHECK: %[[WIDE:.*]] = llvm.sext %[[RANK]] : i32 to i64
  // CHECK: llvm.mul %[[WIDE]]
  // CHECK: %[[KERNEL:.*]] = llvm.mlir.addressof @copy
  // CHECK: llvm.call @tessera_launch(%{{.*}}, %[[KERNEL]],
  plan.launch @copy(%part, %v) {plan.iterations = 1 : i64} : (memref<16xf32>, memref<16xf32>) -> ()
  plan.launch @copy(%v, %part) {plan.iterations = 1 : i64, plan.scratch = 64 : i64} : (memref<16xf32>, memref<16xf32>) -> ()
  // CHECK: llvm.call @tessera_collective_start
  // CHECK: llvm.call @tessera_collective_wait
  // CHECK: llvm.call @tessera_collective_fence
  // CHECK: llvm.return
  %t = plan.start all_gather @g from %part to %full in_place : memref<16xf32>, memref<32xf32>
  plan.wait %t
  plan.fence %t
}

// CHECK: llvm.mlir.global external constant @tessera_manifest("{
// CHECK-SAME: \22gemms\22:[{\22id\22:0,\22m\22:8,\22n\22:8,\22k\22:8,
// CHECK-SAME: \22collectives\22:[{\22id\22:0,\22kind\22:\22all_gather\22,\22group\22:0,\22elements\22:32,\22ranks\22:2,\22step\22:1,\22stride\22:0,\22type\22:\22f32\22,\22source\22:0,\22destination\22:0,\22in_place\22:true
// CHECK-SAME: }\00")
// CHECK: llvm.mlir.global internal constant @train.begin.name("train.begin\00")
// CHECK: llvm.mlir.global external constant @tessera_entries() {{.*}} : !llvm.array<3 x struct<(ptr, ptr)>>
