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

def Graph_CSROp : Graph_Op<"csr"> {
  let summary = "a graph from the arrays of its rows and of its columns";
  let description = [{
    `row_ptr` [rows + 1], `col` [entries] and `weight` [entries] list the entries
    by row, edges by target; `row_ptr_t` [columns + 1] and the other arrays with
    `_t` are those of the transpose.

    ```mlir
    %g = graph.csr %row_ptr, %col, %weight transposed %row_ptr_t, %col_t, %weight_t
        : !graph.csr<2708x2708, 13264>
    ```
  }];
  let arguments = (ins Graph_Int:$row_ptr, Graph_Int:$col, Graph_Float:$weight,
                       Graph_Int:$row_ptr_t, Graph_Int:$col_t,
                       Graph_Float:$weight_t);
  let results = (outs Graph_CSRType:$graph);
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

    ```mlir
    %y = graph.aggregate %g, %x
        : !graph.csr<2708x1433, 49216>, tensor<1433x16xf32>
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

#endif // TESSERA_DIALECTS_GRAPH_GRAPHOPS_TD
