// The backward pass is that of the approximation.
// RUN: extension-opt %s --extension-approximate-gelu \
// RUN:   --nn-differentiate=max-norm=1.0 | FileCheck %s

// CHECK-LABEL: func.func @train
// CHECK-NOT:     nn.gelu
// CHECK:         extension.quick_gelu
// CHECK-NOT:     nn.gelu
nn.parameter @w : tensor<4x16xf32> init normal(0.02) decay group "all"
func.func @objective() -> (tensor<f32> {nn.output = "loss"}) {
  %w = nn.get_parameter @w : tensor<4x16xf32>
  %y = nn.gelu %w : tensor<4x16xf32>
  %loss = nn.reduce sum %y dims [0, 1] : tensor<4x16xf32> -> tensor<f32>
  return %loss : tensor<f32>
}
