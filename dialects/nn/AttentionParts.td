//===- AttentionParts.td - Attention to long contexts ------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_ATTENTIONPARTS_TD
#define TESSERA_DIALECTS_NN_ATTENTIONPARTS_TD

include "dialects/nn/NNGenerationOps.td"

def NN_CachedAttentionPartsOp : NN_CachedOp<"cached_attention_parts"> {
  let summary = "attention of rows to parts of what their slots keep";
  let description = [{
    What nn.cached_attention sums for a row and head, of each part of the slot's
    positions by itself, so that threads share the keys of a long text. Part i has
    the positions from i · L on, L being `part_length`. With the scores s_j of the
    keys j of a part that the row sees, in base 2 (times log2 e),

      maximum = max_j s_j, total = sum_j 2^(s_j - maximum),
      sum = sum_j 2^(s_j - maximum) v_j.

    Of a row are kept as many parts as one can see, P: ⌈context / L⌉, or
    ⌈(W - 1) / L⌉ + 1 where a window of W makes these fewer. Part i stands at i mod
    P of the results, [rows, heads, P, head dim] and [rows, heads, P]. A part
    of which a row sees nothing costs nothing, and has any numbers.

    ```mlir test/dialects/nn/generation.mlir#cached-attention-parts
    %sums, %maxima, %totals = nn.cached_attention_parts %qkv, %1 at %slots, %at count %count heads 4 layout blocked alibi scale 0.5 parts of 4
        : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
        -> tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<4x4x4xf32>
    ```
  }];
  let arguments = !con(rows, (ins UnitAttr:$alibi, F64Attr:$scale,
                                  OptionalAttr<I64Attr>:$window,
                                  I64Attr:$part_length));
  let results = (outs NN_Float:$sums, NN_Float:$maxima, NN_Float:$totals);
  let assemblyFormat = [{
    $qkv `,` $cache (`scaled` $scales^)? `at` $slots `,` $positions `count`
    $count `heads` $heads `layout` $layout (`alibi` $alibi^)?
    (`window` $window^)? `scale` $scale `parts` `of` $part_length attr-dict `:`
    type($qkv) `,` type($cache) `,` type($slots) `,` type($positions) `,`
    type($count) (`,` type($scales)^)? `->` type($sums) `,` type($maxima) `,`
    type($totals)
  }];
  let extraClassDeclaration = accessors # [{
    /// How many parts of \p length positions, of \p context, are kept of a row.
    static int64_t countParts(int64_t context, ::std::optional<uint64_t> window,
                              int64_t length);
    int64_t getPartCount() {
      return countParts(getSlotLength(), getWindow(), getPartLength());
    }
  }];
  let hasVerifier = 1;
}

def NN_MergeAttentionPartsOp : NN_PureOp<"merge_attention_parts", [
    NN_OneStaysWide, AllTypesMatch<["maxima", "totals"]>]> {
  let summary = "attention of rows from that to parts of their slots";
  let description = [{
    The result of nn.cached_attention from what nn.cached_attention_parts leaves:
    one after another, from the first part on that a row sees, parts join what is
    there, (m, t, s), as

      m' = max(m, maximum), t' = t · 2^(m - m') + total · 2^(maximum - m'),
      s' = s · 2^(m - m') + sum · 2^(maximum - m'),

    and the result is s / t of the last (Milakov and Gimelshein, arXiv
    1805.02867; Dao et al., Flash-Decoding).

    ```mlir test/dialects/nn/generation.mlir#merge-attention-parts
    %merged = nn.merge_attention_parts %sums, %maxima, %totals at %at count %count parts of 4
        : tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
    ```
  }];
  let arguments = (ins NN_Float:$sums, NN_Float:$maxima, NN_Float:$totals,
                       NN_Int:$positions, NN_Int:$count,
                       OptionalAttr<I64Attr>:$window, I64Attr:$part_length);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $sums `,` $maxima `,` $totals `at` $positions `count` $count
    (`window` $window^)? `parts` `of` $part_length attr-dict `:` type($sums) `,`
    type($maxima) `,` type($positions) `,` type($count) `->` type($result)
  }];
  let extraClassDeclaration = [{
    int64_t getRows() { return getSums().getType().getDimSize(0); }
    int64_t getHeads() { return getSums().getType().getDimSize(1); }
    int64_t getPartCount() { return getSums().getType().getDimSize(2); }
    int64_t getHeadDim() { return getSums().getType().getDimSize(3); }
  }];
  let hasVerifier = 1;
}

#endif // TESSERA_DIALECTS_NN_ATTENTIONPARTS_TD
