// RUN: tessera-opt %s --zero-partition="stage=2 world=4 shard-ranks=2" --zero-verify | FileCheck %s --check-prefix=TWO
// RUN: tessera-opt %s --zero-partition="stage=1 world=4 shard-ranks=2" --zero-verify | FileCheck %s --check-prefix=ONE
// RUN: tessera-opt %s --zero-partition="stage=0 world=4 shard-ranks=2" --zero-verify | FileCheck %s --check-prefix=ZERO
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 shard-ranks=2" --zero-verify | FileCheck %s --check-prefix=THREE
// RUN: tessera-opt %s --zero-pipeline="stage=2 world=4 shard-ranks=2" | FileCheck %s --check-prefix=LATER
// RUN: tessera-opt %s --zero-partition="stage=2 world=4 shard-ranks=4" --zero-verify | FileCheck %s --check-prefix=WHOLE

// Four ranks as a grid of two replicas x two shards: ranks 0 and 1 are one shard
// group, 2 and 3 the other. A rank keeps one of two parts, not one of four.

// TWO: func.func @train
// TWO-SAME: zero.shard_ranks = 2 : i64, zero.stage = 2 : i64, zero.world = 4 : i64
// A gradient is summed within the shard group, and the part then over replicas:
// each rank sums a part of it, in place, and gathers the other.
// TWO: %[[B:.*]] = zero.bucket @second
// TWO-NEXT: %[[S:.*]], %[[T:.*]] = zero.reduce_scatter @second, %[[B]] along shards : tensor<64xf32> -> tensor<32xf32>
// TWO-NEXT: %[[PART:.*]] = zero.wait %[[S]], %[[T]]
// TWO-NEXT: zero.store gradient @second, %[[PART]] : tensor<32xf32>
// TWO-NEXT: %[[R:.*]], %[[U:.*]] = zero.reduce_scatter @second, %[[PART]] in_place along replicas : tensor<32xf32> -> tensor<16xf32>
// TWO-NEXT: %[[PIECE:.*]] = zero.wait %[[R]], %[[U]]
// TWO-NEXT: %[[A:.*]], %[[V:.*]] = zero.all_gather @second, %[[PIECE]] in_place along replicas : tensor<16xf32> -> tensor<32xf32>
// TWO-NEXT: %[[G:.*]] = zero.wait %[[A]], %[[V]]
// The loss is of all ranks. The norm is of one shard group: the other has the
// same.
// TWO: zero.all_reduce %{{.*}} : tensor<f32>
// TWO: nn.sum_squares %{{.*}}, %[[G]] : tensor<32xf32>, tensor<32xf32>
// TWO-NEXT: zero.all_reduce %{{.*}} along shards : tensor<f64>
// TWO: zero.all_slice %{{.*}} along shards : tensor<64xf32> -> tensor<32xf32>
// TWO: zero.update @second, %{{.*}}, %[[G]] states
// TWO: zero.all_gather @second, %{{.*}} in_place along shards : tensor<32xf32> -> tensor<64xf32>

// The same sums in the same order before parts are kept.
// ONE: zero.reduce_scatter @second, %{{.*}} in_place along shards : tensor<64xf32> -> tensor<32xf32>
// ONE: zero.reduce_scatter @second, %{{.*}} in_place along replicas : tensor<32xf32> -> tensor<16xf32>
// ONE: zero.all_gather @second, %{{.*}} in_place along replicas : tensor<16xf32> -> tensor<32xf32>

// ZERO: zero.reduce_scatter @second, %{{.*}} in_place along shards
// ZERO: zero.reduce_scatter @second, %{{.*}} in_place along replicas
// ZERO: zero.all_gather @second, %{{.*}} in_place along replicas
// ZERO: zero.all_gather @second, %{{.*}} in_place along shards : tensor<32xf32> -> tensor<64xf32>

// Parameters are gathered within the shard group alone.
// THREE: zero.all_gather @first, %{{.*}} along shards : tensor<32xf32> -> tensor<64xf32>
// THREE: zero.all_gather @second, %{{.*}} along shards
// THREE: zero.reduce_scatter @second, %{{.*}} along shards

// A group's sum goes to the replicas when the next group's has started.
// LATER: %[[S2:.*]], %[[T2:.*]] = zero.reduce_scatter @second, %{{.*}} along shards
// LATER-NOT: zero.wait
// LATER: %[[S1:.*]], %[[T1:.*]] = zero.reduce_scatter @first, %{{.*}} along shards
// LATER-NEXT: %[[P2:.*]] = zero.wait %[[S2]], %[[T2]]
// LATER-NEXT: zero.store gradient @second, %[[P2]]
// LATER-NEXT: %[[R2:.*]], %[[U2:.*]] = zero.reduce_scatter @second, %[[P2]] in_place along replicas
// LATER-NEXT: %[[P1:.*]] = zero.wait %[[S1]], %[[T1]]
// LATER-NEXT: zero.store gradient @first, %[[P1]]
// LATER-NEXT: zero.reduce_scatter @first, %[[P1]] in_place along replicas
// LATER-NEXT: zero.wait %[[R2]], %[[U2]]
// LATER-NEXT: zero.all_gather @second, %{{.*}} in_place along replicas

// One shard group of all ranks is the plain partition.
// WHOLE-NOT: shard_ranks
// WHOLE-NOT: along

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
    %da = arith.mulf %b, %x : tensor<64xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %da, %db : tensor<64xf32>, tensor<64xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @a by %da, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @b by %db, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
