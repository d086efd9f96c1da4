// RUN: tessera-opt %s --nn-fuse-head | FileCheck %s

// The logits have no other use: they need not exist as a whole.
// CHECK-LABEL: func.func @objective
// CHECK-NOT:     nn.matmul
// CHECK:         %[[LOSS:.*]], %{{.*}}, %{{.*}} = nn.linear_cross_entropy %arg0, %arg1, %arg2, %arg3
// CHECK:         return %[[LOSS]]
func.func @objective(%x: tensor<128x64xf32>, %w: tensor<256x64xf32>,
                     %targets: tensor<128xi32>, %scale: tensor<f32>) -> tensor<f32> {
  %logits = nn.matmul %x, %w transpose_b : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
  %loss = nn.cross_entropy %logits, %targets, %scale : tensor<128x256xf32>, tensor<128xi32>, tensor<f32>
  return %loss : tensor<f32>
}

// Here the logits are wanted.
// CHECK-LABEL: func.func @logits_too
// CHECK:         nn.matmul
// CHECK:         nn.cross_entropy
func.func @logits_too(%x: tensor<128x64xf32>, %w: tensor<256x64xf32>,
                      %targets: tensor<128xi32>, %scale: tensor<f32>)
    -> (tensor<f32>, tensor<128x256xf32>) {
  %logits = nn.matmul %x, %w transpose_b : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
  %loss = nn.cross_entropy %logits, %targets, %scale : tensor<128x256xf32>, tensor<128xi32>, tensor<f32>
  return %loss, %logits : tensor<f32>, tensor<128x256xf32>
}

// CHECK-LABEL: func.func @head(
// CHECK-SAME: %[[X:[^ :,]+]]:{{.*}}%[[W:[^ :,]+]]:{{.*}}%[[TARGETS:[^ :,]+]]:{{.*}}%[[SCALE:[^ :,]+]]:
func.func @head(%x: tensor<128x64xf32>, %w: tensor<256x64xf32>,
                %targets: tensor<128xi32>, %scale: tensor<f32>) -> tensor<f32> {
  // example: head
  // CHECK: %[[LOSS:[^ :,]+]], %[[DX:[^ :,]+]], %[[DW:[^ :,]+]] = nn.linear_cross_entropy %[[X]], %[[W]], %[[TARGETS]], %[[SCALE]] : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32>, tensor<f32> -> tensor<256x64xf32>
  %logits = nn.matmul %x, %w transpose_b
      : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
  %loss = nn.cross_entropy %logits, %targets, %scale
      : tensor<128x256xf32>, tensor<128xi32>, tensor<f32>
  // example end
  return %loss : tensor<f32>
}

// What is evaluated needs no logits either.
// CHECK-LABEL: func.func @eval
// CHECK-NOT:     nn.matmul
// CHECK:         %[[LOG:.*]], %[[CORRECT:.*]] = nn.linear_target_scores %{{.*}}, %{{.*}}, %{{.*}} :
// CHECK:         return %[[LOG]], %[[CORRECT]]
func.func @eval(%x: tensor<128x64xf32>, %w: tensor<256x64xf32>, %targets: tensor<128xi32>)
    -> (tensor<128xf32>, tensor<128xf32>) {
  %logits = nn.matmul %x, %w transpose_b : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
  %log, %correct = nn.target_scores %logits, %targets : tensor<128x256xf32>, tensor<128xi32> -> tensor<128xf32>
  return %log, %correct : tensor<128xf32>, tensor<128xf32>
}

// CHECK-LABEL: func.func @logits_of_another_kind
// CHECK:         nn.matmul
// CHECK:         nn.target_scores
func.func @logits_of_another_kind(%x: tensor<128x64xf32>, %w: tensor<64x256xf32>, %targets: tensor<128xi32>)
    -> (tensor<128xf32>, tensor<128xf32>) {
  %logits = nn.matmul %x, %w : tensor<128x64xf32>, tensor<64x256xf32> -> tensor<128x256xf32>
  %log, %correct = nn.target_scores %logits, %targets : tensor<128x256xf32>, tensor<128xi32> -> tensor<128xf32>
  return %log, %correct : tensor<128xf32>, tensor<128xf32>
}
