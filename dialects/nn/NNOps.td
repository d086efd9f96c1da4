//===- NNOps.td - Operations of the nn dialect -------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNOPS_TD
#define TESSERA_DIALECTS_NN_NNOPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/nn/NNInterfaces.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::tessera::nn";
  let summary = "Parameters and the mathematics of models";
  let description = [{
    Tensors are static in shape. Elementwise arithmetic is `arith` and `math`
    on tensors, which upstream folds, prints and vectorises; this dialect adds
    what they lack: parameters, broadcast, reduction, products, and the
    composites that have a closed-form way back and a fused kernel. See
    docs/rationale-nn.md.

    Function arguments are named by the attribute `nn.input`, results by
    `nn.output`; the names are those of docs/manifest.md.
  }];
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

class NN_Op<string mnemonic, list<Trait> traits = []>
    : Op<NN_Dialect, mnemonic, traits>;
class NN_PureOp<string mnemonic, list<Trait> traits = []>
    : NN_Op<mnemonic, !listconcat([Pure], traits)>;
class NN_DifferentiableOp<string mnemonic, list<Trait> traits = []>
    : NN_PureOp<mnemonic, !listconcat(
        [DeclareOpInterfaceMethods<DifferentiableOpInterface>], traits)>;

/// See MovesElements in NN.h.
def NN_MovesElements : NativeOpTrait<"MovesElements"> {
  let cppNamespace = "::tessera::nn";
}
def NN_MixedPrecision : DeclareOpInterfaceMethods<MixedPrecisionOpInterface>;
def NN_OneStaysWide
    : DeclareOpInterfaceMethods<MixedPrecisionOpInterface, ["staysWide"]>;

/// Computing it takes about as long as reading its operands, so that doing it
/// again can be better than storing its result. Elementwise operations are so
/// without saying it.
def NN_Cheap : NativeOpTrait<"Cheap"> {
  let cppNamespace = "::tessera::nn";
}

def NN_Float : StaticShapeTensorOf<[AnyFloat]>;
def NN_Int : StaticShapeTensorOf<[I32]>;
def NN_Tensor : StaticShapeTensorOf<[AnyFloat, I32, I64, I1]>;
//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

def NN_Init : I32EnumAttr<"Init", "how a parameter starts", [
  I32EnumAttrCase<"Normal", 0, "normal">,
  I32EnumAttrCase<"Uniform", 1, "uniform">,
  I32EnumAttrCase<"Constant", 2, "constant">]> {
  let cppNamespace = "::tessera::nn";
}

def NN_ParameterOp : NN_Op<"parameter", [Symbol]> {
  let summary = "a trained tensor of the model";
  let description = [{
    `init` is `normal(standard deviation)`, `uniform(bound)` or
    `constant(value)`. A `decay`ed parameter takes part in weight decay.
    `group` names the unit of partition that it belongs to (by default a
    layer). The type is the one that the optimizer updates; where programs
    compute with a narrower element type, `as` says which.

    ```mlir
    nn.parameter @ln_f.weight : tensor<64xf32> init constant(1.0) group "final"
    nn.parameter @"h.0.mlp.weight" : tensor<256x64xf32> init normal(0.02) decay group "h.0" as bf16
    ```

    Constraints: the shape is static, the symbol stands at the module's top;
    `as` has fewer bits than the type.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type,
                       NN_Init:$init, F64Attr:$value, UnitAttr:$decay,
                       StrAttr:$group, OptionalAttr<TypeAttr>:$compute_type);
  let assemblyFormat = [{
    $sym_name `:` $type `init` $init `(` $value `)` (`decay` $decay^)?
    `group` $group (`as` $compute_type^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
    /// The type that programs read.
    ::mlir::RankedTensorType getValueType() {
      ::mlir::RankedTensorType type = getTensorType();
      return getComputeType() ? type.clone(*getComputeType()) : type;
    }
  }];
  let hasVerifier = 1;
}

def NN_GetParameterOp : NN_Op<"get_parameter", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a parameter";
  let description = [{
    ```mlir
    %w = nn.get_parameter @ln_f.weight : tensor<64xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$parameter attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// The general core
//===----------------------------------------------------------------------===//

def NN_BroadcastOp : NN_DifferentiableOp<"broadcast", [NN_Cheap, NN_MovesElements]> {
  let summary = "repeat a tensor along new dimensions";
  let description = [{
    Dimension i of the input becomes dimension `dims[i]` of the result; along
    all others it is repeated.

    ```mlir
    // A row vector along the rows of a matrix, and a value a row along its columns.
    %0 = nn.broadcast %bias dims [1] : tensor<64xf32> -> tensor<128x64xf32>
    %1 = nn.broadcast %mean dims [0] : tensor<128xf32> -> tensor<128x64xf32>
    ```

    Constraints: `dims` ascend; the sizes agree.
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$dims);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = [{
    $input `dims` $dims attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_Reduction : I32EnumAttr<"Reduction", "how values are reduced", [
  I32EnumAttrCase<"Sum", 0, "sum">,
  I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::tessera::nn";
}

def NN_ReduceOp : NN_DifferentiableOp<"reduce", [NN_Cheap]> {
  let summary = "sum or maximum along dimensions";
  let description = [{
    The reduced dimensions vanish. The gradient of a maximum goes to every
    element that equals it. Sums are taken in fp32 at least; the result may be
    wider than the operand.

    ```mlir
    %0 = nn.reduce sum %x dims [1] : tensor<128x64xf32> -> tensor<128xf32>
    ```
  }];
  let arguments = (ins NN_Reduction:$kind, NN_Float:$input,
                       DenseI64ArrayAttr:$dims);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $kind $input `dims` $dims attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_MatmulOp : NN_DifferentiableOp<"matmul", [NN_MixedPrecision]> {
  let summary = "product of two matrices";
  let description = [{
    result = op(a) · op(b), op being the transpose where the attribute stands.
    Sums are taken in fp32; the result may be wider than the operands.

    ```mlir
    // x [128, 64] times the transpose of w [256, 64].
    %0 = nn.matmul %x, %w transpose_b : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
    ```
  }];
  let arguments = (ins NN_Float:$a, NN_Float:$b, UnitAttr:$transpose_a,
                       UnitAttr:$transpose_b);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $a `,` $b (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)?
    attr-dict `:` type($a) `,` type($b) `->` type($result)
  }];
  let hasVerifier = 1;
}

def NN_ReshapeOp : NN_DifferentiableOp<"reshape", [NN_Cheap, NN_MovesElements]> {
  let summary = "the same elements in the same order under another shape";
  let arguments = (ins NN_Tensor:$input);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_TransposeOp : NN_DifferentiableOp<"transpose", [NN_Cheap, NN_MovesElements]> {
  let summary = "permute dimensions";
  let description = [{
    Dimension i of the result is dimension `permutation[i]` of the input.
  }];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = [{
    $input `by` $permutation attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_SliceOp : NN_DifferentiableOp<"slice", [NN_Cheap, NN_MovesElements]> {
  let summary = "a contiguous range of the rows (dimension 0)";
  let description = [{
    Rows `offset` to `offset` + the result's row count. It is a view: no
    element is copied.

    ```mlir
    %0 = nn.slice %x from 32 : tensor<128x64xf32> -> tensor<32x64xf32>
    ```
  }];
  let arguments = (ins NN_Tensor:$input, I64Attr:$offset);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = [{
    $input `from` $offset attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_ConcatOp : NN_DifferentiableOp<"concat", [NN_Cheap, NN_MovesElements]> {
  let summary = "tensors one after another along dimension 0";
  let description = [{
    The parts are computed in place wherever they can be, so that nothing is
    copied.
  }];
  let arguments = (ins Variadic<NN_Tensor>:$inputs);
  let results = (outs NN_Tensor:$result);
  let assemblyFormat = "$inputs attr-dict `:` type($inputs) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_GatherOp : NN_DifferentiableOp<"gather", [NN_MovesElements]> {
  let summary = "rows of a table by index (an embedding)";
  let description = [{
    Row i of the result is row `indices[i]` of the table. The runtime checks
    indices when it reads the data.

    ```mlir
    %0 = nn.gather %table, %tokens : tensor<256x64xf32>, tensor<128xi32> -> tensor<128x64xf32>
    ```
  }];
  let arguments = (ins NN_Float:$table, NN_Int:$indices);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $table `,` $indices attr-dict `:` type($table) `,` type($indices) `->`
    type($result)
  }];
  let hasVerifier = 1;
}

def NN_ScatterAddOp : NN_PureOp<"scatter_add", [AllTypesMatch<["init", "result"]>]> {
  let summary = "add rows into a table by index (gather's gradient)";
  let description = [{
    result = init, with row i of `rows` added to row `indices[i]`, in
    ascending order of i, so that the sum is the same on every run. The rows
    may be narrower than the table.
  }];
  let arguments = (ins NN_Float:$init, NN_Int:$indices, NN_Float:$rows);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $rows `,` $indices `into` $init attr-dict `:` type($rows) `,`
    type($indices) `,` type($init)
  }];
  let hasVerifier = 1;
}

def NN_IotaOp : NN_PureOp<"iota"> {
  let summary = "each element's index along a dimension";
  let arguments = (ins I64Attr:$dim);
  let results = (outs NN_Int:$result);
  let assemblyFormat = "$dim attr-dict `:` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Composites
//===----------------------------------------------------------------------===//

def NN_LayerNormOp : NN_DifferentiableOp<"layer_norm", [
    NN_Cheap, NN_OneStaysWide,
    AllTypesMatch<["input", "result"]>, AllTypesMatch<["weight", "bias"]>,
    AllTypesMatch<["mean", "rstd"]>]> {
  let summary = "layer normalisation over the last dimension";
  let description = [{
    result = (x - mean) · rstd · weight + bias, with mean and
    rstd = 1 / sqrt(variance + epsilon) of each row (Ba et al.,
    arXiv 1607.06450). `mean` and `rstd`, fp32, are kept for the way back.

    ```mlir
    %y, %mean, %rstd = nn.layer_norm %x, %w, %b epsilon 1.0e-5
        : tensor<128x64xf32>, tensor<64xf32> -> tensor<128xf32>
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

def NN_GeluOp : NN_DifferentiableOp<"gelu", [
    NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
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
    NN_Cheap, AllTypesMatch<["input", "gradient", "result"]>]> {
  let summary = "the gradient of nn.gelu with respect to its operand";
  let description = [{
    With t = tanh(a·x·(1 + b·x²)), a = 0.79788456, b = 0.044715:
    result = gradient · (0.5·x·(1 - t²)·(a + 3·a·b·x²) + 0.5·(1 + t)).

    ```mlir
    %dx = nn.gelu_grad %x, %dy : tensor<128x256xf32>
    ```
  }];
  let arguments = (ins NN_Float:$input, NN_Float:$gradient);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input `,` $gradient attr-dict `:` type($input)";
}

def NN_ReluOp : NN_DifferentiableOp<"relu", [
    NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
  let summary = "max(x, 0); its derivative at 0 is 0";
  let arguments = (ins NN_Float:$input);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def NN_SoftmaxOp : NN_DifferentiableOp<"softmax", [
    NN_Cheap, NN_MixedPrecision, SameOperandsAndResultType]> {
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
  dag shape = (ins I64Attr:$batch, I64Attr:$heads, NN_QKVLayout:$layout,
                   UnitAttr:$causal, UnitAttr:$alibi, F64Attr:$scale);
  code accessors = [{
    /// Batch rows, tokens a row, heads, columns a head.
    int64_t getSequence() { return getQkv().getType().getDimSize(0) / getBatch(); }
    int64_t getHeadDim() { return getQkv().getType().getDimSize(1) / (3 * getHeads()); }
    /// Column of head 0's queries (which = 0), keys (1) or values (2).
    int64_t getColumn(int64_t which) {
      return which * getHeadDim() *
             (getLayout() == QKVLayout::Interleaved ? 1 : getHeads());
    }
    /// Columns from one head's queries to the next one's.
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
    values as columns: `interleaved` is [heads, 3, head dim] (BLOOM),
    `blocked` is [3, heads, head dim] (GPT-2). For each row i of a head

      score_ij = scale · q_i · k_j + (alibi: slope_head · j),
      out_i = sum_j softmax_j(score_ij) v_j,

    over j ≤ i where `causal`. ALiBi's slopes are those of Press et al.
    (arXiv 2108.12409), with BLOOM's rule for head counts that are not a power
    of two. `lse`, [batch · heads, sequence], holds the log of each row's
    softmax denominator for the way back, in fp32, with ALiBi's bias counted
    from the query: slope_head · (j - i). No sequence x sequence matrix is ever
    stored (Dao et al., arXiv 2205.14135).

    ```mlir
    %out, %lse = nn.attention %qkv batch 2 heads 4 layout interleaved causal alibi scale 0.25
        : tensor<128x192xf32> -> tensor<128x64xf32>, tensor<8x64xf32>
    ```
  }];
  let arguments = !con((ins NN_Float:$qkv), shape);
  let results = (outs NN_Float:$result, NN_Float:$lse);
  let assemblyFormat = [{
    $qkv `batch` $batch `heads` $heads `layout` $layout (`causal` $causal^)?
    (`alibi` $alibi^)? `scale` $scale attr-dict `:` type($qkv) `->`
    type($result) `,` type($lse)
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

def NN_AttentionGradOp : NN_AttentionBase<"attention_grad", [
    AllTypesMatch<["qkv", "result"]>, AllTypesMatch<["out", "gradient"]>]> {
  let summary = "attention's gradient with respect to the packed columns";
  let description = [{
    Recomputes the probabilities from `lse`, tile by tile (Dao et al.,
    arXiv 2205.14135, algorithm 4); `result` is packed like `qkv`.
  }];
  let arguments = !con((ins NN_Float:$qkv, NN_Float:$out, NN_Float:$lse,
                            NN_Float:$gradient), shape);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $qkv `,` $out `,` $lse `,` $gradient `batch` $batch `heads` $heads `layout`
    $layout (`causal` $causal^)? (`alibi` $alibi^)? `scale` $scale attr-dict
    `:` type($qkv) `,` type($out) `,` type($lse)
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

def NN_CrossEntropyOp : NN_DifferentiableOp<"cross_entropy", [
    NN_OneStaysWide,
    AllTypesMatch<["scale", "loss"]>]> {
  let summary = "cross-entropy of logits against class indices";
  let description = [{
    loss = scale · sum_i (log sum_j exp(logits_ij) - logits_i,target_i) over
    the rows whose target is not negative. With scale = 1 / (targets that count
    in the global batch) the sums of all ranks and micro-batches add up to the
    mean, whatever the world. Logits of the other rows reach neither the loss
    nor a gradient, be they Inf or NaN, and their own gradient is 0.

    ```mlir
    %loss = nn.cross_entropy %logits, %targets, %scale
        : tensor<128x256xf32>, tensor<128xi32>, tensor<f32>
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
  let summary = "a model's head: product with the classes and cross-entropy";
  let description = [{
    The loss of `nn.cross_entropy` for logits = input · weightᵀ, and with it
    the gradients of that loss, computed in chunks of rows so that the logits
    of all tokens never exist together (as in Liger's fused linear
    cross-entropy). The gradients come with the forward pass, since the logits
    are at hand then; going back scales them by the loss's own gradient. The
    weight's gradient may be wider than the weight.

    ```mlir
    %loss, %dx, %dw = nn.linear_cross_entropy %x, %w, %targets, %scale
        : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32>, tensor<f32>
        -> tensor<256x64xf32>
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

//===----------------------------------------------------------------------===//
// Training
//===----------------------------------------------------------------------===//

def NN_SectionOp : NN_Op<"section"> {
  let summary = "where a stretch of a program begins";
  let description = [{
    A program is straight-line; sections cut it into the entries that the
    runtime calls in turn: what stands before the first one and under "micro"
    runs once a micro-batch, "reduce" and "update" once a step.
  }];
  let arguments = (ins StrAttr:$name);
  let assemblyFormat = "$name attr-dict";
}

def NN_CheckpointOp : NN_PureOp<"checkpoint", [
    NN_MovesElements, SameOperandsAndResultType]> {
  let summary = "a kept value, from which others are computed again";
  let description = [{
    The operand itself. What is computed from the result is not what was
    computed from the operand: no pass may merge the two, or the first would
    be kept for the second, which is what computing again is to spare (Chen et
    al., arXiv 1604.06174). `of` names the stretch of the forward pass that is
    computed again. It is a view: nothing is copied.

    ```mlir
    %kept = nn.checkpoint %x of "h.3" : tensor<128x64xf32>
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

def NN_SumSquaresOp : NN_PureOp<"sum_squares"> {
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

    ```mlir
    %0 = nn.partial_sum_squares %g : tensor<100000xf32> -> tensor<2xf64>
    ```
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs StaticShapeTensorOf<[F64]>:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let extraClassDeclaration = [{
    /// Elements of a block.
    static constexpr int64_t kBlock = 65536;
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$input), [{
    int64_t elements =
        ::llvm::cast<::mlir::ShapedType>(input.getType()).getNumElements();
    build($_builder, $_state,
          ::mlir::RankedTensorType::get({(elements + kBlock - 1) / kBlock},
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
  let summary = "one AdamW step of a parameter";
  let description = [{
    AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv
    1711.05101), on the gradient times `clip`. `hyper` holds lr, 1 - beta1^t
    and 1 - beta2^t; betas, epsilon and decay are the specification's. Each
    parameter has exactly one.
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter, NN_Float:$gradient,
                       NN_Float:$clip, NN_Float:$hyper);
  let assemblyFormat = [{
    $parameter `by` $gradient `,` $clip `,` $hyper attr-dict `:`
    type($gradient) `,` type($clip) `,` type($hyper)
  }];
}

#endif // TESSERA_DIALECTS_NN_NNOPS_TD
