// RUN: tessera-opt %s --cpu-build-kernels --split-input-file --verify-diagnostics

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

// expected-error @below {{argument #0 has plan.counts_rows = 4 : i64: a last argument of one i32 may count rows, of 1 at least}}
func.func @counted(%n: tensor<i32> {plan.counts_rows = 4 : i64}, %x: tensor<4xf32>) -> tensor<4xf32> attributes {plan.kernel} {
  %y = arith.negf %x : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func private @k(%x: tensor<2x3xf32>) -> tensor<2x3xf32> attributes {plan.kernel} {
  // expected-error @below {{is a step of a kernel, so its own kernel must be made of arithmetic}}
  %y = plan.launch @k(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func private @k(%x: tensor<2x2xf32>) -> tensor<2x2xf32> attributes {plan.kernel} {
  // expected-error @below {{is a step of a kernel, so it must be local, of f32 and without an epilogue or a count}}
  %y = plan.gemm %x, %x : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func private @k(%x: tensor<2x2xf32>) -> tensor<2x2xf32> attributes {plan.kernel} {
  %y = plan.gemm %x, %x local : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-error @below {{stands beside launches and GEMMs: a kernel is made of these alone or of none}}
  %z = arith.negf %y : tensor<2x2xf32>
  return %z : tensor<2x2xf32>
}

// -----

func.func private @k(%x: tensor<2x2xf32>) -> tensor<2x2xf32> attributes {plan.kernel} {
  %y = plan.gemm %x, %x local : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  // expected-error @below {{of a kernel made of launches must give what its steps give, each once}}
  return %x : tensor<2x2xf32>
}
