// RUN: tessera-opt %s --zero-partition --zero-verify | FileCheck %s

// A model that generates has one rank whatever the specification's world is, and
// no step; what its caches hold is a state that programs load and store.

// CHECK: zero.group @all parameters [@w] offsets [0] elements 64 padded 64
// CHECK-LABEL: func.func @decode
// CHECK-SAME: zero.stage = 0 : i64, zero.world = 1 : i64
// CHECK: %[[C:.*]] = zero.load cache @c : tensor<64xf32>
// CHECK-NEXT: %[[SHAPED:.*]] = nn.reshape %[[C]] : tensor<64xf32> -> tensor<2x1x1x8x4xf32>
// CHECK: %[[NEXT:.*]] = nn.cache_write %{{.*}} into %[[SHAPED]]
// CHECK: %[[FLAT:.*]] = nn.reshape %[[NEXT]]
// CHECK-NEXT: zero.store cache @c, %[[FLAT]] : tensor<64xf32>
module attributes {
    spec.generation = #spec.generation<slots = 1, length = 8, chunk = 2>,
    spec.specification = #spec.specification<
      name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
      training = <global_batch = 2, micro_batch = 1, steps = 1,
        optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
      parallel = <world = 2, zero_stage = 3>>} {
  nn.parameter @w : tensor<4x16xf32> init normal(0.02) decay group "all"
  nn.cache @c : tensor<2x1x1x8x4xf32>

  func.func @decode(%x: tensor<1x4xf32> {nn.input = "x"}, %at: tensor<1xi32> {nn.input = "at"})
      -> (tensor<1x4xf32> {nn.output = "y"}) {
    %w = nn.get_parameter @w : tensor<4x16xf32>
    %qkv = nn.matmul %x, %w : tensor<1x4xf32>, tensor<4x16xf32> -> tensor<1x16xf32>
    %head = nn.reshape %qkv : tensor<1x16xf32> -> tensor<16xf32>
    %some = nn.slice %head from 0 : tensor<16xf32> -> tensor<12xf32>
    %packed = nn.reshape %some : tensor<12xf32> -> tensor<1x12xf32>
    %before = nn.get_cache @c : tensor<2x1x1x8x4xf32>
    %after = nn.cache_write %packed into %before at %at, %at count %at heads 1 layout blocked
        : tensor<1x12xf32>, tensor<2x1x1x8x4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>
    nn.set_cache @c, %after : tensor<2x1x1x8x4xf32>
    %y = nn.cached_attention %packed, %after at %at, %at count %at heads 1 layout blocked scale 0.5
        : tensor<1x12xf32>, tensor<2x1x1x8x4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32> -> tensor<1x4xf32>
    return %y : tensor<1x4xf32>
  }
}
