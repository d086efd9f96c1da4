// RUN: tessera-opt %s --zero-partition="stage=3 world=1" --zero-verify | FileCheck %s

// One rank keeps everything and talks to nobody, whatever the stage.

// CHECK: zero.group @all parameters [@w, @b] offsets [0, 48] elements 56 padded 64 class_ends [40]
// CHECK-LABEL: func.func @train
// CHECK-SAME: attributes {zero.stage = 3 : i64, zero.world = 1 : i64}
// CHECK-NOT: zero.all_
// CHECK-NOT: zero.reduce_scatter
// CHECK-NOT: zero.wait
// CHECK: %[[BUCKET:.*]] = zero.bucket @all
// CHECK-NEXT: zero.store gradient @all, %[[BUCKET]] : tensor<64xf32>
// CHECK-NEXT: nn.section "reduce"
// CHECK-NEXT: nn.sum_squares %[[BUCKET]] : tensor<64xf32> -> tensor<f64>
// CHECK: %[[P1:.*]], %{{.*}} = zero.update @all, %{{.*}}, %[[BUCKET]]
// CHECK: zero.store parameter @all, %[[P1]] : tensor<64xf32>

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
