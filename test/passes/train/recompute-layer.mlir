// RUN: tessera-opt %s --nn-differentiate --canonicalize --cse --nn-recompute --canonicalize --cse | FileCheck %s

// A part of a Transformer's layer, with training.recompute: LAYER. The
// residual stream is what layers read of one another. A table's rows are kept:
// to look them up again ZeRO would have to gather the table.
module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1},
      recompute = layer>>} {

// What was done is written down: of two segments from which something could be
// gained, both are recomputed. "head" is the last one.
// CHECK: spec.recomputed = #spec.recomputed<segments = 2, whole = 2>

nn.parameter @table : tensor<64x8xf32> init normal(0.02) decay group "embeddings"
nn.parameter @"h.0.norm" : tensor<8xf32> init constant(1.0) group "h.0"
nn.parameter @"h.0.qkv" : tensor<8x24xf32> init normal(0.02) decay group "h.0"
nn.parameter @"h.1.norm" : tensor<8xf32> init constant(1.0) group "h.1"
nn.parameter @"h.1.qkv" : tensor<8x24xf32> init normal(0.02) decay group "h.1"
nn.parameter @head : tensor<64x8xf32> init normal(0.02) decay group "head"

func.func @objective(%batch: tensor<2x8xi32> {nn.input = "tokens"},
                     %targets: tensor<16xi32> {nn.input = "targets"},
                     %scale: tensor<f32> {nn.input = "scale"})
    -> (tensor<f32> {nn.output = "loss"}) {
  %table = nn.get_parameter @table : tensor<64x8xf32>
  // A view of the kept tokens: nothing is gained by making it again.
  %tokens = nn.reshape %batch : tensor<2x8xi32> -> tensor<16xi32>
  %x0 = nn.gather %table, %tokens : tensor<64x8xf32>, tensor<16xi32> -> tensor<16x8xf32>
  %norm0 = nn.get_parameter @"h.0.norm" : tensor<8xf32>
  %n0, %mean0, %rstd0 = nn.layer_norm %x0, %norm0, %norm0 epsilon 1.0e-5 : tensor<16x8xf32>, tensor<8xf32> -> tensor<16xf32>
  %w0 = nn.get_parameter @"h.0.qkv" : tensor<8x24xf32>
  %qkv0 = nn.matmul %n0, %w0 : tensor<16x8xf32>, tensor<8x24xf32> -> tensor<16x24xf32>
  %a0, %lse0 = nn.attention %qkv0 batch 1 heads 2 layout blocked causal scale 0.5 : tensor<16x24xf32> -> tensor<16x8xf32>, tensor<2x16xf32>
  %x1 = arith.addf %x0, %a0 : tensor<16x8xf32>
  %norm1 = nn.get_parameter @"h.1.norm" : tensor<8xf32>
  %n1, %mean1, %rstd1 = nn.layer_norm %x1, %norm1, %norm1 epsilon 1.0e-5 : tensor<16x8xf32>, tensor<8xf32> -> tensor<16xf32>
  %w1 = nn.get_parameter @"h.1.qkv" : tensor<8x24xf32>
  %qkv1 = nn.matmul %n1, %w1 : tensor<16x8xf32>, tensor<8x24xf32> -> tensor<16x24xf32>
  %a1, %lse1 = nn.attention %qkv1 batch 1 heads 2 layout blocked causal scale 0.5 : tensor<16x24xf32> -> tensor<16x8xf32>, tensor<2x16xf32>
  %x2 = arith.addf %x1, %a1 : tensor<16x8xf32>
  %head = nn.get_parameter @head : tensor<64x8xf32>
  %logits = nn.matmul %x2, %head transpose_b : tensor<16x8xf32>, tensor<64x8xf32> -> tensor<16x64xf32>
  %loss = nn.cross_entropy %logits, %targets, %scale : tensor<16x64xf32>, tensor<16xi32>, tensor<f32>
  return %loss : tensor<f32>
}

// CHECK-LABEL: func.func @train
// CHECK:         %[[X0:.*]] = nn.gather
// CHECK:         %[[N0:.*]], %{{.*}}, %{{.*}} = nn.layer_norm %[[X0]]
// CHECK:         %[[A0:.*]], %{{.*}} = nn.attention
// CHECK:         %[[X1:.*]] = arith.addf %[[X0]], %[[A0]]
// CHECK-NOT:     of "embeddings"
// CHECK-NOT:     of "head"
// CHECK:         %[[KEPT1:.*]] = nn.checkpoint %[[X1]] of "h.1"
// CHECK:         %[[N1:.*]], %[[MEAN1:.*]], %[[RSTD1:.*]] = nn.layer_norm %[[KEPT1]]
// CHECK:         %[[QKV1:.*]] = nn.matmul %[[N1]]
// CHECK:         %[[A1:.*]], %[[LSE1:.*]] = nn.attention %[[QKV1]]
// CHECK:         nn.attention_grad %[[QKV1]], %[[A1]], %[[LSE1]]
// CHECK:         nn.matmul %[[N1]], %{{.*}} transpose_a
// CHECK:         %[[KEPT0:.*]] = nn.checkpoint %[[X0]] of "h.0"
// CHECK:         nn.layer_norm %[[KEPT0]]
// CHECK:         nn.section "reduce"
}
