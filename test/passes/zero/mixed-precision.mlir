// RUN: tessera-opt %s --zero-partition="stage=0 world=1" --zero-verify | FileCheck %s --check-prefix=ONE
// RUN: tessera-opt %s --zero-partition="stage=2 world=2" --zero-verify | FileCheck %s --check-prefix=TWO
// RUN: tessera-opt %s --zero-partition="stage=3 world=2" --zero-verify | FileCheck %s --check-prefix=THREE

// Parameters that programs read in 16 bits have a master in fp32, which the
// optimizer updates: it is partitioned as the moments are. Only the rounded
// parameters are gathered.

// ONE: zero.load parameter @all : tensor<48xbf16>
// ONE: zero.bucket @all({{.*}}) : (tensor<40xf32>) -> tensor<48xf32>
// ONE: %[[MASTER:.*]] = zero.load master @all : tensor<48xf32>
// ONE: %[[P:.*]], %[[REST:.*]]:3 = zero.update @all, %[[MASTER]], {{.*}}, tensor<48xbf16>)
// ONE: zero.store master @all, %[[P]] : tensor<48xf32>
// ONE: zero.store parameter @all, %[[REST]]#2 : tensor<48xbf16>

// TWO: zero.load parameter @all : tensor<64xbf16>
// TWO: %[[MASTER:.*]] = zero.load master @all : tensor<32xf32>
// TWO: %[[P:.*]], %[[REST:.*]]:3 = zero.update @all, %[[MASTER]], {{.*}}, tensor<32xbf16>)
// TWO: zero.store master @all, %[[P]] : tensor<32xf32>
// TWO: %[[G:.*]], %[[T:.*]] = zero.all_gather @all, %[[REST]]#2 in_place : tensor<32xbf16> -> tensor<64xbf16>
// TWO: %[[WHOLE:.*]] = zero.wait %[[G]], %[[T]]
// TWO: zero.store parameter @all, %[[WHOLE]] : tensor<64xbf16>

// THREE: %[[PART:.*]] = zero.load parameter @all : tensor<32xbf16>
// THREE: zero.all_gather @all, %[[PART]] : tensor<32xbf16> -> tensor<64xbf16>
// THREE: %[[MASTER:.*]] = zero.load master @all : tensor<32xf32>
// THREE: %[[P:.*]], %[[REST:.*]]:3 = zero.update @all, %[[MASTER]], {{.*}}, tensor<32xbf16>)
// THREE: zero.store master @all, %[[P]] : tensor<32xf32>
// THREE: zero.store parameter @all, %[[REST]]#2 : tensor<32xbf16>

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<40xf32> init normal(0.02) decay group "all" as bf16

  func.func @train(%x: tensor<40xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %w = nn.get_parameter @w : tensor<40xbf16>
    %wide = arith.extf %w : tensor<40xbf16> to tensor<40xf32>
    %wx = arith.mulf %wide, %x : tensor<40xf32>
    %loss = nn.reduce sum %wx dims [0] : tensor<40xf32> -> tensor<f32>
    %dw = math.absf %x : tensor<40xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %dw : tensor<40xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @w by %dw, %clip, %hyper : tensor<40xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
