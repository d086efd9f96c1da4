// RUN: tessera-opt %s --nn-pack-weights | FileCheck %s

// The example of the pass: a table that is the head, too.

// example: pack
nn.parameter @w : tensor<256x64xf32> init normal(0.02) decay group "all"
func.func @decode(%tokens: tensor<8xi32> {nn.input = "tokens"}, %n: tensor<1xi32> {nn.input = "count"})
    -> tensor<8x256xf32> attributes {nn.row_count = "count"} {
  %w = nn.get_parameter @w : tensor<256x64xf32>
  %x = nn.gather %w, %tokens : tensor<256x64xf32>, tensor<8xi32> -> tensor<8x64xf32>
  %y = nn.matmul %x, %w transpose_b : tensor<8x64xf32>, tensor<256x64xf32> -> tensor<8x256xf32>
  return %y : tensor<8x256xf32>
}
// example end

// example: pack
// CHECK: nn.parameter @w : tensor<256x64xf32> init normal(2.000000e-02) decay group "all" packed rows
// example end

// example: pack
// CHECK: func.func @decode(%[[TOKENS:[^ :,]+]]: tensor<8xi32> {nn.input = "tokens"}, %[[N:[^ :,]+]]: tensor<1xi32> {nn.input = "count"}) -> tensor<8x256xf32> attributes {nn.row_count = "count"} {
// CHECK-NEXT:   %[[W:[^ :,]+]] = nn.get_parameter @w : tensor<256x64xf32>
// CHECK-NEXT:   %[[X:[^ :,]+]] = nn.packed_gather %[[W]], %[[TOKENS]] : tensor<256x64xf32>, tensor<8xi32> -> tensor<8x64xf32>
// CHECK-NEXT:   %[[Y:[^ :,]+]] = nn.row_matmul %[[X]], %[[W]] count %[[N]] transpose_b packed : tensor<8x64xf32>, tensor<256x64xf32>, tensor<1xi32> -> tensor<8x256xf32>
// CHECK-NEXT:   return %[[Y]] : tensor<8x256xf32>
// CHECK-NEXT: }
// example end
