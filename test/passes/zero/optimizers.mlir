// RUN: tessera-opt %s --split-input-file --zero-partition="stage=1 world=2" --zero-verify | FileCheck %s

// Without momentum SGD keeps nothing; its groups are classes that come after the
// two that there always are. A parameter that several match is the first one's.

// CHECK: zero.group @all parameters [@plain, @bias, @norm, @w] offsets [0, 16, 32, 48] elements 88 padded 96 class_ends [16, 24, 48]
// CHECK: %[[HYPER:[a-z0-9]+]]: tensor<1xf32> {nn.input = "hyper"}, %[[ENDS:.*]]: tensor<3xi64> {nn.input = "class_ends"})
// CHECK-NOT: zero.load m
// CHECK: %[[END:.*]] = nn.slice %[[ENDS]] from 0 : tensor<3xi64> -> tensor<3xi64>
// CHECK: %[[P:.*]] = zero.update @all, %{{.*}}, %{{.*}} by %{{.*}}, %[[HYPER]]
// CHECK-SAME: using #optimizer.sgd<momentum = 0.000000e+00 : f64, nesterov = false> ends %[[END]]
// CHECK-SAME: lr_scales [1.000000e+00, 1.000000e+00, 2.000000e+00, 5.000000e-01]
// CHECK-SAME: weight_decays [1.000000e-01, 0.000000e+00, 3.000000e-01, 1.000000e-01]
// CHECK-NOT: zero.store m

module attributes {spec.specification = #spec.specification<
    name = "tiny", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 2, micro_batch = 1, steps = 1, optimizer = {
        kind = "sgd", lr = 0.1, momentum = 0.0, nesterov = false, weight_decay = 0.1,
        groups = [{match = "^w", lr_scale = 0.5},
                  {match = "norm", lr_scale = 2.0, weight_decay = 0.3},
                  {match = "w|norm", lr_scale = 7.0}]}>,
    parallel = <world = 2, zero_stage = 1>>} {
  nn.parameter @norm : tensor<16xf32> init constant(0.0) group "all"
  nn.parameter @bias : tensor<8xf32> init constant(0.0) group "all"
  nn.parameter @w : tensor<40xf32> init normal(0.02) decay group "all"
  nn.parameter @plain : tensor<16xf32> init normal(0.02) decay group "all"

  func.func @train(%x: tensor<40xf32> {nn.input = "x"}, %hyper: tensor<1xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}) {
    %w = nn.get_parameter @w : tensor<40xf32>
    %norm = nn.get_parameter @norm : tensor<16xf32>
    %bias = nn.get_parameter @bias : tensor<8xf32>
    %plain = nn.get_parameter @plain : tensor<16xf32>
    %wx = arith.mulf %w, %x : tensor<40xf32>
    %loss = nn.reduce sum %wx dims [0] : tensor<40xf32> -> tensor<f32>
    %clip = arith.constant dense<1.0> : tensor<f32>
    %dw = math.absf %x : tensor<40xf32>
    %dn = math.absf %norm : tensor<16xf32>
    %db = math.absf %bias : tensor<8xf32>
    %dp = math.absf %plain : tensor<16xf32>
    nn.section "reduce"
    nn.section "update"
    nn.update @w by %dw, %clip, %hyper : tensor<40xf32>, tensor<f32>, tensor<1xf32>
    nn.update @norm by %dn, %clip, %hyper : tensor<16xf32>, tensor<f32>, tensor<1xf32>
    nn.update @bias by %db, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<1xf32>
    nn.update @plain by %dp, %clip, %hyper : tensor<16xf32>, tensor<f32>, tensor<1xf32>
    return %loss : tensor<f32>
  }
}
