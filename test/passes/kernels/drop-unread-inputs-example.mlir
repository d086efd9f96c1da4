// RUN: tessera-opt %s --nn-drop-unread-inputs | FileCheck %s

// The example of the pass: a count that nothing reads.

// example: unread
func.func @train(%x: tensor<4xf32> {nn.input = "features"},
                 %n: tensor<i32> {nn.input = "count.0", nn.only_if_read}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
// example end

// example: unread
// CHECK: func.func @train(%[[X:[^ :,]+]]: tensor<4xf32> {nn.input = "features"}) -> tensor<4xf32> {
// CHECK-NEXT:   return %[[X]] : tensor<4xf32>
// CHECK-NEXT: }
// example end
