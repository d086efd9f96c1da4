// RUN: tessera-opt %s --nn-split-attention | FileCheck %s

// A GPU has many blocks to fill: its parts are shorter where rows and heads are
// few, and many rows of many heads need none.
module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cuda<>>} {

// CHECK-LABEL: func.func @few(
// CHECK:         nn.cached_attention_parts {{.*}} parts of 256 {{.*}} -> tensor<4x2x16x64xf32>
// CHECK:         nn.merge_attention_parts {{.*}} parts of 256
func.func @few(%qkv: tensor<4x256xf32>, %cache: tensor<2x4x1x4096x64xf32>, %slots: tensor<4xi32>, %n: tensor<1xi32>) -> tensor<4x128xf32> {
  %y = nn.cached_attention %qkv, %cache at %slots, %slots count %n heads 2 layout blocked scale 0.5
      : tensor<4x256xf32>, tensor<2x4x1x4096x64xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x128xf32>
  return %y : tensor<4x128xf32>
}

// CHECK-LABEL: func.func @many(
// CHECK-NOT:     parts
func.func @many(%qkv: tensor<64x3072xf32>, %cache: tensor<2x64x16x4096x64xf32>, %slots: tensor<64xi32>, %n: tensor<1xi32>) -> tensor<64x1024xf32> {
  %y = nn.cached_attention %qkv, %cache at %slots, %slots count %n heads 16 layout blocked scale 0.5
      : tensor<64x3072xf32>, tensor<2x64x16x4096x64xf32>, tensor<64xi32>, tensor<64xi32>, tensor<1xi32> -> tensor<64x1024xf32>
  return %y : tensor<64x1024xf32>
}
}
