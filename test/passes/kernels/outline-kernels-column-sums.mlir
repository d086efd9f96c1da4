// RUN: tessera-opt %s --plan-outline-kernels=most-column-sums=2 | FileCheck %s
// RUN: tessera-opt %s --plan-outline-kernels | FileCheck %s --check-prefix=ALL

// Sums of one tensor along its columns are one kernel, but no more than are
// allowed: a GPU has shared memory for a few.
// CHECK-LABEL: func.func @columns
// CHECK-DAG:     plan.launch @[[TWO:.*]](%arg0) : (tensor<8x32xf32>) -> (tensor<32xf32>, tensor<32xf32>)
// CHECK-DAG:     plan.launch @[[ONE:.*]](%arg0) : (tensor<8x32xf32>) -> tensor<32xf32>
// CHECK:         return
// ALL-LABEL:  func.func @columns
// ALL:          plan.launch @{{.*}}(%arg0) : (tensor<8x32xf32>) -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
func.func @columns(%x: tensor<8x32xf32>) -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>) {
  %e = math.exp %x : tensor<8x32xf32>
  %n = arith.negf %e : tensor<8x32xf32>
  %a = nn.reduce sum %e dims [0] : tensor<8x32xf32> -> tensor<32xf32>
  %b = nn.reduce sum %x dims [0] : tensor<8x32xf32> -> tensor<32xf32>
  %c = nn.reduce sum %n dims [0] : tensor<8x32xf32> -> tensor<32xf32>
  return %a, %b, %c : tensor<32xf32>, tensor<32xf32>, tensor<32xf32>
}
