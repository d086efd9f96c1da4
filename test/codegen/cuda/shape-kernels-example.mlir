// RUN: tessera-opt %s --cuda-shape-kernels | FileCheck %s

// The example of the pass: an elementwise kernel.

// example: exp
func.func private @exp(%x: tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan.kernel} {
  %y = math.exp %x : tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}
// example end

// example: exp
// CHECK: func.func private @exp(%[[X:[^ :,]+]]: tensor<8x16xf32>) -> tensor<8x16xf32> attributes {plan.flops = 128 : i64, plan.iterations = 32 : i64, plan.kernel, plan.scratch = 0 : i64} {
// CHECK-NEXT:   %[[Y:[^ :,]+]] = math.exp %[[X]] : tensor<8x16xf32>
// CHECK-NEXT:   return %[[Y]] : tensor<8x16xf32>
// CHECK-NEXT: }
// example end
