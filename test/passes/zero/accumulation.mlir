// RUN: tessera-opt %s --zero-partition="stage=0 world=2" --zero-verify | FileCheck %s --check-prefixes=CHECK,WHOLE
// RUN: tessera-opt %s --zero-partition="stage=1 world=2" --zero-verify | FileCheck %s --check-prefixes=CHECK,WHOLE
// RUN: tessera-opt %s --zero-partition="stage=2 world=2" --zero-verify | FileCheck %s --check-prefixes=CHECK,SHARD
// RUN: tessera-opt %s --zero-partition="stage=3 world=2" --zero-verify | FileCheck %s --check-prefixes=CHECK,SHARD

// Several micro-batches per step. Where a rank keeps the whole gradient it sums
// the micro-batches' and reduces once; where it keeps a part, each micro-batch's
// is reduced and the parts are summed.

// CHECK: %[[LOSS:.*]] = arith.addf
// CHECK-NEXT: %[[DB:.*]] = arith.addf
// CHECK: %[[DW:.*]] = math.absf

// WHOLE-NEXT: %[[L:.*]] = nn.accumulate %[[LOSS]]
// WHOLE-NEXT: %[[B:.*]] = nn.accumulate %[[DB]]
// WHOLE-NEXT: %[[W:.*]] = nn.accumulate %[[DW]]
// WHOLE-NEXT: nn.section "reduce"
// WHOLE-NEXT: %[[BUCKET:.*]] = zero.bucket @all(%[[W]], %[[B]])
// WHOLE-NEXT: zero.store gradient @all, %[[BUCKET]] : tensor<64xf32>
// WHOLE-NEXT: zero.reduce_scatter @all, %[[BUCKET]] in_place : tensor<64xf32> -> tensor<32xf32>
// WHOLE-NEXT: zero.wait

// SHARD-NEXT: %[[BUCKET:.*]] = zero.bucket @all(%[[DW]], %[[DB]])
// SHARD-NEXT: zero.reduce_scatter @all, %[[BUCKET]] accumulate : tensor<64xf32> -> tensor<32xf32>
// SHARD-NEXT: %[[G:.*]] = zero.wait
// SHARD-NEXT: zero.store gradient @all, %[[G]] : tensor<32xf32>
// SHARD-NEXT: %[[L:.*]] = nn.accumulate %[[LOSS]]
// SHARD-NEXT: nn.section "reduce"

// CHECK: zero.all_reduce %[[L]] : tensor<f32>

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
    %loss.sum = nn.accumulate %loss : tensor<f32>
    %db.sum = nn.accumulate %db : tensor<8xf32>
    %dw.sum = nn.accumulate %dw : tensor<40xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %db.sum, %dw.sum : tensor<8xf32>, tensor<40xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @b by %db.sum, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    nn.update @w by %dw.sum, %clip, %hyper : tensor<40xf32>, tensor<f32>, tensor<4xf32>
    return %loss.sum, %norm : tensor<f32>, tensor<f32>
  }
}
