// RUN: tessera-opt %s --nn-name-layers --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// The example of the pass: two layers and what stands between them.

nn.parameter @h.0.mlp.up.weight : tensor<8x4xf32> init normal(0.02) decay group "h.0"
nn.parameter @h.0.mlp.down.weight : tensor<4x8xf32> init normal(0.02) decay group "h.0"

func.func @objective(%x: tensor<2x4xf32> {nn.input = "x"}) -> tensor<2x4xf32> {
  // example: mlp
  // CHECK: %[[W:.*]] = nn.get_parameter @h.0.mlp.up.weight : tensor<8x4xf32> loc("h.0.mlp.up"({{.*}}))
  // CHECK-NEXT: %[[Y:.*]] = nn.matmul %[[X:.*]], %[[W]] transpose_b : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32> loc("h.0.mlp.up"({{.*}}))
  // CHECK-NEXT: %[[Z:.*]] = nn.gelu %[[Y]] : tensor<2x8xf32> loc("h.0.mlp"({{.*}}))
  // CHECK-NEXT: %[[V:.*]] = nn.get_parameter @h.0.mlp.down.weight : tensor<4x8xf32> loc("h.0.mlp.down"({{.*}}))
  %w = nn.get_parameter @h.0.mlp.up.weight : tensor<8x4xf32>
  %y = nn.matmul %x, %w transpose_b : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32>
  %z = nn.gelu %y : tensor<2x8xf32>
  %v = nn.get_parameter @h.0.mlp.down.weight : tensor<4x8xf32>
  // example end
  %result = nn.matmul %z, %v transpose_b : tensor<2x8xf32>, tensor<4x8xf32> -> tensor<2x4xf32>
  return %result : tensor<2x4xf32>
}
