// RUN: tessera-opt %s --plan-assign-ids | FileCheck %s

// GEMMs of one shape have one number over all programs, collectives are counted
// within theirs, functions of a device within their module.

// CHECK-LABEL: plan.program @train
plan.program @train world 2 stage 0 accumulation 1 arena 1024 memory {activations = 1024 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 7] : memref<1024xi8>
  %m = plan.view %0 at 0 : memref<1024xi8> -> memref<8x8xf32>
  %n = plan.view %0 at 256 : memref<1024xi8> -> memref<8x8xf32>
  %x = plan.view %0 at 512 : memref<1024xi8> -> memref<f64>
  %y = plan.view %0 at 576 : memref<1024xi8> -> memref<f64>
  plan.section "run"
  // example: gemm
  // CHECK: plan.gemm %[[M:[^ ,]+]], %[[M]] into %[[N:[^ ]+]] {plan.id = 0 : i32} : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
  plan.gemm %m, %m into %n : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
  // example end
  // CHECK: plan.gemm {{.*}} transpose_b into {{.*}} {plan.id = 1 : i32}
  plan.gemm %m, %m transpose_b into %n : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
  // CHECK: plan.start {{.*}} {plan.id = 0 : i32}
  %t = plan.start all_reduce from %x to %x in_place : memref<f64>, memref<f64>
  plan.wait %t
  plan.fence %t
  // CHECK: plan.start {{.*}} {plan.id = 1 : i32}
  %u = plan.start all_reduce from %y to %y in_place : memref<f64>, memref<f64>
  plan.wait %u
  plan.fence %u
}

// CHECK-LABEL: plan.program @eval
plan.program @eval world 1 stage 0 accumulation 1 arena 512 memory {activations = 512 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<512xi8>
  %m = plan.view %0 at 0 : memref<512xi8> -> memref<8x8xf32>
  %n = plan.view %0 at 256 : memref<512xi8> -> memref<8x8xf32>
  plan.section "run"
  // CHECK: plan.gemm {{.*}} transpose_b into {{.*}} {plan.id = 1 : i32}
  plan.gemm %m, %m transpose_b into %n : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
}

gpu.module @device {
  // CHECK: gpu.func @first() {{.*}}plan.id = 0 : i32
  gpu.func @first() kernel attributes {plan.kernel = "k"} {
    gpu.return
  }
  // CHECK: gpu.func @second() {{.*}}plan.id = 1 : i32
  gpu.func @second() kernel attributes {plan.kernel = "k"} {
    gpu.return
  }
}
