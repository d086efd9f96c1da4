// RUN: tessera-opt %s --zero-partition="stage=3 world=2" --zero-verify | FileCheck %s
// RUN: tessera-opt %s --zero-partition="stage=1 world=2" --zero-verify | FileCheck %s --check-prefix=WHOLE

// Tied embeddings: one parameter that is read twice, by two nn.get_parameter or
// by one. It lies in its group once, has one gradient (the sum over both uses)
// and one update.

// CHECK: zero.group @embedding parameters [@table] offsets [0] elements 256 padded 256 class_ends [256]

// The rows of the tokens.
// CHECK: zero.all_gather @embedding
// CHECK: nn.gather
// CHECK-NEXT: zero.release
// CHECK-NEXT: zero.all_gather @layer
// CHECK: nn.matmul
// CHECK-NEXT: zero.release
// The head.
// CHECK-NEXT: zero.all_gather @embedding
// CHECK: nn.linear_cross_entropy
// CHECK-NEXT: zero.release
// CHECK: zero.all_gather @layer
// CHECK: zero.release
// CHECK-NOT: zero.all_gather @embedding
// CHECK: %[[SUM:.*]] = nn.scatter_add %{{.*}}, %{{.*}} into
// CHECK-NEXT: %[[BUCKET:.*]] = zero.bucket @embedding(%[[SUM]])
// CHECK-NEXT: zero.reduce_scatter @embedding, %[[BUCKET]]
// CHECK-NOT: zero.bucket @embedding
// CHECK: zero.update @embedding
// CHECK-NOT: zero.update @embedding

// WHOLE: %[[P:.*]] = zero.load parameter @embedding
// WHOLE: %[[FLAT:.*]] = nn.slice %[[P]] from 0 : tensor<256xf32> -> tensor<256xf32>
// WHOLE: %[[TABLE:.*]] = nn.reshape %[[FLAT]] : tensor<256xf32> -> tensor<64x4xf32>
// WHOLE: nn.gather %[[TABLE]]
// WHOLE: nn.linear_cross_entropy %{{.*}}, %[[TABLE]]

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @table : tensor<64x4xf32> init normal(0.02) decay group "embedding"
  nn.parameter @w : tensor<4x4xf32> init normal(0.02) decay group "layer"

  func.func @train(%tokens: tensor<8xi32> {nn.input = "tokens"}, %targets: tensor<8xi32> {nn.input = "targets"},
                   %scale: tensor<f32> {nn.input = "scale"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %table = nn.get_parameter @table : tensor<64x4xf32>
    %head = nn.get_parameter @table : tensor<64x4xf32>
    %w = nn.get_parameter @w : tensor<4x4xf32>
    %x = nn.gather %table, %tokens : tensor<64x4xf32>, tensor<8xi32> -> tensor<8x4xf32>
    %y = nn.matmul %x, %w : tensor<8x4xf32>, tensor<4x4xf32> -> tensor<8x4xf32>
    %loss, %dy, %dhead = nn.linear_cross_entropy %y, %head, %targets, %scale
        : tensor<8x4xf32>, tensor<64x4xf32>, tensor<8xi32>, tensor<f32> -> tensor<64x4xf32>
    %dx = nn.matmul %dy, %w transpose_b : tensor<8x4xf32>, tensor<4x4xf32> -> tensor<8x4xf32>
    %dw = nn.matmul %x, %dy transpose_a : tensor<8x4xf32>, tensor<8x4xf32> -> tensor<4x4xf32>
    %dtable = nn.scatter_add %dx, %tokens into %dhead : tensor<8x4xf32>, tensor<8xi32>, tensor<64x4xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %dtable, %dw : tensor<64x4xf32>, tensor<4x4xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @table by %dtable, %clip, %hyper : tensor<64x4xf32>, tensor<f32>, tensor<4xf32>
    nn.update @w by %dw, %clip, %hyper : tensor<4x4xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
