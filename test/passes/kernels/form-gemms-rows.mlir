// RUN: tessera-opt %s --plan-form-gemms | FileCheck %s

// Where rows are few, matmuls count them, and a bias ends them.
// CHECK-LABEL: func.func @decode
// CHECK-NEXT:    %[[Y:.*]] = nn.row_matmul %arg0, %arg1 count %arg3 transpose_b bias %arg2
// CHECK-NEXT:    %[[Z:.*]] = nn.row_matmul %[[Y]], %arg1 count %arg3 :
// CHECK-NEXT:    return %[[Z]]
func.func @decode(%x: tensor<8x4xf32> {nn.input = "x"}, %w: tensor<16x4xf32> {nn.input = "w"},
                  %bias: tensor<16xf32> {nn.input = "bias"}, %n: tensor<1xi32> {nn.input = "count"})
    -> tensor<8x4xf32> attributes {nn.row_count = "count"} {
  %c = nn.matmul %x, %w transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
  %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<8x16xf32>
  %y = arith.addf %c, %rows : tensor<8x16xf32>
  %z = nn.matmul %y, %w : tensor<8x16xf32>, tensor<16x4xf32> -> tensor<8x4xf32>
  return %z : tensor<8x4xf32>
}

// Many rows have a library's GEMMs, which are told how many there are.
// CHECK-LABEL: func.func @prefill
// CHECK-NEXT:    %[[Y:.*]] = plan.gemm %arg0, %arg1 transpose_b bias %arg2 epilogue gelu counted rows of 65 by %arg3 :
// CHECK-NEXT:    return %[[Y]]
func.func @prefill(%x: tensor<65x4xf32> {nn.input = "x"}, %w: tensor<16x4xf32> {nn.input = "w"},
                   %bias: tensor<16xf32> {nn.input = "bias"}, %n: tensor<1xi32> {nn.input = "count"})
    -> tensor<65x16xf32> attributes {nn.row_count = "count"} {
  %c = nn.matmul %x, %w transpose_b : tensor<65x4xf32>, tensor<16x4xf32> -> tensor<65x16xf32>
  %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<65x16xf32>
  %u = arith.addf %c, %rows : tensor<65x16xf32>
  %y = nn.gelu %u : tensor<65x16xf32>
  return %y : tensor<65x16xf32>
}

// Other programs' are not counted.
// CHECK-LABEL: func.func @predict
// CHECK-NEXT:    plan.gemm %arg0, %arg1 transpose_b :
func.func @predict(%x: tensor<8x4xf32> {nn.input = "x"}, %w: tensor<16x4xf32> {nn.input = "w"},
                   %n: tensor<1xi32> {nn.input = "count"}) -> tensor<8x16xf32> {
  %c = nn.matmul %x, %w transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
  return %c : tensor<8x16xf32>
}
