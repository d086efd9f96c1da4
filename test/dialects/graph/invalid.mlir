// RUN: tessera-opt %s --split-input-file --verify-diagnostics

// The arrays of a graph follow from its shape and its entries.
func.func @f(%row_ptr: tensor<5xi32>, %col: tensor<10xi32>, %weight: tensor<10xf32>) {
  // expected-error @below {{operand #1 must be 'tensor<12xi32>', but is 'tensor<10xi32>'}}
  %g = "graph.csr"(%row_ptr, %col, %weight, %row_ptr, %col, %weight) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1>}>
      : (tensor<5xi32>, tensor<10xi32>, tensor<10xf32>, tensor<5xi32>, tensor<10xi32>, tensor<10xf32>)
      -> !graph.csr<4x4, 12>
  return
}

// -----

func.func @f(%row_ptr: tensor<5xi32>, %col: tensor<10xi32>, %weight: tensor<10xf32>) {
  // expected-error @below {{needs all three arrays of the transpose, or none}}
  %g = "graph.csr"(%row_ptr, %col, %weight, %row_ptr, %col) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}>
      : (tensor<5xi32>, tensor<10xi32>, tensor<10xf32>, tensor<5xi32>, tensor<10xi32>) -> !graph.csr<4x4, 10>
  return
}

// -----

func.func @f(%row_ptr: tensor<5xi32>, %col: tensor<10xi32>, %weight: tensor<10xf32>, %x: tensor<4x16xf32>) {
  %g = graph.csr %row_ptr, %col, %weight : !graph.csr<4x4, 10>
  // expected-error @below {{reads the transpose of a matrix that has none}}
  %y = graph.aggregate %g, %x transpose : !graph.csr<4x4, 10>, tensor<4x16xf32>
  return
}

// -----

func.func @f(%row_ptr: tensor<5xi32>, %col: tensor<2147483648xi32>, %weight: tensor<2147483648xf32>) {
  // expected-error @below {{has more than 2147483647 rows, columns or entries, which its 32-bit indices cannot count}}
  %g = graph.csr %row_ptr, %col, %weight transposed %row_ptr, %col, %weight : !graph.csr<4x4, 2147483648>
  return
}

// -----

func.func @f(%g: !graph.csr<4x4, 10>, %x: tensor<5x16xf32>) {
  // expected-error @below {{input must be a matrix with one row per column of the graph: 4}}
  %y = graph.aggregate %g, %x : !graph.csr<4x4, 10>, tensor<5x16xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x4, 10>, %x: tensor<4xf32>) {
  // expected-error @below {{input must be a matrix with one row per column of the graph: 4}}
  %y = graph.aggregate %g, %x : !graph.csr<4x4, 10>, tensor<4xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x3, 10>, %x: tensor<3x16xf32>) {
  // expected-error @below {{input must be a matrix with one row per row of the graph: 4}}
  %y = graph.aggregate %g, %x transpose : !graph.csr<4x3, 10>, tensor<3x16xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x3, 10>, %x: tensor<3x16xf32>) {
  // expected-error @below {{'graph.aggregate' op failed to infer returned types}}
  // expected-error @below {{inferred type(s) 'tensor<4x16xf32>' are incompatible with return type(s) of operation 'tensor<3x16xf32>'}}
  %y = "graph.aggregate"(%g, %x) : (!graph.csr<4x3, 10>, tensor<3x16xf32>) -> tensor<3x16xf32>
  return
}

// -----

// expected-error @below {{a graph has rows and columns, as in `!graph.csr<4x4, 10>`}}
func.func private @f(!graph.csr<4, 10>)

// -----

func.func @f(%g: !graph.csr<4x4, 10>, %x: tensor<4x15xf32>, %s: tensor<4x2xf32>) {
  // expected-error @below {{input must have 4 rows, and columns that are a multiple of its 2 heads}}
  %0:4 = graph.attention %g, %x, %s, %s slope 0.2 : !graph.csr<4x4, 10>, tensor<4x15xf32>, tensor<4x2xf32>, tensor<4x2xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x5, 10>, %x: tensor<5x16xf32>, %s: tensor<4x2xf32>, %t: tensor<4x2xf32>) {
  // expected-error @below {{scores must have a column per head, the same in both, and as many rows as the graph has columns (5, of sources) and rows (4, of targets)}}
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<4x5, 10>, tensor<5x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x4, 10>, %x: tensor<4x16xf32>, %s: tensor<4xf32>) {
  // expected-error @below {{rows and scores must be matrices}}
  %0:4 = graph.attention %g, %x, %s, %s slope 0.2 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x4, 10>, %x: tensor<4x16xf32>, %s: tensor<4x2xf32>) {
  // expected-error @below {{slope must lie between 0 and 1, but is 1.5}}
  %0:4 = graph.attention %g, %x, %s, %s slope 1.5 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x4, 10>, %x: tensor<4x16xf32>, %s: tensor<4x2xbf16>) {
  // expected-error @below {{scores must be f32}}
  %0:4 = graph.attention %g, %x, %s, %s slope 0.2 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xbf16>, tensor<4x2xbf16>
  return
}

// -----

func.func @f(%g: !graph.csr<4x5, 10>, %x: tensor<5x16xf32>, %s: tensor<5x2xf32>, %t: tensor<4x2xf32>) {
  // expected-error @below {{input must have 4 rows}}
  %0:3 = graph.attention_grad %g, %x, %s, %t, %t, %t slope 0.2 : !graph.csr<4x5, 10>, tensor<5x16xf32>, tensor<5x2xf32>, tensor<4x2xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x3, 10>, %x: tensor<4x16xf32>) {
  // expected-error @below {{input must be a matrix with one row per column of the graph: 3}}
  %y = graph.max %g, %x : !graph.csr<4x3, 10>, tensor<4x16xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x3, 10>, %x: tensor<4x16xf32>) {
  // expected-error @below {{input must be a matrix with one row per column of the graph: 3}}
  %y = graph.max_ties %g, %x, %x : !graph.csr<4x3, 10>, tensor<4x16xf32>, tensor<4x16xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x3, 10>, %x: tensor<3x16xf32>) {
  // expected-error @below {{the largest numbers must have one row per row of the graph, 4, and else the input's type}}
  %y = graph.max_gradient %g, %x, %x, %x : !graph.csr<4x3, 10>, tensor<3x16xf32>, tensor<3x16xf32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x4, 10>, %x: tensor<4x16xf32>, %s: tensor<4x2xf32>, %stream: tensor<1x4xi32>) {
  // expected-error @below {{dropout must be from 0 to below 1, but is 1}}
  %0:4 = graph.attention %g, %x, %s, %s slope 0.2 dropout 1.0 from %stream : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>, tensor<1x4xi32>
  return
}

// -----

func.func @f(%g: !graph.csr<4x4, 10>, %x: tensor<4x16xf32>, %s: tensor<4x2xf32>, %stream: tensor<4xi32>) {
  // expected-error @below {{dropout's stream must be 1x4: see nn.random_bits}}
  %0:4 = graph.attention %g, %x, %s, %s slope 0.2 dropout 0.5 from %stream : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>, tensor<4xi32>
  return
}

// -----

func.func @f(%p: tensor<5xi32>, %c: tensor<11xi32>, %w: tensor<12xf32>, %s: tensor<1x4xi32>) {
  // expected-error @below {{arrays must have one dimension, and as many columns as weights}}
  %v = graph.dropout 0.5 of %p, %c, %w from %s : tensor<5xi32>, tensor<11xi32>, tensor<12xf32>, tensor<1x4xi32>
  return
}

// -----

func.func @f(%p: tensor<5xi32>, %c: tensor<12xi32>, %w: tensor<12xf32>, %s: tensor<1x4xi32>) {
  // expected-error @below {{rate must be from 0 to below 1, but is 1}}
  %v = graph.dropout 1.0 of %p, %c, %w from %s : tensor<5xi32>, tensor<12xi32>, tensor<12xf32>, tensor<1x4xi32>
  return
}

// -----

func.func @f(%p: tensor<5xi32>, %c: tensor<12xi32>, %w: tensor<12xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{stream must be 1x4: see nn.random_bits}}
  %v = graph.dropout 0.5 of %p, %c, %w from %s : tensor<5xi32>, tensor<12xi32>, tensor<12xf32>, tensor<4xi32>
  return
}

// -----

func.func @ids(%g: !graph.csr<2x4, 10>, %x: tensor<4x16xf32>, %s: tensor<4x2xf32>, %t: tensor<2x2xf32>,
               %stream: tensor<1x4xi32>, %ids: tensor<2xi32>) {
  // expected-error @below {{ids are of dropout, one for each column of the graph: 4}}
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 dropout 0.5 from %stream of %ids : !graph.csr<2x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<2x2xf32>, tensor<1x4xi32>, tensor<2xi32>
  return
}
