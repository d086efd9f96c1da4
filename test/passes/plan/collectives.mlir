// RUN: tessera-opt %s --split-input-file --plan-place --plan-layout | FileCheck %s

// Stage 3 on two ranks, two micro-batches per step: parameters are gathered into
// the lane of communication, gradients are summed into their shard, which is
// cleared when the step begins.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 2, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cpu<threads = 1>>} {
  zero.group @g parameters [@w] offsets [0] elements 256 padded 256 class_ends [256]
  nn.parameter @w : tensor<16x16xf32> init constant(1.0) decay group "g"

  func.func private @loss(%x: tensor<16x16xf32>) -> (tensor<f32> {plan.accumulate})
      attributes {plan.kernel, plan.iterations = 1} {
    %y = nn.reduce sum %x dims [0, 1] : tensor<16x16xf32> -> tensor<f32>
    return %y : tensor<f32>
  }
  func.func private @descend(%p: tensor<128xf32>, %g: tensor<128xf32>)
      -> (tensor<128xf32> {plan.inplace = [0]})
      attributes {plan.kernel, plan.iterations = 1} {
    %y = arith.subf %p, %g : tensor<128xf32>
    return %y : tensor<128xf32>
  }

  // CHECK-LABEL: plan.program @train world 2 stage 3 accumulation 2
  // CHECK: %[[P:.*]] = plan.buffer "parameter g" parameters at 0 persistent : memref<512xi8>
  // CHECK-NEXT: plan.state parameter @g %[[P]] sharded
  // CHECK: %[[G:.*]] = plan.buffer "gradient g" gradients at 512 persistent : memref<512xi8>
  // CHECK: %[[FULL:.*]] = plan.buffer "all_gather g" communication at [[WHERE:[0-9]+]] live
  // CHECK: %[[BUCKET:.*]] = plan.buffer "bucket g" communication at {{[0-9]+}} live
  // CHECK: %[[LOSS:.*]] = plan.buffer "loss" workspace at {{[0-9]+}} persistent : memref<64xi8>
  func.func @train(%x: tensor<16x16xf32> {nn.input = "tokens"}) -> (tensor<f32> {nn.output = "loss"})
      attributes {zero.world = 2 : i64, zero.stage = 3 : i64} {
    // CHECK: plan.section "begin"
    // CHECK-NEXT: %[[LB:.*]] = plan.view %[[LOSS]] at 0 : memref<64xi8> -> memref<64xi8>
    // CHECK-NEXT: plan.clear %[[LB]]
    // CHECK-NEXT: %[[GB:.*]] = plan.view %[[G]] at 0 : memref<512xi8> -> memref<512xi8>
    // CHECK-NEXT: plan.clear %[[GB]]
    // CHECK-NEXT: plan.section "micro"
    %p = zero.load parameter @g : tensor<128xf32>
    // CHECK: %[[T:.*]] = plan.start all_gather @g from %{{.*}} to %{{.*}} : memref<128xf32>, memref<256xf32>
    %full, %t = zero.all_gather @g, %p : tensor<128xf32> -> tensor<256xf32>
    // CHECK-NEXT: plan.wait %[[T]]
    %v = zero.wait %full, %t : tensor<256xf32>
    %w = nn.reshape %v : tensor<256xf32> -> tensor<16x16xf32>
    // CHECK: plan.gemm
    %y = plan.gemm %x, %w : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
    zero.release %v : tensor<256xf32>
    // CHECK: plan.launch @loss(%{{.*}}, %{{.*}})
    %l = plan.launch @loss(%y) : (tensor<16x16xf32>) -> tensor<f32>
    // CHECK: plan.gemm
    %dw = plan.gemm %x, %y transpose_a : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
    %b = zero.bucket @g (%dw) : (tensor<16x16xf32>) -> tensor<256xf32>
    // CHECK: %[[GV:.*]] = plan.view %[[G]] at 0 : memref<512xi8> -> memref<128xf32>
    // CHECK-NEXT: %[[U:.*]] = plan.start reduce_scatter @g from %{{.*}} to %[[GV]] accumulate
    %s, %u = zero.reduce_scatter @g, %b accumulate : tensor<256xf32> -> tensor<128xf32>
    // The gather is over for all ranks once a later collective is complete.
    // CHECK-NEXT: plan.wait %[[U]]
    // CHECK-NEXT: plan.fence %[[T]]
    // CHECK-NEXT: plan.fence %[[U]]
    %gs = zero.wait %s, %u : tensor<128xf32>
    zero.store gradient @g, %gs : tensor<128xf32>
    // CHECK-NEXT: plan.section "reduce"
    nn.section "reduce"
    nn.section "update"
    %next = plan.launch @descend(%p, %gs) : (tensor<128xf32>, tensor<128xf32>) -> tensor<128xf32>
    zero.store parameter @g, %next : tensor<128xf32>
    return %l : tensor<f32>
  }
}

// -----

// Stage 1: each rank updates its part of the whole parameters, and the gather
// is in place around it.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cpu<threads = 1>>} {
  zero.group @g parameters [@w] offsets [0] elements 256 padded 256 class_ends [256]
  nn.parameter @w : tensor<16x16xf32> init constant(1.0) decay group "g"

  func.func private @halve(%p: tensor<128xf32>) -> (tensor<128xf32> {plan.inplace = [0]})
      attributes {plan.kernel, plan.iterations = 1} {
    %half = arith.constant dense<0.5> : tensor<128xf32>
    %y = arith.mulf %p, %half : tensor<128xf32>
    return %y : tensor<128xf32>
  }

  // CHECK-LABEL: plan.program @update world 2 stage 1
  // CHECK-SAME: communication = 0
  // CHECK: %[[P:.*]] = plan.buffer "parameter g"
  // CHECK-NEXT: plan.state parameter @g %[[P]] : memref<1024xi8>
  // CHECK-NEXT: plan.section "run"
  func.func @update() attributes {zero.world = 2 : i64, zero.stage = 1 : i64} {
    %p = zero.load parameter @g : tensor<256xf32>
    // CHECK: %[[PART:.*]] = plan.view %[[P]] at 0 rank_stride 512 : memref<1024xi8> -> memref<128xf32>
    // CHECK-NEXT: plan.launch @halve(%[[PART]], %[[PART]])
    %part = zero.all_slice %p : tensor<256xf32> -> tensor<128xf32>
    %half = plan.launch @halve(%part) : (tensor<128xf32>) -> tensor<128xf32>
    // CHECK-NEXT: %[[ALL:.*]] = plan.view %[[P]] at 0 : memref<1024xi8> -> memref<256xf32>
    // CHECK-NEXT: %[[T:.*]] = plan.start all_gather @g from %[[PART]] to %[[ALL]] in_place
    // CHECK-NEXT: plan.wait %[[T]]
    // CHECK-NEXT: plan.fence %[[T]]
    %full, %t = zero.all_gather @g, %half in_place : tensor<128xf32> -> tensor<256xf32>
    %v = zero.wait %full, %t : tensor<256xf32>
    zero.store parameter @g, %v : tensor<256xf32>
    return
  }
}

// -----

// Stage 0: the gradient is reduced and gathered in its own memory. Its source
// must not be overwritten by the gather before all peers have read it.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cpu<threads = 1>>} {
  zero.group @g parameters [@w] offsets [0] elements 256 padded 256 class_ends [256]
  nn.parameter @w : tensor<16x16xf32> init constant(1.0) decay group "g"

  func.func private @make(%x: tensor<16x16xf32>) -> tensor<16x16xf32>
      attributes {plan.kernel, plan.iterations = 1} {
    return %x : tensor<16x16xf32>
  }

  // CHECK-LABEL: plan.program @reduce world 2 stage 0
  // CHECK-SAME: communication = 0
  func.func @reduce(%x: tensor<16x16xf32> {nn.input = "tokens"})
      attributes {zero.world = 2 : i64, zero.stage = 0 : i64} {
    %dw = plan.launch @make(%x) : (tensor<16x16xf32>) -> tensor<16x16xf32>
    %b = zero.bucket @g (%dw) : (tensor<16x16xf32>) -> tensor<256xf32>
    zero.store gradient @g, %b : tensor<256xf32>
    // CHECK: %[[T:.*]] = plan.start reduce_scatter @g from %[[ALL:.*]] to %[[PART:.*]] in_place
    // CHECK-NEXT: plan.wait %[[T]]
    // CHECK-NEXT: plan.fence %[[T]]
    // CHECK-NEXT: %[[U:.*]] = plan.start all_gather @g from %[[PART]] to %[[ALL]] in_place
    // CHECK-NEXT: plan.wait %[[U]]
    // CHECK-NEXT: plan.fence %[[U]]
    %s, %t = zero.reduce_scatter @g, %b in_place : tensor<256xf32> -> tensor<128xf32>
    %part = zero.wait %s, %t : tensor<128xf32>
    %full, %u = zero.all_gather @g, %part in_place : tensor<128xf32> -> tensor<256xf32>
    %v = zero.wait %full, %u : tensor<256xf32>
    return
  }
}
