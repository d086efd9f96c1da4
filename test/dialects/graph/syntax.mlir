// RUN: tessera-opt %s | tessera-opt | FileCheck %s
// RUN: tessera-opt %s --mlir-print-op-generic | tessera-opt | FileCheck %s
// RUN: tessera-opt %s --emit-bytecode | tessera-opt | FileCheck %s

// A graph of 4 nodes with room for 10 edges, and sums over its neighbours.

// CHECK-LABEL: func.func @aggregate
func.func @aggregate(%row_ptr: tensor<5xi32>, %col: tensor<10xi32>, %weight: tensor<10xf32>,
                     %row_ptr_t: tensor<5xi32>, %col_t: tensor<10xi32>, %weight_t: tensor<10xf32>,
                     %x: tensor<4x16xf32>) {
  // CHECK: %[[G:.*]] = graph.csr %{{.*}}, %{{.*}}, %{{.*}} transposed %{{.*}}, %{{.*}}, %{{.*}} : !graph.csr<4x4, 10>
  %g = graph.csr %row_ptr, %col, %weight transposed %row_ptr_t, %col_t, %weight_t : !graph.csr<4x4, 10>
  // CHECK: graph.csr %{{[^ ]*}}, %{{[^ ]*}}, %{{[^ ]*}} : !graph.csr<4x4, 10>
  %forward = graph.csr %row_ptr, %col, %weight : !graph.csr<4x4, 10>
  // CHECK: graph.aggregate %[[G]], %{{.*}} : !graph.csr<4x4, 10>, tensor<4x16xf32>
  %y = graph.aggregate %g, %x : !graph.csr<4x4, 10>, tensor<4x16xf32>
  // CHECK: graph.aggregate %[[G]], %{{.*}} transpose : !graph.csr<4x4, 10>, tensor<4x16xf32>
  %z = graph.aggregate %g, %y transpose : !graph.csr<4x4, 10>, tensor<4x16xf32>
  return
}

// Features of 4 nodes that are mostly 0, and weights of 9 features.

// CHECK-LABEL: func.func @features
func.func @features(%x: !graph.csr<4x9, 12>, %w: tensor<9x16xf32>) -> (tensor<4x16xf32>, tensor<9x16xf32>) {
  // CHECK: graph.aggregate %{{.*}}, %{{.*}} : !graph.csr<4x9, 12>, tensor<9x16xf32>
  %y = graph.aggregate %x, %w : !graph.csr<4x9, 12>, tensor<9x16xf32>
  // CHECK: graph.aggregate %{{.*}}, %{{.*}} transpose : !graph.csr<4x9, 12>, tensor<4x16xf32>
  %d = graph.aggregate %x, %y transpose : !graph.csr<4x9, 12>, tensor<4x16xf32>
  return %y, %d : tensor<4x16xf32>, tensor<9x16xf32>
}

// Attention with two heads, and the sums of its gradient.

// CHECK-LABEL: func.func @attention
func.func @attention(%g: !graph.csr<4x4, 10>, %x: tensor<4x16xf32>, %s: tensor<4x2xf32>, %t: tensor<4x2xf32>,
                     %d: tensor<4x2xf32>, %stream: tensor<1x4xi32>) {
  // CHECK: %[[Y:.*]], %[[LSE:.*]], %{{.*}}, %{{.*}} = graph.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} slope 2.000000e-01 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>
  // example: attention
  %y, %lse, %sloped, %slopes = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>
  // example end
  // CHECK: graph.attention {{.*}} slope 2.000000e-01 dropout 5.000000e-01 from %{{.*}} : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>, tensor<1x4xi32>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 dropout 0.5 from %stream : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>, tensor<1x4xi32>
  // CHECK: graph.attention_grad %{{.*}}, %[[Y]], %{{.*}}, %{{.*}}, %[[LSE]], %{{.*}} slope 2.000000e-01 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>
  // example: attention-grad
  %dx, %dsloped, %corrections = graph.attention_grad %g, %y, %s, %t, %lse, %d slope 0.2 : !graph.csr<4x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<4x2xf32>
  // example end
  return
}

// Of a sample: dropout knows nodes by their numbers in the whole graph.
// CHECK-LABEL: func.func @attention_of_block
func.func @attention_of_block(%g: !graph.csr<2x4, 10>, %x: tensor<4x16xf32>, %s: tensor<4x2xf32>, %t: tensor<2x2xf32>,
                              %stream: tensor<1x4xi32>, %ids: tensor<4xi32>) {
  // CHECK: graph.attention {{.*}} dropout 5.000000e-01 from %{{.*}} of %{{.*}} : !graph.csr<2x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<2x2xf32>, tensor<1x4xi32>, tensor<4xi32>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 dropout 0.5 from %stream of %ids : !graph.csr<2x4, 10>, tensor<4x16xf32>, tensor<4x2xf32>, tensor<2x2xf32>, tensor<1x4xi32>, tensor<4xi32>
  return
}

// CHECK-LABEL: func.func @largest
func.func @largest(%g: !graph.csr<4x9, 12>, %x: tensor<9x16xf32>, %dy: tensor<4x16xf32>) -> (tensor<4x16xf32>, tensor<9x16xf32>) {
  // CHECK: graph.max %{{.*}}, %{{.*}} : !graph.csr<4x9, 12>, tensor<9x16xf32>
  // example: max
  %y = graph.max %g, %x : !graph.csr<4x9, 12>, tensor<9x16xf32>
  // example end
  // CHECK: graph.max_ties %{{.*}}, %{{.*}}, %{{.*}} : !graph.csr<4x9, 12>, tensor<9x16xf32>, tensor<4x16xf32>
  // example: max-ties
  %n = graph.max_ties %g, %x, %y : !graph.csr<4x9, 12>, tensor<9x16xf32>, tensor<4x16xf32>
  // example end
  // CHECK: graph.max_gradient %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : !graph.csr<4x9, 12>, tensor<9x16xf32>, tensor<4x16xf32>
  // example: max-gradient
  %dx = graph.max_gradient %g, %x, %y, %dy : !graph.csr<4x9, 12>, tensor<9x16xf32>, tensor<4x16xf32>
  // example end
  return %n, %dx : tensor<4x16xf32>, tensor<9x16xf32>
}

// Entries of a sparse matrix that are dropped, by rows and by columns.

// CHECK-LABEL: func.func @dropout
func.func @dropout(%row_ptr: tensor<5xi32>, %row_ptr_t: tensor<10xi32>, %col: tensor<12xi32>, %w: tensor<12xf32>,
                   %stream: tensor<1x4xi32>) -> (tensor<12xf32>, tensor<12xf32>) {
  // CHECK: graph.dropout 5.000000e-01 of %{{.*}}, %{{.*}}, %{{.*}} from %{{.*}} : tensor<5xi32>, tensor<12xi32>, tensor<12xf32>, tensor<1x4xi32>
  // example: dropout
  %v = graph.dropout 0.5 of %row_ptr, %col, %w from %stream : tensor<5xi32>, tensor<12xi32>, tensor<12xf32>, tensor<1x4xi32>
  // example end
  // CHECK: graph.dropout 5.000000e-01 of %{{.*}}, %{{.*}}, %{{.*}} from %{{.*}} transpose :
  %t = graph.dropout 0.5 of %row_ptr_t, %col, %w from %stream transpose : tensor<10xi32>, tensor<12xi32>, tensor<12xf32>, tensor<1x4xi32>
  return %v, %t : tensor<12xf32>, tensor<12xf32>
}
