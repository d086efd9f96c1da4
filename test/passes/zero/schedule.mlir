// RUN: tessera-opt %s --zero-partition="stage=3 world=4" --zero-schedule --zero-verify | FileCheck %s
// RUN: tessera-opt %s --zero-partition="stage=3 world=4" --zero-schedule=prefetch=2 --zero-verify | FileCheck %s --check-prefix=TWO
// RUN: tessera-opt %s --zero-partition="stage=3 world=4" --zero-schedule=prefetch=0 --zero-verify | FileCheck %s --check-prefix=NONE
// RUN: tessera-opt %s --zero-partition="stage=3 world=4" --zero-schedule="prefetch=2 prefetch-bytes=768" --zero-verify | FileCheck %s --check-prefix=BUDGET
// RUN: tessera-opt %s --zero-partition="stage=3 world=4" --zero-schedule="prefetch=2 prefetch-bytes=512" --zero-verify | FileCheck %s --check-prefix=NONE
// RUN: tessera-opt %s --zero-partition="stage=1 world=4" --zero-schedule --zero-verify | FileCheck %s --check-prefix=UPDATE
// RUN: tessera-opt %s --zero-partition="stage=3 world=4" --zero-schedule --zero-schedule --zero-verify | FileCheck %s

// While a group computes, the next one's parameters are on their way: with one
// gather ahead, the next starts when the one before is complete.

// CHECK-LABEL: func.func @train
// CHECK: %[[FA:.*]], %[[TA:.*]] = zero.all_gather @first
// CHECK-NEXT: %[[WA:.*]] = zero.wait %[[FA]], %[[TA]]
// CHECK-NEXT: %[[FB:.*]], %[[TB:.*]] = zero.all_gather @second
// CHECK-NEXT: nn.slice %[[WA]]
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: zero.release %[[WA]]
// CHECK-NEXT: %[[WB:.*]] = zero.wait %[[FB]], %[[TB]]
// CHECK-NEXT: %[[FC:.*]], %[[TC:.*]] = zero.all_gather @third
// CHECK: zero.release %[[WB]]
// CHECK-NEXT: %[[WC:.*]] = zero.wait %[[FC]], %[[TC]]
// CHECK-NEXT: %[[FB2:.*]], %[[TB2:.*]] = zero.all_gather @second

// A bucket's memory is free once its reduce-scatter is complete, which is
// awaited when the next one has started; the last one at the end.
// CHECK: %[[SC:.*]], %[[UC:.*]] = zero.reduce_scatter @third
// CHECK-NOT: zero.wait %[[SC]]
// CHECK: zero.wait %[[FB2]], %[[TB2]]
// CHECK: %[[SB:.*]], %[[UB:.*]] = zero.reduce_scatter @second
// CHECK-NEXT: %[[GC:.*]] = zero.wait %[[SC]], %[[UC]]
// CHECK-NEXT: zero.store gradient @third, %[[GC]]
// CHECK: %[[SA:.*]], %[[UA:.*]] = zero.reduce_scatter @first
// CHECK-NEXT: zero.wait %[[SB]], %[[UB]]
// CHECK-NEXT: zero.store gradient @second
// CHECK-NEXT: zero.wait %[[SA]], %[[UA]]
// CHECK-NEXT: zero.store gradient @first
// CHECK-NEXT: nn.section "reduce"

// The loss is on its way while the norm is computed.
// CHECK-NEXT: %[[L:.*]], %[[LT:.*]] = zero.all_reduce %{{.*}} : tensor<f32>
// CHECK: zero.all_reduce %{{.*}} : tensor<f64>
// CHECK: nn.clip_scale
// CHECK-NEXT: zero.wait %[[L]], %[[LT]]
// CHECK-NEXT: nn.section "update"

// Two gathers ahead.
// TWO: zero.all_gather @first
// TWO-NEXT: zero.all_gather @second
// TWO-NEXT: zero.wait
// TWO-NEXT: zero.all_gather @third

// The same with room for 768 bytes: @first and @third have 256, @second 512. So
// @third starts when @first is released, and the second @second not before @third
// is complete, which `prefetch` alone would allow, but when @second is released.
// BUDGET: zero.all_gather @first
// BUDGET-NEXT: zero.all_gather @second
// BUDGET-NEXT: %[[WA:.*]] = zero.wait
// BUDGET-NOT: zero.all_gather
// BUDGET: zero.release %[[WA]]
// BUDGET-NEXT: %[[FC:.*]], %[[TC:.*]] = zero.all_gather @third
// BUDGET-NEXT: %[[WB:.*]] = zero.wait
// BUDGET-NOT: zero.all_gather
// BUDGET: zero.release %[[WB]]
// BUDGET-NEXT: zero.all_gather @second
// BUDGET-NEXT: zero.wait %[[FC]], %[[TC]]

// No overlap; nor is there any where two groups have more than the budget.
// NONE: zero.all_gather @first
// NONE-NEXT: zero.wait
// NONE: zero.release
// NONE: zero.all_gather @second
// NONE-NEXT: zero.wait
// NONE: zero.release

// Stage 1: a group's parameters are gathered while the next group is updated.
// UPDATE: nn.section "update"
// UPDATE: zero.update @first
// UPDATE: %[[F1:.*]], %[[T1:.*]] = zero.all_gather @first
// UPDATE: zero.update @second
// UPDATE: %[[F2:.*]], %[[T2:.*]] = zero.all_gather @second
// UPDATE: zero.update @third
// UPDATE: %[[F3:.*]], %[[T3:.*]] = zero.all_gather @third
// UPDATE-NEXT: %[[W1:.*]] = zero.wait %[[F1]], %[[T1]]
// UPDATE-NEXT: zero.store parameter @first, %[[W1]]
// UPDATE-NEXT: %[[W2:.*]] = zero.wait %[[F2]], %[[T2]]
// UPDATE-NEXT: zero.store parameter @second, %[[W2]]
// UPDATE-NEXT: %[[W3:.*]] = zero.wait %[[F3]], %[[T3]]
// UPDATE-NEXT: zero.store parameter @third, %[[W3]]
// UPDATE-NEXT: return

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @a : tensor<64xf32> init normal(0.02) decay group "first"
  nn.parameter @b : tensor<64xf32> init normal(0.02) decay group "second"
  nn.parameter @s : tensor<f32> init constant(1.0) group "second"
  nn.parameter @c : tensor<64xf32> init normal(0.02) decay group "third"

  func.func @train(%x: tensor<64xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %a = nn.get_parameter @a : tensor<64xf32>
    %b = nn.get_parameter @b : tensor<64xf32>
    %s = nn.get_parameter @s : tensor<f32>
    %c = nn.get_parameter @c : tensor<64xf32>
    %scale = nn.broadcast %s dims [] : tensor<f32> -> tensor<64xf32>
    // Forward.
    %ax = arith.mulf %a, %x : tensor<64xf32>
    %bx = arith.mulf %b, %ax : tensor<64xf32>
    %sx = arith.mulf %scale, %bx : tensor<64xf32>
    %cx = arith.mulf %c, %sx : tensor<64xf32>
    %loss = nn.reduce sum %cx dims [0] : tensor<64xf32> -> tensor<f32>
    // Backward.
    %dc = math.absf %sx : tensor<64xf32>
    %dsx = math.exp %c : tensor<64xf32>
    %dscale = arith.mulf %dsx, %bx : tensor<64xf32>
    %ds = nn.reduce sum %dscale dims [0] : tensor<64xf32> -> tensor<f32>
    %dbx = arith.mulf %dsx, %scale : tensor<64xf32>
    %db = arith.mulf %dbx, %ax : tensor<64xf32>
    %dax = arith.mulf %dbx, %b : tensor<64xf32>
    %da = arith.mulf %dax, %x : tensor<64xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %da, %db, %ds, %dc : tensor<64xf32>, tensor<64xf32>, tensor<f32>, tensor<64xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @a by %da, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @b by %db, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @s by %ds, %clip, %hyper : tensor<f32>, tensor<f32>, tensor<4xf32>
    nn.update @c by %dc, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
