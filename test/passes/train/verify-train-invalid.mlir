// RUN: tessera-opt %s --split-input-file --verify-diagnostics --nn-verify-train

// expected-error @below {{@objective is left undifferentiated}}
func.func @objective() {
  return
}

// -----

// expected-error @below {{no function @train}}
module {}

// -----

nn.parameter @w : tensor<4xf32> init constant(1.0) group "all"
func.func @train(%g: tensor<4xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>) {
  // expected-note @below {{the first update is here}}
  nn.update @w by %g, %clip, %hyper : tensor<4xf32>, tensor<f32>, tensor<4xf32>
  // expected-error @below {{updates @w a second time}}
  nn.update @w by %g, %clip, %hyper : tensor<4xf32>, tensor<f32>, tensor<4xf32>
  return
}

// -----

// expected-error @below {{has no update in @train}}
nn.parameter @w : tensor<4xf32> init constant(1.0) group "all"
func.func @train() {
  return
}
