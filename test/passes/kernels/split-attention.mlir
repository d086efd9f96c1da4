// RUN: tessera-opt %s --nn-split-attention | FileCheck %s

// A slot of 4096 positions has eight parts of 512.
// CHECK-LABEL: func.func @split(
// CHECK-SAME:      %[[QKV:.*]]: tensor<4x24xf32>, %[[CACHE:.*]]: tensor<2x4x1x4096x6xf32>, %[[SLOTS:.*]]: tensor<4xi32>, %[[AT:.*]]: tensor<4xi32>, %[[N:.*]]: tensor<1xi32>)
func.func @split(%qkv: tensor<4x24xf32>, %cache: tensor<2x4x1x4096x6xf32>, %slots: tensor<4xi32>, %at: tensor<4xi32>, %n: tensor<1xi32>) -> tensor<4x12xf32> {
  // example: split
  // CHECK:       %[[SUMS:.*]], %[[MAXIMA:.*]], %[[TOTALS:.*]] = nn.cached_attention_parts %[[QKV]], %[[CACHE]] at %[[SLOTS]], %[[AT]] count %[[N]] heads 2 layout blocked scale 5.000000e-01 parts of 512 : tensor<4x24xf32>, tensor<2x4x1x4096x6xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x2x8x6xf32>, tensor<4x2x8xf32>, tensor<4x2x8xf32>
  // CHECK:       %[[Y:.*]] = nn.merge_attention_parts %[[SUMS]], %[[MAXIMA]], %[[TOTALS]] at %[[AT]] count %[[N]] parts of 512 : tensor<4x2x8x6xf32>, tensor<4x2x8xf32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x12xf32>
  %y = nn.cached_attention %qkv, %cache at %slots, %at count %n heads 2 layout blocked scale 0.5
      : tensor<4x24xf32>, tensor<2x4x1x4096x6xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x12xf32>
  // example end
  // CHECK:       return %[[Y]]
  return %y : tensor<4x12xf32>
}

// A window of 700 lies in at most three of them. The result has the type that it had.
// CHECK-LABEL: func.func @window(
// CHECK:         %[[S:.*]], %[[M:.*]], %[[T:.*]] = nn.cached_attention_parts {{.*}} scaled {{.*}} alibi window 700 scale {{.*}} parts of 512 {{.*}} -> tensor<4x2x3x6xf32>, tensor<4x2x3xf32>, tensor<4x2x3xf32>
// CHECK:         nn.merge_attention_parts %[[S]], %[[M]], %[[T]] {{.*}} window 700 parts of 512 {{.*}} -> tensor<4x12xbf16>
func.func @window(%qkv: tensor<4x24xbf16>, %cache: tensor<2x4x1x4096x6xi8>, %scales: tensor<2x4x1x4096x1xf16>, %slots: tensor<4xi32>, %at: tensor<4xi32>, %n: tensor<1xi32>) -> tensor<4x12xbf16> {
  %y = nn.cached_attention %qkv, %cache scaled %scales at %slots, %at count %n heads 2 layout blocked alibi window 700 scale 0.5
      : tensor<4x24xbf16>, tensor<2x4x1x4096x6xi8>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>, tensor<2x4x1x4096x1xf16> -> tensor<4x12xbf16>
  return %y : tensor<4x12xbf16>
}

// Where a row's keys fit one part, or rows are tiles of one text, nothing is to
// be shared out.
// CHECK-LABEL: func.func @whole(
// CHECK-NOT:     parts
func.func @whole(%qkv: tensor<4x24xf32>, %short: tensor<2x4x1x512x6xf32>, %long: tensor<2x4x1x4096x6xf32>, %slots: tensor<4xi32>, %at: tensor<4xi32>, %n: tensor<1xi32>)
    -> (tensor<4x12xf32>, tensor<4x12xf32>, tensor<4x12xf32>) {
  %0 = nn.cached_attention %qkv, %short at %slots, %at count %n heads 2 layout blocked scale 0.5
      : tensor<4x24xf32>, tensor<2x4x1x512x6xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x12xf32>
  %1 = nn.cached_attention %qkv, %long at %slots, %at count %n heads 2 layout blocked window 512 scale 0.5
      : tensor<4x24xf32>, tensor<2x4x1x4096x6xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x12xf32>
  %2 = nn.cached_attention %qkv, %long at %slots, %at count %n heads 2 layout blocked one_slot scale 0.5
      : tensor<4x24xf32>, tensor<2x4x1x4096x6xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x12xf32>
  return %0, %1, %2 : tensor<4x12xf32>, tensor<4x12xf32>, tensor<4x12xf32>
}
