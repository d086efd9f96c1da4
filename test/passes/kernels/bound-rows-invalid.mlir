// RUN: tessera-opt %s --verify-diagnostics --plan-bound-rows

// expected-error @below {{'func.func' op argument #0 has nn.counted = "count.0": an argument with rows may name an input that counts them}}
func.func @scalar(%x: tensor<f32> {nn.counted = "count.0", nn.input = "x"}) -> tensor<f32> {
  return %x : tensor<f32>
}
