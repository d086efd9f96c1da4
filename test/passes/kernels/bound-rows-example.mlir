// RUN: tessera-opt %s --plan-bound-rows | FileCheck %s

// The example of the pass: a sum over rows that are counted.

// example: count
func.func @train(%x: tensor<64x8xf32> {nn.counted = "count.0", nn.input = "x"},
                 %w: tensor<8x4xf32> {nn.input = "w"},
                 %n: tensor<i32> {nn.input = "count.0"}) -> tensor<4xf32> {
  %y = plan.gemm %x, %w : (tensor<64x8xf32>, tensor<8x4xf32>) -> tensor<64x4xf32>
  %s = plan.launch @columnsum(%y) : (tensor<64x4xf32>) -> tensor<4xf32>
  return %s : tensor<4xf32>
}
func.func private @columnsum(%y: tensor<64x4xf32>) -> tensor<4xf32> attributes {plan.kernel} {
  %s = nn.reduce sum %y dims [0] : tensor<64x4xf32> -> tensor<4xf32>
  return %s : tensor<4xf32>
}
// example end

// example: count
// CHECK: func.func @train(%[[X:[^ :,]+]]: tensor<64x8xf32> {nn.counted = "count.0", nn.input = "x"}, %[[W:[^ :,]+]]: tensor<8x4xf32> {nn.input = "w"}, %[[N:[^ :,]+]]: tensor<i32> {nn.input = "count.0"}) -> tensor<4xf32> {
// CHECK-NEXT:   %[[Y:[^ :,]+]] = plan.gemm %[[X]], %[[W]] counted rows of 64 by %[[N]] : (tensor<64x8xf32>, tensor<8x4xf32>, tensor<i32>) -> tensor<64x4xf32>
// CHECK-NEXT:   %[[S:[^ :,]+]] = plan.launch @columnsum_counted(%[[Y]], %[[N]]) : (tensor<64x4xf32>, tensor<i32>) -> tensor<4xf32>
// CHECK-NEXT:   return %[[S]] : tensor<4xf32>
// CHECK-NEXT: }
// example end

// example: count
// CHECK: func.func private @columnsum_counted(%[[Y:[^ :,]+]]: tensor<64x4xf32>, %[[N:[^ :,]+]]: tensor<i32> {plan.counts_sums = 64 : i64}) -> tensor<4xf32> attributes {plan.kernel} {
// CHECK-NEXT:   %[[S:[^ :,]+]] = nn.reduce sum %[[Y]] dims [0] : tensor<64x4xf32> -> tensor<4xf32>
// CHECK-NEXT:   return %[[S]] : tensor<4xf32>
// CHECK-NEXT: }
// example end
