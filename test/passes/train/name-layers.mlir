// RUN: tessera-opt %s --nn-name-layers --mlir-print-debuginfo | FileCheck %s

// What reads a parameter is of its layer, what stands between two of the layer around
// both, and what leads to the next layer of a list of the one before. What is behind the
// last parameter is of none.

nn.parameter @h.0.mlp.up.weight : tensor<8x4xf32> init normal(0.02) decay group "h.0"
nn.parameter @h.0.mlp.down.weight : tensor<4x8xf32> init normal(0.02) decay group "h.0"
nn.parameter @h.1.norm.weight : tensor<4xf32> init constant(1.0) group "h.1"

// CHECK-LABEL: func.func @objective(
// CHECK: nn.matmul {{.*}} loc(#[[UP:.*]])
// CHECK: nn.gelu {{.*}} loc(#[[MLP:.*]])
// CHECK: nn.matmul {{.*}} loc(#[[DOWN:.*]])
// CHECK: arith.addf {{.*}} loc(#[[LAYER:.*]])
// CHECK: nn.rms_norm {{.*}} loc(#[[NORM:.*]])
// CHECK-DAG: #[[UP]] = loc("h.0.mlp.up"(
// CHECK-DAG: #[[MLP]] = loc("h.0.mlp"(
// CHECK-DAG: #[[DOWN]] = loc("h.0.mlp.down"(
// CHECK-DAG: #[[LAYER]] = loc("h.0"(
// CHECK-DAG: #[[NORM]] = loc("h.1.norm"(
func.func @objective(%x: tensor<2x4xf32> {nn.input = "x"}) -> tensor<2x4xf32> {
  %up = nn.get_parameter @h.0.mlp.up.weight : tensor<8x4xf32>
  %y = nn.matmul %x, %up transpose_b : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32>
  %z = nn.gelu %y : tensor<2x8xf32>
  %down = nn.get_parameter @h.0.mlp.down.weight : tensor<4x8xf32>
  %v = nn.matmul %z, %down transpose_b : tensor<2x8xf32>, tensor<4x8xf32> -> tensor<2x4xf32>
  %sum = arith.addf %x, %v : tensor<2x4xf32>
  %w = nn.get_parameter @h.1.norm.weight : tensor<4xf32>
  %n, %rstd = nn.rms_norm %sum, %w epsilon 1.0e-5 : tensor<2x4xf32>, tensor<4xf32> -> tensor<2xf32>
  %e = math.exp %n : tensor<2x4xf32>
  return %e : tensor<2x4xf32>
}
