// RUN: tessera-opt %s --nn-recompute="whole=1" | FileCheck %s

// The example of the pass: the activation of the first of two layers is computed again.

// example: layer
nn.parameter @w : tensor<8x16xf32> init normal(0.02) decay group "h.0"
nn.parameter @v : tensor<16x8xf32> init normal(0.02) decay group "h.1"
func.func @train(%x: tensor<4x8xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"}) -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
  %w = nn.get_parameter @w : tensor<8x16xf32>
  %v = nn.get_parameter @v : tensor<16x8xf32>
  %a = nn.matmul %x, %w : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
  %y = nn.gelu %a : tensor<4x16xf32>
  %b = nn.matmul %y, %v : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
  %loss = nn.reduce sum %b dims [0, 1] : tensor<4x8xf32> -> tensor<f32>
  %one = arith.constant dense<1.0> : tensor<4x8xf32>
  %dv = nn.matmul %y, %one transpose_a : tensor<4x16xf32>, tensor<4x8xf32> -> tensor<16x8xf32>
  %dy = nn.matmul %one, %v transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
  %da = nn.gelu_grad %a, %dy : tensor<4x16xf32>
  %dw = nn.matmul %x, %da transpose_a : tensor<4x8xf32>, tensor<4x16xf32> -> tensor<8x16xf32>
  // ...
// example end
  nn.section "reduce"
  %squares = nn.sum_squares %dw, %dv : tensor<8x16xf32>, tensor<16x8xf32> -> tensor<f64>
  %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
  nn.section "update"
  nn.update @w by %dw, %clip, %hyper : tensor<8x16xf32>, tensor<f32>, tensor<4xf32>
  nn.update @v by %dv, %clip, %hyper : tensor<16x8xf32>, tensor<f32>, tensor<4xf32>
  return %loss, %norm : tensor<f32>, tensor<f32>
}

// example: layer
// CHECK: func.func @train(%[[X:[^ :,]+]]: tensor<4x8xf32> {nn.input = "x"}, %[[HYPER:[^ :,]+]]: tensor<4xf32> {nn.input = "hyper"}) -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
// CHECK-NEXT:   %[[W:[^ :,]+]] = nn.get_parameter @w : tensor<8x16xf32>
// CHECK-NEXT:   %[[V:[^ :,]+]] = nn.get_parameter @v : tensor<16x8xf32>
// CHECK-NEXT:   %[[A:[^ :,]+]] = nn.matmul %[[X]], %[[W]] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
// CHECK-NEXT:   %[[Y:[^ :,]+]] = nn.gelu %[[A]] : tensor<4x16xf32>
// CHECK-NEXT:   %[[B:[^ :,]+]] = nn.matmul %[[Y]], %[[V]] : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
// CHECK-NEXT:   %[[LOSS:[^ :,]+]] = nn.reduce sum %[[B]] dims [0, 1] : tensor<4x8xf32> -> tensor<f32>
// CHECK-NEXT:   %[[ONE:[^ :,]+]] = arith.constant dense<1.000000e+00> : tensor<4x8xf32>
// CHECK-NEXT:   %[[DV:[^ :,]+]] = nn.matmul %[[Y]], %[[ONE]] transpose_a : tensor<4x16xf32>, tensor<4x8xf32> -> tensor<16x8xf32>
// CHECK-NEXT:   %[[DY:[^ :,]+]] = nn.matmul %[[ONE]], %[[V]] transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
// CHECK-NEXT:   %[[KEPT:[^ :,]+]] = nn.checkpoint %[[X]] of "h.0" : tensor<4x8xf32>
// CHECK-NEXT:   %[[AGAIN:[^ :,]+]] = nn.matmul %[[KEPT]], %[[W]] : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
// CHECK-NEXT:   %[[DA:[^ :,]+]] = nn.gelu_grad %[[AGAIN]], %[[DY]] : tensor<4x16xf32>
// CHECK-NEXT:   %[[DW:[^ :,]+]] = nn.matmul %[[X]], %[[DA]] transpose_a : tensor<4x8xf32>, tensor<4x16xf32> -> tensor<8x16xf32>
// ...
// example end
