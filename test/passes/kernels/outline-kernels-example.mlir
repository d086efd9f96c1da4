// RUN: tessera-opt %s --plan-outline-kernels | FileCheck %s

// The example of the pass: two operations are one kernel.

// CHECK-LABEL: func.func @sum(
// CHECK-SAME: %[[A:[^ :,]+]]:{{.*}}%[[B:[^ :,]+]]:
func.func @sum(%a: tensor<8x24xf32>, %b: tensor<8x24xf32>) -> tensor<8x24xf32> {
  // example: outline
  // CHECK: %[[E:[^ :,]+]] = plan.launch @add_exp(%[[A]], %[[B]]) : (tensor<8x24xf32>, tensor<8x24xf32>) -> tensor<8x24xf32>
  %d = arith.addf %a, %b : tensor<8x24xf32>
  %e = math.exp %d : tensor<8x24xf32>
  // example end
  return %e : tensor<8x24xf32>
}

// example: outline
// CHECK: func.func private @add_exp(%[[A:[^ :,]+]]: tensor<8x24xf32>, %[[B:[^ :,]+]]: tensor<8x24xf32>) -> (tensor<8x24xf32> {plan.inplace = [0, 1]}) attributes {plan.kernel} {
// CHECK-NEXT:   %[[D:[^ :,]+]] = arith.addf %[[A]], %[[B]] : tensor<8x24xf32>
// CHECK-NEXT:   %[[E:[^ :,]+]] = math.exp %[[D]] : tensor<8x24xf32>
// CHECK-NEXT:   return %[[E]] : tensor<8x24xf32>
// CHECK-NEXT: }
// example end
