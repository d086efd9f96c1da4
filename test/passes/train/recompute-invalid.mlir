// RUN: tessera-opt %s --split-input-file --verify-diagnostics --nn-recompute

// expected-error @below {{no function @train: run nn-differentiate first}}
module {}

// -----

// expected-error @below {{'func.func' op must return its loss: a result with nn.output = "loss"}}
func.func @train(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}
