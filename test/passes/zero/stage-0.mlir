// RUN: tessera-opt %s --zero-partition="stage=0 world=2" --zero-verify | FileCheck %s

// Stage 0: every rank keeps all states and updates all of them. The sum over
// ranks is a reduce-scatter and an all-gather in the gradient's own memory.

// Decayed parameters come first, each at a multiple of 16 elements; the group is
// padded to a multiple of 16 elements per rank.
// CHECK: zero.group @all parameters [@w, @b] offsets [0, 48] elements 56 padded 64 class_ends [40]

// CHECK-LABEL: func.func @train(
// CHECK-SAME: %[[X:.*]]: tensor<40xf32> {nn.input = "x"},
// CHECK-SAME: %[[HYPER:.*]]: tensor<4xf32> {nn.input = "hyper"},
// CHECK-SAME: %[[ENDS:.*]]: tensor<1xi64> {nn.input = "class_ends"})
// CHECK-SAME: attributes {zero.stage = 0 : i64, zero.world = 2 : i64}

// Parameters are views of the group's memory.
// CHECK-NEXT: %[[P:.*]] = zero.load parameter @all : tensor<64xf32>
// CHECK-NEXT: %[[W:.*]] = nn.slice %[[P]] from 0 : tensor<64xf32> -> tensor<40xf32>
// CHECK-NEXT: arith.mulf %[[W]], %[[X]]
// CHECK-NEXT: %[[B:.*]] = nn.slice %[[P]] from 48 : tensor<64xf32> -> tensor<8xf32>
// CHECK-NEXT: arith.mulf %[[B]], %[[B]]
// CHECK: %[[LOSS:.*]] = arith.addf
// CHECK-NEXT: %[[DB:.*]] = arith.addf %[[B]], %[[B]]
// CHECK-NEXT: %[[DW:.*]] = math.absf %[[X]]

// The group's gradient is complete: its reduction starts.
// CHECK-NEXT: %[[BUCKET:.*]] = zero.bucket @all(%[[DW]], %[[DB]]) : (tensor<40xf32>, tensor<8xf32>) -> tensor<64xf32>
// CHECK-NEXT: zero.store gradient @all, %[[BUCKET]] : tensor<64xf32>
// CHECK-NEXT: %[[S:.*]], %[[ST:.*]] = zero.reduce_scatter @all, %[[BUCKET]] in_place : tensor<64xf32> -> tensor<32xf32>
// CHECK-NEXT: %[[PART:.*]] = zero.wait %[[S]], %[[ST]]

// CHECK-NEXT: nn.section "reduce"
// CHECK-NEXT: %[[F:.*]], %[[FT:.*]] = zero.all_gather @all, %[[PART]] in_place : tensor<32xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[G:.*]] = zero.wait %[[F]], %[[FT]]
// CHECK-NEXT: %[[L:.*]], %[[LT:.*]] = zero.all_reduce %[[LOSS]] : tensor<f32>
// CHECK-NEXT: %[[TOTAL:.*]] = zero.wait %[[L]], %[[LT]]

// The norm is over parts, as in the other stages.
// CHECK-NEXT: %[[Q:.*]] = nn.sum_squares %[[PART]] : tensor<32xf32> -> tensor<f64>
// CHECK-NEXT: %[[N:.*]], %[[NT:.*]] = zero.all_reduce %[[Q]] : tensor<f64>
// CHECK-NEXT: %[[SQUARES:.*]] = zero.wait %[[N]], %[[NT]]
// CHECK-NEXT: %[[CLIP:.*]], %[[NORM:.*]] = nn.clip_scale %[[SQUARES]]

// CHECK-NEXT: nn.section "update"
// CHECK-NEXT: %[[M:.*]] = zero.load moment1 @all : tensor<64xf32>
// CHECK-NEXT: %[[V:.*]] = zero.load moment2 @all : tensor<64xf32>
// CHECK-NEXT: %[[END:.*]] = nn.slice %[[ENDS]] from 0 : tensor<1xi64> -> tensor<1xi64>
// CHECK-NEXT: %[[P1:.*]], %[[STATES:.*]]:2 = zero.update @all, %[[P]], %[[G]] states %[[M]], %[[V]] by %[[CLIP]], %[[HYPER]] using #optimizer.adamw<beta1 = 9.000000e-01 : f64, beta2 = 0.9{{[0-9]*}} : f64, eps = 1.000000e-08 : f64> ends %[[END]] lr_scales [1.000000e+00, 1.000000e+00] weight_decays [1.000000e-01, 0.000000e+00]
// CHECK-NEXT: zero.store moment1 @all, %[[STATES]]#0 : tensor<64xf32>
// CHECK-NEXT: zero.store moment2 @all, %[[STATES]]#1 : tensor<64xf32>
// CHECK-NEXT: zero.store parameter @all, %[[P1]] : tensor<64xf32>
// CHECK-NEXT: return %[[TOTAL]], %[[NORM]]

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @b : tensor<8xf32> init constant(0.0) group "all"
  nn.parameter @w : tensor<40xf32> init normal(0.02) decay group "all"

  func.func @train(%x: tensor<40xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %b = nn.get_parameter @b : tensor<8xf32>
    %w = nn.get_parameter @w : tensor<40xf32>
    %wx = arith.mulf %w, %x : tensor<40xf32>
    %bb = arith.mulf %b, %b : tensor<8xf32>
    %sw = nn.reduce sum %wx dims [0] : tensor<40xf32> -> tensor<f32>
    %sb = nn.reduce sum %bb dims [0] : tensor<8xf32> -> tensor<f32>
    %loss = arith.addf %sw, %sb : tensor<f32>
    %db = arith.addf %b, %b : tensor<8xf32>
    %dw = math.absf %x : tensor<40xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %db, %dw : tensor<8xf32>, tensor<40xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @b by %db, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    nn.update @w by %dw, %clip, %hyper : tensor<40xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
