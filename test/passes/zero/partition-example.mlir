// RUN: tessera-opt %s --zero-partition="stage=2 world=2" | FileCheck %s

// The example of the pass: one parameter on two ranks.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  // example: stage2
  nn.parameter @w : tensor<64xf32> init constant(1.0) decay group "all"
  func.func @train(%x: tensor<64xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %w = nn.get_parameter @w : tensor<64xf32>
    %y = arith.mulf %w, %x : tensor<64xf32>
    %loss = nn.reduce sum %y dims [0] : tensor<64xf32> -> tensor<f32>
    %dw = math.absf %x : tensor<64xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %dw : tensor<64xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @w by %dw, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
  // example end
}

// example: stage2
// CHECK: zero.group @all parameters [@w] offsets [0] elements 64 padded 64 class_ends [64]
// example end

// example: stage2
// CHECK: func.func @train(%[[X:[^ :,]+]]: tensor<64xf32> {nn.input = "x"}, %[[HYPER:[^ :,]+]]: tensor<4xf32> {nn.input = "hyper"}, %[[ENDS:[^ :,]+]]: tensor<1xi64> {nn.input = "class_ends"}) -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) attributes {zero.stage = 2 : i64, zero.world = 2 : i64} {
// CHECK-NEXT:   %[[P:[^ :,]+]] = zero.load parameter @all : tensor<64xf32>
// CHECK-NEXT:   %[[W:[^ :,]+]] = nn.slice %[[P]] from 0 : tensor<64xf32> -> tensor<64xf32>
// CHECK-NEXT:   %[[Y:[^ :,]+]] = arith.mulf %[[W]], %[[X]] : tensor<64xf32>
// CHECK-NEXT:   %[[LOSS:[^ :,]+]] = nn.reduce sum %[[Y]] dims [0] : tensor<64xf32> -> tensor<f32>
// CHECK-NEXT:   %[[DW:[^ :,]+]] = math.absf %[[X]] : tensor<64xf32>
// CHECK-NEXT:   %[[BUCKET:[^ :,]+]] = zero.bucket @all(%[[DW]]) : (tensor<64xf32>) -> tensor<64xf32>
// CHECK-NEXT:   %[[PART:[^ :,]+]], %[[T0:[^ :,]+]] = zero.reduce_scatter @all, %[[BUCKET]] : tensor<64xf32> -> tensor<32xf32>
// CHECK-NEXT:   %[[G:[^ :,]+]] = zero.wait %[[PART]], %[[T0]] : tensor<32xf32>
// CHECK-NEXT:   zero.store gradient @all, %[[G]] : tensor<32xf32>
// CHECK-NEXT:   nn.section "reduce"
// CHECK-NEXT:   %[[LOSSES:[^ :,]+]], %[[T1:[^ :,]+]] = zero.all_reduce %[[LOSS]] : tensor<f32>
// CHECK-NEXT:   %[[SUM:[^ :,]+]] = zero.wait %[[LOSSES]], %[[T1]] : tensor<f32>
// CHECK-NEXT:   %[[SQUARES:[^ :,]+]] = nn.sum_squares %[[G]] : tensor<32xf32> -> tensor<f64>
// CHECK-NEXT:   %[[ALL:[^ :,]+]], %[[T2:[^ :,]+]] = zero.all_reduce %[[SQUARES]] : tensor<f64>
// CHECK-NEXT:   %[[TOTAL:[^ :,]+]] = zero.wait %[[ALL]], %[[T2]] : tensor<f64>
// CHECK-NEXT:   %[[CLIP:[^ :,]+]], %[[NORM:[^ :,]+]] = nn.clip_scale %[[TOTAL]] max_norm 1.000000e+00 : tensor<f64> -> tensor<f32>, tensor<f32>
// CHECK-NEXT:   nn.section "update"
// CHECK-NEXT:   %[[MINE:[^ :,]+]] = zero.all_slice %[[P]] : tensor<64xf32> -> tensor<32xf32>
// CHECK-NEXT:   %[[M:[^ :,]+]] = zero.load moment1 @all : tensor<32xf32>
// CHECK-NEXT:   %[[V:[^ :,]+]] = zero.load moment2 @all : tensor<32xf32>
// CHECK-NEXT:   %[[E:[^ :,]+]] = nn.slice %[[ENDS]] from 0 : tensor<1xi64> -> tensor<1xi64>
// CHECK-NEXT:   %[[P1:[^ :,]+]], %[[REST:[^ :,]+]]:2 = zero.update @all, %[[MINE]], %[[G]] states %[[M]], %[[V]] by %[[CLIP]], %[[HYPER]] using #optimizer.adamw<beta1 = 9.000000e-01 : f64, beta2 = 0.94999999999999996 : f64, eps = 1.000000e-08 : f64> ends %[[E]] lr_scales [1.000000e+00, 1.000000e+00] weight_decays [1.000000e-01, 0.000000e+00] : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>) -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
// CHECK-NEXT:   zero.store moment1 @all, %[[REST]]#0 : tensor<32xf32>
// CHECK-NEXT:   zero.store moment2 @all, %[[REST]]#1 : tensor<32xf32>
// CHECK-NEXT:   %[[P2:[^ :,]+]], %[[T3:[^ :,]+]] = zero.all_gather @all, %[[P1]] in_place : tensor<32xf32> -> tensor<64xf32>
// CHECK-NEXT:   %[[NEXT:[^ :,]+]] = zero.wait %[[P2]], %[[T3]] : tensor<64xf32>
// CHECK-NEXT:   zero.store parameter @all, %[[NEXT]] : tensor<64xf32>
// CHECK-NEXT:   return %[[SUM]], %[[NORM]] : tensor<f32>, tensor<f32>
// CHECK-NEXT: }
// example end
