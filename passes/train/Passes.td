//===- Passes.td - Passes of the phase train ---------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_TRAIN_PASSES_TD
#define TESSERA_PASSES_TRAIN_PASSES_TD

include "mlir/Pass/PassBase.td"

def ApplyPrecision : Pass<"nn-apply-precision", "mlir::ModuleOp"> {
  let summary = "Keep parameters and activations in 16 bits";
  let description = [{
    The policy of mixed precision (Micikevicius et al., arXiv 1710.03740): what
    programs read of parameters and hand from operation to operation has 16
    bits, the optimizer's parameters and all arithmetic have 32. Row
    statistics, sums along dimensions, losses and outputs stay in fp32.

    A value is rounded where its type says so and nowhere else, so that the
    bits do not depend on what is fused.

    ```mlir test/passes/train/apply-precision-example.mlir#bf16
    nn.parameter @w : tensor<16x8xf32> init normal(0.02) decay group "all"
    func.func @predict(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
      %w = nn.get_parameter @w : tensor<16x8xf32>
      %y = nn.matmul %x, %w transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
      %z = nn.gelu %y : tensor<4x16xf32>
      return %z : tensor<4x16xf32>
    }
    ```
    becomes, for `compute=bf16`,
    ```mlir test/passes/train/apply-precision-example.mlir#bf16 becomes
    nn.parameter @w : tensor<16x8xf32> init normal(2.000000e-02) decay group "all" as bf16

    func.func @predict(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
      %w = nn.get_parameter @w : tensor<16x8xbf16>
      %x16 = arith.truncf %x : tensor<4x8xf32> to tensor<4x8xbf16>
      %y = nn.matmul %x16, %w transpose_b : tensor<4x8xbf16>, tensor<16x8xbf16> -> tensor<4x16xbf16>
      %z = nn.gelu %y : tensor<4x16xbf16>
      %z32 = arith.extf %z : tensor<4x16xbf16> to tensor<4x16xf32>
      return %z32 : tensor<4x16xf32>
    }
    ```
  }];
  let options = [
    Option<"compute", "compute", "std::string", "\"\"",
           "f32, bf16 or f16; empty: the specification's">
  ];
  let statistics = [
    Statistic<"numNarrowed", "narrowed", "Parameters kept in 16 bits">
  ];
  let dependentDialects = ["nn::NNDialect", "mlir::arith::ArithDialect"];
}

def FuseHead : Pass<"nn-fuse-head", "mlir::ModuleOp"> {
  let summary = "Fuse the matmul with the classes and what logits are for";
  let description = [{
    A cross-entropy over logits that only it uses, or the scores of their
    targets, become one operation that works in chunks of rows, so that the
    logits of all tokens never exist together.

    ```mlir test/passes/train/fuse-head.mlir#head
    %logits = nn.matmul %x, %w transpose_b
        : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
    %loss = nn.cross_entropy %logits, %targets, %scale
        : tensor<128x256xf32>, tensor<128xi32>, tensor<f32>
    ```
    becomes
    ```mlir test/passes/train/fuse-head.mlir#head becomes
    %loss, %dx, %dw = nn.linear_cross_entropy %x, %w, %targets, %scale : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32>, tensor<f32> -> tensor<256x64xf32>
    ```
  }];
  let statistics = [
    Statistic<"numFused", "heads-fused", "Heads fused with what their logits are for">
  ];
  let dependentDialects = ["nn::NNDialect"];
}

def Differentiate : Pass<"nn-differentiate", "mlir::ModuleOp"> {
  let summary = "Write the training step of a module's objective";
  let description = [{
    `@objective` becomes `@train`: the objective, the gradient of each
    parameter by a backward pass through it (DifferentiableOpInterface), their
    global norm, and one update per parameter.

    ```mlir test/passes/train/differentiate-example.mlir#dot
    nn.parameter @w : tensor<4xf32> init constant(1.0) decay group "all"
    func.func @objective(%x: tensor<4xf32> {nn.input = "x"})
        -> (tensor<f32> {nn.output = "loss"}) {
      %w = nn.get_parameter @w : tensor<4xf32>
      %wx = arith.mulf %w, %x : tensor<4xf32>
      %loss = nn.reduce sum %wx dims [0] : tensor<4xf32> -> tensor<f32>
      return %loss : tensor<f32>
    }
    ```
    becomes
    ```mlir test/passes/train/differentiate-example.mlir#dot becomes
    func.func @train(%x: tensor<4xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"}) -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
      %w = nn.get_parameter @w : tensor<4xf32>
      %wx = arith.mulf %w, %x : tensor<4xf32>
      %loss = nn.reduce sum %wx dims [0] : tensor<4xf32> -> tensor<f32>
      nn.section "reduce"
      %squares = nn.sum_squares %x : tensor<4xf32> -> tensor<f64>
      %clip, %norm = nn.clip_scale %squares max_norm 1.000000e+00 : tensor<f64> -> tensor<f32>, tensor<f32>
      nn.section "update"
      nn.update @w by %x, %clip, %hyper : tensor<4xf32>, tensor<f32>, tensor<4xf32>
      return %loss, %norm : tensor<f32>, tensor<f32>
    }
    ```
    With more than one micro-batch per step, the loss and each gradient pass
    through `nn.accumulate`. Accumulation, the clipping norm and the type of
    gradients default to the specification's. Gradients of
    parameters in 16 bits are wide where asked for: their sums then never are
    rounded.

    In f16 the runtime scales the loss, by `scale`, so that small gradients do
    not vanish. `@train` then has an input `unscale`, the inverse, which the
    norm and the clipping factor are multiplied by.
  }];
  let options = [
    Option<"gradients", "gradients", "std::string", "\"\"",
           "f32: gradients of parameters in fp32; else in the type that is "
           "computed with; empty: the specification's">,
    Option<"accumulation", "accumulation", "int64_t", "0",
           "Micro-batches per step; 0: the specification's">,
    Option<"maxNorm", "max-norm", "double", "-1",
           "Norm to clip to, 0 for none; negative: the specification's">
  ];
  let statistics = [
    Statistic<"numGradients", "gradients", "Parameters differentiated for">
  ];
  let dependentDialects = ["nn::NNDialect", "optimizer::OptimizerDialect",
                           "mlir::arith::ArithDialect",
                           "mlir::math::MathDialect", "graph::GraphDialect"];
}

def Recompute : Pass<"nn-recompute", "mlir::ModuleOp"> {
  let summary = "Recompute activations rather than keep them";
  let description = [{
    Between its use in the forward pass and that in the backward pass a value
    has to be kept. This pass has the backward pass recompute it, from values
    that are kept anyway (Chen et al., arXiv 1604.06174). The bits are the same.

    The forward pass of `@train` is what its loss depends on. A segment of it
    begins where an operation reads parameters of another group than those
    before it: with one group per layer, a segment is a layer. What other
    segments read of one is kept, a layer's input; all else is recomputed from
    that, each operation just before it is needed. The last segment, whose
    backward pass follows at once, is left alone; so are segments without
    anything to gain.

    ```mlir test/passes/train/recompute-example.mlir#layer
    nn.parameter @w : tensor<8x16xf32> init normal(0.02) decay group "h.0"
    nn.parameter @v : tensor<16x8xf32> init normal(0.02) decay group "h.1"
    func.func @train(%x: tensor<4x8xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"}) -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
      %w = nn.get_parameter @w : tensor<8x16xf32>
      %v = nn.get_parameter @v : tensor<16x8xf32>
      %a = nn.matmul %x, %w : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
      %y = nn.gelu %a : tensor<4x16xf32>
      %b = nn.matmul %y, %v : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
      %loss = nn.reduce sum %b dims [0, 1] : tensor<4x8xf32> -> tensor<f32>
      %one = arith.constant dense<1.0> : tensor<4x8xf32>
      %dv = nn.matmul %y, %one transpose_a : tensor<4x16xf32>, tensor<4x8xf32> -> tensor<16x8xf32>
      %dy = nn.matmul %one, %v transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
      %da = nn.gelu_grad %a, %dy : tensor<4x16xf32>
      %dw = nn.matmul %x, %da transpose_a : tensor<4x8xf32>, tensor<4x16xf32> -> tensor<8x16xf32>
      ...

    ...
    ```
    becomes
    ```mlir test/passes/train/recompute-example.mlir#layer becomes
    func.func @train(%x: tensor<4x8xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"}) -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
      %w = nn.get_parameter @w : tensor<8x16xf32>
      %v = nn.get_parameter @v : tensor<16x8xf32>
      %a = nn.matmul %x, %w : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
      %y = nn.gelu %a : tensor<4x16xf32>
      %b = nn.matmul %y, %v : tensor<4x16xf32>, tensor<16x8xf32> -> tensor<4x8xf32>
      %loss = nn.reduce sum %b dims [0, 1] : tensor<4x8xf32> -> tensor<f32>
      %one = arith.constant dense<1.000000e+00> : tensor<4x8xf32>
      %dv = nn.matmul %y, %one transpose_a : tensor<4x16xf32>, tensor<4x8xf32> -> tensor<16x8xf32>
      %dy = nn.matmul %one, %v transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
      %kept = nn.checkpoint %x of "h.0" : tensor<4x8xf32>
      %again = nn.matmul %kept, %w : tensor<4x8xf32>, tensor<8x16xf32> -> tensor<4x16xf32>
      %da = nn.gelu_grad %again, %dy : tensor<4x16xf32>
      %dw = nn.matmul %x, %da transpose_a : tensor<4x8xf32>, tensor<4x16xf32> -> tensor<8x16xf32>
    ...
    ```
    `whole` segments, from the first, are recomputed entirely, and of those
    up to `cheap` what takes no longer than to read its operands: layer norms
    and activations, not matmuls and attention.

    In the specification `training.recomputed` says what was done: how many
    `segments` there are to gain from, of how many the `whole` is recomputed
    and of how many what is `cheap`.
  }];
  let options = [
    Option<"whole", "whole", "int64_t", "-1",
           "Segments, from the first, that are recomputed; negative: all, "
           "if the specification's training.recompute is \"layer\", or none">,
    Option<"cheap", "cheap", "int64_t", "0",
           "Segments, from the first, of which at least what is cheap is "
           "recomputed">
  ];
  let statistics = [
    Statistic<"numRepeated", "repeated", "Operations recomputed">,
    Statistic<"numDropped", "dropped", "Values that are not kept any more">
  ];
  let dependentDialects = ["nn::NNDialect"];
}

def NameLayers : Pass<"nn-name-layers", "mlir::ModuleOp"> {
  let summary = "Say in locations which layer an operation is of";
  let description = [{
    Wraps the location of each operation in the path of its layer, which is what
    parameters are called by. One that reads a parameter is of its layer; any
    other of the layer that has those around it. What stands before the first
    parameter or behind the last one is of none. Kernels get their names from
    these locations.

    ```mlir test/passes/train/name-layers-example.mlir#mlp
    %w = nn.get_parameter @h.0.mlp.up.weight : tensor<8x4xf32>
    %y = nn.matmul %x, %w transpose_b : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32>
    %z = nn.gelu %y : tensor<2x8xf32>
    %v = nn.get_parameter @h.0.mlp.down.weight : tensor<4x8xf32>
    ```
    becomes
    ```mlir test/passes/train/name-layers-example.mlir#mlp becomes
    %w = nn.get_parameter @h.0.mlp.up.weight : tensor<8x4xf32> loc("h.0.mlp.up"(...))
    %y = nn.matmul %x, %w transpose_b : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32> loc("h.0.mlp.up"(...))
    %z = nn.gelu %y : tensor<2x8xf32> loc("h.0.mlp"(...))
    %v = nn.get_parameter @h.0.mlp.down.weight : tensor<4x8xf32> loc("h.0.mlp.down"(...))
    ```
  }];
  let dependentDialects = ["nn::NNDialect"];
}

def VerifyModel : Pass<"nn-verify-model", "mlir::ModuleOp"> {
  let summary = "Check the contract of the phase model";
  let description = [{
    The module has one function `@objective` with a scalar loss, and holds
    nothing but nn, graph, func, arith and math operations.
  }];
}

def VerifyTrain : Pass<"nn-verify-train", "mlir::ModuleOp"> {
  let summary = "Check the contract of the phase train";
  let description = [{
    No objective is left undifferentiated, and each parameter has exactly one
    update in `@train`, with one gradient.
  }];
}

def PackWeights : Pass<"nn-pack-weights", "mlir::ModuleOp"> {
  let summary = "Let weights of counted rows lie as their kernels read them";
  let description = [{
    Where a program's rows are counted (`nn.row_count`) and the target has kernels
    for it, a matmul with a parameter becomes nn.row_matmul and the parameter is
    packed, if nothing reads it but such matmuls, all of one form, also of slices of
    whole panels, and gathers of its rows.

    ```mlir test/passes/train/pack-weights-example.mlir#pack
    nn.parameter @w : tensor<256x64xf32> init normal(0.02) decay group "all"
    func.func @decode(%tokens: tensor<8xi32> {nn.input = "tokens"}, %n: tensor<1xi32> {nn.input = "count"})
        -> tensor<8x256xf32> attributes {nn.row_count = "count"} {
      %w = nn.get_parameter @w : tensor<256x64xf32>
      %x = nn.gather %w, %tokens : tensor<256x64xf32>, tensor<8xi32> -> tensor<8x64xf32>
      %y = nn.matmul %x, %w transpose_b : tensor<8x64xf32>, tensor<256x64xf32> -> tensor<8x256xf32>
      return %y : tensor<8x256xf32>
    }
    ```
    becomes
    ```mlir test/passes/train/pack-weights-example.mlir#pack becomes
    nn.parameter @w : tensor<256x64xf32> init normal(2.000000e-02) decay group "all" packed rows

    func.func @decode(%tokens: tensor<8xi32> {nn.input = "tokens"}, %n: tensor<1xi32> {nn.input = "count"}) -> tensor<8x256xf32> attributes {nn.row_count = "count"} {
      %w = nn.get_parameter @w : tensor<256x64xf32>
      %x = nn.packed_gather %w, %tokens : tensor<256x64xf32>, tensor<8xi32> -> tensor<8x64xf32>
      %y = nn.row_matmul %x, %w count %n transpose_b packed : tensor<8x64xf32>, tensor<256x64xf32>, tensor<1xi32> -> tensor<8x256xf32>
      return %y : tensor<8x256xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numPacked", "packed", "Parameters that are packed">
  ];
  let dependentDialects = ["nn::NNDialect"];
}

#endif // TESSERA_PASSES_TRAIN_PASSES_TD
