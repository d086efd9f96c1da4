//===- TargetScores.td - How likely targets are ------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_TARGETSCORES_TD
#define TESSERA_DIALECTS_NN_TARGETSCORES_TD

include "dialects/nn/NNBase.td"

def NN_TargetScoresOp : NN_PureOp<"target_scores", [
    NN_Decomposable, NN_OneStaysWide,
    AllTypesMatch<["log_probability", "correct"]>]> {
  let summary = "how likely targets are, and whether they are predicted";
  let description = [{
    Of each row of logits the logarithm of the probability of its target,
    logits_i,target_i - log sum_j exp(logits_ij), and 1 where the target is the
    first of the row's largest logits, else 0. Both are 0 in a row whose target
    is negative, be its logits Inf or NaN.

    ```mlir test/dialects/nn/syntax.mlir#target-scores
    %log_probability, %correct = nn.target_scores %logits, %targets
        : tensor<128x256xf32>, tensor<128xi32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins NN_Float:$logits, NN_Int:$targets);
  let results = (outs NN_Float:$log_probability, NN_Float:$correct);
  let assemblyFormat = [{
    $logits `,` $targets attr-dict `:` type($logits) `,` type($targets) `->`
    type($log_probability)
  }];
  let hasVerifier = 1;
}

def NN_LinearTargetScoresOp : NN_PureOp<"linear_target_scores", [
    NN_OneStaysWide, AllTypesMatch<["log_probability", "correct"]>]> {
  let summary = "a model's head: the matmul with the classes and target_scores";
  let description = [{
    `nn.target_scores` of the logits input · weightᵀ, computed in chunks of rows
    as `nn.linear_cross_entropy` is.

    ```mlir test/dialects/nn/syntax.mlir#linear-target-scores
    %log2, %correct2 = nn.linear_target_scores %x, %table, %targets
        : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins NN_Float:$input, NN_Float:$weight, NN_Int:$targets);
  let results = (outs NN_Float:$log_probability, NN_Float:$correct);
  let assemblyFormat = [{
    $input `,` $weight `,` $targets attr-dict `:` type($input) `,`
    type($weight) `,` type($targets) `->` type($log_probability)
  }];
  let hasVerifier = 1;
}

#endif // TESSERA_DIALECTS_NN_TARGETSCORES_TD
