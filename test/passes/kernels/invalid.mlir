// RUN: tessera-opt %s --split-input-file --verify-diagnostics --plan-outline-kernels --plan-verify-kernels

// The middle dimension of three is neither leading nor trailing.
func.func @middle(%x: tensor<4xf32>) -> tensor<2x4x8xf32> {
  // expected-error @below {{cannot be computed over rows and columns: reshape or transpose its operands so that it broadcasts or reduces leading or trailing dimensions}}
  %y = nn.broadcast %x dims [1] : tensor<4xf32> -> tensor<2x4x8xf32>
  return %y : tensor<2x4x8xf32>
}

// -----

func.func @left(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  // expected-error @below {{'nn.matmul' op is left outside of kernels: programs hold only launches, GEMMs, collectives and views}}
  %y = nn.matmul %x, %x : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}
