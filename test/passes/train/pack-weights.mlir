// RUN: tessera-opt %s --nn-pack-weights | FileCheck %s

// A table that is the head, too; a weight of two programs; what something else
// reads, or what two read in two ways, stays as it is.
// CHECK: nn.parameter @table : tensor<16x4xf32> init normal(1.000000e+00) decay group "all" packed rows
// CHECK: nn.parameter @up : tensor<4x8xf32> init normal(1.000000e+00) decay group "all" packed columns
// CHECK: nn.parameter @both : tensor<4x4xf32> init normal(1.000000e+00) decay group "all"{{$}}
// CHECK: nn.parameter @sliced : tensor<40x4xf32> init normal(1.000000e+00) decay group "all" packed rows
// CHECK: nn.parameter @torn : tensor<40x4xf32> init normal(1.000000e+00) decay group "all"{{$}}
// CHECK: nn.parameter @shift : tensor<16xf32> init normal(1.000000e+00) group "all"{{$}}
// CHECK: nn.parameter @positions : tensor<32x4xf32> init normal(1.000000e+00) decay group "all"{{$}}
nn.parameter @table : tensor<16x4xf32> init normal(1.0) decay group "all"
nn.parameter @up : tensor<4x8xf32> init normal(1.0) decay group "all"
nn.parameter @both : tensor<4x4xf32> init normal(1.0) decay group "all"
nn.parameter @sliced : tensor<40x4xf32> init normal(1.0) decay group "all"
nn.parameter @torn : tensor<40x4xf32> init normal(1.0) decay group "all"
nn.parameter @shift : tensor<16xf32> init normal(1.0) group "all"
nn.parameter @positions : tensor<32x4xf32> init normal(1.0) decay group "all"

// CHECK-LABEL: func.func @prefill
func.func @prefill(%ids: tensor<256xi32> {nn.input = "tokens"}, %n: tensor<1xi32> {nn.input = "count"},
                   %last: tensor<1xi32> {nn.input = "position"}, %wanted: tensor<1xi32> {nn.input = "wanted"})
    -> (tensor<256x8xf32>, tensor<1x16xf32>) attributes {nn.row_count = "count"} {
  %table = nn.get_parameter @table : tensor<16x4xf32>
  %up = nn.get_parameter @up : tensor<4x8xf32>
  %positions = nn.get_parameter @positions : tensor<32x4xf32>
  // CHECK: %[[X:.*]] = nn.packed_gather %{{.*}}, %arg0
  %x = nn.gather %table, %ids : tensor<16x4xf32>, tensor<256xi32> -> tensor<256x4xf32>
  // CHECK: nn.gather
  %p = nn.gather %positions, %ids : tensor<32x4xf32>, tensor<256xi32> -> tensor<256x4xf32>
  %s = arith.addf %x, %p : tensor<256x4xf32>
  // CHECK: nn.row_matmul %{{.*}}, %{{.*}} count %arg1 packed : tensor<256x4xf32>
  %y = nn.matmul %s, %up : tensor<256x4xf32>, tensor<4x8xf32> -> tensor<256x8xf32>
  %row = nn.gather %s, %last : tensor<256x4xf32>, tensor<1xi32> -> tensor<1x4xf32>
  // A matmul may have a count of its own.
  // CHECK: nn.row_matmul %{{.*}}, %{{.*}} count %arg3 transpose_b packed : tensor<1x4xf32>
  %logits = nn.matmul %row, %table transpose_b {nn.row_count = "wanted"}
      : tensor<1x4xf32>, tensor<16x4xf32> -> tensor<1x16xf32>
  return %y, %logits : tensor<256x8xf32>, tensor<1x16xf32>
}

// CHECK-LABEL: func.func @decode
func.func @decode(%x: tensor<2x4xf32> {nn.input = "x"}, %n: tensor<1xi32> {nn.input = "count"})
    -> (tensor<2x8xf32>, tensor<2x4xf32>) attributes {nn.row_count = "count"} {
  %up = nn.get_parameter @up : tensor<4x8xf32>
  %both = nn.get_parameter @both : tensor<4x4xf32>
  // CHECK: nn.row_matmul %arg0, %{{.*}} count %arg1 packed
  %y = nn.matmul %x, %up : tensor<2x4xf32>, tensor<4x8xf32> -> tensor<2x8xf32>
  // CHECK: nn.matmul
  %z = nn.matmul %x, %both : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  // CHECK: nn.matmul
  %w = nn.matmul %z, %both transpose_b : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
  return %y, %w : tensor<2x8xf32>, tensor<2x4xf32>
}

// Slices of whole panels, and of parts of them.
// CHECK-LABEL: func.func @score
func.func @score(%x: tensor<2x4xf32> {nn.input = "x"}, %n: tensor<1xi32> {nn.input = "count"})
    -> (tensor<2x32xf32>, tensor<2x8xf32>, tensor<2x8xf32>) attributes {nn.row_count = "count"} {
  %sliced = nn.get_parameter @sliced : tensor<40x4xf32>
  %torn = nn.get_parameter @torn : tensor<40x4xf32>
  // CHECK: %[[FIRST:.*]] = nn.slice %{{.*}} from 0
  %first = nn.slice %sliced from 0 : tensor<40x4xf32> -> tensor<32x4xf32>
  // CHECK: nn.row_matmul %arg0, %[[FIRST]] count %arg1 transpose_b packed
  %y = nn.matmul %x, %first transpose_b : tensor<2x4xf32>, tensor<32x4xf32> -> tensor<2x32xf32>
  %last = nn.slice %sliced from 32 : tensor<40x4xf32> -> tensor<8x4xf32>
  // CHECK: nn.row_matmul %arg0, %{{.*}} count %arg1 transpose_b packed
  %z = nn.matmul %x, %last transpose_b : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32>
  %part = nn.slice %torn from 8 : tensor<40x4xf32> -> tensor<8x4xf32>
  // CHECK: nn.matmul
  %w = nn.matmul %x, %part transpose_b : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32>
  return %y, %z, %w : tensor<2x32xf32>, tensor<2x8xf32>, tensor<2x8xf32>
}
