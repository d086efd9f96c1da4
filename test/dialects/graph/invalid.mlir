// RUN: tessera-opt %s --split-input-file --verify-diagnostics

// The arrays of a graph follow from its nodes and edges.
func.func @f(%row_ptr: tensor<5xi32>, %col: tensor<10xi32>, %weight: tensor<10xf32>) {
  // expected-error @below {{operand #1 must be 'tensor<12xi32>', but is 'tensor<10xi32>'}}
  %g = "graph.csr"(%row_ptr, %col, %weight, %row_ptr, %col, %weight)
      : (tensor<5xi32>, tensor<10xi32>, tensor<10xf32>, tensor<5xi32>, tensor<10xi32>, tensor<10xf32>)
      -> !graph.csr<4, 12>
  return
}

// -----

func.func @f(%row_ptr: tensor<5xi32>, %col: tensor<2147483648xi32>, %weight: tensor<2147483648xf32>) {
  // expected-error @below {{has more than 2147483647 nodes or edges, which its 32-bit indices cannot count}}
  %g = graph.csr %row_ptr, %col, %weight transposed %row_ptr, %col, %weight : !graph.csr<4, 2147483648>
  return
}

// -----

func.func @f(%g: !graph.csr<4, 10>, %x: tensor<5x16xf32>) {
  // expected-error @below {{input must be a matrix with one row per node: 4}}
  %y = graph.aggregate %g, %x : !graph.csr<4, 10>, tensor<5x16xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4, 10>, %x: tensor<4xf32>) {
  // expected-error @below {{input must be a matrix with one row per node: 4}}
  %y = graph.aggregate %g, %x : !graph.csr<4, 10>, tensor<4xf32>
  return
}
