// RUN: tessera-opt %s --split-input-file --verify-diagnostics --zero-partition

// expected-error @below {{a shard group cannot have 3 of 4 ranks: their number must divide the world, and be above 1}}
module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 4, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    parallel = <world = 4, shard_ranks = 3>>} {
}

// -----

// expected-error @below {{parameters cannot be kept among 4 of 2 ranks: their number must divide these, and be above 1}}
module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 4, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    parallel = <world = 4, shard_ranks = 2, secondary_ranks = 4>>} {
}

// -----

// expected-error @below {{has no spec.specification, whose optimizer updates the parameters}}
module {
}

// -----

// expected-error @below {{no function @train: run the phase train first}}
module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
}

// -----

// expected-error @below {{no nn.parameter: there is nothing to partition}}
module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  func.func @train() {
    return
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  // expected-error @below {{has several blocks: programs and kernels are straight lines of operations}}
  func.func @train() {
    llvm.br ^end
  ^end:
    return
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  // expected-error @below {{has the name of a group: rename "w"}}
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "w"
  func.func @train() {
    return
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  // expected-error @below {{has elements of another type than those before it in group "g": give it a group of its own}}
  nn.parameter @v : tensor<8xbf16> init constant(0.0) group "g"
  func.func @train() {
    return
  }
}

// -----

// Reading parameters.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  func.func @train() {
    %w = nn.get_parameter @w : tensor<8xf32>
    // expected-error @below {{has a region: programs and kernels are straight lines of operations}}
    scf.execute_region {
      %v = math.absf %w : tensor<8xf32>
      scf.yield
    }
    return
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 2, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    parallel = <world = 2, zero_stage = 3>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  func.func @train() {
    %w = nn.get_parameter @w : tensor<8xf32>
    nn.section "reduce"
    // expected-error @below {{reads a parameter after the first section: parameters may be read in micro-batches alone}}
    %v = math.absf %w : tensor<8xf32>
    return
  }
}

// -----

// The step.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  // expected-error @below {{must have a section "reduce" and after it a section "update"}}
  func.func @train() {
    nn.section "update"
    nn.section "reduce"
    return
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  // expected-error @below {{must return its loss: a result with nn.output = "loss"}}
  func.func @train() {
    nn.section "reduce"
    nn.section "update"
    return
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  // expected-error @below {{has no update in @train}}
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  func.func @train(%loss: tensor<f32>) -> (tensor<f32> {nn.output = "loss"}) {
    nn.section "reduce"
    nn.section "update"
    return %loss : tensor<f32>
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  func.func @train(%loss: tensor<f32>, %d: tensor<8xf32>, %hyper: tensor<4xf32>) -> (tensor<f32> {nn.output = "loss"}) {
    nn.section "reduce"
    nn.section "update"
    nn.update @w by %d, %loss, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    // expected-error @below {{updates @w a second time}}
    nn.update @w by %d, %loss, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    return %loss : tensor<f32>
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  nn.parameter @v : tensor<8xf32> init constant(0.0) group "g"
  func.func @train(%loss: tensor<f32>, %d: tensor<8xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>)
      -> (tensor<f32> {nn.output = "loss"}) {
    nn.section "reduce"
    nn.section "update"
    nn.update @w by %d, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    // expected-error @below {{has another clip or hyper than the updates before it}}
    nn.update @v by %d, %loss, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    return %loss : tensor<f32>
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  nn.parameter @v : tensor<8xf32> init constant(0.0) group "g"
  func.func @train(%loss: tensor<f32>, %d: tensor<8xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>)
      -> (tensor<f32> {nn.output = "loss"}) {
    %sum = nn.accumulate %d : tensor<8xf32>
    nn.section "reduce"
    nn.section "update"
    nn.update @w by %sum, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    // expected-error @below {{takes its gradient from one micro-batch, while another takes it from all: nn.accumulate must be on each or on none}}
    nn.update @v by %d, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    return %loss : tensor<f32>
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  func.func @train(%loss: tensor<f32>, %d: tensor<8xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>)
      -> (tensor<f32> {nn.output = "loss"}) {
    nn.section "reduce"
    // expected-error @below {{must be the only one, in section "reduce", and take each gradient once and nothing else}}
    %squares = nn.sum_squares %d, %loss : tensor<8xf32>, tensor<f32> -> tensor<f64>
    nn.section "update"
    nn.update @w by %d, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    return %loss : tensor<f32>
  }
}

// -----

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
  func.func @train(%loss: tensor<f32>, %d: tensor<8xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>)
      -> (tensor<f32> {nn.output = "loss"}) {
    nn.section "reduce"
    nn.section "update"
    nn.update @w by %d, %clip, %hyper : tensor<8xf32>, tensor<f32>, tensor<4xf32>
    return %loss : tensor<f32>
  }
  func.func @validate(%x: tensor<f32>) -> tensor<f32> {
    return %x : tensor<f32>
  }
  // expected-error @below {{is run while training goes on, but there is a function @validate already}}
  func.func @eval(%x: tensor<f32>) -> tensor<f32> attributes {nn.while_training} {
    return %x : tensor<f32>
  }
}
