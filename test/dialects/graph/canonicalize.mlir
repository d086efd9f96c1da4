// RUN: tessera-opt %s --canonicalize --cse | FileCheck %s

// Graphs are values: the same arrays are the same graph, the same sum is taken
// once, and what nobody uses goes. The transposed sum is another one.

// CHECK-LABEL: func.func @twice
// CHECK-NEXT: %[[G:.*]] = graph.csr
// CHECK-NEXT: %[[Y:.*]] = graph.aggregate %[[G]], %[[X:.*]] :
// CHECK-NEXT: %[[Z:.*]] = graph.aggregate %[[G]], %[[X]] transpose
// CHECK-NEXT: return %[[Y]], %[[Y]], %[[Z]]
func.func @twice(%row_ptr: tensor<5xi32>, %col: tensor<10xi32>, %weight: tensor<10xf32>,
                 %row_ptr_t: tensor<5xi32>, %col_t: tensor<10xi32>, %weight_t: tensor<10xf32>,
                 %x: tensor<4x16xf32>) -> (tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>) {
  // example: csr
  %g = graph.csr %row_ptr, %col, %weight transposed %row_ptr_t, %col_t, %weight_t : !graph.csr<4x4, 10>
  // example end
  %h = graph.csr %row_ptr, %col, %weight transposed %row_ptr_t, %col_t, %weight_t : !graph.csr<4x4, 10>
  // example: aggregate
  %0 = graph.aggregate %g, %x : !graph.csr<4x4, 10>, tensor<4x16xf32>
  // example end
  %1 = graph.aggregate %h, %x : !graph.csr<4x4, 10>, tensor<4x16xf32>
  %2 = graph.aggregate %h, %x transpose : !graph.csr<4x4, 10>, tensor<4x16xf32>
  %3 = graph.aggregate %h, %1 : !graph.csr<4x4, 10>, tensor<4x16xf32>
  return %0, %1, %2 : tensor<4x16xf32>, tensor<4x16xf32>, tensor<4x16xf32>
}
