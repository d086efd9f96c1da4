// RUN: tessera-opt %s --zero-partition="stage=3 world=4 secondary-ranks=2" --zero-verify | FileCheck %s
// RUN: tessera-opt %s --zero-pipeline="stage=3 world=4 secondary-ranks=2" | FileCheck %s --check-prefix=EARLY
// RUN: tessera-opt %s --zero-partition="stage=2 world=4 secondary-ranks=2" --zero-verify | FileCheck %s --check-prefix=WHOLE

// Secondary shards: a group's first gather is among all ranks, and each rank then
// keeps its part as of two. The backward pass gathers from these.

// CHECK: func.func @train
// CHECK-SAME: zero.secondary_ranks = 2 : i64
// CHECK: %[[A:.*]] = zero.load parameter @first : tensor<16xf32>
// CHECK: %[[F:.*]], %[[T:.*]] = zero.all_gather @first, %[[A]] : tensor<16xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[W:.*]] = zero.wait %[[F]], %[[T]]
// CHECK-NEXT: %[[KEPT:.*]] = zero.keep %[[W]] along secondary : tensor<64xf32> -> tensor<32xf32>
// CHECK: zero.release %[[W]]
// @second has one run, so that nothing of it is kept.
// CHECK: zero.all_gather @second
// CHECK-NOT: zero.keep
// CHECK: %[[F2:.*]], %[[T2:.*]] = zero.all_gather @first, %[[KEPT]] along secondary : tensor<32xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[W2:.*]] = zero.wait %[[F2]], %[[T2]]
// CHECK-NOT: zero.keep
// CHECK: zero.release %[[W2]]

// Gathers of either kind start early.
// EARLY: %[[W:.*]] = zero.wait %{{.*}} : tensor<64xf32>
// EARLY-NEXT: zero.all_gather @second
// EARLY: zero.keep %[[W]] along secondary
// EARLY: zero.wait
// EARLY-NEXT: zero.all_gather @first, %{{.*}} along secondary

// Where parameters are whole nothing is kept.
// WHOLE-NOT: secondary

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @a : tensor<64xf32> init normal(0.02) decay group "first"
  nn.parameter @b : tensor<64xf32> init normal(0.02) decay group "second"

  func.func @train(%x: tensor<64xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %a = nn.get_parameter @a : tensor<64xf32>
    %b = nn.get_parameter @b : tensor<64xf32>
    %ax = arith.mulf %a, %x : tensor<64xf32>
    %bx = arith.mulf %b, %ax : tensor<64xf32>
    %loss = nn.reduce sum %bx dims [0] : tensor<64xf32> -> tensor<f32>
    %db = math.absf %ax : tensor<64xf32>
    %dax = arith.mulf %b, %x : tensor<64xf32>
    %da = arith.mulf %dax, %a : tensor<64xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %da, %db : tensor<64xf32>, tensor<64xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @a by %da, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @b by %db, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
