// RUN: tessera-opt %s --plan-form-gemms | FileCheck %s

// A bias ends a product of bytes, whose rows may be many or few.
// CHECK-LABEL: func.func @prefill
// CHECK:         %[[Q:.*]], %[[S:.*]], %[[O:.*]] = nn.quantize_rows %arg0 count %arg3
// CHECK-NEXT:    %[[Y:.*]] = nn.quantized_matmul %[[Q]], %[[S]], %[[O]], %arg1 count %arg3 bias %arg2
// CHECK-NEXT:    return %[[Y]]
func.func @prefill(%x: tensor<8x32xf32> {nn.input = "x"}, %w: tensor<576xi8> {nn.input = "w"},
                   %bias: tensor<16xf32> {nn.input = "bias"}, %n: tensor<1xi32> {nn.input = "count"})
    -> tensor<8x16xf32> {
  %q, %s, %o = nn.quantize_rows %x count %n : tensor<8x32xf32>, tensor<1xi32>
      -> tensor<8x32xi8>, tensor<8x1xf32>, tensor<8x1xi32>
  %c = nn.quantized_matmul %q, %s, %o, %w count %n
      : (tensor<8x32xi8>, tensor<8x1xf32>, tensor<8x1xi32>, tensor<576xi8>, tensor<1xi32>) -> tensor<8x16xf32>
  %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<8x16xf32>
  %y = arith.addf %c, %rows : tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// Not where something else reads it without.
// CHECK-LABEL: func.func @twice
// CHECK:         nn.quantized_matmul %{{.*}}, %{{.*}}, %{{.*}}, %arg1 :
// CHECK:         arith.addf
func.func @twice(%x: tensor<8x32xf32> {nn.input = "x"}, %w: tensor<576xi8> {nn.input = "w"},
                 %bias: tensor<16xf32> {nn.input = "bias"}) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
  %q, %s, %o = nn.quantize_rows %x : tensor<8x32xf32> -> tensor<8x32xi8>, tensor<8x1xf32>, tensor<8x1xi32>
  %c = nn.quantized_matmul %q, %s, %o, %w
      : (tensor<8x32xi8>, tensor<8x1xf32>, tensor<8x1xi32>, tensor<576xi8>) -> tensor<8x16xf32>
  %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<8x16xf32>
  %y = arith.addf %c, %rows : tensor<8x16xf32>
  return %y, %c : tensor<8x16xf32>, tensor<8x16xf32>
}
