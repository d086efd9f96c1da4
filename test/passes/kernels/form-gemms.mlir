// RUN: tessera-opt %s --plan-form-gemms | FileCheck %s

// A bias that every row gets, and a GELU, end the GEMM.
// CHECK-LABEL: func.func @linear_gelu
// CHECK-NEXT:    %[[Y:.*]] = plan.gemm %arg0, %arg1 transpose_b bias %arg2 epilogue gelu
// CHECK-NEXT:    return %[[Y]]
func.func @linear_gelu(%x: tensor<8x4xf32>, %w: tensor<16x4xf32>,
                       %bias: tensor<16xf32>) -> tensor<8x16xf32> {
  %c = nn.matmul %x, %w transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
  %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<8x16xf32>
  %u = arith.addf %c, %rows : tensor<8x16xf32>
  %y = nn.gelu %u : tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// Going back needs GELU's operand: it stays apart.
// CHECK-LABEL: func.func @linear_gelu_kept
// CHECK:         %[[U:.*]] = plan.gemm %arg0, %arg1 transpose_b bias %arg2 :
// CHECK:         nn.gelu %[[U]]
func.func @linear_gelu_kept(%x: tensor<8x4xf32>, %w: tensor<16x4xf32>,
                            %bias: tensor<16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
  %c = nn.matmul %x, %w transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
  %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<8x16xf32>
  %u = arith.addf %c, %rows : tensor<8x16xf32>
  %y = nn.gelu %u : tensor<8x16xf32>
  return %u, %y : tensor<8x16xf32>, tensor<8x16xf32>
}

// Nor does a training step end a GEMM with a GELU: the backward pass may
// recompute the operand, and then both GELUs must have the same bits.
// CHECK-LABEL: func.func @train
// CHECK:         %[[U:.*]] = plan.gemm %arg0, %arg1 transpose_b :
// CHECK-NEXT:    nn.gelu %[[U]]
func.func @train(%x: tensor<8x4xf32>, %w: tensor<16x4xf32>) -> tensor<8x16xf32> {
  %u = nn.matmul %x, %w transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
  %y = nn.gelu %u : tensor<8x16xf32>
  nn.section "reduce"
  nn.section "update"
  return %y : tensor<8x16xf32>
}

// The sum of two GEMMs, as a head's chunks make for its weights.
// CHECK-LABEL: func.func @sum
// CHECK:         %[[FIRST:.*]] = plan.gemm %arg0, %arg1 transpose_a :
// CHECK:         plan.gemm %arg2, %arg3 transpose_a add %[[FIRST]] :
func.func @sum(%a: tensor<4x8xf32>, %b: tensor<4x16xf32>, %c: tensor<4x8xf32>,
               %d: tensor<4x16xf32>) -> tensor<8x16xf32> {
  %first = nn.matmul %a, %b transpose_a : tensor<4x8xf32>, tensor<4x16xf32> -> tensor<8x16xf32>
  %second = nn.matmul %c, %d transpose_a : tensor<4x8xf32>, tensor<4x16xf32> -> tensor<8x16xf32>
  %sum = arith.addf %first, %second : tensor<8x16xf32>
  return %sum : tensor<8x16xf32>
}

// CHECK-LABEL: func.func @accumulate
// CHECK-NEXT:    plan.gemm %arg0, %arg1 transpose_a accumulate :
func.func @accumulate(%a: tensor<4x8xf32>, %b: tensor<4x16xf32>) -> tensor<8x16xf32> {
  %part = nn.matmul %a, %b transpose_a : tensor<4x8xf32>, tensor<4x16xf32> -> tensor<8x16xf32>
  %sum = nn.accumulate %part : tensor<8x16xf32>
  return %sum : tensor<8x16xf32>
}

// CHECK-LABEL: func.func @linear(
// CHECK-SAME: %[[A:[^ :,]+]]:{{.*}}%[[B:[^ :,]+]]:{{.*}}%[[BIAS:[^ :,]+]]:
func.func @linear(%a: tensor<8x4xf32>, %b: tensor<16x4xf32>, %bias: tensor<16xf32>) -> tensor<8x16xf32> {
  // example: linear
  // CHECK: %[[Y:[^ :,]+]] = plan.gemm %[[A]], %[[B]] transpose_b bias %[[BIAS]] : (tensor<8x4xf32>, tensor<16x4xf32>, tensor<16xf32>) -> tensor<8x16xf32>
  %c = nn.matmul %a, %b transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
  %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<8x16xf32>
  %y = arith.addf %c, %rows : tensor<8x16xf32>
  // example end
  return %y : tensor<8x16xf32>
}
