//===- NNCompositeOps.td - Operations with gradients of their own *- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNCOMPOSITEOPS_TD
#define TESSERA_DIALECTS_NN_NNCOMPOSITEOPS_TD

include "dialects/nn/NNBase.td"

def NN_LayerNormOp : NN_DifferentiableOp<"layer_norm", [
    NN_Decomposable, NN_Cheap, NN_OneStaysWide,
    AllTypesMatch<["input", "result"]>, AllTypesMatch<["weight", "bias"]>,
    AllTypesMatch<["mean", "rstd"]>]> {
  let summary = "layer normalisation over the last dimension";
  let description = [{
    result = (x - mean) · rstd · weight + bias, with mean and
    rstd = 1 / sqrt(variance + epsilon) of each row (Ba et al.,
    arXiv 1607.06450). `mean` and `rstd`, fp32, are kept for the backward pass.

    ```mlir test/dialects/nn/syntax.mlir#layer-norm
    %y, %mean, %rstd = nn.layer_norm %x, %w, %w epsilon 1.0e-5 : tensor<128x64xf32>, tensor<64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins NN_Float:$input, NN_Float:$weight, NN_Float:$bias,
                       F64Attr:$epsilon);
  let results = (outs NN_Float:$result, NN_Float:$mean, NN_Float:$rstd);
  let assemblyFormat = [{
    $input `,` $weight `,` $bias `epsilon` $epsilon attr-dict `:` type($input)
    `,` type($weight) `->` type($mean)
  }];
  let hasVerifier = 1;
}

def NN_RmsNormOp : NN_DifferentiableOp<"rms_norm", [
    NN_Decomposable, NN_Cheap, NN_OneStaysWide,
    AllTypesMatch<["input", "result"]>]> {
  let summary = "root mean square normalisation over the last dimension";
  let description = [{
    result = x · rstd · weight with rstd = 1 / sqrt(mean(x²) + epsilon) of each
    row (Zhang and Sennrich, arXiv 1910.07467). x · rstd is rounded to the
    result's type before it is multiplied, as in transformers. `rstd`, fp32, is
    kept for the backward pass.

    ```mlir test/dialects/nn/syntax.mlir#rms-norm
    %z, %rstd2 = nn.rms_norm %x, %w epsilon 1.0e-5 : tensor<128x64xf32>, tensor<64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins NN_Float:$input, NN_Float:$weight, F64Attr:$epsilon);
  let results = (outs NN_Float:$result, NN_Float:$rstd);
  let assemblyFormat = [{
    $input `,` $weight `epsilon` $epsilon attr-dict `:` type($input) `,`
    type($weight) `->` type($rstd)
  }];
  let hasVerifier = 1;
}

def NN_GeluOp : NN_DifferentiableOp<"gelu", [
    NN_Decomposable, NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
  let summary = "the Gaussian error linear unit, tanh form";
  let description = [{
    0.5·x·(1 + tanh(0.79788456·x·(1 + 0.044715·x²))) (Hendrycks and Gimpel,
    arXiv 1606.08415, section 2), the form that BLOOM and GPT-2 use.
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def NN_GeluGradOp : NN_PureOp<"gelu_grad", [
    NN_Decomposable, NN_Cheap, AllTypesMatch<["input", "gradient", "result"]>]> {
  let summary = "the gradient of nn.gelu with respect to its operand";
  let description = [{
    With t = tanh(a·x·(1 + b·x²)), a = 0.79788456, b = 0.044715:
    result = gradient · (0.5·x·(1 - t²)·(a + 3·a·b·x²) + 0.5·(1 + t)).

    ```mlir test/dialects/nn/syntax.mlir#gelu-grad
    %gelu_grad = nn.gelu_grad %x, %gelu : tensor<128x64xf32>
    ```
  }];
  let arguments = (ins NN_Float:$input, NN_Float:$gradient);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input `,` $gradient attr-dict `:` type($input)";
}

def NN_ReluOp : NN_DifferentiableOp<"relu", [
    NN_Decomposable, NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
  let summary = "max(x, 0); its derivative at 0 is 0";
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def NN_Relu2Op : NN_DifferentiableOp<"relu2", [
    NN_Decomposable, NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
  let summary = "max(x, 0)²";
  let description = [{
    The squared rectified linear unit (So et al., "Primer: Searching for
    Efficient Transformers for Language Modeling", arXiv 2109.08668, section 4).
    Its derivative is 2 · max(x, 0).
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def NN_DropoutOp
    : NN_DifferentiableOp<"dropout", [NN_Decomposable, NN_Cheap,
                                      NN_MixedPrecision,
                                      AllTypesMatch<["input", "result"]>]> {
  let summary = "sets elements to zero at random and scales the others";
  let description = [{
    result = input · keep / (1 - rate) (Srivastava et al., "Dropout", JMLR 15,
    2014, scaled as in PyTorch): keep is 1 where the bits that `nn.random_bits`
    gives for `stream` and `samples`, as an unsigned number, are at least
    rate · 2³², and 0 elsewhere. No mask is stored: the gradient is the same
    operation on the result's gradient and draws the same bits.

    ```mlir test/dialects/nn/syntax.mlir#dropout
    %drop = nn.dropout %x from %stream, %samples rate 0.1 : tensor<128x64xf32>, tensor<1x4xi32>, tensor<2xi32>
    ```

    Constraints: `rate` is from 0 to below 1.
  }];
  let arguments = (ins NN_Float:$input, NN_Int:$stream,
      Optional<NN_Int>:$samples, F64Attr:$rate);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $input `from` $stream (`,` $samples^)? `rate` $rate attr-dict `:`
    type($input) `,` type($stream) (`,` type($samples)^)?
  }];
  let hasVerifier = 1;
}

def NN_EluOp : NN_DifferentiableOp<"elu", [
    NN_Decomposable, NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
  let summary = "x above 0, else exp(x) - 1";
  let description = [{
    The exponential linear unit with alpha = 1 (Clevert, Unterthiner and
    Hochreiter, arXiv 1511.07289, equation 15).
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def NN_SiluOp : NN_DifferentiableOp<"silu", [
    NN_Decomposable, NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
  let summary = "x · sigmoid(x)";
  let description = [{
    The sigmoid-weighted linear unit (Elfwing, Uchibe and Doya, arXiv 1702.03118,
    equation 4), sigmoid(x) being 1 / (1 + exp(-x)).
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def NN_SoftmaxOp : NN_DifferentiableOp<"softmax", [
    NN_Decomposable, NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
  let summary = "exp(x - max) / sum over the last dimension";
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def NN_QKVLayout : I32EnumAttr<"QKVLayout", "order of the packed columns", [
  I32EnumAttrCase<"Interleaved", 0, "interleaved">,
  I32EnumAttrCase<"Blocked", 1, "blocked">]> {
  let cppNamespace = "::tessera::nn";
}

class NN_AttentionBase<string mnemonic, list<Trait> traits = []>
    : NN_PureOp<mnemonic, traits> {
  dag shape = (ins I64Attr:$batch, I64Attr:$heads, I64Attr:$kv_heads,
                   NN_QKVLayout:$layout, UnitAttr:$causal,
                   OptionalAttr<I64Attr>:$window, UnitAttr:$alibi,
                   F64Attr:$scale);
  /// A stream and one id a batch row, and the rate at which they drop.
  dag draw = (ins Variadic<NN_Int>:$draw,
      DefaultValuedAttr<F64Attr, "0.0">:$rate);
  code accessors = [{
    /// Tokens per batch row, columns per head, query heads per key head.
    int64_t getSequence() { return getQkv().getType().getDimSize(0) / getBatch(); }
    int64_t getHeadDim() {
      return getQkv().getType().getDimSize(1) / (getHeads() + 2 * getKvHeads());
    }
    int64_t getGroup() { return getHeads() / getKvHeads(); }
    /// Column of head 0's queries (which = 0), keys (1) or values (2).
    int64_t getColumn(int64_t which) {
      if (getLayout() == QKVLayout::Interleaved || which == 0)
        return which * getHeadDim();
      return (getHeads() + (which - 1) * getKvHeads()) * getHeadDim();
    }
    /// Keys that a query sees at most.
    int64_t getVisibleKeys() {
      return std::min<int64_t>(getWindow().value_or(getSequence()), getSequence());
    }
    /// Whether probabilities are dropped: see `draw`.
    bool hasDropout() { return !getDraw().empty(); }
    /// Columns from one head's queries, keys or values to the next one's.
    int64_t getHeadStride() {
      return getHeadDim() * (getLayout() == QKVLayout::Interleaved ? 3 : 1);
    }
  }];
}

def NN_AttentionOp : NN_AttentionBase<"attention", [
    NN_OneStaysWide, DeclareOpInterfaceMethods<DifferentiableOpInterface>]> {
  let summary = "multi-head attention over packed queries, keys and values";
  let description = [{
    With tokens [batch · sequence] as rows, `qkv` packs queries, keys and
    values as columns: `interleaved` is [heads, 3, head dim] (BLOOM), `blocked`
    is [heads + 2 · kv_heads, head dim], all queries before all keys before all
    values (GPT-2, LLaMA). For each row i of a head

      score_ij = scale · q_i · k_j + (alibi: slope_head · j),
      out_i = sum_j softmax_j(score_ij) v_j,

    over j ≤ i where `causal`, of these over i - window < j with a `window`
    (Beltagy et al., arXiv 2004.05150; Mistral, arXiv 2310.06825). With fewer
    `kv_heads` than heads neighbouring heads share keys and values: head h reads
    those of head ⌊h · kv_heads / heads⌋ (Ainslie et al., arXiv 2305.13245).
    `result` is [batch · sequence, heads · head dim]. ALiBi's slopes are those of Press et al. (arXiv
    2108.12409), with BLOOM's rule for head counts that are not a power of two.
    `lse`, [batch · heads, sequence], holds the log of each row's softmax
    denominator for the backward pass, in fp32, with ALiBi's bias counted from
    the query: slope_head · (j - i). No sequence x sequence matrix is ever
    stored (Dao et al., arXiv 2205.14135).

    With `dropout` the probabilities are dropped and scaled before the sum, as
    `nn.dropout` does: `draw` are a stream and one id a batch row. Query i's bits
    for key j are those of `nn.random_bits` for row j, column i of a sample of
    [sequence, sequence], with 2¹⁶ · head added to the draw. Neighbouring queries
    thus share a counter, which lie in the lanes of a vector.

    ```mlir test/dialects/nn/syntax.mlir#attention
    %out, %lse = nn.attention %qkv batch 2 heads 4 layout interleaved causal alibi scale 0.25
        : tensor<128x192xf32> -> tensor<128x64xf32>, tensor<8x64xf32>
    %out3, %lse3 = nn.attention %qkv batch 2 heads 4 layout blocked scale 0.25 dropout 0.1 from %stream, %samples
        : tensor<128x192xf32>, tensor<1x4xi32>, tensor<2xi32> -> tensor<128x64xf32>, tensor<8x64xf32>
    %out4, %lse4 = nn.attention %qkv batch 2 heads 8 kv_heads 2 layout blocked causal window 16 alibi scale 0.25
        : tensor<128x192xf32> -> tensor<128x128xf32>, tensor<16x64xf32>
    ```
  }];
  let arguments = !con((ins NN_Float:$qkv), shape, draw);
  let results = (outs NN_Float:$result, NN_Float:$lse);
  let assemblyFormat = [{
    $qkv `batch` $batch custom<Heads>($heads, $kv_heads) `layout` $layout
    (`causal` $causal^)? (`window` $window^)? (`alibi` $alibi^)? `scale` $scale
    (`dropout` $rate `from` $draw^)? attr-dict `:` type($qkv) (`,` type($draw)^)? `->` type($result) `,` type($lse)
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

def NN_AttentionGradOp : NN_AttentionBase<"attention_grad", [
    AllTypesMatch<["qkv", "result"]>, AllTypesMatch<["out", "gradient"]>]> {
  let summary = "attention's gradient with respect to the packed columns";
  let description = [{
    Recomputes the probabilities from `lse`, tile by tile (Dao et al.,
    arXiv 2205.14135, algorithm 4), and what of them is dropped from `draw`;
    `result` is packed like `qkv`. Keys and values that heads share have the sum
    of these heads' gradients.
  }];
  let arguments = !con((ins NN_Float:$qkv, NN_Float:$out, NN_Float:$lse,
                           NN_Float:$gradient),
                       shape, draw);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $qkv `,` $out `,` $lse `,` $gradient `batch` $batch
    custom<Heads>($heads, $kv_heads) `layout` $layout (`causal` $causal^)?
    (`window` $window^)? (`alibi` $alibi^)? `scale` $scale
    (`dropout` $rate `from` $draw^)? attr-dict `:` type($qkv) `,` type($out)
    `,` type($lse) (`,` type($draw)^)?
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

/// Columns that pack heads of queries, of keys and of values, in this order: see
/// nn.attention's layout `blocked`.
class NN_PackedOp<string mnemonic, list<Trait> traits = []>
    : NN_DifferentiableOp<mnemonic, !listconcat([
          NN_Decomposable, NN_OneStaysWide, AllTypesMatch<["qkv", "result"]>],
          traits)> {
  code accessors = [{
    /// Heads of queries, keys and values together, those of queries and keys,
    /// and columns of a head.
    int64_t getAllHeads() { return getHeads() + 2 * getKvHeads(); }
    int64_t getChangedHeads() { return getHeads() + getKvHeads(); }
    int64_t getHeadDim() {
      return getQkv().getType().getDimSize(1) / getAllHeads();
    }
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

// Not cheap: its operand, which nothing else reads, would be kept in place of
// its result.
def NN_RotaryOp : NN_PackedOp<"rotary"> {
  let summary = "rotary positions of packed queries and keys";
  let description = [{
    Rotates the queries and keys of token t by its position p = t mod positions
    (Su et al., arXiv 2104.09864, in the order of transformers): of a head's
    columns the first half, a, and the second, b, become

      a_i · cos_pi - b_i · sin_pi,    b_i · cos_pi + a_i · sin_pi,

    `table` being [2, positions, head dim / 2], cosines and then sines, in fp32.
    Values stay as they are. `back` rotates by the negative angle, which is the
    gradient.

    ```mlir test/dialects/nn/syntax.mlir#rotary
    %turned = nn.rotary %x, %angles heads 4 kv_heads 2 : tensor<128x64xf32>, tensor<2x64x4xf32>
    ```
  }];
  let arguments = (ins NN_Float:$qkv, NN_Float:$table, I64Attr:$heads,
                       I64Attr:$kv_heads, UnitAttr:$back);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $qkv `,` $table custom<Heads>($heads, $kv_heads) (`back` $back^)? attr-dict
    `:` type($qkv) `,` type($table)
  }];
}

def NN_HeadNormOp : NN_PackedOp<"head_norm", [
    NN_Cheap, AllTypesMatch<["query_weight", "key_weight"]>]> {
  let summary = "root mean square normalisation of packed queries and keys";
  let description = [{
    `nn.rms_norm` of each head's queries, with `query_weight`, and keys, with
    `key_weight`; both have one element a column of a head. Values stay as they
    are. `rstd`, fp32, has one element per token and head of the packed columns,
    1 for values.

    ```mlir test/dialects/nn/syntax.mlir#head-norm
    %heads, %rstd3 = nn.head_norm %x, %head, %head heads 4 kv_heads 2 epsilon 1.0e-5
        : tensor<128x64xf32>, tensor<8xf32> -> tensor<128x8xf32>
    ```
  }];
  let arguments = (ins NN_Float:$qkv, NN_Float:$query_weight,
                       NN_Float:$key_weight, I64Attr:$heads, I64Attr:$kv_heads,
                       F64Attr:$epsilon);
  let results = (outs NN_Float:$result, NN_Float:$rstd);
  let assemblyFormat = [{
    $qkv `,` $query_weight `,` $key_weight custom<Heads>($heads, $kv_heads)
    `epsilon` $epsilon attr-dict `:` type($qkv) `,` type($query_weight) `->`
    type($rstd)
  }];
}

def NN_CrossEntropyOp : NN_DifferentiableOp<"cross_entropy", [
    NN_Decomposable, NN_OneStaysWide,
    AllTypesMatch<["scale", "loss"]>]> {
  let summary = "cross-entropy of logits against class indices";
  let description = [{
    loss = scale · sum_i (log sum_j exp(logits_ij) - logits_i,target_i) over
    the rows whose target is not negative. With scale = 1 / (targets that count
    in the global batch) the sums of all ranks and micro-batches add up to the
    mean, whatever the world. Logits of the other rows reach neither the loss
    nor a gradient, be they Inf or NaN, and their own gradient is 0.

    ```mlir test/dialects/nn/syntax.mlir#cross-entropy
    %loss = nn.cross_entropy %logits, %targets, %scale : tensor<128x256xf32>, tensor<128xi32>, tensor<f32>
    ```
  }];
  let arguments = (ins NN_Float:$logits, NN_Int:$targets, NN_Float:$scale);
  let results = (outs NN_Float:$loss);
  let assemblyFormat = [{
    $logits `,` $targets `,` $scale attr-dict `:` type($logits) `,`
    type($targets) `,` type($scale)
  }];
  let hasVerifier = 1;
}

def NN_LinearCrossEntropyOp : NN_DifferentiableOp<"linear_cross_entropy", [
    NN_OneStaysWide,
    AllTypesMatch<["scale", "loss"]>,
    AllTypesMatch<["input", "input_gradient"]>]> {
  let summary = "a model's head: the matmul with the classes and cross-entropy";
  let description = [{
    The loss of `nn.cross_entropy` for logits = input · weightᵀ, and with it the
    gradients of that loss, computed in chunks of rows so that the logits of all
    tokens never exist together (as in Liger's fused linear cross-entropy). The
    gradients come with the forward pass, since the logits are at hand then; the
    backward pass scales them by the loss's own gradient. The weight's gradient
    may be wider than the weight.

    ```mlir test/dialects/nn/syntax.mlir#linear-cross-entropy
    %loss2, %dx, %dw = nn.linear_cross_entropy %x, %table, %targets, %scale
        : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32>, tensor<f32> -> tensor<256x64xf32>
    ```
  }];
  let arguments = (ins NN_Float:$input, NN_Float:$weight, NN_Int:$targets,
                       NN_Float:$scale);
  let results = (outs NN_Float:$loss, NN_Float:$input_gradient,
                      NN_Float:$weight_gradient);
  let assemblyFormat = [{
    $input `,` $weight `,` $targets `,` $scale attr-dict `:` type($input) `,`
    type($weight) `,` type($targets) `,` type($scale) `->`
    type($weight_gradient)
  }];
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$input,
      "::mlir::Value":$weight, "::mlir::Value":$targets,
      "::mlir::Value":$scale), [{
    build($_builder, $_state, scale.getType(), input.getType(),
          weight.getType(), input, weight, targets, scale);
  }]>];
}

#endif // TESSERA_DIALECTS_NN_NNCOMPOSITEOPS_TD
