// RUN: tessera-opt %s --cpu-shape-kernels | FileCheck %s --check-prefix=SHAPE
// RUN: tessera-opt %s --cpu-build-kernels --plan-assign-ids | FileCheck %s

// 10 rows in chunks of 4 and a rest of 2, of which the first part has the first and
// the second one the others. A part's sums begin at 0 and are added to in place.

// SHAPE-LABEL: func.func private @loop(
// SHAPE-SAME:    plan.iterations = 2 : i64
// SHAPE-LABEL: func.func private @chunk(
// SHAPE-SAME:    plan.flops = 104 : i64, plan.iterations = 1 : i64

// CHECK-LABEL: func.func private @loop.body(
// CHECK:         scf.for %[[PART:.*]] =
// CHECK:           scf.for
// CHECK:             memref.store
// CHECK:           scf.for
// CHECK:             func.call @chunk.body(
// CHECK:           scf.for
// CHECK:             func.call @rest.body(
func.func private @loop(%x: tensor<10x3xf32>, %w: tensor<2x3xf32>) -> (tensor<10x2xf32>, tensor<2x2x3xf32>) attributes {plan.kernel} {
  %y:2 = plan.row_loop @chunk, @rest(%x, %w) rows 10 by 4 parts 2
      : (tensor<10x3xf32>, tensor<2x3xf32>) -> (tensor<10x2xf32>, tensor<2x2x3xf32>)
  return %y#0, %y#1 : tensor<10x2xf32>, tensor<2x2x3xf32>
}

// The product lies where the kernel that may overwrite it puts its result.
// CHECK-LABEL: func.func private @chunk.body(
// CHECK-SAME:    %[[X:.*]]: memref<4x3xf32>{{.*}}, %[[W:.*]]: memref<2x3xf32>{{.*}}, %[[G:.*]]: memref<2x3xf32>, %[[H:.*]]: memref<4x2xf32>{{.*}}, %[[SUM:.*]]: memref<2x3xf32>
// CHECK:         plan.gemm %[[X]], %[[W]] transpose_b into %[[H]] local {plan.id = [[FIRST:.*]] : i32
// CHECK:         call @relu.body(%[[H]], %[[H]],
// CHECK:         %[[DIFFER:.*]] = arith.cmpi ne
// CHECK:         scf.if %[[DIFFER]] {
// CHECK-NEXT:      memref.copy %[[G]], %[[SUM]]
// CHECK:         plan.gemm %[[H]], %[[X]] transpose_a into %[[SUM]] accumulate local {plan.id
func.func private @chunk(%x: tensor<4x3xf32>, %w: tensor<2x3xf32>, %g: tensor<2x3xf32>) -> (tensor<4x2xf32>, tensor<2x3xf32> {plan.inplace = [2]}) attributes {plan.kernel} {
  %p = plan.gemm %x, %w transpose_b local : (tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<4x2xf32>
  %h = plan.launch @relu(%p) : (tensor<4x2xf32>) -> tensor<4x2xf32>
  %s = plan.gemm %h, %x transpose_a add %g local : (tensor<4x2xf32>, tensor<4x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %h, %s : tensor<4x2xf32>, tensor<2x3xf32>
}

// What is no result lies in scratch memory.
// CHECK-LABEL: func.func private @rest.body(
// CHECK-SAME:    index, %{{.*}}: index, %[[SCRATCH:[a-z0-9]+]]: memref<{{.*}}xi8>
// CHECK:         %[[P:.*]] = memref.view %[[SCRATCH]]
// CHECK:         plan.gemm %{{.*}}, %{{.*}} transpose_b into %[[P]] local
func.func private @rest(%x: tensor<2x3xf32>, %w: tensor<2x3xf32>, %g: tensor<2x3xf32>) -> (tensor<2x2xf32>, tensor<2x3xf32> {plan.inplace = [2]}) attributes {plan.kernel} {
  %p = plan.gemm %x, %w transpose_b local : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2xf32>
  %h = plan.launch @double(%p) : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %s = plan.gemm %h, %x transpose_a add %g local : (tensor<2x2xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %h, %s : tensor<2x2xf32>, tensor<2x3xf32>
}

func.func private @relu(%x: tensor<4x2xf32>) -> (tensor<4x2xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %zero = arith.constant dense<0.0> : tensor<4x2xf32>
  %y = arith.maximumf %x, %zero : tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

func.func private @double(%x: tensor<2x2xf32>) -> tensor<2x2xf32> attributes {plan.kernel} {
  %y = arith.addf %x, %x : tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
