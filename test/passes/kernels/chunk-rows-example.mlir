// RUN: tessera-opt %s --plan-chunk-rows="chunk-bytes=8192 least-bytes=0 least-rows=16" | FileCheck %s

// The example of the pass: a chain of two steps.

// example: chunks
func.func @program(%x: tensor<1000x8xf32>, %w: tensor<4x8xf32>) -> tensor<1000x4xf32> {
  %h = plan.launch @relu(%x) : (tensor<1000x8xf32>) -> tensor<1000x8xf32>
  %y = plan.gemm %h, %w transpose_b
      : (tensor<1000x8xf32>, tensor<4x8xf32>) -> tensor<1000x4xf32>
  return %y : tensor<1000x4xf32>
}
// example end

func.func private @relu(%x: tensor<1000x8xf32>) -> tensor<1000x8xf32> attributes {plan.kernel} {
  %zero = arith.constant dense<0.0> : tensor<1000x8xf32>
  %y = arith.maximumf %x, %zero : tensor<1000x8xf32>
  return %y : tensor<1000x8xf32>
}

// example: chunks
// CHECK: func.func @program(%[[X:[^ :,]+]]: tensor<1000x8xf32>, %[[W:[^ :,]+]]: tensor<4x8xf32>) -> tensor<1000x4xf32> {
// CHECK-NEXT:   %[[Y:[^ :,]+]] = plan.launch @rows(%[[X]], %[[W]]) : (tensor<1000x8xf32>, tensor<4x8xf32>) -> tensor<1000x4xf32>
// CHECK-NEXT:   return %[[Y]] : tensor<1000x4xf32>
// CHECK-NEXT: }
// example end

// example: chunks
// CHECK: func.func private @chunk.112(%[[X:[^ :,]+]]: tensor<112x8xf32>, %[[W:[^ :,]+]]: tensor<4x8xf32>) -> tensor<112x4xf32> attributes {plan.kernel} {
// CHECK-NEXT:   %[[H:[^ :,]+]] = plan.launch @relu.112(%[[X]]) : (tensor<112x8xf32>) -> tensor<112x8xf32>
// CHECK-NEXT:   %[[Y:[^ :,]+]] = plan.gemm %[[H]], %[[W]] transpose_b local : (tensor<112x8xf32>, tensor<4x8xf32>) -> tensor<112x4xf32>
// CHECK-NEXT:   return %[[Y]] : tensor<112x4xf32>
// CHECK-NEXT: }
// example end

// example: chunks
// CHECK: func.func private @rows(%[[X:[^ :,]+]]: tensor<1000x8xf32>, %[[W:[^ :,]+]]: tensor<4x8xf32>) -> tensor<1000x4xf32> attributes {plan.kernel} {
// CHECK-NEXT:   %[[Y:[^ :,]+]] = plan.row_loop @chunk.112, @chunk.104(%[[X]], %[[W]]) rows 1000 by 112 parts 9 : (tensor<1000x8xf32>, tensor<4x8xf32>) -> tensor<1000x4xf32>
// CHECK-NEXT:   return %[[Y]] : tensor<1000x4xf32>
// CHECK-NEXT: }
// example end
