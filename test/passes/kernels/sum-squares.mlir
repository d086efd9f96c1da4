// RUN: tessera-opt %s --nn-decompose | FileCheck %s

// Blocks of 65536 elements are summed in parallel, one tensor a kernel; their
// sums are added in order.
// CHECK-LABEL: func.func @norm
// CHECK-SAME:      (%[[A:.*]]: tensor<100000xf32>, %[[B:.*]]: tensor<16x16xf32>)
// CHECK:         %[[PA:.*]] = nn.partial_sum_squares %[[A]] : tensor<100000xf32> -> tensor<2xf64>
// CHECK:         %[[PB:.*]] = nn.partial_sum_squares %[[B]] : tensor<16x16xf32> -> tensor<1xf64>
// CHECK:         %[[SUM:.*]] = nn.sum_partials %[[PA]], %[[PB]] : tensor<2xf64>, tensor<1xf64> -> tensor<f64>
// CHECK:         return %[[SUM]]
func.func @norm(%a: tensor<100000xf32>, %b: tensor<16x16xf32>) -> tensor<f64> {
  %0 = nn.sum_squares %a, %b : tensor<100000xf32>, tensor<16x16xf32> -> tensor<f64>
  return %0 : tensor<f64>
}
