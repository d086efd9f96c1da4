// RUN: tessera-opt %s --nn-differentiate="max-norm=1" --canonicalize --cse --nn-verify-train | FileCheck %s
// RUN: tessera-opt %s --nn-differentiate="accumulation=4 max-norm=0" | FileCheck %s --check-prefix=ACCUMULATE

// A dot product: the weights' gradient is the data.
nn.parameter @w : tensor<4xf32> init constant(1.0) decay group "all"

func.func @objective(%x: tensor<4xf32> {nn.input = "x"})
    -> (tensor<f32> {nn.output = "loss"}) {
  %w = nn.get_parameter @w : tensor<4xf32>
  %wx = arith.mulf %w, %x : tensor<4xf32>
  %loss = nn.reduce sum %wx dims [0] : tensor<4xf32> -> tensor<f32>
  return %loss : tensor<f32>
}

// CHECK-LABEL: func.func @train
// CHECK-SAME:    (%[[X:.*]]: tensor<4xf32> {nn.input = "x"}, %[[HYPER:.*]]: tensor<4xf32> {nn.input = "hyper"})
// CHECK-SAME:    -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"})
// CHECK:         %[[W:.*]] = nn.get_parameter @w
// CHECK:         %[[WX:.*]] = arith.mulf %[[W]], %[[X]]
// CHECK:         %[[LOSS:.*]] = nn.reduce sum %[[WX]]
// CHECK:         nn.section "reduce"
// CHECK:         %[[SQUARES:.*]] = nn.sum_squares %[[X]]
// CHECK:         %[[CLIP:.*]], %[[NORM:.*]] = nn.clip_scale %[[SQUARES]] max_norm 1.0
// CHECK:         nn.section "update"
// CHECK:         nn.update @w by %[[X]], %[[CLIP]], %[[HYPER]]
// CHECK:         return %[[LOSS]], %[[NORM]]

// CHECK-NOT:     func.func @objective

// With several micro-batches per step, what a step needs is summed over them.
// ACCUMULATE-LABEL: func.func @train
// ACCUMULATE:         %[[GRADIENT:.*]] = nn.accumulate
// ACCUMULATE:         %[[LOSS:.*]] = nn.accumulate
// ACCUMULATE:         nn.section "reduce"
// ACCUMULATE:         nn.sum_squares %[[GRADIENT]]
// ACCUMULATE:         nn.update @w by %[[GRADIENT]]
// ACCUMULATE:         return %[[LOSS]]
