// RUN: tessera-opt %s | tessera-opt | FileCheck %s
// RUN: tessera-opt %s --mlir-print-op-generic | tessera-opt | FileCheck %s
// RUN: tessera-opt %s --emit-bytecode | tessera-opt | FileCheck %s

// Each operation once, as it is written.

// CHECK: nn.parameter @ln_f.weight : tensor<64xf32> init constant(1.000000e+00) group "final"
// example: parameter
nn.parameter @ln_f.weight : tensor<64xf32> init constant(1.0) group "final"
// CHECK: nn.parameter @h.0.mlp.weight : tensor<256x64xf32> init normal(2.000000e-02) decay group "h.0"
nn.parameter @"h.0.mlp.weight" : tensor<256x64xf32> init normal(0.02) decay group "h.0"
// CHECK: nn.parameter @qkv.weight : tensor<6x4xf32> init normal(2.000000e-02) decay group "h.0" as bf16 parts ["q.weight" 4, "k.weight" 1, "v.weight" 1]
nn.parameter @qkv.weight : tensor<6x4xf32> init normal(0.02) decay group "h.0" as bf16 parts ["q.weight" 4, "k.weight" 1, "v.weight" 1]
// example end
// CHECK: nn.parameter @lin.weight : tensor<4x4xf32> init uniform(5.000000e-01) decay group "lin"
nn.parameter @lin.weight : tensor<4x4xf32> init uniform(0.5) decay group "lin"

// CHECK-LABEL: func.func @general
func.func @general(%x: tensor<128x64xf32>, %bias: tensor<64xf32>, %table: tensor<256x64xf32>,
                   %tokens: tensor<128xi32>) {
  // CHECK: nn.get_parameter @ln_f.weight : tensor<64xf32>
  // example: get-parameter
  %w = nn.get_parameter @ln_f.weight : tensor<64xf32>
  // example end
  // CHECK: nn.broadcast %{{.*}} dims [1] : tensor<64xf32> -> tensor<128x64xf32>
  // example: broadcast
  // A row vector along the rows of a matrix.
  %rows = nn.broadcast %bias dims [1] : tensor<64xf32> -> tensor<128x64xf32>
  // example end
  // CHECK: nn.reduce sum %{{.*}} dims [1] : tensor<128x64xf32> -> tensor<128xf32>
  // example: reduce
  %sum = nn.reduce sum %x dims [1] : tensor<128x64xf32> -> tensor<128xf32>
  // example end
  // CHECK: nn.reduce max %{{.*}} dims [0, 1] : tensor<128x64xf32> -> tensor<f32>
  %max = nn.reduce max %x dims [0, 1] : tensor<128x64xf32> -> tensor<f32>
  // CHECK: nn.matmul %{{.*}}, %{{.*}} transpose_b : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
  // example: matmul
  // x [128, 64] times the transpose of a table [256, 64].
  %y = nn.matmul %x, %table transpose_b : tensor<128x64xf32>, tensor<256x64xf32> -> tensor<128x256xf32>
  // example end
  // CHECK: nn.matmul %{{.*}}, %{{.*}} transpose_a : tensor<128x64xf32>, tensor<128x256xf32> -> tensor<64x256xf32>
  %z = nn.matmul %x, %y transpose_a : tensor<128x64xf32>, tensor<128x256xf32> -> tensor<64x256xf32>
  // CHECK: nn.reshape %{{.*}} : tensor<128x64xf32> -> tensor<2x64x64xf32>
  %shaped = nn.reshape %x : tensor<128x64xf32> -> tensor<2x64x64xf32>
  // CHECK: nn.transpose %{{.*}} by [2, 0, 1] : tensor<2x64x64xf32> -> tensor<64x2x64xf32>
  %turned = nn.transpose %shaped by [2, 0, 1] : tensor<2x64x64xf32> -> tensor<64x2x64xf32>
  // CHECK: nn.slice %{{.*}} from 32 : tensor<128x64xf32> -> tensor<32x64xf32>
  // example: slice
  %part = nn.slice %x from 32 : tensor<128x64xf32> -> tensor<32x64xf32>
  // example end
  // CHECK: nn.concat %{{.*}}, %{{.*}} : tensor<32x64xf32>, tensor<128x64xf32> -> tensor<160x64xf32>
  %both = nn.concat %part, %x : tensor<32x64xf32>, tensor<128x64xf32> -> tensor<160x64xf32>
  // CHECK: nn.split_columns %{{.*}} : tensor<128x64xf32> -> tensor<128x32xf32>, tensor<128x32xf32>
  // example: split-columns
  %left, %right = nn.split_columns %x : tensor<128x64xf32> -> tensor<128x32xf32>, tensor<128x32xf32>
  // example end
  // CHECK: nn.slice_columns %{{.*}} from 32 : tensor<128x64xf32> -> tensor<128x32xf32>
  %half = nn.slice_columns %x from 32 : tensor<128x64xf32> -> tensor<128x32xf32>
  // CHECK: nn.concat_columns %{{.*}}, %{{.*}} : tensor<128x32xf32>, tensor<128x32xf32> -> tensor<128x64xf32>
  // example: concat-columns
  %joined = nn.concat_columns %left, %right : tensor<128x32xf32>, tensor<128x32xf32> -> tensor<128x64xf32>
  // example end
  // CHECK: nn.gather %{{.*}}, %{{.*}} : tensor<256x64xf32>, tensor<128xi32> -> tensor<128x64xf32>
  // example: gather
  %embedded = nn.gather %table, %tokens : tensor<256x64xf32>, tensor<128xi32> -> tensor<128x64xf32>
  // example end
  // CHECK: nn.scatter_add %{{.*}}, %{{.*}} into %{{.*}} : tensor<128x64xf32>, tensor<128xi32>, tensor<256x64xf32>
  %added = nn.scatter_add %embedded, %tokens into %table : tensor<128x64xf32>, tensor<128xi32>, tensor<256x64xf32>
  // CHECK: nn.iota 1 : tensor<128x64xi32>
  %columns = nn.iota 1 : tensor<128x64xi32>
  return
}

// CHECK-LABEL: func.func @composites
func.func @composites(%x: tensor<128x64xf32>, %w: tensor<64xf32>, %qkv: tensor<128x192xf32>,
                      %logits: tensor<128x256xf32>, %table: tensor<256x64xf32>,
                      %angles: tensor<2x64x4xf32>, %head: tensor<8xf32>,
                      %targets: tensor<128xi32>, %scale: tensor<f32>,
                      %draws: tensor<2x4xi32>, %samples: tensor<2xi32>) {
  // CHECK: nn.layer_norm %{{.*}}, %{{.*}}, %{{.*}} epsilon 1.000000e-05 : tensor<128x64xf32>, tensor<64xf32> -> tensor<128xf32>
  // example: layer-norm
  %y, %mean, %rstd = nn.layer_norm %x, %w, %w epsilon 1.0e-5 : tensor<128x64xf32>, tensor<64xf32> -> tensor<128xf32>
  // example end
  // CHECK: nn.rms_norm %{{.*}}, %{{.*}} epsilon 1.000000e-05 : tensor<128x64xf32>, tensor<64xf32> -> tensor<128xf32>
  // example: rms-norm
  %z, %rstd2 = nn.rms_norm %x, %w epsilon 1.0e-5 : tensor<128x64xf32>, tensor<64xf32> -> tensor<128xf32>
  // example end
  // CHECK: nn.rotary %{{.*}}, %{{.*}} heads 4 kv_heads 2 : tensor<128x64xf32>, tensor<2x64x4xf32>
  // example: rotary
  %turned = nn.rotary %x, %angles heads 4 kv_heads 2 : tensor<128x64xf32>, tensor<2x64x4xf32>
  // example end
  // CHECK: nn.rotary %{{.*}}, %{{.*}} heads 8 back : tensor<128x192xf32>, tensor<2x64x4xf32>
  %back = nn.rotary %qkv, %angles heads 8 back : tensor<128x192xf32>, tensor<2x64x4xf32>
  // CHECK: nn.head_norm %{{.*}}, %{{.*}}, %{{.*}} heads 4 kv_heads 2 epsilon 1.000000e-05 : tensor<128x64xf32>, tensor<8xf32> -> tensor<128x8xf32>
  // example: head-norm
  %heads, %rstd3 = nn.head_norm %x, %head, %head heads 4 kv_heads 2 epsilon 1.0e-5
      : tensor<128x64xf32>, tensor<8xf32> -> tensor<128x8xf32>
  // example end
  // CHECK: nn.silu %{{.*}} : tensor<128x64xf32>
  %silu = nn.silu %x : tensor<128x64xf32>
  // CHECK: nn.gelu %{{.*}} : tensor<128x64xf32>
  %gelu = nn.gelu %x : tensor<128x64xf32>
  // CHECK: nn.gelu_grad %{{.*}}, %{{.*}} : tensor<128x64xf32>
  // example: gelu-grad
  %gelu_grad = nn.gelu_grad %x, %gelu : tensor<128x64xf32>
  // example end
  // CHECK: nn.relu %{{.*}} : tensor<128x64xf32>
  %relu = nn.relu %x : tensor<128x64xf32>
  // CHECK: nn.relu2 %{{.*}} : tensor<128x64xf32>
  %relu2 = nn.relu2 %x : tensor<128x64xf32>
  // CHECK: nn.elu %{{.*}} : tensor<128x64xf32>
  %elu = nn.elu %x : tensor<128x64xf32>
  // CHECK: nn.softmax %{{.*}} : tensor<128x64xf32>
  %softmax = nn.softmax %x : tensor<128x64xf32>
  // CHECK: nn.attention %{{.*}} batch 2 heads 4 layout interleaved causal alibi scale 2.500000e-01 : tensor<128x192xf32> -> tensor<128x64xf32>, tensor<8x64xf32>
  // example: attention
  %out, %lse = nn.attention %qkv batch 2 heads 4 layout interleaved causal alibi scale 0.25
      : tensor<128x192xf32> -> tensor<128x64xf32>, tensor<8x64xf32>
  // example end
  // CHECK: nn.attention %{{.*}} batch 2 heads 4 layout blocked scale 2.500000e-01
  %out2, %lse2 = nn.attention %qkv batch 2 heads 4 layout blocked scale 0.25
      : tensor<128x192xf32> -> tensor<128x64xf32>, tensor<8x64xf32>
  // CHECK: nn.slice %{{.*}} from 1 : tensor<2x4xi32> -> tensor<1x4xi32>
  %stream = nn.slice %draws from 1 : tensor<2x4xi32> -> tensor<1x4xi32>
  // CHECK: nn.random_bits %{{.*}}, %{{.*}} : tensor<1x4xi32>, tensor<2xi32> -> tensor<128x64xi32>
  // example: random-bits
  // Rows 0 to 63 are of the first sample, rows 64 to 127 of the second.
  %bits = nn.random_bits %stream, %samples : tensor<1x4xi32>, tensor<2xi32> -> tensor<128x64xi32>
  // example end
  // CHECK: nn.random_bits %{{.*}} : tensor<1x4xi32> -> tensor<128x64xi32>
  %bits2 = nn.random_bits %stream : tensor<1x4xi32> -> tensor<128x64xi32>
  // CHECK: nn.dropout %{{.*}} from %{{.*}}, %{{.*}} rate 1.000000e-01 : tensor<128x64xf32>, tensor<1x4xi32>, tensor<2xi32>
  // example: dropout
  %drop = nn.dropout %x from %stream, %samples rate 0.1 : tensor<128x64xf32>, tensor<1x4xi32>, tensor<2xi32>
  // example end
  // CHECK: nn.dropout %{{.*}} from %{{.*}} rate 1.000000e-01 : tensor<128x64xf32>, tensor<1x4xi32>
  %drop2 = nn.dropout %x from %stream rate 0.1 : tensor<128x64xf32>, tensor<1x4xi32>
  // CHECK: nn.attention %{{.*}} batch 2 heads 4 layout blocked scale 2.500000e-01 dropout 1.000000e-01 from %{{.*}}, %{{.*}} : tensor<128x192xf32>, tensor<1x4xi32>, tensor<2xi32> -> tensor<128x64xf32>, tensor<8x64xf32>
  // example: attention
  %out3, %lse3 = nn.attention %qkv batch 2 heads 4 layout blocked scale 0.25 dropout 0.1 from %stream, %samples
      : tensor<128x192xf32>, tensor<1x4xi32>, tensor<2xi32> -> tensor<128x64xf32>, tensor<8x64xf32>
  // example end
  // CHECK: nn.attention_grad {{.*}} dropout 1.000000e-01 from %{{.*}}, %{{.*}} : tensor<128x192xf32>, tensor<128x64xf32>, tensor<8x64xf32>, tensor<1x4xi32>, tensor<2xi32>
  %dqkv3 = nn.attention_grad %qkv, %out3, %lse3, %x batch 2 heads 4 layout blocked scale 0.25 dropout 0.1 from %stream, %samples
      : tensor<128x192xf32>, tensor<128x64xf32>, tensor<8x64xf32>, tensor<1x4xi32>, tensor<2xi32>
  // CHECK: %[[OUT4:.*]], %[[LSE4:.*]] = nn.attention %{{.*}} batch 2 heads 8 kv_heads 2 layout blocked causal window 16 alibi scale 2.500000e-01 : tensor<128x192xf32> -> tensor<128x128xf32>, tensor<16x64xf32>
  // example: attention
  %out4, %lse4 = nn.attention %qkv batch 2 heads 8 kv_heads 2 layout blocked causal window 16 alibi scale 0.25
      : tensor<128x192xf32> -> tensor<128x128xf32>, tensor<16x64xf32>
  // example end
  // CHECK: nn.attention_grad %{{.*}}, %[[OUT4]], %[[LSE4]], %[[OUT4]] batch 2 heads 8 kv_heads 2 layout blocked causal window 16 alibi scale 2.500000e-01 : tensor<128x192xf32>, tensor<128x128xf32>, tensor<16x64xf32>
  %dqkv4 = nn.attention_grad %qkv, %out4, %lse4, %out4 batch 2 heads 8 kv_heads 2 layout blocked causal window 16 alibi scale 0.25
      : tensor<128x192xf32>, tensor<128x128xf32>, tensor<16x64xf32>
  // CHECK: nn.attention %{{.*}} batch 2 heads 4 layout blocked causal window 1 scale
  %out5, %lse5 = nn.attention %qkv batch 2 heads 4 kv_heads 4 layout blocked causal window 1 scale 0.25
      : tensor<128x192xf32> -> tensor<128x64xf32>, tensor<8x64xf32>
  // CHECK: nn.attention_grad %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} batch 2 heads 4 layout interleaved causal alibi scale 2.500000e-01 : tensor<128x192xf32>, tensor<128x64xf32>, tensor<8x64xf32>
  %dqkv = nn.attention_grad %qkv, %out, %lse, %x batch 2 heads 4 layout interleaved causal alibi scale 0.25
      : tensor<128x192xf32>, tensor<128x64xf32>, tensor<8x64xf32>
  // CHECK: nn.cross_entropy %{{.*}}, %{{.*}}, %{{.*}} : tensor<128x256xf32>, tensor<128xi32>, tensor<f32>
  // example: cross-entropy
  %loss = nn.cross_entropy %logits, %targets, %scale : tensor<128x256xf32>, tensor<128xi32>, tensor<f32>
  // example end
  // CHECK: nn.target_scores %{{.*}}, %{{.*}} : tensor<128x256xf32>, tensor<128xi32> -> tensor<128xf32>
  // example: target-scores
  %log_probability, %correct = nn.target_scores %logits, %targets
      : tensor<128x256xf32>, tensor<128xi32> -> tensor<128xf32>
  // example end
  // CHECK: nn.linear_target_scores %{{.*}}, %{{.*}}, %{{.*}} : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32> -> tensor<128xf32>
  // example: linear-target-scores
  %log2, %correct2 = nn.linear_target_scores %x, %table, %targets
      : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32> -> tensor<128xf32>
  // example end
  // CHECK: nn.linear_cross_entropy %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32>, tensor<f32> -> tensor<256x64xf32>
  // example: linear-cross-entropy
  %loss2, %dx, %dw = nn.linear_cross_entropy %x, %table, %targets, %scale
      : tensor<128x64xf32>, tensor<256x64xf32>, tensor<128xi32>, tensor<f32> -> tensor<256x64xf32>
  // example end
  return
}

// CHECK-LABEL: func.func @train
func.func @train(%dw: tensor<64xf32>, %hyper: tensor<4xf32>) {
  // CHECK: nn.accumulate %{{.*}} : tensor<64xf32>
  %sum = nn.accumulate %dw : tensor<64xf32>
  // CHECK: nn.checkpoint %{{.*}} of "h.3" : tensor<64xf32>
  // example: checkpoint
  %kept = nn.checkpoint %dw of "h.3" : tensor<64xf32>
  // example end
  // CHECK: nn.section "reduce"
  nn.section "reduce"
  // CHECK: nn.sum_squares %{{.*}} : tensor<64xf32> -> tensor<f64>
  %squares = nn.sum_squares %sum : tensor<64xf32> -> tensor<f64>
  // CHECK: nn.partial_sum_squares %{{.*}} : tensor<64xf32> -> tensor<1xf64>
  // example: partial-sum-squares
  %partial = nn.partial_sum_squares %sum : tensor<64xf32> -> tensor<1xf64>
  // example end
  // CHECK: nn.sum_partials %{{.*}}, %{{.*}} : tensor<1xf64>, tensor<1xf64> -> tensor<f64>
  %total = nn.sum_partials %partial, %partial : tensor<1xf64>, tensor<1xf64> -> tensor<f64>
  // CHECK: nn.clip_scale %{{.*}} max_norm 1.000000e+00 : tensor<f64> -> tensor<f32>, tensor<f32>
  %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
  nn.section "update"
  // CHECK: nn.update @ln_f.weight by %{{.*}}, %{{.*}}, %{{.*}} : tensor<64xf32>, tensor<f32>, tensor<4xf32>
  nn.update @ln_f.weight by %sum, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
  return
}
