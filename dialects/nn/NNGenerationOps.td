//===- NNGenerationOps.td - What generates text ------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program that generates has rows that are tokens of several texts. Each text
// has a slot of the cache, which keeps the keys and values of its tokens. Row r
// is the token at `positions[r]` of the text in `slots[r]`; of the rows as many
// are there as `count` says, and the others may hold anything.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNGENERATIONOPS_TD
#define TESSERA_DIALECTS_NN_NNGENERATIONOPS_TD

include "dialects/nn/NNCompositeOps.td"

def NN_CacheOp : NN_Op<"cache", [Symbol]> {
  let summary = "keys and values of a layer that programs keep";
  let description = [{
    [2, slots, key heads, context, head dim]: the keys, then the values. It
    lasts from one run of a program to the next, and all programs of the module
    have it in one place. What it holds where nothing has been written is not
    defined. Where the numbers are bytes another cache has a scale for each
    position, as its only column.

    ```mlir test/dialects/nn/generation.mlir#cache
    nn.cache @h.0.cache : tensor<2x3x2x16x8xf32>
    ```

    Constraints: the shape is static, the symbol stands at the module's top.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type);
  let assemblyFormat = "$sym_name `:` $type attr-dict";
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
  }];
  let hasVerifier = 1;
}

def NN_GetCacheOp : NN_Op<"get_cache", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "what a cache holds";
  let description = [{
    ```mlir test/dialects/nn/generation.mlir#get-cache
    %0 = nn.get_cache @h.0.cache : tensor<2x3x2x16x8xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$cache);
  let results = (outs NN_Stored:$result);
  let assemblyFormat = "$cache attr-dict `:` type($result)";
}

def NN_SetCacheOp : NN_Op<"set_cache", [
    NN_MixedPrecision, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "what a cache holds from here on";
  let description = [{
    ```mlir test/dialects/nn/generation.mlir#set-cache
    nn.set_cache @h.0.cache, %1 : tensor<2x3x2x16x8xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$cache, NN_Stored:$value);
  let assemblyFormat = "$cache `,` $value attr-dict `:` type($value)";
}

class NN_CachedOp<string mnemonic, list<Trait> traits = []>
    : NN_PureOp<mnemonic, !listconcat([NN_OneStaysWide], traits)> {
  dag rows = (ins NN_Float:$qkv, NN_Stored:$cache, NN_Int:$slots,
                  NN_Int:$positions, NN_Int:$count,
                  Optional<NN_Float>:$scales, I64Attr:$heads,
                  NN_QKVLayout:$layout);
  code accessors = [{
    int64_t getRows() { return getQkv().getType().getDimSize(0); }
    int64_t getSlotCount() { return getCache().getType().getDimSize(1); }
    int64_t getKeyHeads() { return getCache().getType().getDimSize(2); }
    /// Positions of a slot.
    int64_t getSlotLength() { return getCache().getType().getDimSize(3); }
    int64_t getHeadDim() { return getCache().getType().getDimSize(4); }
    /// Column of head 0's queries (which = 0), keys (1) or values (2).
    int64_t getColumn(int64_t which) {
      if (getLayout() == QKVLayout::Interleaved || which == 0)
        return which * getHeadDim();
      return (getHeads() + (which - 1) * getKeyHeads()) * getHeadDim();
    }
    /// Columns from one head's queries, keys or values to the next one's.
    int64_t getHeadStride() {
      return getHeadDim() * (getLayout() == QKVLayout::Interleaved ? 3 : 1);
    }
  }];
}

def NN_CacheWriteOp : NN_CachedOp<"cache_write", [
    AllTypesMatch<["cache", "result"]>]> {
  let summary = "put the keys and values of rows into their slots";
  let description = [{
    The cache, with the keys and values that `qkv` packs at the slots and
    positions of the rows that are there. It overwrites its operand. `layout` is
    that of nn.attention; with `blocked` the columns are [heads + 2 · key heads,
    head dim].

    ```mlir test/dialects/nn/generation.mlir#cache-write
    %1 = nn.cache_write %qkv into %0 at %slots, %at count %count heads 4 layout blocked
        : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
    ```

    A cache of bytes gets a head's keys or values x of a position as
    q = round(x / s), to even at halves, and their scale s, max |x| / 127 rounded
    up to the type of `scales`, [2, slots, key heads, context, 1], which this
    overwrites as well.
  }];
  let arguments = rows;
  let results = (outs NN_Stored:$result, Optional<NN_Float>:$next_scales);
  let assemblyFormat = [{
    $qkv `into` $cache (`scaled` $scales^)? `at` $slots `,` $positions `count`
    $count `heads` $heads `layout` $layout attr-dict `:` type($qkv) `,`
    type($cache) `,` type($slots) `,` type($positions) `,` type($count)
    (`,` type($scales)^)? (`->` type($next_scales)^)?
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

def NN_CachedAttentionOp : NN_CachedOp<"cached_attention"> {
  let summary = "attention of rows to what their slots keep";
  let description = [{
    The query of row r, at position p, attends to the keys at positions j ≤ p of
    its slot, with a window of W to those with p - W < j:

      score_j = scale · q · k_j + (alibi: slope_head · (j - p)),
      out = sum_j softmax_j(score_j) v_j.

    Query head h reads key head h · K div H of K and H heads. A row's result
    depends on nothing but its query and these keys and values, to the bit. Rows
    that are not there have any result. `one_slot` says that all rows are tokens
    of one slot, at positions that follow one another. Of a cache of bytes k and v
    are q · s with the `scales` of nn.cache_write.

    ```mlir test/dialects/nn/generation.mlir#cached-attention
    %2 = nn.cached_attention %qkv, %1 at %slots, %at count %count heads 4 layout blocked alibi window 5 scale 0.5
        : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
    ```
  }];
  let arguments = !con(rows, (ins UnitAttr:$alibi, F64Attr:$scale,
                                  OptionalAttr<I64Attr>:$window,
                                  UnitAttr:$one_slot));
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $qkv `,` $cache (`scaled` $scales^)? `at` $slots `,` $positions `count`
    $count `heads` $heads `layout` $layout (`one_slot` $one_slot^)?
    (`alibi` $alibi^)? (`window` $window^)? `scale` $scale attr-dict `:`
    type($qkv) `,` type($cache) `,` type($slots) `,` type($positions) `,`
    type($count) (`,` type($scales)^)? `->` type($result)
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

def NN_RowMatmulOp : NN_PureOp<"row_matmul"> {
  let summary = "matrix product of few rows";
  let description = [{
    result = a · op(b) + bias for the rows that are there, op being the
    transpose where the attribute stands. Each weight is read once for all rows,
    and each element is one sum in fp32, in an order that the shape of b alone
    decides: a row's result does not depend on other rows, on their number or on
    its place among them. Where b is `packed`, it is a packed parameter, in panels
    of its rows with `transpose_b`, else of its columns.

    ```mlir test/dialects/nn/generation.mlir#row-matmul
    %3 = nn.row_matmul %2, %w count %count transpose_b bias %b
        : tensor<4x32xf32>, tensor<5x32xf32>, tensor<1xi32>, tensor<5xf32> -> tensor<4x5xf32>
    ```
  }];
  let arguments = (ins NN_Float:$a, NN_Float:$b, NN_Int:$count,
                       Optional<NN_Float>:$bias, UnitAttr:$transpose_b,
                       UnitAttr:$packed);
  let results = (outs NN_Float:$result);
  let assemblyFormat = [{
    $a `,` $b `count` $count (`transpose_b` $transpose_b^)? (`packed` $packed^)?
    (`bias` $bias^)? attr-dict `:` type($a) `,` type($b) `,` type($count) (`,` type($bias)^)?
    `->` type($result)
  }];
  let extraClassDeclaration = [{
    int64_t getRows() { return getA().getType().getDimSize(0); }
    int64_t getInner() { return getA().getType().getDimSize(1); }
    int64_t getColumns() { return getResult().getType().getDimSize(1); }
  }];
  let hasVerifier = 1;
}

def NN_PackedGatherOp : NN_PureOp<"packed_gather"> {
  let summary = "rows of a packed table by index";
  let description = [{
    nn.gather of a parameter that is packed in panels of its rows: row i of the
    result is row `indices[i]` of the table.

    ```mlir test/dialects/nn/generation.mlir#packed-gather
    %6 = nn.packed_gather %w, %slots : tensor<5x32xf32>, tensor<4xi32> -> tensor<4x32xf32>
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

#endif // TESSERA_DIALECTS_NN_NNGENERATIONOPS_TD
