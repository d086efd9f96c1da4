//===- Passes.td - Passes of the phase zero ----------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_ZERO_PASSES_TD
#define TESSERA_PASSES_ZERO_PASSES_TD

include "mlir/Pass/PassBase.td"

def ZeroPartition : Pass<"zero-partition", "mlir::ModuleOp"> {
  let summary = "Partition the training states over the ranks (ZeRO 0 to 3)";
  let description = [{
    Parameters of one group become views of a flat state; gradients a bucket
    that is reduce-scattered; updates one operation per group. All stages
    reduce through the same reduce-scatter in the same order, take the norm
    over the same parts and update with the same arithmetic, so that they give
    the same bits; they differ in what a rank keeps:

    | stage | parameters | gradients | moments | collectives per group |
    |---|---|---|---|---|
    | 0 | whole | whole | whole | reduce_scatter and all_gather of gradients |
    | 1 | whole | whole | a part | reduce_scatter of gradients, all_gather of parameters |
    | 2 | whole | a part | a part | the same |
    | 3 | a part | a part | a part | all_gather of parameters for each run of uses, reduce_scatter of gradients |
    | 3, persistent | whole | a part | a part | as in stage 2 |

    On one rank there are no parts and no collectives. With more than one
    micro-batch per step, stages 0 and 1 sum the micro-batches' gradients and
    reduce-scatter once; stages 2 and 3, which have no room for a whole
    gradient, reduce-scatter each micro-batch's and sum the parts.

    Collectives are awaited where they start; zero-schedule moves them apart.
    A program with `nn.while_training`, as `@eval` is, is also what the ranks
    that train run between steps, as `@validate`: it takes its parameters as
    `@train` does, and each rank has results of its own. All other programs run
    on one rank.

    ```mlir test/passes/zero/partition-example.mlir#stage2
    nn.parameter @w : tensor<64xf32> init constant(1.0) decay group "all"
    func.func @train(%x: tensor<64xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
        -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
      %w = nn.get_parameter @w : tensor<64xf32>
      %y = arith.mulf %w, %x : tensor<64xf32>
      %loss = nn.reduce sum %y dims [0] : tensor<64xf32> -> tensor<f32>
      %dw = math.absf %x : tensor<64xf32>
      nn.section "reduce"
      %squares = nn.sum_squares %dw : tensor<64xf32> -> tensor<f64>
      %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
      nn.section "update"
      nn.update @w by %dw, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
      return %loss, %norm : tensor<f32>, tensor<f32>
    }
    ```
    becomes, for `stage=2 world=2`,
    ```mlir test/passes/zero/partition-example.mlir#stage2 becomes
    zero.group @all parameters [@w] offsets [0] elements 64 padded 64 class_ends [64]

    func.func @train(%x: tensor<64xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"}, %ends: tensor<1xi64> {nn.input = "class_ends"}) -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) attributes {zero.stage = 2 : i64, zero.world = 2 : i64} {
      %p = zero.load parameter @all : tensor<64xf32>
      %w = nn.slice %p from 0 : tensor<64xf32> -> tensor<64xf32>
      %y = arith.mulf %w, %x : tensor<64xf32>
      %loss = nn.reduce sum %y dims [0] : tensor<64xf32> -> tensor<f32>
      %dw = math.absf %x : tensor<64xf32>
      %bucket = zero.bucket @all(%dw) : (tensor<64xf32>) -> tensor<64xf32>
      %part, %t0 = zero.reduce_scatter @all, %bucket : tensor<64xf32> -> tensor<32xf32>
      %g = zero.wait %part, %t0 : tensor<32xf32>
      zero.store gradient @all, %g : tensor<32xf32>
      nn.section "reduce"
      %losses, %t1 = zero.all_reduce %loss : tensor<f32>
      %sum = zero.wait %losses, %t1 : tensor<f32>
      %squares = nn.sum_squares %g : tensor<32xf32> -> tensor<f64>
      %all, %t2 = zero.all_reduce %squares : tensor<f64>
      %total = zero.wait %all, %t2 : tensor<f64>
      %clip, %norm = nn.clip_scale %total max_norm 1.000000e+00 : tensor<f64> -> tensor<f32>, tensor<f32>
      nn.section "update"
      %mine = zero.all_slice %p : tensor<64xf32> -> tensor<32xf32>
      %m = zero.load moment1 @all : tensor<32xf32>
      %v = zero.load moment2 @all : tensor<32xf32>
      %e = nn.slice %ends from 0 : tensor<1xi64> -> tensor<1xi64>
      %p1, %rest:2 = zero.update @all, %mine, %g states %m, %v by %clip, %hyper using #optimizer.adamw<beta1 = 9.000000e-01 : f64, beta2 = 0.94999999999999996 : f64, eps = 1.000000e-08 : f64> ends %e lr_scales [1.000000e+00, 1.000000e+00] weight_decays [1.000000e-01, 0.000000e+00] : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>) -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
      zero.store moment1 @all, %rest#0 : tensor<32xf32>
      zero.store moment2 @all, %rest#1 : tensor<32xf32>
      %p2, %t3 = zero.all_gather @all, %p1 in_place : tensor<32xf32> -> tensor<64xf32>
      %next = zero.wait %p2, %t3 : tensor<64xf32>
      zero.store parameter @all, %next : tensor<64xf32>
      return %sum, %norm : tensor<f32>, tensor<f32>
    }
    ```
    The new input `class_ends` says where the classes of each group end in the
    part that this rank updates: an i64 for each class of a group but the last.

    On a grid of replicas x shards (`shard-ranks` below `world`) parts are those
    of a shard group of that many consecutive ranks. Gradients are first summed
    in it, in rank order, then over its replicas, in their order: a
    reduce-scatter and an all-gather of the part, in its place. With several
    micro-batches the parts of stages 2 and 3 are summed before they go to the
    replicas.

    With `secondary-ranks` (hpZ of ZeRO++, Wang et al., arXiv 2306.10209) stage
    3 gathers parameters from all shards once per micro-batch. Each rank keeps a
    part of them as of that many consecutive ranks, from which they are gathered
    again.

    With `quantized-gathers` (qwZ of ZeRO++) stage 3 gathers parameters as bytes,
    with a scale for each block, and computes with what they stand for. States
    stay as they are.

    ```mlir test/passes/zero/quantized.mlir#gather becomes
    %a = zero.load parameter @first : tensor<16xf32>
    %q = zero.quantize %a : tensor<16xf32> -> tensor<20xi8>
    %f, %t = zero.all_gather @first, %q : tensor<20xi8> -> tensor<80xi8>
    %bytes = zero.wait %f, %t : tensor<80xi8>
    %w = zero.dequantize %bytes parts 4 : tensor<80xi8> -> tensor<64xf32>
    nn.slice %w from 0 ...
    ...
    zero.release %w : tensor<64xf32>
    ```

    A group is a layer, unless limits say otherwise; they are the same in all
    stages, so that sums over groups are, too:

    - A layer whose gradients take more than `bucket-bytes` is cut between
      parameters into groups `layer:1`, `layer:2`, ...; a larger parameter is a
      group alone.
    - Parameters of at most `persistence-threshold` elements form the group
      `persistent`. In stage 3 they are whole on every rank: not gathered before
      use, but once after the update.
    - Consecutive layers become one group `first..last` of at most
      `gather-bytes` where the step uses them one after the other in every
      turn: fewer messages, and no more bytes.
  }];
  let options = [
    Option<"stage", "stage", "int64_t", "-1",
           "ZeRO stage, 0 to 3; negative: the specification's">,
    Option<"world", "world", "int64_t", "0",
           "Number of ranks; 0: the specification's">,
    Option<"shardRanks", "shard-ranks", "int64_t", "0",
           "Ranks over which states are partitioned, with replicas between; 0: "
           "the specification's, or all">,
    Option<"secondaryRanks", "secondary-ranks", "int64_t", "-1",
           "Stage 3: ranks among which parameters are kept from their first "
           "gather on; 0: none are; negative: the specification's, or 0">,
    Option<"quantizedGathers", "quantized-gathers", "int64_t", "-1",
           "Stage 3: 1: parameters are gathered as bytes; 0: as they are; "
           "negative: the specification's, or 0">,
    Option<"bucketBytes", "bucket-bytes", "int64_t", "-1",
           "Most bytes of a group's gradients; 0: no limit; negative: the "
           "specification's, or 0">,
    Option<"persistenceThreshold", "persistence-threshold", "int64_t", "-1",
           "Parameters of at most this many elements stay whole in stage 3; "
           "negative: the specification's, or 0">,
    Option<"gatherBytes", "gather-bytes", "int64_t", "-1",
           "Layers become one group of at most this many bytes of parameters; "
           "negative: the specification's, or 0">
  ];
  let statistics = [
    Statistic<"numGroups", "groups", "Groups of parameters">,
    Statistic<"numGathers", "gathers",
              "Gathers of parameters before use (stage 3)">
  ];
  let dependentDialects = ["zero::ZeroDialect", "nn::NNDialect",
                           "optimizer::OptimizerDialect"];
}

def ZeroSchedule : Pass<"zero-schedule", "mlir::ModuleOp"> {
  let summary = "Start collectives early and await them late";
  let description = [{
    - A gather of parameters in a micro-batch starts when the one `prefetch`
      gathers before it is complete, so that it runs while these groups
      compute. It is awaited where it is used. What is gathered as bytes is
      quantized right before, and whole only from where it is used. With a budget of
      `prefetch-bytes` it starts once it has room beside the parameters that
      are gathered or on their way then; one that the budget never has room for
      starts where it is used.
    - A reduce-scatter is awaited right after the next group's has started:
      its bucket's memory is free then. So is one whose sum a collective takes
      next, which starts with it. One whose result lies in its bucket, and the
      last one, is awaited at the end of its section.
    - Every other collective is awaited before its result's first use, or at
      the end of its section.

    ```mlir test/passes/zero/schedule-example.mlir#gathers
    %r0, %t0 = zero.all_gather @a, %a : tensor<16xf32> -> tensor<64xf32>
    %wa = zero.wait %r0, %t0 : tensor<64xf32>
    %y = arith.mulf %wa, %x : tensor<64xf32>
    zero.release %wa : tensor<64xf32>
    %r1, %t1 = zero.all_gather @b, %b : tensor<16xf32> -> tensor<64xf32>
    %wb = zero.wait %r1, %t1 : tensor<64xf32>
    %z = arith.mulf %wb, %y : tensor<64xf32>
    zero.release %wb : tensor<64xf32>
    ```
    becomes, for `prefetch=1`,
    ```mlir test/passes/zero/schedule-example.mlir#gathers becomes
    %r0, %t0 = zero.all_gather @a, %a : tensor<16xf32> -> tensor<64xf32>
    %wa = zero.wait %r0, %t0 : tensor<64xf32>
    %r1, %t1 = zero.all_gather @b, %b : tensor<16xf32> -> tensor<64xf32>
    %y = arith.mulf %wa, %x : tensor<64xf32>
    zero.release %wa : tensor<64xf32>
    %wb = zero.wait %r1, %t1 : tensor<64xf32>
    %z = arith.mulf %wb, %y : tensor<64xf32>
    zero.release %wb : tensor<64xf32>
    ```
  }];
  let options = [
    Option<"prefetch", "prefetch", "int64_t", "-1",
           "Gathers in flight ahead of use; 0 overlaps none; negative: the "
           "specification's, or 1">,
    Option<"prefetchBytes", "prefetch-bytes", "int64_t", "-1",
           "Most bytes of parameters that are gathered or on their way at a "
           "time; 0: no limit; negative: the specification's, or 0">
  ];
  let statistics = [
    Statistic<"numHoisted", "starts-hoisted", "Gathers that start earlier">,
    Statistic<"numOverBudget", "gathers-over-budget",
              "Gathers that the budget has no room for">,
    Statistic<"numSunk", "waits-sunk", "Waits that are later">
  ];
  let dependentDialects = ["zero::ZeroDialect"];
}

def VerifyZero : Pass<"zero-verify", "mlir::ModuleOp"> {
  let summary = "Check the contract of the phase zero";
  let description = [{
    - Each parameter lies in one group; none is read or updated by name.
    - Collectives stand in the straight line, so that every rank runs the same
      sequence. Each is awaited exactly once, in its own section, and its result
      is not used before.
    - `@train` updates each group exactly once, and stores each of its states
      exactly once. A stage shards what it has to: moments from stage 1 on,
      gradients from stage 2 on, parameters in stage 3.
    - A whole gradient in stages 2 and 3 is used by its reduce-scatter alone;
      whole parameters in stage 3 exist from their gather to their release
      alone, within a micro-batch, and nothing uses them after. Those of
      persistent groups are whole always, as all are before stage 3.
    - On a grid each reduce-scatter of a bucket is followed by one over the
      replicas, whose sum they gather.
    - What is gathered along the secondary axis has been kept of a gather of the
      same group.
    - Bytes are gathered of what `zero.quantize` has made of the group's shards,
      and used by the one `zero.dequantize` that makes parameters of them again.
    - On one rank nothing is communicated, and only `@train` stores states.
      What is gathered in other programs is released as in `@train`.
  }];
}

#endif // TESSERA_PASSES_ZERO_PASSES_TD
