// RUN: extension-opt %s --extension-approximate-gelu | FileCheck %s
// RUN: extension-opt %s --extension-approximate-gelu=min-elements=65 | FileCheck %s --check-prefix=LARGE

// CHECK-LABEL: func.func @feed_forward
// LARGE-LABEL: func.func @feed_forward
func.func @feed_forward(%x: tensor<4x16xf32>, %wide: tensor<4x64xf32>)
    -> (tensor<4x16xf32>, tensor<4x64xf32>) {
  // LARGE:      nn.gelu %arg0 : tensor<4x16xf32>
  // LARGE-NEXT: extension.quick_gelu %arg1 : tensor<4x64xf32>
  // example: gelu
  // CHECK:      %[[Y:[^ ]+]] = extension.quick_gelu %[[X:[^ ]+]] : tensor<4x16xf32>
  %y = nn.gelu %x : tensor<4x16xf32>
  // example end
  // CHECK-NEXT: %[[Z:.*]] = extension.quick_gelu %arg1 : tensor<4x64xf32>
  // CHECK-NEXT: return %[[Y]], %[[Z]]
  %z = nn.gelu %wide : tensor<4x64xf32>
  return %y, %z : tensor<4x16xf32>, tensor<4x64xf32>
}
