// RUN: tessera-opt %s --split-input-file --verify-diagnostics --nn-verify-model --nn-differentiate --nn-verify-train

// expected-error @below {{no function @objective: a model needs one whose result is the loss}}
module {}

// -----

// expected-error @below {{@objective must return one scalar tensor, the loss}}
func.func @objective(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

func.func @objective(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @below {{'memref.alloc' op does not belong in the phase model: only nn, graph, func, arith and math operations do, and others that know their gradients}}
  %m = memref.alloc() : memref<4xf32>
  return %x : tensor<f32>
}

// -----

// expected-error @below {{the objective depends on no parameter: there is nothing to train}}
func.func @objective(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----

nn.parameter @w : tensor<f32> init constant(1.0) group "all"
// expected-error @below {{'nn.parameter' op does not influence the objective: use it or remove it}}
nn.parameter @unused : tensor<f32> init constant(1.0) group "all"
func.func @objective() -> tensor<f32> {
  %w = nn.get_parameter @w : tensor<f32>
  return %w : tensor<f32>
}

// -----

nn.parameter @w : tensor<f32> init constant(1.0) group "all"
func.func @objective() -> tensor<f32> {
  %w = nn.get_parameter @w : tensor<f32>
  // expected-error @below {{'math.sin' op lies between a parameter and the objective, but has no gradient: it must implement DifferentiableOpInterface}}
  %y = math.sin %w : tensor<f32>
  return %y : tensor<f32>
}
