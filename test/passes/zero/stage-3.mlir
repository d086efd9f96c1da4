// RUN: tessera-opt %s --zero-partition="stage=3 world=4" --zero-verify | FileCheck %s

// Stage 3: parameters are sharded as well. A group is gathered before its first
// use, released after its last, and gathered again where it is used after others
// have been: in the backward pass.

// CHECK-LABEL: func.func @train
// CHECK-NEXT: %[[A:.*]] = zero.load parameter @first : tensor<16xf32>
// CHECK-NEXT: %[[B:.*]] = zero.load parameter @second : tensor<32xf32>
// CHECK-NEXT: %[[C:.*]] = zero.load parameter @third : tensor<16xf32>

// Forward: @first.
// CHECK-NEXT: %[[FA:.*]], %[[TA:.*]] = zero.all_gather @first, %[[A]] : tensor<16xf32> -> tensor<64xf32>
// CHECK-NEXT: %[[WA:.*]] = zero.wait %[[FA]], %[[TA]]
// CHECK-NEXT: %[[a:.*]] = nn.slice %[[WA]] from 0
// CHECK-NEXT: arith.mulf %[[a]]
// CHECK-NEXT: zero.release %[[WA]]

// @second: its broadcast scale is made here, and again in the backward pass.
// CHECK-NEXT: %[[FB:.*]], %[[TB:.*]] = zero.all_gather @second, %[[B]] : tensor<32xf32> -> tensor<128xf32>
// CHECK-NEXT: %[[WB:.*]] = zero.wait %[[FB]], %[[TB]]
// CHECK-NEXT: %[[b:.*]] = nn.slice %[[WB]] from 0
// CHECK-NEXT: arith.mulf %[[b]]
// CHECK-NEXT: %[[s1:.*]] = nn.slice %[[WB]] from 64 : tensor<128xf32> -> tensor<1xf32>
// CHECK-NEXT: %[[s:.*]] = nn.reshape %[[s1]] : tensor<1xf32> -> tensor<f32>
// CHECK-NEXT: %[[scale:.*]] = nn.broadcast %[[s]]
// CHECK-NEXT: arith.mulf %[[scale]]
// CHECK-NEXT: zero.release %[[WB]]

// @third: nothing else is used before its backward uses, so that it stays.
// CHECK-NEXT: %[[FC:.*]], %[[TC:.*]] = zero.all_gather @third, %[[C]]
// CHECK-NEXT: %[[WC:.*]] = zero.wait %[[FC]], %[[TC]]
// CHECK-NEXT: %[[c:.*]] = nn.slice %[[WC]] from 0
// CHECK-NEXT: arith.mulf %[[c]]
// CHECK-NEXT: nn.reduce sum
// CHECK-NEXT: math.absf

// Its gradient is complete at once.
// CHECK-NEXT: zero.bucket @third
// CHECK-NEXT: zero.reduce_scatter @third, %{{.*}} : tensor<64xf32> -> tensor<16xf32>
// CHECK-NEXT: zero.wait
// CHECK-NEXT: zero.store gradient @third
// CHECK-NEXT: math.exp %[[c]]
// CHECK-NEXT: zero.release %[[WC]]

// Backward: @second once more. @first is not used, so not gathered, again.
// CHECK: %[[FB2:.*]], %[[TB2:.*]] = zero.all_gather @second, %[[B]]
// CHECK-NEXT: %[[WB2:.*]] = zero.wait %[[FB2]], %[[TB2]]
// CHECK: nn.broadcast
// CHECK: zero.bucket @second
// CHECK: zero.release %[[WB2]]
// CHECK-NOT: zero.all_gather
// CHECK: zero.reduce_scatter @first

// The update is on parts, and leaves nothing to gather.
// CHECK: nn.section "update"
// CHECK: %[[P1:.*]], %{{.*}} = zero.update @first, %[[A]]
// CHECK: zero.store parameter @first, %[[P1]] : tensor<16xf32>
// CHECK: %[[P2:.*]], %{{.*}} = zero.update @second, %[[B]]
// CHECK: zero.store parameter @second, %[[P2]] : tensor<32xf32>
// CHECK-NOT: zero.all_gather

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
