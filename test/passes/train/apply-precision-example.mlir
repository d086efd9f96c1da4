// RUN: tessera-opt %s --nn-apply-precision="compute=bf16" | FileCheck %s

// The example of the pass: a layer in BF16.

// example: bf16
nn.parameter @w : tensor<16x8xf32> init normal(0.02) decay group "all"
func.func @predict(%x: tensor<4x8xf32>) -> tensor<4x16xf32> {
  %w = nn.get_parameter @w : tensor<16x8xf32>
  %y = nn.matmul %x, %w transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
  %z = nn.gelu %y : tensor<4x16xf32>
  return %z : tensor<4x16xf32>
}
// example end

// example: bf16
// CHECK: nn.parameter @w : tensor<16x8xf32> init normal(2.000000e-02) decay group "all" as bf16
// example end

// example: bf16
// CHECK: func.func @predict(%[[X:[^ :,]+]]: tensor<4x8xf32>) -> tensor<4x16xf32> {
// CHECK-NEXT:   %[[W:[^ :,]+]] = nn.get_parameter @w : tensor<16x8xbf16>
// CHECK-NEXT:   %[[X16:[^ :,]+]] = arith.truncf %[[X]] : tensor<4x8xf32> to tensor<4x8xbf16>
// CHECK-NEXT:   %[[Y:[^ :,]+]] = nn.matmul %[[X16]], %[[W]] transpose_b : tensor<4x8xbf16>, tensor<16x8xbf16> -> tensor<4x16xbf16>
// CHECK-NEXT:   %[[Z:[^ :,]+]] = nn.gelu %[[Y]] : tensor<4x16xbf16>
// CHECK-NEXT:   %[[Z32:[^ :,]+]] = arith.extf %[[Z]] : tensor<4x16xbf16> to tensor<4x16xf32>
// CHECK-NEXT:   return %[[Z32]] : tensor<4x16xf32>
// CHECK-NEXT: }
// example end
