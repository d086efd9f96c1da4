//===- NNCoreOps.td - Parameters and the general core ------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNCOREOPS_TD
#define TESSERA_DIALECTS_NN_NNCOREOPS_TD

include "dialects/nn/NNBase.td"

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

def NN_Init : I32EnumAttr<"Init", "how a parameter starts", [
  I32EnumAttrCase<"Normal", 0, "normal">,
  I32EnumAttrCase<"Uniform", 1, "uniform">,
  I32EnumAttrCase<"Constant", 2, "constant">]> {
  let cppNamespace = "::tessera::nn";
}

def NN_Panels : I32EnumAttr<"Panels", "what a packed matrix has panels of", [
  I32EnumAttrCase<"Rows", 0, "rows">,
  I32EnumAttrCase<"Columns", 1, "columns">]> {
  let cppNamespace = "::tessera::nn";
}

def NN_ParameterOp : NN_Op<"parameter", [Symbol]> {
  let summary = "a trained tensor of the model";
  let description = [{
    `init` is `normal(standard deviation)`, `uniform(bound)` or
    `constant(value)`. A `decay`ed parameter takes part in weight decay.
    `group` names the unit of partition that it belongs to (by default a
    layer). The type is the one that the optimizer updates; where programs
    compute with a narrower element type, `as` says which. Files of weights may
    hold it as `parts`, tensors of their own: whole rows (dimension 0), given by
    their count, which follow one another and together are the parameter. One that
    is `packed` lies in memory in panels of its rows or of its columns
    (runtime/program/PackedWeights.h); its type and files are those of others. Of
    a matrix that programs only read, `blocks along` a dimension says that they
    read bytes: 8-bit integers in blocks along it, laid out as WeightBlocks.h
    says. It then is what nn.quantized_matmul sums over.

    ```mlir test/dialects/nn/syntax.mlir#parameter
    nn.parameter @ln_f.weight : tensor<64xf32> init constant(1.0) group "final"
    nn.parameter @"h.0.mlp.weight" : tensor<256x64xf32> init normal(0.02) decay group "h.0"
    nn.parameter @qkv.weight : tensor<6x4xf32> init normal(0.02) decay group "h.0" as bf16 parts ["q.weight" 4, "k.weight" 1, "v.weight" 1]
    ```

    Constraints: the shape is static, the symbol stands at the module's top;
    `as` has fewer bits than the type; the rows of `parts` are positive and add
    up to dimension 0, and no other part or parameter of the module has their
    names; what is `packed` is a matrix; `blocks` are of a matrix without `as`,
    which is not `packed` and has no `parts` along their dimension.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type,
                       NN_Init:$init, F64Attr:$value, UnitAttr:$decay,
                       StrAttr:$group, OptionalAttr<TypeAttr>:$compute_type,
                       OptionalAttr<StrArrayAttr>:$part_names,
                       OptionalAttr<DenseI64ArrayAttr>:$part_rows,
                       OptionalAttr<NN_Panels>:$packed,
                       OptionalAttr<I64Attr>:$blocks_along);
  let assemblyFormat = [{
    $sym_name `:` $type `init` $init `(` $value `)` (`decay` $decay^)?
    `group` $group (`as` $compute_type^)?
    (`blocks` `along` $blocks_along^)?
    (`parts` custom<Parts>($part_names, $part_rows)^)?
    (`packed` $packed^)? attr-dict
  }];
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
    /// The type that programs read.
    ::mlir::RankedTensorType getValueType();
  }];
  let hasVerifier = 1;
}

def NN_GetParameterOp : NN_Op<"get_parameter", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a parameter";
  let description = [{
    ```mlir test/dialects/nn/syntax.mlir#get-parameter
    %w = nn.get_parameter @ln_f.weight : tensor<64xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs NN_Stored:$result);
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

    ```mlir test/dialects/nn/syntax.mlir#broadcast
    // A row vector along the rows of a matrix.
    %rows = nn.broadcast %bias dims [1] : tensor<64xf32> -> tensor<128x64xf32>
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

    ```mlir test/dialects/nn/syntax.mlir#reduce
    %sum = nn.reduce sum %x dims [1] : tensor<128x64xf32> -> tensor<128xf32>
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
  let summary = "matrix product of two tensors";
  let description = [{
    result = op(a) · op(b), op being the transpose where the attribute stands.
    Sums are taken in fp32; the result may be wider than the operands.

    ```mlir test/dialects/nn/syntax.mlir#matmul
    // x [128, 64] times the transpose of a table [256, 64].
    %y = nn.matmul %x, %table transpose_b : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
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

    ```mlir test/dialects/nn/syntax.mlir#slice
    %part = nn.slice %x from 32 : tensor<128x64xf32> -> tensor<32x64xf32>
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

def NN_SplitColumnsOp : NN_DifferentiableOp<"split_columns", [
    NN_Decomposable, NN_Cheap, NN_MixedPrecision]> {
  let summary = "the last dimension in parts of one width";
  let description = [{
    Part i holds columns i · width to (i + 1) · width - 1 of each row. No part is
    stored: kernels read the operand where they need a part's elements.

    ```mlir test/dialects/nn/syntax.mlir#split-columns
    %left, %right = nn.split_columns %x : tensor<128x64xf32> -> tensor<128x32xf32>, tensor<128x32xf32>
    ```
  }];
  let arguments = (ins NN_Float:$input);
  let results = (outs Variadic<NN_Float>:$parts);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($parts)";
  let hasVerifier = 1;
}

def NN_SliceColumnsOp : NN_PureOp<"slice_columns", [NN_Cheap, NN_MovesElements]> {
  let summary = "one part of nn.split_columns";
  let description = [{
    Columns `offset` to `offset` + the result's width - 1 of each row.

    Constraints: the operand's width and the offset are multiples of the result's
    width.
  }];
  let arguments = (ins NN_Float:$input, I64Attr:$offset);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $input `from` $offset attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_ConcatColumnsOp
    : NN_DifferentiableOp<"concat_columns", [NN_Cheap, NN_MovesElements]> {
  let summary = "parts of one width side by side along the last dimension";
  let description = [{
    The reverse of `nn.split_columns`. A kernel that computes the parts stores
    them in their places, so that nothing is copied.

    ```mlir test/dialects/nn/syntax.mlir#concat-columns
    %joined = nn.concat_columns %left, %right : tensor<128x32xf32>, tensor<128x32xf32> -> tensor<128x64xf32>
    ```
  }];
  let arguments = (ins Variadic<NN_Float>:$inputs);
  let results = (outs NN_Float:$result);
  let assemblyFormat = "$inputs attr-dict `:` type($inputs) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NN_GatherOp : NN_DifferentiableOp<"gather", [NN_MovesElements]> {
  let summary = "rows of a table by index (an embedding)";
  let description = [{
    Row i of the result is row `indices[i]` of the table. The runtime checks
    indices when it reads the data.

    ```mlir test/dialects/nn/syntax.mlir#gather
    %embedded = nn.gather %table, %tokens : tensor<256x64xf32>, tensor<128xi32> -> tensor<128x64xf32>
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

def NN_RandomBitsOp : NN_PureOp<"random_bits"> {
  let summary = "32 random bits an element, by counter";
  let description = [{
    Element c of row r is word c mod 4 of Philox4x32-10 (Salmon, Moraes, Dror,
    Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC11) with

      counter = (p · ceil(columns / 4) + c div 4, id, step, draw), key = key,

    rows being all dimensions but the last. `stream` holds step, draw and the
    two words of the key, in this order. With `samples`, one id each, the rows
    are dealt to them evenly and in order: id is that of r's sample and p is r's
    place in it. Without them id = r and p = 0. An element's bits thus depend on
    nothing but its place in its sample, and computing them again gives the same.

    ```mlir test/dialects/nn/syntax.mlir#random-bits
    // Rows 0 to 63 are of the first sample, rows 64 to 127 of the second.
    %bits = nn.random_bits %stream, %samples : tensor<1x4xi32>, tensor<2xi32> -> tensor<128x64xi32>
    ```
  }];
  let arguments = (ins NN_Int:$stream, Optional<NN_Int>:$samples);
  let results = (outs NN_Int:$result);
  let assemblyFormat = [{
    $stream (`,` $samples^)? attr-dict `:` type($stream)
    (`,` type($samples)^)? `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// Rows that follow one another in a sample.
    int64_t getRowsOfSample() {
      ::llvm::ArrayRef<int64_t> shape = getResult().getType().getShape();
      return getSamples() ? getResult().getType().getNumElements() /
                                shape.back() /
                                getSamples().getType().getDimSize(0)
                          : 1;
    }
    /// Counters that a row takes.
    int64_t getCallsOfRow() {
      return (getResult().getType().getShape().back() + 3) / 4;
    }
  }];
  let hasVerifier = 1;
}

#endif // TESSERA_DIALECTS_NN_NNCOREOPS_TD
