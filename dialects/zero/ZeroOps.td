//===- ZeroOps.td - Operations of the zero dialect ---------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_ZERO_ZEROOPS_TD
#define TESSERA_DIALECTS_ZERO_ZEROOPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/optimizer/OptimizerInterface.td"

def Zero_Dialect : Dialect {
  let name = "zero";
  let cppNamespace = "::tessera::zero";
  let summary = "Partitioned training states and the messages between ranks";
  let description = [{
    ZeRO (Rajbhandari et al., arXiv 1910.02054) as operations on tensors. A
    group is a flat bucket of parameters; its states (the parameters, their
    gradients, those of the optimizer, and the master of parameters in 16 bits)
    are kept whole or as one part per rank. A state is a name: `parameter`,
    `gradient`, `master`, or what the optimizer declares. Collectives start and are awaited later: a start gives its result and a token, a wait
    takes both and gives the complete result. Names and meaning follow
    upstream's `shard`: all_slice is the dual of all_gather. Counts are
    elements. See docs/rationale-zero.md.

    A program's function says by `zero.world` on how many ranks it runs and by
    `zero.stage` how its states are partitioned. With `zero.shard_ranks` the
    ranks form a grid of replicas x shards, the last axis consecutive (upstream's
    `shard.grid`): states are partitioned over as many ranks, and the replicas
    keep copies. A collective runs along one axis of it, or over all ranks. With
    `zero.secondary_ranks` ranges of as many ranks form a further axis, along
    which parameters are kept between the passes of a micro-batch. The numbers
    of ranks are from 1 to 65536, the stage from 0 to 3.
  }];
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let dependentDialects = ["::tessera::optimizer::OptimizerDialect"];
  let extraClassDeclaration = [{
    /// The attributes of a program's function, i64.
    static constexpr ::llvm::StringLiteral worldAttrName = "zero.world";
    static constexpr ::llvm::StringLiteral stageAttrName = "zero.stage";
    static constexpr ::llvm::StringLiteral shardRanksAttrName = "zero.shard_ranks";
    static constexpr ::llvm::StringLiteral secondaryRanksAttrName =
        "zero.secondary_ranks";
    /// Parameters start at multiples of this many elements in their group,
    /// and so do the parts of ranks.
    static constexpr int64_t elementAlignment = 16;
    /// The states of every optimizer.
    static constexpr ::llvm::StringLiteral parameterState = "parameter";
    static constexpr ::llvm::StringLiteral gradientState = "gradient";
    static constexpr ::llvm::StringLiteral masterState = "master";
    /// The state of an nn.cache, which is in no group.
    static constexpr ::llvm::StringLiteral cacheState = "cache";
    /// Elements that have one scale where parameters are quantized.
    static constexpr int64_t quantizedBlock = 256;
    /// No program runs on more ranks.
    static constexpr int64_t maxRanks = 65536;
  }];
}

def Zero_TokenType : TypeDef<Zero_Dialect, "Token"> {
  let mnemonic = "token";
  let summary = "a collective under way";
}

def Zero_Axis : I32EnumAttr<"Axis", "the ranks that a collective is among", [
  I32EnumAttrCase<"World", 0, "world">,
  I32EnumAttrCase<"Shards", 1, "shards">,
  I32EnumAttrCase<"Replicas", 2, "replicas">,
  I32EnumAttrCase<"Secondary", 3, "secondary">]> {
  let cppNamespace = "::tessera::zero";
}

def Zero_AxisAttr : DefaultValuedAttr<Zero_Axis, "Axis::World">;

def Zero_CollectiveOpInterface : OpInterface<"CollectiveOpInterface"> {
  let cppNamespace = "::tessera::zero";
  let description = [{
    The start of a collective: one tensor in, one tensor and a token out. All
    ranks of a program run the same sequence of these.
  }];
  let methods = [
    InterfaceMethod<"What this rank gives.", "::mlir::Value", "getSource",
      (ins), [{}], [{ return $_op->getOperand(0); }]>,
    InterfaceMethod<"What this rank gets; complete once awaited.",
      "::mlir::Value", "getDestination", (ins), [{}],
      [{ return $_op->getResult(0); }]>,
    InterfaceMethod<"What the wait consumes.", "::mlir::Value",
      "getStartToken", (ins), [{}], [{ return $_op->getResult(1); }]>,
    InterfaceMethod<"The ranks that it is among.", "::tessera::zero::Axis",
      "getAxis">,
    InterfaceMethod<"Elements of the whole buffer, over all ranks.", "int64_t",
      "getWholeElements", (ins), [{}], [{
        return std::max(
            ::llvm::cast<::mlir::ShapedType>($_op->getOperand(0).getType())
                .getNumElements(),
            ::llvm::cast<::mlir::ShapedType>($_op->getResult(0).getType())
                .getNumElements());
      }]>
  ];
}

class Zero_Op<string mnemonic, list<Trait> traits = []>
    : Op<Zero_Dialect, mnemonic, traits>;
class Zero_CollectiveOp<string mnemonic, list<Trait> traits = []>
    : Zero_Op<mnemonic, !listconcat([Zero_CollectiveOpInterface], traits)>;

def Zero_Float : StaticShapeTensorOf<[AnyFloat]>;
def Zero_Flat : ConfinedType<Zero_Float, [HasAnyRankOfPred<[1]>],
    "flat floating-point tensor of static shape", "::mlir::RankedTensorType">;
/// What may travel or lie in a state: floating-point numbers, or bytes that stand
/// for them.
def Zero_Message : ConfinedType<StaticShapeTensorOf<[AnyFloat, I8]>,
    [HasAnyRankOfPred<[1]>], "flat tensor of floating-point numbers or bytes, "
    "of static shape", "::mlir::RankedTensorType">;
def Zero_Bytes : ConfinedType<StaticShapeTensorOf<[I8]>, [HasAnyRankOfPred<[1]>],
    "flat tensor of bytes, of static shape", "::mlir::RankedTensorType">;
def Zero_UsesSymbols : DeclareOpInterfaceMethods<SymbolUserOpInterface>;

//===----------------------------------------------------------------------===//
// Groups and their states
//===----------------------------------------------------------------------===//

def Zero_GroupOp : Zero_Op<"group", [Symbol, Zero_UsesSymbols]> {
  let summary = "a flat bucket of parameters, the unit of partition";
  let description = [{
    Parameter i takes the elements from `offsets[i]`, those that programs read. Parameters are ordered by
    the classes that the optimizer treats differently: class c ends before element
    `class_ends[c]`, the last one at the group's end. `elements` is where the last
    parameter ends, `padded` what a rank that keeps the group whole stores. What
    lies between and behind the parameters is zero in every state. A `persistent`
    group's parameters are whole on every rank in stage 3, too.

    ```mlir test/dialects/zero/syntax.mlir#group
    zero.group @h.0 parameters [@w, @b] offsets [0, 48] elements 54 padded 64 class_ends [48]
    ```

    Constraints: offsets ascend without overlap and are multiples of 16, and so
    is `padded`; class ends ascend, each 0 or where a parameter ends; each
    parameter is in one group.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       FlatSymbolRefArrayAttr:$parameters,
                       DenseI64ArrayAttr:$offsets, I64Attr:$elements,
                       I64Attr:$padded,
                       DenseI64ArrayAttr:$class_ends, UnitAttr:$persistent);
  let assemblyFormat = [{
    $sym_name `parameters` $parameters `offsets` $offsets `elements` $elements
    `padded` $padded `class_ends` $class_ends
    (`persistent` $persistent^)? attr-dict
  }];
}

def Zero_LoadOp : Zero_Op<"load", [MemoryEffects<[MemRead]>,
                                   Zero_UsesSymbols]> {
  let summary = "the memory of a group's state";
  let description = [{
    The whole state (`padded` elements) or this rank's part (`padded` / world).
    The state `cache` is that of an nn.cache. Bytes are those of parameters in
    blocks, or of a cache.

    ```mlir test/dialects/zero/syntax.mlir#load
    %p = zero.load parameter @h.0 : tensor<64xf32>
    %c = zero.load cache @h.0.cache : tensor<1536xf32>
    ```
  }];
  let arguments = (ins Optimizer_StateName:$state, FlatSymbolRefAttr:$group);
  let results = (outs Zero_Message:$result);
  let assemblyFormat =
      "custom<StateName>($state) $group attr-dict `:` type($result)";
}

def Zero_StoreOp : Zero_Op<"store", [MemoryEffects<[MemWrite]>,
                                     Zero_UsesSymbols]> {
  let summary = "the next content of a group's state";
  let description = [{
    Copies nothing: the buffer of `value` is the state's memory, from where the
    value is defined.

    ```mlir test/dialects/zero/syntax.mlir#store
    zero.store moment1 @h.0, %m1 : tensor<32xf32>
    ```
  }];
  let arguments = (ins Optimizer_StateName:$state, FlatSymbolRefAttr:$group,
                       Zero_Message:$value);
  let assemblyFormat = [{
    custom<StateName>($state) $group `,` $value attr-dict `:` type($value)
  }];
}

def Zero_BucketOp : Zero_Op<"bucket", [Pure, Zero_UsesSymbols]> {
  let summary = "one tensor per parameter, laid out as the group is";
  let description = [{
    Each operand lies at its parameter's offset, the rest is zero. The operands
    are computed in place; only one that cannot be (a constant, a value that is
    in a bucket already) is copied.

    ```mlir test/dialects/zero/syntax.mlir#bucket
    %bucket = zero.bucket @h.0 (%dw, %db) : (tensor<6x8xf32>, tensor<6xf32>) -> tensor<64xf32>
    ```

    Constraints: the operands have the shapes of the group's parameters, in
    order, and one element type; the result has `padded` elements of it.
  }];
  let arguments = (ins FlatSymbolRefAttr:$group, Variadic<Zero_Float>:$parts);
  let results = (outs Zero_Flat:$result);
  let assemblyFormat = [{
    $group `(` $parts `)` attr-dict `:` functional-type($parts, $result)
  }];
}

//===----------------------------------------------------------------------===//
// Collectives
//===----------------------------------------------------------------------===//

def Zero_AllGatherOp : Zero_CollectiveOp<"all_gather", [Zero_UsesSymbols]> {
  let summary = "start to put together the parts of all ranks";
  let description = [{
    With `in_place` the source is this rank's part of the result's buffer.

    ```mlir test/dialects/zero/syntax.mlir#wait
    %full, %full_token = zero.all_gather @h.0, %p : tensor<16xf32> -> tensor<64xf32>
    %g = zero.wait %part, %part_token : tensor<16xf32>
    ```

    Along replicas the result is a shard. What `zero.quantize` has made of the
    parts is gathered as bytes:

    ```mlir test/dialects/zero/syntax.mlir#all-gather
    %full, %full_token = zero.all_gather @h.0, %p : tensor<16xf32> -> tensor<64xf32>
    ```

    Constraints: the result has `padded` elements (along replicas those of a
    shard) or, of bytes, those of all quantized shards; as many times the
    operand's as there are ranks.
  }];
  let arguments = (ins FlatSymbolRefAttr:$group, Zero_Message:$input,
                       UnitAttr:$in_place, Zero_AxisAttr:$axis);
  let results = (outs Zero_Message:$result, Zero_TokenType:$token);
  let assemblyFormat = [{
    $group `,` $input (`in_place` $in_place^)? (`along` $axis^)? attr-dict `:`
    type($input) `->` type($result)
  }];
  let builders = [OpBuilder<(ins "::llvm::StringRef":$group,
      "::mlir::Value":$input, "int64_t":$ranks, "bool":$in_place,
      CArg<"Axis", "Axis::World">:$axis)>];
}

def Zero_ReduceScatterOp : Zero_CollectiveOp<"reduce_scatter", [
    Zero_UsesSymbols]> {
  let summary = "start to sum over ranks, and to keep this rank's part";
  let description = [{
    The sum starts from rank 0's value and adds the others in rank order. With
    `in_place` the result is this rank's part of the operand's buffer. With
    `accumulate` that sum is added to the result's buffer, which persists over
    the micro-batches of a step and is cleared when the step begins.

    ```mlir test/dialects/zero/syntax.mlir#reduce-scatter
    %part, %part_token = zero.reduce_scatter @h.0, %bucket in_place : tensor<64xf32> -> tensor<32xf32>
    %g = zero.wait %part, %part_token : tensor<32xf32>
    ```

    Along replicas the operand is a shard.

    Constraints: the operand has `padded` elements (along replicas those of a
    shard), as many times the result's as there are ranks;
    `in_place` and `accumulate` exclude each other.
  }];
  let arguments = (ins FlatSymbolRefAttr:$group, Zero_Flat:$input,
                       UnitAttr:$in_place, UnitAttr:$accumulate,
                       Zero_AxisAttr:$axis);
  let results = (outs Zero_Flat:$result, Zero_TokenType:$token);
  let assemblyFormat = [{
    $group `,` $input (`in_place` $in_place^)? (`accumulate` $accumulate^)?
    (`along` $axis^)? attr-dict `:` type($input) `->` type($result)
  }];
  let builders = [OpBuilder<(ins "::llvm::StringRef":$group,
      "::mlir::Value":$input, "int64_t":$ranks, "bool":$in_place,
      "bool":$accumulate, CArg<"Axis", "Axis::World">:$axis)>];
  let hasVerifier = 1;
}

def Zero_AllReduceOp : Zero_CollectiveOp<"all_reduce", [
    AllTypesMatch<["input", "result"]>]> {
  let summary = "start to sum over ranks, everywhere";
  let description = [{
    The sum starts from rank 0's value and adds the others in rank order, in
    the operand's type.

    ```mlir test/dialects/zero/syntax.mlir#wait-2
    %sum, %sum_token = zero.all_reduce %squares : tensor<f64>
    %total = zero.wait %sum, %sum_token : tensor<f64>
    ```
  }];
  let arguments = (ins Zero_Float:$input, Zero_AxisAttr:$axis);
  let results = (outs Zero_Float:$result, Zero_TokenType:$token);
  let assemblyFormat = [{
    $input (`along` $axis^)? attr-dict `:` type($input)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$input,
      CArg<"Axis", "Axis::World">:$axis), [{
    build($_builder, $_state, input.getType(),
          TokenType::get($_builder.getContext()), input, axis);
  }]>];
}

def Zero_WaitOp : Zero_Op<"wait", [AllTypesMatch<["input", "result"]>]> {
  let summary = "the complete result of a collective";
  let description = [{
    The result is the buffer that the start gave. Once it is there, no other
    operation may use the start's result.

    Constraints: both operands come from one collective's start; each token is
    awaited exactly once.
  }];
  let arguments = (ins StaticShapeTensorOf<[AnyFloat, I8]>:$input,
                       Zero_TokenType:$token);
  let results = (outs StaticShapeTensorOf<[AnyFloat, I8]>:$result);
  let assemblyFormat = "$input `,` $token attr-dict `:` type($input)";
  let builders = [OpBuilder<(ins "::mlir::Value":$input,
      "::mlir::Value":$token), [{
    build($_builder, $_state, input.getType(), input, token);
  }]>];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The collective that is awaited.
    CollectiveOpInterface getStart() {
      return getToken().getDefiningOp<CollectiveOpInterface>();
    }
  }];
}

def Zero_ReleaseOp : Zero_Op<"release"> {
  let summary = "end of a gathered group";
  let description = [{
    Nothing may use the value, or a view of it, after this: its memory is free.

    Constraints: the operand is an awaited all_gather, or dequantized from one.
  }];
  let arguments = (ins Zero_Flat:$input);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Zero_KeepOp : Zero_Op<"keep", [Pure]> {
  let summary = "a copy of this rank's part of gathered parameters";
  let description = [{
    The part that all_slice would view, in memory of its own, so that it outlives
    the gathered parameters. A later all_gather along the same axis puts them
    together again.

    ```mlir test/dialects/zero/syntax.mlir#all-gather-2
    zero.release %w : tensor<64xf32>
    %kept = zero.keep %w along secondary : tensor<64xf32> -> tensor<32xf32>
    %again, %token = zero.all_gather @h.0, %kept along secondary : tensor<32xf32> -> tensor<64xf32>
    ```

    Of quantized parameters it is the bytes that are kept.

    Constraints: the operand is an awaited all_gather and has as many times the
    result's elements as there are ranks along the axis.
  }];
  let arguments = (ins Zero_Message:$input, Zero_AxisAttr:$axis);
  let results = (outs Zero_Message:$result);
  let assemblyFormat = [{
    $input (`along` $axis^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Zero_AllSliceOp : Zero_Op<"all_slice", [Pure]> {
  let summary = "this rank's part of a whole tensor, a view";
  let description = [{
    Elements rank · n to (rank + 1) · n, n being the result's count and the rank
    this one's place along the axis.

    ```mlir test/dialects/zero/syntax.mlir#all-slice
    %ps = zero.all_slice %p : tensor<64xf32> -> tensor<32xf32>
    ```

    Constraints: the operand has as many times the result's elements as there
    are ranks along the axis.
  }];
  let arguments = (ins Zero_Flat:$input, Zero_AxisAttr:$axis);
  let results = (outs Zero_Flat:$result);
  let assemblyFormat = [{
    $input (`along` $axis^)? attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Quantized parameters
//===----------------------------------------------------------------------===//

def Zero_QuantizeOp : Zero_Op<"quantize", [MemoryEffects<[MemRead]>]> {
  let summary = "this rank's parameters as bytes, to be gathered";
  let description = [{
    Block-wise symmetric quantization, as of the weights in ZeRO++ (Wang et al.,
    arXiv 2306.10209, section 3.1). Of each block b of 256 elements, from the
    part's beginning on (the last one may be shorter):

      scale_b = max |x| / 127
      q       = x / scale_b, rounded to the nearest whole number, ties to even

    so that |x - q · scale_b| is at most scale_b / 2, and 0 stays 0. The result
    is one message: all q, one byte each, then all scales, four bytes each, as
    they lie in memory. A block whose scale would be below the normal numbers
    becomes 0; one with a number that is not finite NaN.

    ```mlir test/dialects/zero/syntax.mlir#quantize
    %q = zero.quantize %p : tensor<32xf32> -> tensor<36xi8>
    ```

    It reads a state's memory, so that it is done again for each gather rather
    than kept from one to the next.

    Constraints: the operand has a multiple of 16 elements, n; the result has
    n + 4 · ceil(n / 256) bytes.
  }];
  let arguments = (ins Zero_Flat:$input);
  let results = (outs Zero_Bytes:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let builders = [OpBuilder<(ins "::mlir::Value":$input)>];
  let hasVerifier = 1;
}

def Zero_DequantizeOp : Zero_Op<"dequantize", [Pure]> {
  let summary = "parameters from the quantized parts of all ranks";
  let description = [{
    q · scale of each element, in fp32 and then rounded to the result's type.
    Each rank's own part has gone the same way as the others', so that all ranks
    compute with the same bits.

    ```mlir test/dialects/zero/syntax.mlir#dequantize
    %w = zero.dequantize %bytes parts 2 : tensor<72xi8> -> tensor<64xf32>
    ```

    Constraints: the operand is `parts` messages of zero.quantize, each of one
    of as many parts of the result.
  }];
  let arguments = (ins Zero_Bytes:$input, I64Attr:$parts);
  let results = (outs Zero_Flat:$result);
  let assemblyFormat = [{
    $input `parts` $parts attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// The optimizer
//===----------------------------------------------------------------------===//

def Zero_UpdateOp : Zero_Op<"update", [Pure, Zero_UsesSymbols]> {
  let summary = "one step of the optimizer on a group or this rank's part of it";
  let description = [{
    Element by element as the formula of `optimizer` says, on gradient · clip.
    `scalars` are the optimizer's numbers of this step. Class c, with
    `lr_scales[c]` times the step's learning rate and `weight_decays[c]`, ends
    before the element `ends[c]` of the operands, the last one with them.

    The results are the next parameter and states, which overwrite the operands.
    With mixed precision the parameter is the group's master, and a last result
    is the next one rounded to the type that programs compute with. A kernel,
    which serves all groups of one size, need name no group.

    ```mlir test/dialects/zero/syntax.mlir#update
    %p1, %m1, %v1 = zero.update @h.0, %ps, %g states %m, %v by %clip, %hyper
        using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
        lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
        : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
        -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
    ```

    Constraints: parameter, states and their results have one type, and the
    elements of the group, whole or in part; `clip` is a scalar, `scalars` has an
    element for each that the optimizer declares, `ends` one for each class but
    the last.
  }];
  let arguments = (ins OptionalAttr<FlatSymbolRefAttr>:$group,
                       Zero_Flat:$parameter, Zero_Flat:$gradient,
                       Variadic<Zero_Flat>:$states,
                       StaticShapeTensorOf<[F32]>:$clip,
                       StaticShapeTensorOf<[F32]>:$scalars,
                       StaticShapeTensorOf<[I64]>:$ends,
                       DenseF64ArrayAttr:$lr_scales,
                       DenseF64ArrayAttr:$weight_decays,
                       OptimizerAttrInterface:$optimizer);
  /// The next states, and what is rounded.
  let results = (outs Zero_Flat:$next_parameter, Variadic<Zero_Flat>:$rest);
  let assemblyFormat = [{
    ($group^ `,`)? $parameter `,` $gradient (`states` $states^)? `by` $clip `,`
    $scalars `using` $optimizer `ends` $ends `lr_scales` $lr_scales
    `weight_decays` $weight_decays attr-dict `:`
    functional-type(operands, results)
  }];
  let builders = [OpBuilder<(ins "GroupOp":$group, "::mlir::Value":$parameter,
      "::mlir::Value":$gradient, "::mlir::ValueRange":$states,
      "::mlir::Value":$clip, "::mlir::Value":$scalars, "::mlir::Value":$ends,
      "::llvm::ArrayRef<::tessera::optimizer::ClassParameters>":$classes,
      "::tessera::optimizer::OptimizerAttrInterface":$optimizer,
      "::mlir::Type":$rounded)>];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::ResultRange getNextStates() {
      return getRest().take_front(getStates().size());
    }
    /// Null where nothing is rounded.
    ::mlir::Value getRounded() {
      return getRest().size() > getStates().size() ? getRest().back()
                                                   : ::mlir::Value();
    }
    ::llvm::SmallVector<::tessera::optimizer::ClassParameters> getClasses();
    /// The operand that result \p result overwrites, or -1.
    int64_t getOverwrittenOperand(int64_t result);
  }];
}

#endif // TESSERA_DIALECTS_ZERO_ZEROOPS_TD
