// RUN: tessera-opt %s --cuda-build-kernels --split-input-file --verify-diagnostics

// expected-error @below {{kernel 'k': an operand of nn.transpose is computed inside; make it an argument (a constant may stand inside as nn.scatter_add's table alone, one number everywhere)}}
func.func private @k() -> tensor<3x2xf32> attributes {plan.kernel} {
  %0 = arith.constant dense<1.0> : tensor<2x3xf32>
  %1 = nn.transpose %0 by [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  return %1 : tensor<3x2xf32>
}

// -----

// expected-error @below {{kernel 'k' drops a result of nn.clip_scale; it must return every one}}
func.func private @k(%squares: tensor<f64>) -> tensor<f32> attributes {plan.kernel} {
  %scale, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
  return %scale : tensor<f32>
}

// -----

// expected-error @below {{kernel 'k' takes 2147483649 blocks, and a grid has 2147483647 at most: take a smaller micro-batch}}
func.func private @k(%p: tensor<549755813889xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    -> (tensor<549755813889xf32>, tensor<549755813889xf32>, tensor<549755813889xf32>) attributes {plan.kernel} {
  %0, %1, %2 = zero.update %p, %p states %p, %p by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<549755813889xf32>, tensor<549755813889xf32>, tensor<549755813889xf32>, tensor<549755813889xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<549755813889xf32>, tensor<549755813889xf32>, tensor<549755813889xf32>)
  return %0, %1, %2 : tensor<549755813889xf32>, tensor<549755813889xf32>, tensor<549755813889xf32>
}

// -----

func.func private @k(%qkv: tensor<8x771xf32>) -> (tensor<8x257xf32>, tensor<1x8xf32>) attributes {plan.kernel} {
  // expected-error @below {{has heads of 257 columns, and on GPUs they have at most 256: give more heads}}
  %out, %lse = nn.attention %qkv batch 1 heads 1 layout blocked scale 0.25
      : tensor<8x771xf32> -> tensor<8x257xf32>, tensor<1x8xf32>
  return %out, %lse : tensor<8x257xf32>, tensor<1x8xf32>
}

// -----

func.func private @k(%qkv: tensor<8x771xf32>, %out: tensor<8x257xf32>, %lse: tensor<1x8xf32>) -> tensor<8x771xf32> attributes {plan.kernel} {
  // expected-error @below {{has heads of 257 columns, and on GPUs they have at most 256: give more heads}}
  %0 = nn.attention_grad %qkv, %out, %lse, %out batch 1 heads 1 layout blocked scale 0.25
      : tensor<8x771xf32>, tensor<8x257xf32>, tensor<1x8xf32>
  return %0 : tensor<8x771xf32>
}

// -----

func.func private @k(%x: tensor<2x2xf32>) -> tensor<2x2xf32> attributes {plan.kernel} {
  // expected-error @below {{'plan.gemm' op has no code for GPUs}}
  %y = plan.gemm %x, %x local : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}
