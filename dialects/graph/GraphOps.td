//===- GraphOps.td - Operations of the graph dialect -------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_GRAPH_GRAPHOPS_TD
#define TESSERA_DIALECTS_GRAPH_GRAPHOPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/nn/NNInterfaces.td"

def Graph_Dialect : Dialect {
  let name = "graph";
  let cppNamespace = "::tessera::graph";
  let summary = "Graphs as values, and aggregation over them";
  let description = [{
    A graph is a value that the runtime makes once, when it reads the data:
    compressed rows and their transpose, with edge weights. No operation stores
    a message per edge. See docs/rationale-graph.md.
  }];
  let useDefaultTypePrinterParser = 1;
}

def Graph_CSRType : TypeDef<Graph_Dialect, "CSR"> {
  let mnemonic = "csr";
  let summary = "a weighted graph, or any sparse matrix: compressed rows and "
                "those of the transpose";
  let description = [{
    `!graph.csr<2708x2708, 13264>` is a matrix of 2708 rows and 2708 columns with
    room for 13264 entries; how many there are, the arrays say where rows start.
    A graph is the square matrix whose row i lists the sources of the edges into
    node i, loops included; features that are mostly 0 are one of a row for each
    node and a column for each feature.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns,
      "int64_t":$entries);
  let assemblyFormat = "`<` custom<Shape>($rows, $columns) `,` $entries `>`";
}

class Graph_Op<string mnemonic, list<Trait> traits = []>
    : Op<Graph_Dialect, mnemonic, !listconcat([Pure], traits)>;

def Graph_Float : StaticShapeTensorOf<[AnyFloat]>;
def Graph_Int : StaticShapeTensorOf<[I32]>;

def Graph_CSROp : Graph_Op<"csr", [AttrSizedOperandSegments]> {
  let summary = "a graph from the arrays of its rows and of its columns";
  let description = [{
    `row_ptr` [rows + 1], `col` [entries] and `weight` [entries] list the entries
    by row, edges by target; `row_ptr_t` [columns + 1] and the other arrays with
    `_t` are those of the transpose, all three or none where nothing reads it.

    ```mlir test/dialects/graph/canonicalize.mlir#csr
    %g = graph.csr %row_ptr, %col, %weight transposed %row_ptr_t, %col_t, %weight_t : !graph.csr<4x4, 10>
    ```
  }];
  let arguments = (ins Graph_Int:$row_ptr, Graph_Int:$col, Graph_Float:$weight,
                       Optional<Graph_Int>:$row_ptr_t,
                       Optional<Graph_Int>:$col_t,
                       Optional<Graph_Float>:$weight_t);
  let results = (outs Graph_CSRType:$graph);
  let extraClassDeclaration = [{
    bool hasTranspose() { return static_cast<bool>(getRowPtrT()); }
  }];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Graph_AggregateOp
    : Graph_Op<
          "aggregate", [DeclareOpInterfaceMethods<DifferentiableOpInterface>,
                        InferTypeOpAdaptor]> {
  let summary = "weighted sum of the neighbours' rows";
  let description = [{
    result_i = sum over edges j → i of weight_ji · input_j, in the order of the
    compressed row, so that the sum is the same on every run; with `transpose`
    over edges i → j, which is its own gradient (Kipf and Welling, arXiv
    1609.02907, equation 2, with the normalised adjacency as weights).

    It is the product of a sparse matrix [rows, columns] and `input` [columns,
    f]: the result is [rows, f]. With `transpose` it is that of the transpose:
    from [rows, f] to [columns, f].

    ```mlir test/dialects/graph/canonicalize.mlir#aggregate
    %0 = graph.aggregate %g, %x : !graph.csr<4x4, 10>, tensor<4x16xf32>
    ```
  }];
  let arguments = (ins Graph_CSRType:$graph, Graph_Float:$input,
                       UnitAttr:$transpose);
  let results = (outs Graph_Float:$result);
  let assemblyFormat = [{
    $graph `,` $input (`transpose` $transpose^)? attr-dict `:`
    qualified(type($graph)) `,` type($input)
  }];
}

def Graph_MaxOp
    : Graph_Op<"max", [DeclareOpInterfaceMethods<DifferentiableOpInterface>,
                       InferTypeOpAdaptor]> {
  let summary = "largest of the neighbours' rows, in each column";
  let description = [{
    result_i = max over edges j → i of input_j, of each column by itself; 0
    where node i has no such edge (Hamilton, Ying and Leskovec, arXiv
    1706.02216, section 3.3, without its linear layer). Weights of edges are not
    read.

    The gradient of a column is split evenly among the edges from neighbours
    that have the largest number, as PyTorch's scatter_reduce has it: an edge
    that is there twice counts twice. Which they are, the backward pass finds by
    comparing again, once over rows to count them (`graph.max_ties`) and once
    over columns (`graph.max_gradient`).

    ```mlir test/dialects/graph/syntax.mlir#max
    %y = graph.max %g, %x : !graph.csr<4x9, 12>, tensor<9x16xf32>
    ```
  }];
  let arguments = (ins Graph_CSRType:$graph, Graph_Float:$input);
  let results = (outs Graph_Float:$result);
  let assemblyFormat = [{
    $graph `,` $input attr-dict `:` qualified(type($graph)) `,` type($input)
  }];
}

def Graph_MaxTiesOp : Graph_Op<"max_ties", [AllTypesMatch<["largest", "result"]>]> {
  let summary = "how many edges have the largest number of graph.max";
  let description = [{
    result_i = the number of edges j → i with input_j = largest_i, of each
    column by itself.

    ```mlir test/dialects/graph/syntax.mlir#max-ties
    %n = graph.max_ties %g, %x, %y : !graph.csr<4x9, 12>, tensor<9x16xf32>, tensor<4x16xf32>
    ```
  }];
  let arguments = (ins Graph_CSRType:$graph, Graph_Float:$input,
                       Graph_Float:$largest);
  let results = (outs Graph_Float:$result);
  let assemblyFormat = [{
    $graph `,` $input `,` $largest attr-dict `:` qualified(type($graph)) `,`
    type($input) `,` type($largest)
  }];
  let hasVerifier = 1;
}

def Graph_MaxGradientOp
    : Graph_Op<"max_gradient", [AllTypesMatch<["input", "result"]>,
                                AllTypesMatch<["largest", "share"]>]> {
  let summary = "what graph.max's gradient sums over outgoing edges";
  let description = [{
    result_j = sum over edges j → i with input_j = largest_i of share_i, of each
    column by itself, in the order of the transposed graph's row; share_i being
    the gradient of graph.max over its number of ties.

    ```mlir test/dialects/graph/syntax.mlir#max-gradient
    %dx = graph.max_gradient %g, %x, %y, %dy : !graph.csr<4x9, 12>, tensor<9x16xf32>, tensor<4x16xf32>
    ```
  }];
  let arguments = (ins Graph_CSRType:$graph, Graph_Float:$input,
                       Graph_Float:$largest, Graph_Float:$share);
  let results = (outs Graph_Float:$result);
  let assemblyFormat = [{
    $graph `,` $input `,` $largest `,` $share attr-dict `:`
    qualified(type($graph)) `,` type($input) `,` type($largest)
  }];
  let hasVerifier = 1;
}

def Graph_DropoutOp : Graph_Op<"dropout", [AllTypesMatch<["weight", "result"]>]> {
  let summary = "sets stored entries to zero at random and scales the others";
  let description = [{
    `nn.dropout` of a sparse matrix: the arrays are those of its rows, and the
    result is what becomes of `weight`. The entry of row i and column j has the
    bits that `nn.random_bits` has for element j of row i, so that what is dropped
    is what would be of the dense matrix. With `transpose` the arrays are those of
    the transpose's rows, and the entry has the same bits there.

    ```mlir test/dialects/graph/syntax.mlir#dropout
    %v = graph.dropout 0.5 of %row_ptr, %col, %w from %stream : tensor<5xi32>, tensor<12xi32>, tensor<12xf32>, tensor<1x4xi32>
    ```
  }];
  let arguments = (ins F64Attr:$rate, Graph_Int:$row_ptr, Graph_Int:$col,
                       Graph_Float:$weight, Graph_Int:$stream,
                       UnitAttr:$transpose);
  let results = (outs Graph_Float:$result);
  let assemblyFormat = [{
    $rate `of` $row_ptr `,` $col `,` $weight `from` $stream
    (`transpose` $transpose^)? attr-dict `:` type($row_ptr) `,` type($col) `,`
    type($weight) `,` type($stream)
  }];
  let hasVerifier = 1;
}

class Graph_AttentionOpBase<string mnemonic, list<Trait> traits = []>
    : Graph_Op<mnemonic, !listconcat([AttrSizedOperandSegments], traits)> {
  code accessors = [{
    /// Heads, and columns of each.
    int64_t getHeads() { return getSource().getType().getDimSize(1); }
    int64_t getHeadWidth() {
      return getInput().getType().getDimSize(1) / getHeads();
    }
  }];
}

def Graph_AttentionOp : Graph_AttentionOpBase<"attention", [
    DeclareOpInterfaceMethods<DifferentiableOpInterface>,
    InferTypeOpAdaptor]> {
  let summary = "the neighbours' rows, weighted by attention";
  let description = [{
    Graph attention (Veličković et al., arXiv 1710.10903, equations 3 to 5), its
    scores being sums of one number per node and head, `source` of the node
    where an edge begins and `target` of the one where it ends. For each head
    of node i, over the edges j → i

      e_ij = LeakyReLU(source_j + target_i), with `slope` below 0,
      p_ij = exp(e_ij - lse_i),  lse_i = log sum_j exp(e_ij),
      result_i = sum_j p_ij · input_j,

    in the order of the compressed row; the columns of `input` are those of
    head 0, then of head 1, and so on. A node without edges gets 0, and 0 as
    `lse`. Nothing is stored per edge.

    The rest is for the backward pass: with s_ij the derivative of LeakyReLU, 1
    above 0 and `slope` elsewhere, sloped_i = sum_j p_ij s_ij · input_j and
    slopes_i = sum_j p_ij s_ij. With the gradient G of the result and
    delta_i = G_i · result_i the gradient of target_i, the sum over edges of
    p_ij s_ij (G_i · input_j - delta_i), is G_i · sloped_i - delta_i slopes_i:
    no edge is visited for it.

    With `dropout` probabilities are dropped and scaled before they weigh rows, as
    `nn.dropout` does: those of an edge j → i have the bits of `nn.random_bits` for
    row j + nodes · k of sample i, a row being as long as there are heads. k counts
    the equal edges before it in its row, where they follow one another. `lse` and
    `slopes` are of all probabilities. A graph that is a sample of another has
    `ids`, the numbers [columns] of its nodes there: j and i are these, so that an
    edge has the same bits in every sample, and k is 0, since a sample's edges are
    in no order.

    ```mlir test/dialects/graph/syntax.mlir#attention
    %y, %lse, %sloped, %slopes = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>
    ```
  }];
  let arguments = (ins Graph_CSRType:$graph, Graph_Float:$input,
                       Graph_Float:$source, Graph_Float:$target,
                       Optional<Graph_Int>:$stream, Optional<Graph_Int>:$ids,
                       F64Attr:$slope, DefaultValuedAttr<F64Attr, "0.0">:$rate);
  let results = (outs Graph_Float:$result, Graph_Float:$lse,
                      Graph_Float:$sloped, Graph_Float:$slopes);
  let assemblyFormat = [{
    $graph `,` $input `,` $source `,` $target `slope` $slope (`dropout` $rate
    `from` $stream^)? (`of` $ids^)? attr-dict `:` qualified(type($graph)) `,`
    type($input) `,` type($source) `,` type($target) (`,` type($stream)^)?
    (`,` type($ids)^)?
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

def Graph_AttentionGradOp : Graph_AttentionOpBase<"attention_grad", [
    InferTypeOpAdaptor, AllTypesMatch<["target", "lse", "delta"]>]> {
  let summary = "what graph.attention's gradient sums over outgoing edges";
  let description = [{
    With the gradient G of the attention's result and delta_i = G_i · result_i
    per head, sums over the edges j → i of each node j, by the transposed graph:

      result_j = sum_i p_ij G_i, the gradient of input_j,
      sloped_j = sum_i p_ij s_ij G_i,
      corrections_j = sum_i p_ij s_ij delta_i.

    The gradient of source_j is input_j · sloped_j - corrections_j per head.
    Probabilities are recomputed from `lse`, and what of them is dropped from
    `stream`; `corrections` are of all.

    ```mlir test/dialects/graph/syntax.mlir#attention-grad
    %dx, %dsloped, %corrections = graph.attention_grad %g, %y, %s, %t, %lse, %d slope 0.2 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>
    ```
  }];
  let arguments = (ins Graph_CSRType:$graph, Graph_Float:$input,
                       Graph_Float:$source, Graph_Float:$target,
                       Graph_Float:$lse, Graph_Float:$delta,
                       Optional<Graph_Int>:$stream, Optional<Graph_Int>:$ids,
                       F64Attr:$slope, DefaultValuedAttr<F64Attr, "0.0">:$rate);
  let results = (outs Graph_Float:$result, Graph_Float:$sloped,
                      Graph_Float:$corrections);
  let assemblyFormat = [{
    $graph `,` $input `,` $source `,` $target `,` $lse `,` $delta `slope`
    $slope (`dropout` $rate `from` $stream^)? (`of` $ids^)? attr-dict `:`
    qualified(type($graph)) `,` type($input) `,` type($source) `,`
    type($target) (`,` type($stream)^)? (`,` type($ids)^)?
  }];
  let extraClassDeclaration = accessors;
  let hasVerifier = 1;
}

#endif // TESSERA_DIALECTS_GRAPH_GRAPHOPS_TD
