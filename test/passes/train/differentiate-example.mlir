// RUN: tessera-opt %s --nn-differentiate="max-norm=1" --canonicalize --cse | FileCheck %s

// The example of the pass, cleaned up: the gradient of a dot product.

// example: dot
nn.parameter @w : tensor<4xf32> init constant(1.0) decay group "all"
func.func @objective(%x: tensor<4xf32> {nn.input = "x"})
    -> (tensor<f32> {nn.output = "loss"}) {
  %w = nn.get_parameter @w : tensor<4xf32>
  %wx = arith.mulf %w, %x : tensor<4xf32>
  %loss = nn.reduce sum %wx dims [0] : tensor<4xf32> -> tensor<f32>
  return %loss : tensor<f32>
}
// example end

// example: dot
// CHECK: func.func @train(%[[X:[^ :,]+]]: tensor<4xf32> {nn.input = "x"}, %[[HYPER:[^ :,]+]]: tensor<4xf32> {nn.input = "hyper"}) -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
// CHECK-NEXT:   %[[W:[^ :,]+]] = nn.get_parameter @w : tensor<4xf32>
// CHECK-NEXT:   %[[WX:[^ :,]+]] = arith.mulf %[[W]], %[[X]] : tensor<4xf32>
// CHECK-NEXT:   %[[LOSS:[^ :,]+]] = nn.reduce sum %[[WX]] dims [0] : tensor<4xf32> -> tensor<f32>
// CHECK-NEXT:   nn.section "reduce"
// CHECK-NEXT:   %[[SQUARES:[^ :,]+]] = nn.sum_squares %[[X]] : tensor<4xf32> -> tensor<f64>
// CHECK-NEXT:   %[[CLIP:[^ :,]+]], %[[NORM:[^ :,]+]] = nn.clip_scale %[[SQUARES]] max_norm 1.000000e+00 : tensor<f64> -> tensor<f32>, tensor<f32>
// CHECK-NEXT:   nn.section "update"
// CHECK-NEXT:   nn.update @w by %[[X]], %[[CLIP]], %[[HYPER]] : tensor<4xf32>, tensor<f32>, tensor<4xf32>
// CHECK-NEXT:   return %[[LOSS]], %[[NORM]] : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
// example end
