// RUN: tessera-opt %s --zero-pipeline | FileCheck %s
// RUN: tessera-opt %s --zero-pipeline="stage=1 world=3" | FileCheck %s --check-prefix=OPTIONS

// Stage and world are the specification's unless options say otherwise. They
// are those of @train: all other programs run on one rank, on the same groups.

// CHECK: zero.group @all parameters [@w, @b] offsets [0, 48] elements 56 padded 64
// CHECK: func.func @train
// CHECK-SAME: attributes {zero.stage = 3 : i64, zero.world = 4 : i64}
// CHECK: zero.load parameter @all : tensor<16xf32>

// CHECK: func.func @eval(%[[X:.*]]: tensor<40xf32> {nn.input = "x"}) -> (tensor<f32> {nn.output = "loss"})
// CHECK-SAME: attributes {zero.stage = 0 : i64, zero.world = 1 : i64}
// CHECK-NEXT: %[[P:.*]] = zero.load parameter @all : tensor<64xf32>
// CHECK-NEXT: %[[W:.*]] = nn.slice %[[P]] from 0 : tensor<64xf32> -> tensor<40xf32>
// CHECK-NEXT: arith.mulf %[[W]], %[[X]]

// CHECK: func.func @predict() -> (tensor<8xf32> {nn.output = "logits"})
// CHECK-NEXT: %[[P:.*]] = zero.load parameter @all : tensor<64xf32>
// CHECK-NEXT: %[[B:.*]] = nn.slice %[[P]] from 48 : tensor<64xf32> -> tensor<8xf32>
// CHECK-NEXT: return %[[B]]

// OPTIONS: zero.group @all parameters [@w, @b] offsets [0, 48] elements 56 padded 96
// OPTIONS: attributes {zero.stage = 1 : i64, zero.world = 3 : i64}
// OPTIONS: zero.load parameter @all : tensor<96xf32>

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 4, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    parallel = <world = 4, zero_stage = 3>>} {
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

  func.func @eval(%x: tensor<40xf32> {nn.input = "x"}) -> (tensor<f32> {nn.output = "loss"}) {
    %w = nn.get_parameter @w : tensor<40xf32>
    %wx = arith.mulf %w, %x : tensor<40xf32>
    %loss = nn.reduce sum %wx dims [0] : tensor<40xf32> -> tensor<f32>
    return %loss : tensor<f32>
  }

  func.func @predict() -> (tensor<8xf32> {nn.output = "logits"}) {
    %b = nn.get_parameter @b : tensor<8xf32>
    return %b : tensor<8xf32>
  }
}
