// RUN: tessera-opt %s --plan-place --plan-layout | FileCheck %s

// Two replicas of two shards. A gradient is summed in its own memory: first
// within the shard group, then the rank's shard over the replicas. A view has a
// stride for each axis; a collective along replicas is among ranks two apart.

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
  func.func private @read(%x: tensor<128xf32>) -> tensor<f32>
      attributes {plan.kernel, plan.iterations = 1} {
    %y = nn.reduce sum %x dims [0] : tensor<128xf32> -> tensor<f32>
    return %y : tensor<f32>
  }

  // CHECK-LABEL: plan.program @train world 4 shards 2 stage 1
  // CHECK-SAME: communication = 64
  // CHECK: %[[G:.*]] = plan.buffer "gradient g" gradients at 0 persistent : memref<1024xi8>
  func.func @train(%x: tensor<16x16xf32> {nn.input = "x"}) -> (tensor<f32> {nn.output = "norm"})
      attributes {zero.world = 4 : i64, zero.shard_ranks = 2 : i64, zero.stage = 1 : i64} {
    %d = plan.launch @make(%x) : (tensor<16x16xf32>) -> tensor<16x16xf32>
    %b = zero.bucket @g (%d) : (tensor<16x16xf32>) -> tensor<256xf32>
    zero.store gradient @g, %b : tensor<256xf32>
    // CHECK: %[[ALL:.*]] = plan.view %[[G]] at 0 : memref<1024xi8> -> memref<256xf32>
    // CHECK-NEXT: %[[SHARD:.*]] = plan.view %[[G]] at 0 rank_stride 512 : memref<1024xi8> -> memref<128xf32>
    // CHECK-NEXT: %[[T:.*]] = plan.start reduce_scatter @g over 2 step 1 from %[[ALL]] to %[[SHARD]] in_place
    // CHECK-NEXT: plan.wait %[[T]]
    %s, %t = zero.reduce_scatter @g, %b in_place along shards : tensor<256xf32> -> tensor<128xf32>
    %shard = zero.wait %s, %t : tensor<128xf32>
    // What peers of the shard group read is not overwritten before they are done.
    // CHECK-NEXT: %[[PIECE:.*]] = plan.view %[[G]] at 0 rank_stride 512 replica_stride 256 : memref<1024xi8> -> memref<64xf32>
    // CHECK-NEXT: plan.fence %[[T]]
    // CHECK-NEXT: %[[U:.*]] = plan.start reduce_scatter @g over 2 step 2 from %[[SHARD]] to %[[PIECE]] in_place
    // CHECK-NEXT: plan.wait %[[U]]
    %r, %u = zero.reduce_scatter @g, %shard in_place along replicas : tensor<128xf32> -> tensor<64xf32>
    %piece = zero.wait %r, %u : tensor<64xf32>
    // CHECK-NEXT: plan.fence %[[U]]
    // CHECK-NEXT: %[[V:.*]] = plan.start all_gather @g over 2 step 2 from %[[PIECE]] to %[[SHARD]] in_place
    // CHECK-NEXT: plan.wait %[[V]]
    %a, %v = zero.all_gather @g, %piece in_place along replicas : tensor<64xf32> -> tensor<128xf32>
    %sum = zero.wait %a, %v : tensor<128xf32>
    // CHECK: plan.launch @read(%[[SHARD]], %{{.*}})
    %part = plan.launch @read(%sum) : (tensor<128xf32>) -> tensor<f32>
    // Once one among all ranks is complete its peers are done.
    // CHECK: %[[W:.*]] = plan.start all_reduce from
    // CHECK-NEXT: plan.wait %[[W]]
    // CHECK-NEXT: plan.fence %[[V]]
    %n, %w = zero.all_reduce %part : tensor<f32>
    %norm = zero.wait %n, %w : tensor<f32>
    // A stage that wants the whole gradient gathers it in the same memory.
    // CHECK: plan.start all_gather @g over 2 step 1 from %[[SHARD]] to %[[ALL]] in_place
    %h, %i = zero.all_gather @g, %sum in_place along shards : tensor<128xf32> -> tensor<256xf32>
    %all = zero.wait %h, %i : tensor<256xf32>
    return %norm : tensor<f32>
  }

  // The bucket's peers are those of the shard group. Collectives along replicas say
  // nothing of them, so the fence does not come behind these, but before the
  // bucket's memory is written again.
  // CHECK-LABEL: plan.program @later world 4 shards 2 stage 2
  func.func @later(%x: tensor<16x16xf32> {nn.input = "x"}) -> (tensor<f32> {nn.output = "norm"})
      attributes {zero.world = 4 : i64, zero.shard_ranks = 2 : i64, zero.stage = 2 : i64} {
    %d = plan.launch @make(%x) : (tensor<16x16xf32>) -> tensor<16x16xf32>
    %b = zero.bucket @g (%d) : (tensor<16x16xf32>) -> tensor<256xf32>
    // CHECK: %[[T:.*]] = plan.start reduce_scatter @g over 2 step 1
    // CHECK-NEXT: plan.wait %[[T]]
    %s, %t = zero.reduce_scatter @g, %b along shards : tensor<256xf32> -> tensor<128xf32>
    %shard = zero.wait %s, %t : tensor<128xf32>
    zero.store gradient @g, %shard : tensor<128xf32>
    // CHECK: %[[U:.*]] = plan.start reduce_scatter @g over 2 step 2
    // CHECK-NEXT: plan.wait %[[U]]
    // CHECK-NEXT: plan.fence %[[U]]
    // CHECK-NEXT: %[[V:.*]] = plan.start all_gather @g over 2 step 2
    // CHECK-NEXT: plan.wait %[[V]]
    %r, %u = zero.reduce_scatter @g, %shard in_place along replicas : tensor<128xf32> -> tensor<64xf32>
    %piece = zero.wait %r, %u : tensor<64xf32>
    %a, %v = zero.all_gather @g, %piece in_place along replicas : tensor<64xf32> -> tensor<128xf32>
    %sum = zero.wait %a, %v : tensor<128xf32>
    %part = plan.launch @read(%sum) : (tensor<128xf32>) -> tensor<f32>
    // CHECK: plan.fence %[[T]]
    // CHECK-NEXT: plan.launch @read
    %n, %w = zero.all_reduce %part : tensor<f32>
    %norm = zero.wait %n, %w : tensor<f32>
    return %norm : tensor<f32>
  }
  // What is kept of gathered parameters is copied, since their memory is released,
  // and gathered from there again among two consecutive ranks.
  // CHECK-LABEL: plan.program @kept world 4 secondary 2 stage 3
  // CHECK: %[[FULL:.*]] = plan.buffer "all_gather g" communication
  // CHECK: %[[HALF:.*]] = plan.buffer "keep" communication at {{[0-9]+}} live {{.*}} : memref<512xi8>
  func.func @kept() -> (tensor<f32> {nn.output = "norm"})
      attributes {zero.world = 4 : i64, zero.secondary_ranks = 2 : i64, zero.stage = 3 : i64} {
    %p = zero.load parameter @g : tensor<64xf32>
    %full, %t = zero.all_gather @g, %p : tensor<64xf32> -> tensor<256xf32>
    %w = zero.wait %full, %t : tensor<256xf32>
    // CHECK: %[[PART:.*]] = plan.view %[[FULL]] at 0 secondary_stride 512 : memref<1024xi8> -> memref<128xf32>
    // CHECK-NEXT: %[[KEPT:.*]] = plan.view %[[HALF]] at 0 : memref<512xi8> -> memref<128xf32>
    // CHECK-NEXT: plan.copy %[[PART]] to %[[KEPT]]
    %kept = zero.keep %w along secondary : tensor<256xf32> -> tensor<128xf32>
    zero.release %w : tensor<256xf32>
    // CHECK: plan.start all_gather @g over 2 step 1 from %[[KEPT]] to
    %again, %u = zero.all_gather @g, %kept along secondary : tensor<128xf32> -> tensor<256xf32>
    %w2 = zero.wait %again, %u : tensor<256xf32>
    %view = nn.slice %w2 from 0 : tensor<256xf32> -> tensor<128xf32>
    %part = plan.launch @read(%view) : (tensor<128xf32>) -> tensor<f32>
    zero.release %w2 : tensor<256xf32>
    return %part : tensor<f32>
  }
}
