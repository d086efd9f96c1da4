// RUN: tessera-opt %s --nn-fuse-head --nn-differentiate --canonicalize --cse | FileCheck %s

// An embedding that is the head too has one gradient: the head's, with the rows
// of the tokens added into it.
nn.parameter @table : tensor<32x8xf32> init normal(0.02) decay group "embeddings"

func.func @objective(%tokens: tensor<16xi32>, %targets: tensor<16xi32>,
                     %scale: tensor<f32>) -> tensor<f32> {
  %table = nn.get_parameter @table : tensor<32x8xf32>
  %x = nn.gather %table, %tokens : tensor<32x8xf32>, tensor<16xi32> -> tensor<16x8xf32>
  %logits = nn.matmul %x, %table transpose_b : tensor<16x8xf32>, tensor<32x8xf32> -> tensor<16x32xf32>
  %loss = nn.cross_entropy %logits, %targets, %scale : tensor<16x32xf32>, tensor<16xi32>, tensor<f32>
  return %loss : tensor<f32>
}

// CHECK-LABEL: func.func @train
// CHECK:         %{{.*}}, %[[DX:.*]], %[[DHEAD:.*]] = nn.linear_cross_entropy
// CHECK:         %[[DTABLE:.*]] = nn.scatter_add %[[DX]], %arg0 into %[[DHEAD]]
// CHECK:         nn.update @table by %[[DTABLE]]
