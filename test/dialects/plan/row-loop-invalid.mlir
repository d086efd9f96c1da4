// RUN: tessera-opt %s -split-input-file -verify-diagnostics

func.func @p(%x: tensor<10x4xf32>) -> tensor<10x4xf32> {
  // expected-error @+1 {{has 4 parts for 3 chunks}}
  %y = plan.row_loop @k, @r(%x) rows 10 by 4 parts 4 : (tensor<10x4xf32>) -> tensor<10x4xf32>
  return %y : tensor<10x4xf32>
}

// -----

func.func @p(%x: tensor<10x4xf32>) -> tensor<10x4xf32> {
  // expected-error @+1 {{numbers must be at least 1}}
  %y = plan.row_loop @k(%x) rows 10 by 0 parts 1 : (tensor<10x4xf32>) -> tensor<10x4xf32>
  return %y : tensor<10x4xf32>
}

// -----

func.func @p(%x: tensor<10x4xf32>) -> tensor<10x4xf32> {
  // expected-error @+1 {{must have a kernel for the rest of the rows exactly where there is one}}
  %y = plan.row_loop @k(%x) rows 10 by 4 parts 1 : (tensor<10x4xf32>) -> tensor<10x4xf32>
  return %y : tensor<10x4xf32>
}

// -----

func.func @p(%x: tensor<10x4xf32>) -> tensor<10x4xf32> {
  // expected-error @+1 {{no kernel is named @k}}
  %y = plan.row_loop @k(%x) rows 10 by 5 parts 1 : (tensor<10x4xf32>) -> tensor<10x4xf32>
  return %y : tensor<10x4xf32>
}

// -----

func.func @p(%x: tensor<10x4xf32>) -> tensor<10x4xf32> {
  // expected-error @+1 {{kernel @k has arith.negf: it must be made of launches and local GEMMs}}
  %y = plan.row_loop @k(%x) rows 10 by 5 parts 1 : (tensor<10x4xf32>) -> tensor<10x4xf32>
  return %y : tensor<10x4xf32>
}

func.func private @k(%x: tensor<5x4xf32>) -> tensor<5x4xf32> attributes {plan.kernel} {
  %y = arith.negf %x : tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}

// -----

func.func @p(%x: tensor<10x4xf32>, %w: tensor<3x4xf32>) -> tensor<10x3xf32> {
  // expected-error @+1 {{which does not take 5 rows of 'tensor<10x4xf32>', 'tensor<3x4xf32>' and give those of 'tensor<10x3xf32>'}}
  %y = plan.row_loop @k(%x, %w) rows 10 by 5 parts 1 : (tensor<10x4xf32>, tensor<3x4xf32>) -> tensor<10x3xf32>
  return %y : tensor<10x3xf32>
}

func.func private @k(%x: tensor<2x4xf32>, %w: tensor<3x4xf32>) -> tensor<2x3xf32> attributes {plan.kernel} {
  %y = plan.gemm %x, %w transpose_b local : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

// The sum wants an argument that it is added to.
func.func @p(%x: tensor<10x4xf32>) -> tensor<2x4x4xf32> {
  // expected-error @+1 {{which does not take 5 rows of 'tensor<10x4xf32>' and give those of 'tensor<2x4x4xf32>'}}
  %y = plan.row_loop @k(%x) rows 10 by 5 parts 2 : (tensor<10x4xf32>) -> tensor<2x4x4xf32>
  return %y : tensor<2x4x4xf32>
}

func.func private @k(%x: tensor<5x4xf32>) -> tensor<4x4xf32> attributes {plan.kernel} {
  %y = plan.gemm %x, %x transpose_a local : (tensor<5x4xf32>, tensor<5x4xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

func.func @p(%x: tensor<10x4xf32>) -> tensor<10x4xf32> {
  // expected-error @+1 {{kernel @k does nothing}}
  %y = plan.row_loop @k(%x) rows 10 by 5 parts 1 : (tensor<10x4xf32>) -> tensor<10x4xf32>
  return %y : tensor<10x4xf32>
}

func.func private @k(%x: tensor<5x4xf32>) -> tensor<5x4xf32> attributes {plan.kernel} {
  return %x : tensor<5x4xf32>
}

// -----

plan.program @predict world 1 stage 0 accumulation 1 arena 64 memory {workspace = 64 : i64} flops 0 {
  %0 = plan.buffer "a" workspace at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<4x4xf32>
  plan.section "run"
  // expected-error @+1 {{is local, so it must be a step of a kernel}}
  plan.gemm %1, %1 into %1 local : (memref<4x4xf32>, memref<4x4xf32>, memref<4x4xf32>) -> ()
}
