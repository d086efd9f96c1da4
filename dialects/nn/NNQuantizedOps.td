//===- NNQuantizedOps.td - Products of 8-bit integers ------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A weight that a program only reads may be bytes: blocks of 32 integers with
// one scale (nn.parameter's `blocks along`, WeightBlocks.h). Rows become such
// blocks, too, so that sums within a block are exact in 32 bits.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNQUANTIZEDOPS_TD
#define TESSERA_DIALECTS_NN_NNQUANTIZEDOPS_TD

include "dialects/nn/NNBase.td"

def NN_QuantizeRowsOp : NN_PureOp<"quantize_rows", [NN_OneStaysWide]> {
  let summary = "rows as 8-bit integers with a scale for each 32";
  let description = [{
    Block b of a row x has the scale s = max |x| / 127 over its 32 numbers, in
    fp32, and the integers q = round(x / s), to even at halves; where s is no
    normal number it is 0, and so are they. What a last block lacks is 0.
    `offsets` are -128 · Σ q of each block: what the dot products of
    nn.quantized_matmul begin with, whose weights are stored plus 128. Rows from
    `count` on are not there and have any result.

    ```mlir test/dialects/nn/quantized.mlir#quantize-rows
    %q, %s, %o = nn.quantize_rows %x count %n : tensor<8x80xbf16>, tensor<1xi32>
        -> tensor<8x96xi8>, tensor<8x3xf32>, tensor<8x3xi32>
    ```
  }];
  let arguments = (ins NN_Float:$input, Optional<NN_Int>:$count);
  let results = (outs NN_Bytes:$result, StaticShapeTensorOf<[F32]>:$scales,
                      NN_Int:$offsets);
  let assemblyFormat = [{
    $input (`count` $count^)? attr-dict `:` type($input) (`,` type($count)^)?
    `->` type($result) `,` type($scales) `,` type($offsets)
  }];
  let builders = [OpBuilder<(ins "::mlir::Value":$input,
                                 "::mlir::Value":$count)>];
  let hasVerifier = 1;
}

def NN_QuantizedMatmulOp : NN_PureOp<"quantized_matmul", [
    NN_OneStaysWide, AttrSizedOperandSegments]> {
  let summary = "matrix product of rows and weights in blocks";
  let description = [{
    Column c of row r is

      Σ_b (s_rb · Σ_i q_rbi w_bic) · t_bc + bias_c

    over blocks b in order, Σ_i exact in integers and the rest in fp32, a
    multiplication and a multiply-add a block: s and q are what
    nn.quantize_rows gives, w and t the integers and scales of the weight's
    column. Each weight is read once for all rows, and a row's result does not
    depend on other rows, on their number or on its place among them. Rows from
    `count` on are not there and have any result.

    ```mlir test/dialects/nn/quantized.mlir#quantized-matmul
    %y = nn.quantized_matmul %q, %s, %o, %w count %n bias %bias
        : (tensor<8x96xi8>, tensor<8x3xf32>, tensor<8x3xi32>, tensor<3328xi8>, tensor<1xi32>, tensor<20xbf16>)
        -> tensor<8x20xbf16>
    ```

    Constraints: operands have as many blocks as the weight, whose bytes are those
    of the result's columns.
  }];
  let arguments = (ins NN_Bytes:$rows, StaticShapeTensorOf<[F32]>:$scales,
                       NN_Int:$offsets, NN_Bytes:$weight,
                       Optional<NN_Int>:$count, Optional<NN_Float>:$bias);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $rows `,` $scales `,` $offsets `,` $weight (`count` $count^)?
    (`bias` $bias^)? attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    int64_t getRowCount() { return getResult().getType().getDimSize(0); }
    int64_t getColumns() { return getResult().getType().getDimSize(1); }
    /// With what the last block lacks.
    int64_t getInner() { return getRows().getType().getDimSize(1); }
  }];
  let hasVerifier = 1;
}

def NN_QuantizedGatherOp : NN_PureOp<"quantized_gather", [NN_MixedPrecision]> {
  let summary = "columns of weights in blocks by index, as rows (an embedding)";
  let description = [{
    Row i of the result is column `indices[i]` of the weight, which has as many as
    `columns` says: q · t of each integer and its block's scale.

    ```mlir test/dialects/nn/quantized.mlir#quantized-gather
    %g = nn.quantized_gather %w, %ids columns 20 : tensor<3328xi8>, tensor<8xi32> -> tensor<8x80xbf16>
    ```
  }];
  let arguments = (ins NN_Bytes:$table, NN_Int:$indices, I64Attr:$columns);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $table `,` $indices `columns` $columns attr-dict `:` type($table) `,`
    type($indices) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // TESSERA_DIALECTS_NN_NNQUANTIZEDOPS_TD
