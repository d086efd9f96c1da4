// RUN: tessera-opt %s --zero-partition="stage=1 world=2" --zero-verify | FileCheck %s

// Stage 1: the moments are sharded. A rank updates its part of the parameters in
// place, and gets the other parts from the other ranks.

// CHECK-LABEL: func.func @train(
// CHECK-SAME: %[[X:.*]]: tensor<40xf32> {nn.input = "x"},
// CHECK-SAME: %[[HYPER:.*]]: tensor<4xf32> {nn.input = "hyper"},
// CHECK-SAME: %[[ENDS:.*]]: tensor<1xi64> {nn.input = "class_ends"})
// CHECK-SAME: attributes {zero.stage = 1 : i64, zero.world = 2 : i64}

// CHECK: %[[P:.*]] = zero.load parameter @all : tensor<64xf32>
// CHECK: %[[BUCKET:.*]] = zero.bucket @all
// CHECK-NEXT: zero.store gradient @all, %[[BUCKET]] : tensor<64xf32>
// CHECK-NEXT: %[[S:.*]], %[[ST:.*]] = zero.reduce_scatter @all, %[[BUCKET]] in_place : tensor<64xf32> -> tensor<32xf32>
// CHECK-NEXT: %[[G:.*]] = zero.wait %[[S]], %[[ST]]
// CHECK-NEXT: nn.section "reduce"
// CHECK-NOT: zero.all_gather
// CHECK: nn.sum_squares %[[G]]

// CHECK: nn.section "update"
// CHECK-NEXT: %[[PART:.*]] = zero.all_slice %[[P]] : tensor<64xf32> -> tensor<32xf32>
// CHECK-NEXT: %[[M:.*]] = zero.load moment1 @all : tensor<32xf32>
// CHECK-NEXT: %[[V:.*]] = zero.load moment2 @all : tensor<32xf32>
// CHECK-NEXT: %[[END:.*]] = nn.slice %[[ENDS]] from 0
// CHECK-NEXT: %[[P1:.*]], %[[STATES:.*]]:2 = zero.update @all, %[[PART]], %[[G]] states %[[M]], %[[V]]
// CHECK-NEXT: zero.store moment1 @all, %[[STATES]]#0 : tensor<32xf32>
// CHECK-NEXT: zero.store moment2 @all, %[[STATES]]#1 : tensor<32xf32>
// CHECK-NEXT: %[[F:.*]], %[[FT:.*]] = zero.all_gather @all, %[[P1]] in_place : tensor<32xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[NEXT:.*]] = zero.wait %[[F]], %[[FT]]
// CHECK-NEXT: zero.store parameter @all, %[[NEXT]] : tensor<64xf32>
// CHECK-NEXT: return

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
