//===- NNTrainingOps.td - What makes a program a step ------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNTRAININGOPS_TD
#define TESSERA_DIALECTS_NN_NNTRAININGOPS_TD

include "dialects/nn/NNBase.td"

def NN_SectionOp : NN_Op<"section"> {
  let summary = "where a section of a program begins";
  let description = [{
    A program is straight-line; sections cut it into the entries that the
    runtime calls in turn: what stands before the first one and under "micro"
    runs once per micro-batch, "reduce" and "update" once per step.
  }];
  let arguments = (ins StrAttr:$name);
  let assemblyFormat = "$name attr-dict";
}

def NN_CheckpointOp : NN_PureOp<"checkpoint", [
    NN_MovesElements, SameOperandsAndResultType]> {
  let summary = "a kept value, from which others are recomputed";
  let description = [{
    The operand itself. What is computed from the result is not what was
    computed from the operand: no pass may merge the two, or the first would
    be kept for the second, which is what recomputation is to spare (Chen et
    al., arXiv 1604.06174). `of` names the segment of the forward pass that is
    recomputed. It is a view: nothing is copied.

    ```mlir test/dialects/nn/syntax.mlir#checkpoint
    %kept = nn.checkpoint %dw of "h.3" : tensor<64xf32>
    ```
  }];
  let arguments = (ins NN_Tensor:$input, StrAttr:$of);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = "$input `of` $of attr-dict `:` type($input)";
}

def NN_AccumulateOp : NN_Op<"accumulate", [SameOperandsAndResultType]> {
  let summary = "running sum over the micro-batches of a step";
  let description = [{
    The result is the sum of the operand's values since the step began. It may
    be used in later sections alone, where it is complete.
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def NN_SumSquaresOp : NN_PureOp<"sum_squares", [NN_Decomposable]> {
  let summary = "sum of the squares of all elements, in double precision";
  let description = [{
    Each tensor is summed in blocks of a fixed size and these in order, so that
    the result does not depend on the number of threads.
  }];
  let arguments = (ins Variadic<NN_Float>:$inputs);
  let results = (outs StaticShapeTensorOf<[F64]>:$result);
  let assemblyFormat = "$inputs attr-dict `:` type($inputs) `->` type($result)";
}

def NN_PartialSumSquaresOp : NN_PureOp<"partial_sum_squares"> {
  let summary = "sums of the squares of each block of elements";
  let description = [{
    Element i of the result is the sum over elements [65536·i, 65536·(i + 1)).

    ```mlir test/dialects/nn/syntax.mlir#partial-sum-squares
    %partial = nn.partial_sum_squares %sum : tensor<64xf32> -> tensor<1xf64>
    ```
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs StaticShapeTensorOf<[F64]>:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let extraClassDeclaration = [{
    /// Elements of a block.
    static constexpr int64_t blockSize = 65536;
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$input), [{
    int64_t elements =
        ::llvm::cast<::mlir::ShapedType>(input.getType()).getNumElements();
    build($_builder, $_state,
          ::mlir::RankedTensorType::get({(elements + blockSize - 1) / blockSize},
                                        $_builder.getF64Type()),
          input);
  }]>];
  let hasVerifier = 1;
}

def NN_SumPartialsOp : NN_PureOp<"sum_partials"> {
  let summary = "sum of all elements, one after another";
  let arguments = (ins Variadic<StaticShapeTensorOf<[F64]>>:$inputs);
  let results = (outs StaticShapeTensorOf<[F64]>:$result);
  let assemblyFormat = "$inputs attr-dict `:` type($inputs) `->` type($result)";
}

def NN_ClipScaleOp : NN_PureOp<"clip_scale"> {
  let summary = "the factor that clips gradients to a global norm";
  let description = [{
    norm = sqrt(sum_squares); scale = min(1, max_norm / (norm + 1e-6)), the
    rule of PyTorch's clip_grad_norm_; 1 where max_norm is 0 (no clipping).
  }];
  let arguments = (ins StaticShapeTensorOf<[F64]>:$sum_squares,
                       F64Attr:$max_norm);
  let results = (outs NN_Float:$scale, NN_Float:$norm);
  let builders = [OpBuilder<(ins "::mlir::Value":$sum_squares,
      "double":$max_norm), [{
    auto type = ::mlir::RankedTensorType::get({}, $_builder.getF32Type());
    build($_builder, $_state, type, type, sum_squares,
          $_builder.getF64FloatAttr(max_norm));
  }]>];
  let assemblyFormat = [{
    $sum_squares `max_norm` $max_norm attr-dict `:` type($sum_squares) `->`
    type($scale) `,` type($norm)
  }];
}

def NN_UpdateOp : NN_Op<"update", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "one step of the optimizer on a parameter";
  let description = [{
    The specification's optimizer (dialects/optimizer), on the gradient times
    `clip`. `hyper` holds the numbers of the step that it declares. Each
    parameter has exactly one.
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter, NN_Float:$gradient,
                       NN_Float:$clip, NN_Float:$hyper);
  let assemblyFormat = [{
    $parameter `by` $gradient `,` $clip `,` $hyper attr-dict `:`
    type($gradient) `,` type($clip) `,` type($hyper)
  }];
}

#endif // TESSERA_DIALECTS_NN_NNTRAININGOPS_TD
