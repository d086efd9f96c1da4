// RUN: tessera-opt %s --zero-pipeline | FileCheck %s
// RUN: tessera-opt %s --zero-pipeline="world=1" | FileCheck %s --check-prefix=ONE

// What a program with nn.while_training computes the ranks that train compute, too, of
// parameters that they gather, and without a sum over ranks. The program itself stays
// one rank's work.

// CHECK-LABEL: func.func @eval
// CHECK-SAME: attributes {zero.stage = 0 : i64, zero.world = 1 : i64}
// CHECK: zero.load parameter @all : tensor<128xf32>
// CHECK-NOT: zero.all_gather

// CHECK-LABEL: func.func @validate
// CHECK-SAME: attributes {plan.within = @train, zero.stage = 3 : i64, zero.world = 4 : i64}
// CHECK: %[[P:.*]] = zero.load parameter @all : tensor<32xf32>
// CHECK: %[[START:.*]], %[[TOKEN:.*]] = zero.all_gather @all, %[[P]]
// CHECK: %[[WHOLE:.*]] = zero.wait %[[START]], %[[TOKEN]]
// CHECK: nn.slice %[[WHOLE]] from 0
// CHECK: zero.release %[[WHOLE]]
// CHECK-NOT: zero.all_reduce
// CHECK: return

// CHECK-NOT: nn.while_training

// ONE-LABEL: func.func @validate
// ONE-SAME: plan.within = @train
// ONE: zero.load parameter @all
// ONE-NOT: zero.all_gather

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.transformer<names = "gpt2", vocabulary = 256, hidden = 64, heads = 4, sequence_length = 32>,
    training = <global_batch = 4, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    parallel = <world = 4, zero_stage = 3>>} {
  nn.parameter @w : tensor<100xf32> init normal(0.02) decay group "all"

  func.func @train(%x: tensor<100xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %w = nn.get_parameter @w : tensor<100xf32>
    %wx = arith.mulf %w, %x : tensor<100xf32>
    %loss = nn.reduce sum %wx dims [0] : tensor<100xf32> -> tensor<f32>
    %dw = math.absf %x : tensor<100xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %dw : tensor<100xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @w by %dw, %clip, %hyper : tensor<100xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }

  func.func @eval(%x: tensor<100xf32> {nn.input = "x"}) -> (tensor<f32> {nn.output = "loss"})
      attributes {nn.while_training} {
    %w = nn.get_parameter @w : tensor<100xf32>
    %wx = arith.mulf %w, %x : tensor<100xf32>
    %loss = nn.reduce sum %wx dims [0] : tensor<100xf32> -> tensor<f32>
    return %loss : tensor<f32>
  }
}
