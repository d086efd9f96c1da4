// RUN: tessera-opt %s --canonicalize | FileCheck %s

// What changes no shape is its operand.
// CHECK-LABEL: func.func @nothing(
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>)
// CHECK-NEXT: return %[[X]]
func.func @nothing(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = nn.broadcast %x dims [0, 1] : tensor<4x8xf32> -> tensor<4x8xf32>
  %1 = nn.reduce sum %0 dims [] : tensor<4x8xf32> -> tensor<4x8xf32>
  %2 = nn.reshape %1 : tensor<4x8xf32> -> tensor<4x8xf32>
  %3 = nn.transpose %2 by [0, 1] : tensor<4x8xf32> -> tensor<4x8xf32>
  %4 = nn.slice %3 from 0 : tensor<4x8xf32> -> tensor<4x8xf32>
  %5 = nn.concat %4 : tensor<4x8xf32> -> tensor<4x8xf32>
  return %5 : tensor<4x8xf32>
}

// A square matrix keeps its shape when it is transposed, but not its content.
// CHECK-LABEL: func.func @square
// CHECK-NEXT: nn.transpose
func.func @square(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  %0 = nn.transpose %x by [1, 0] : tensor<4x4xf32> -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// CHECK-LABEL: func.func @broadcasts(
// CHECK-SAME: %[[X:.*]]: tensor<8xf32>)
// CHECK-NEXT: %[[Y:.*]] = nn.broadcast %[[X]] dims [2] : tensor<8xf32> -> tensor<2x4x8xf32>
// CHECK-NEXT: return %[[Y]]
func.func @broadcasts(%x: tensor<8xf32>) -> tensor<2x4x8xf32> {
  %0 = nn.broadcast %x dims [1] : tensor<8xf32> -> tensor<4x8xf32>
  %1 = nn.broadcast %0 dims [1, 2] : tensor<4x8xf32> -> tensor<2x4x8xf32>
  return %1 : tensor<2x4x8xf32>
}

// CHECK-LABEL: func.func @reshapes(
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = nn.reshape %[[X]] : tensor<4x8xf32> -> tensor<2x16xf32>
// CHECK-NEXT: return %[[Y]], %[[X]]
func.func @reshapes(%x: tensor<4x8xf32>) -> (tensor<2x16xf32>, tensor<4x8xf32>) {
  %0 = nn.reshape %x : tensor<4x8xf32> -> tensor<32xf32>
  %1 = nn.reshape %0 : tensor<32xf32> -> tensor<2x16xf32>
  %2 = nn.reshape %1 : tensor<2x16xf32> -> tensor<4x8xf32>
  return %1, %2 : tensor<2x16xf32>, tensor<4x8xf32>
}

// CHECK-LABEL: func.func @slices(
// CHECK-SAME: %[[X:.*]]: tensor<16x8xf32>)
// CHECK-NEXT: %[[Y:.*]] = nn.slice %[[X]] from 5 : tensor<16x8xf32> -> tensor<2x8xf32>
// CHECK-NEXT: return %[[Y]]
func.func @slices(%x: tensor<16x8xf32>) -> tensor<2x8xf32> {
  %0 = nn.slice %x from 4 : tensor<16x8xf32> -> tensor<8x8xf32>
  %1 = nn.slice %0 from 1 : tensor<8x8xf32> -> tensor<2x8xf32>
  return %1 : tensor<2x8xf32>
}

// A constant that is the same everywhere is so in every shape.
// CHECK-LABEL: func.func @constants
// CHECK-NEXT: %[[C:.*]] = arith.constant dense<2.000000e+00> : tensor<4x8xf32>
// CHECK-NEXT: return %[[C]]
func.func @constants() -> tensor<4x8xf32> {
  %0 = arith.constant dense<2.0> : tensor<f32>
  %1 = nn.broadcast %0 dims [] : tensor<f32> -> tensor<32xf32>
  %2 = nn.reshape %1 : tensor<32xf32> -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}

// What nobody uses goes; a running sum and a section stay.
// CHECK-LABEL: func.func @unused
// CHECK-NEXT: nn.accumulate
// CHECK-NEXT: nn.section "reduce"
// CHECK-NEXT: return
func.func @unused(%x: tensor<4x8xf32>) {
  %0 = nn.gelu %x : tensor<4x8xf32>
  %1 = nn.accumulate %x : tensor<4x8xf32>
  nn.section "reduce"
  return
}
