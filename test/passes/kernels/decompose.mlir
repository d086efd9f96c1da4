// RUN: tessera-opt %s --nn-decompose="chunk-bytes=65536" | FileCheck %s

// 512 rows of 64 classes in fp32 are 128 KiB: two chunks. The weights' gradient
// is a chain of sums, the rest is joined. What rows without a target have is
// selected away, as it may be Inf or NaN.
// CHECK-LABEL: func.func @head
// CHECK:         %[[X0:.*]] = nn.slice %arg0 from 0
// CHECK:         nn.matmul %[[X0]], %arg1 transpose_b : {{.*}} -> tensor<256x64xf32>
// CHECK:         nn.reduce max
// CHECK:         %[[LOSS:.*]] = arith.mulf {{.*}} : tensor<256xf32>
// CHECK:         arith.select %{{.*}}, %[[LOSS]], %{{.*}} : tensor<256xi1>, tensor<256xf32>
// CHECK:         %[[D:.*]] = arith.subf {{.*}} : tensor<256x64xf32>
// CHECK:         arith.select %{{.*}}, %[[D]], %{{.*}} : tensor<256x64xi1>, tensor<256x64xf32>
// CHECK:         %[[DX0:.*]] = nn.matmul %{{.*}}, %arg1 : {{.*}} -> tensor<256x16xf32>
// CHECK:         %[[DW0:.*]] = nn.matmul %{{.*}}, %[[X0]] transpose_a
// CHECK:         %[[X1:.*]] = nn.slice %arg0 from 256
// CHECK:         %[[DW1:.*]] = nn.matmul %{{.*}}, %[[X1]] transpose_a
// CHECK:         arith.addf %[[DW0]], %[[DW1]]
// CHECK:         nn.concat
func.func @head(%x: tensor<512x16xf32>, %w: tensor<64x16xf32>, %targets: tensor<512xi32>,
                %scale: tensor<f32>) -> (tensor<f32>, tensor<512x16xf32>, tensor<64x16xf32>) {
  %loss, %dx, %dw = nn.linear_cross_entropy %x, %w, %targets, %scale : tensor<512x16xf32>, tensor<64x16xf32>, tensor<512xi32>, tensor<f32> -> tensor<64x16xf32>
  return %loss, %dx, %dw : tensor<f32>, tensor<512x16xf32>, tensor<64x16xf32>
}

// Without a backward pass there is one matmul per chunk.
// CHECK-LABEL: func.func @loss_only
// CHECK-COUNT-2: nn.matmul
// CHECK-NOT:     nn.matmul
func.func @loss_only(%x: tensor<512x16xf32>, %w: tensor<64x16xf32>, %targets: tensor<512xi32>,
                     %scale: tensor<f32>) -> tensor<f32> {
  %loss, %dx, %dw = nn.linear_cross_entropy %x, %w, %targets, %scale : tensor<512x16xf32>, tensor<64x16xf32>, tensor<512xi32>, tensor<f32> -> tensor<64x16xf32>
  return %loss : tensor<f32>
}

// Of the largest logits the first is the prediction; what lies before the target is
// told by its column.
// CHECK-LABEL: func.func @eval
// CHECK:         %[[X0:.*]] = nn.slice %arg0 from 0
// CHECK:         nn.matmul %[[X0]], %arg1 transpose_b : {{.*}} -> tensor<256x64xf32>
// CHECK:         %[[MAX:.*]] = nn.reduce max
// CHECK:         %[[COUNTS:.*]] = arith.cmpi sge
// CHECK:         arith.select %[[COUNTS]]
// CHECK:         arith.cmpi slt
// CHECK:         %[[BEFORE:.*]] = nn.reduce max
// CHECK:         arith.cmpf oeq, %{{.*}}, %[[MAX]]
// CHECK:         arith.cmpf olt, %[[BEFORE]], %[[MAX]]
// CHECK:         %[[X1:.*]] = nn.slice %arg0 from 256
// CHECK:         nn.matmul %[[X1]]
// CHECK-NOT:     nn.matmul
// CHECK:         %[[LOG:.*]] = nn.concat {{.*}} -> tensor<512xf32>
// CHECK:         %[[CORRECT:.*]] = nn.concat {{.*}} -> tensor<512xf32>
// CHECK:         return %[[LOG]], %[[CORRECT]]
func.func @eval(%x: tensor<512x16xf32>, %w: tensor<64x16xf32>, %targets: tensor<512xi32>)
    -> (tensor<512xf32>, tensor<512xf32>) {
  %log, %correct = nn.linear_target_scores %x, %w, %targets : tensor<512x16xf32>, tensor<64x16xf32>, tensor<512xi32> -> tensor<512xf32>
  return %log, %correct : tensor<512xf32>, tensor<512xf32>
}

// CHECK-LABEL: func.func @softmax
// CHECK:         nn.reduce max
// CHECK:         math.exp
// CHECK:         nn.reduce sum
func.func @softmax(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %y = nn.softmax %x : tensor<8x16xf32>
  return %y : tensor<8x16xf32>
}

// A quarter of 2^32 is the limit below which bits drop. What is dropped is
// multiplied by 0, so that a NaN stays.
// CHECK-LABEL: func.func @dropout
// CHECK:         %[[BITS:.*]] = nn.random_bits %arg1, %arg2 : tensor<1x4xi32>, tensor<2xi32> -> tensor<8x16xi32>
// CHECK:         %[[LIMIT:.*]] = arith.constant dense<1073741824> : tensor<8x16xi32>
// CHECK:         %[[KEPT:.*]] = arith.cmpi uge, %[[BITS]], %[[LIMIT]]
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant dense<1.33333337> : tensor<8x16xf32>
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<8x16xf32>
// CHECK:         %[[FACTOR:.*]] = arith.select %[[KEPT]], %[[SCALE]], %[[ZERO]]
// CHECK:         arith.mulf %arg0, %[[FACTOR]]
func.func @dropout(%x: tensor<8x16xf32>, %stream: tensor<1x4xi32>, %samples: tensor<2xi32>) -> tensor<8x16xf32> {
  %y = nn.dropout %x from %stream, %samples rate 0.25 : tensor<8x16xf32>, tensor<1x4xi32>, tensor<2xi32>
  return %y : tensor<8x16xf32>
}

// CHECK-LABEL: func.func @relu(
// CHECK-SAME: %[[X:[^ :,]+]]:
func.func @relu(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  // example: relu
  // CHECK: %[[ZERO:[^ :,]+]] = arith.constant dense<0.000000e+00> : tensor<8x16xf32>
  // CHECK-NEXT: %[[Y:[^ :,]+]] = arith.maximumf %[[X]], %[[ZERO]] : tensor<8x16xf32>
  %y = nn.relu %x : tensor<8x16xf32>
  // example end
  return %y : tensor<8x16xf32>
}

// Squared in 32 bits and rounded once.
// CHECK-LABEL: func.func @relu2(
// CHECK-SAME: %[[X:[^ :,]+]]:
// CHECK: %[[WIDE:[^ :,]+]] = arith.extf %[[X]]
// CHECK: %[[ZERO:[^ :,]+]] = arith.constant dense<0.000000e+00> : tensor<8x16xf32>
// CHECK: %[[PART:[^ :,]+]] = arith.maximumf %[[WIDE]], %[[ZERO]] : tensor<8x16xf32>
// CHECK: %[[SQUARE:[^ :,]+]] = arith.mulf %[[PART]], %[[PART]] : tensor<8x16xf32>
// CHECK: arith.truncf %[[SQUARE]]
func.func @relu2(%x: tensor<8x16xbf16>) -> tensor<8x16xbf16> {
  %y = nn.relu2 %x : tensor<8x16xbf16>
  return %y : tensor<8x16xbf16>
}
