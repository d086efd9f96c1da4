// RUN: tessera-opt %s --split-input-file --verify-diagnostics --zero-verify

// Groups.

// expected-error @below {{is in no zero.group}}
nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
func.func @train() attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
// expected-note @below {{the other group is here}}
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
// expected-error @below {{has @w, which is in another group already}}
zero.group @h parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]

// -----

// expected-error @below {{no function @train}}
module {
}

// -----

// expected-error @below {{must say by zero.world and zero.stage how it is partitioned}}
func.func @train() {
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train() attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  // expected-error @below {{is left in the phase zero: parameters are views of their groups, and updated with them}}
  %w = nn.get_parameter @w : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train() attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  // expected-error @below {{has a region: programs and kernels are straight lines of operations}}
  scf.execute_region {
    %p = zero.load parameter @g : tensor<32xf32>
    scf.yield
  }
  return
}

// -----

// Collectives and their waits.

func.func @train(%x: tensor<f32>) attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  // expected-error @below {{has nobody to communicate with: its program runs on one rank}}
  %y, %t = zero.all_reduce %x : tensor<f32>
  return
}

// -----

func.func @train(%x: tensor<f32>) attributes {zero.stage = 0 : i64, zero.world = 2 : i64} {
  // expected-error @below {{is never awaited}}
  %y, %t = zero.all_reduce %x : tensor<f32>
  return
}

// -----

func.func @train(%x: tensor<f32>) attributes {zero.stage = 0 : i64, zero.world = 2 : i64} {
  // expected-error @below {{is awaited more than once}}
  %y, %t = zero.all_reduce %x : tensor<f32>
  // expected-note @below {{here}}
  %0 = zero.wait %y, %t : tensor<f32>
  // expected-note @below {{here}}
  %1 = zero.wait %y, %t : tensor<f32>
  return
}

// -----

func.func @train(%x: tensor<f32>) attributes {zero.stage = 0 : i64, zero.world = 2 : i64} {
  // expected-note @below {{the collective starts here}}
  %y, %t = zero.all_reduce %x : tensor<f32>
  // expected-error @below {{uses the result of a collective that is still under way: it must use its zero.wait}}
  %z = math.absf %y : tensor<f32>
  %0 = zero.wait %y, %t : tensor<f32>
  return
}

// -----

func.func @train(%x: tensor<f32>) attributes {zero.stage = 0 : i64, zero.world = 2 : i64} {
  // expected-note @below {{the collective starts here}}
  %y, %t = zero.all_reduce %x : tensor<f32>
  nn.section "reduce"
  // expected-error @below {{stands in another section than its collective's start: sections run different numbers of times}}
  %0 = zero.wait %y, %t : tensor<f32>
  return
}

// -----

// States.

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train() attributes {zero.stage = 1 : i64, zero.world = 2 : i64} {
  // expected-error @below {{has 32 elements of the moment1, but in stage 1 on 2 ranks a rank keeps 16}}
  %m = zero.load moment1 @g : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%x: tensor<16xf32>) attributes {zero.stage = 1 : i64, zero.world = 2 : i64} {
  // expected-error @below {{has 16 elements of the gradient, but in stage 1 on 2 ranks a rank keeps 32}}
  zero.store gradient @g, %x : tensor<16xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @eval() attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  %p = zero.load parameter @g : tensor<32xf32>
  // expected-error @below {{stores a state, which @train alone may}}
  zero.store parameter @g, %p : tensor<32xf32>
  return
}
func.func @train() attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
// expected-error @below {{has no update in @train}}
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train() attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%x: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  // expected-error @below {{must name the group that it updates}}
  %p, %m, %v = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%x: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  // expected-note @below {{the first update is here}}
  %p, %m, %v = zero.update @g, %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  // expected-error @below {{updates @g a second time}}
  %q, %n, %u = zero.update @g, %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%x: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  // expected-note @below {{the first store is here}}
  zero.store moment2 @g, %x : tensor<32xf32>
  // expected-error @below {{stores moment2 of @g a second time}}
  zero.store moment2 @g, %x : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
// expected-error @below {{has its moment2 never stored in @train}}
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%x: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  zero.store gradient @g, %x : tensor<32xf32>
  %p, %m, %v = zero.update @g, %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store parameter @g, %p : tensor<32xf32>
  zero.store moment1 @g, %m : tensor<32xf32>
  return
}

// -----

// Whole gradients.

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 2 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  %b = zero.bucket @g (%d) : (tensor<32xf32>) -> tensor<32xf32>
  // expected-error @below {{keeps a whole gradient, but in stage 2 a rank keeps its part alone}}
  %part1, %t = zero.reduce_scatter @g, %b in_place : tensor<32xf32> -> tensor<16xf32>
  %g = zero.wait %part1, %t : tensor<16xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %whole : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<32xf32>, %part: tensor<16xf32>,
                 %whole: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 1 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<32xf32>
  // expected-error @below {{must be reduce-scattered exactly once, but is 0 times}}
  %b = zero.bucket @g (%d) : (tensor<32xf32>) -> tensor<32xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %whole : tensor<32xf32>
  return
}

// -----

// Whole parameters.

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 2 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  // expected-error @below {{gathers in a micro-batch, but in stage 2 parameters are whole already}}
  %full, %t = zero.all_gather @g, %part : tensor<16xf32> -> tensor<32xf32>
  %w = zero.wait %full, %t : tensor<32xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %whole : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 2 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  nn.section "reduce"
  %full, %t = zero.all_gather @g, %part : tensor<16xf32> -> tensor<32xf32>
  %w = zero.wait %full, %t : tensor<32xf32>
  // expected-error @below {{releases parameters that stage 2 keeps whole}}
  zero.release %w : tensor<32xf32>
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %whole : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<16xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  nn.section "reduce"
  // expected-error @below {{leaves something whole after the micro-batches, but in stage 3 all states are sharded}}
  %full, %t = zero.all_gather @g, %part : tensor<16xf32> -> tensor<32xf32>
  %w = zero.wait %full, %t : tensor<32xf32>
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %p : tensor<16xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<16xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  // expected-error @below {{is never released: in stage 3 whole parameters exist around their use alone}}
  %full, %t = zero.all_gather @g, %part : tensor<16xf32> -> tensor<32xf32>
  %w = zero.wait %full, %t : tensor<32xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %p : tensor<16xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<16xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  %full, %t = zero.all_gather @g, %part : tensor<16xf32> -> tensor<32xf32>
  %w = zero.wait %full, %t : tensor<32xf32>
  zero.release %w : tensor<32xf32>
  // expected-error @below {{releases the parameters a second time}}
  zero.release %w : tensor<32xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %p : tensor<16xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<16xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  %full, %t = zero.all_gather @g, %part : tensor<16xf32> -> tensor<32xf32>
  %w = zero.wait %full, %t : tensor<32xf32>
  nn.section "reduce"
  // expected-error @below {{must stand in the micro-batch that gathers}}
  zero.release %w : tensor<32xf32>
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %p : tensor<16xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<16xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  %full, %t = zero.all_gather @g, %part : tensor<16xf32> -> tensor<32xf32>
  %w = zero.wait %full, %t : tensor<32xf32>
  %view = nn.slice %w from 16 : tensor<32xf32> -> tensor<16xf32>
  // expected-note @below {{they are released here}}
  zero.release %w : tensor<32xf32>
  // expected-error @below {{uses parameters after their release}}
  %y = math.absf %view : tensor<16xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %p : tensor<16xf32>
  return
}

// -----

// A persistent group's parameters are whole in stage 3, too.

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0] persistent
func.func @train() attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  // expected-error @below {{has 16 elements of the parameter, but in stage 3 on 2 ranks a rank keeps 32}}
  %p = zero.load parameter @g : tensor<16xf32>
  return
}

// -----

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0] persistent
func.func @train(%d: tensor<32xf32>, %grad: tensor<16xf32>, %part: tensor<16xf32>,
                 %whole: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  zero.store gradient @g, %grad : tensor<16xf32>
  // expected-error @below {{gathers in a micro-batch, but in stage 3 parameters of a persistent group are whole already}}
  %full, %t = zero.all_gather @g, %part : tensor<16xf32> -> tensor<32xf32>
  %w = zero.wait %full, %t : tensor<32xf32>
  zero.release %w : tensor<32xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %whole : tensor<32xf32>
  return
}

// -----

// Grids of replicas x shards.

// expected-error @below {{zero.shard_ranks must divide zero.world}}
func.func @train() attributes {zero.stage = 2 : i64, zero.world = 4 : i64, zero.shard_ranks = 3 : i64} {
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%d: tensor<64xf32>, %part: tensor<32xf32>, %piece: tensor<16xf32>,
                 %whole: tensor<64xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 2 : i64, zero.world = 4 : i64, zero.shard_ranks = 2 : i64} {
  %b = zero.bucket @g (%d) : (tensor<64xf32>) -> tensor<64xf32>
  // expected-error @below {{must be followed by one reduce_scatter and one all_gather along replicas: they would have other gradients}}
  %s, %t = zero.reduce_scatter @g, %b along shards : tensor<64xf32> -> tensor<32xf32>
  %g = zero.wait %s, %t : tensor<32xf32>
  zero.store gradient @g, %g : tensor<32xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %whole : tensor<64xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%d: tensor<64xf32>, %part: tensor<32xf32>, %piece: tensor<16xf32>,
                 %whole: tensor<64xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 2 : i64, zero.world = 4 : i64, zero.shard_ranks = 2 : i64} {
  %b = zero.bucket @g (%d) : (tensor<64xf32>) -> tensor<64xf32>
  %s, %t = zero.reduce_scatter @g, %b along shards : tensor<64xf32> -> tensor<32xf32>
  %g = zero.wait %s, %t : tensor<32xf32>
  zero.store gradient @g, %g : tensor<32xf32>
  // expected-error @below {{along replicas must gather what a reduce_scatter along replicas has summed}}
  %a, %u = zero.all_gather @g, %piece along replicas : tensor<16xf32> -> tensor<32xf32>
  %h = zero.wait %a, %u : tensor<32xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %whole : tensor<64xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%d: tensor<64xf32>, %part: tensor<32xf32>, %piece: tensor<16xf32>,
                 %whole: tensor<64xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 2 : i64, zero.world = 4 : i64, zero.shard_ranks = 2 : i64} {
  %b = zero.bucket @g (%d) : (tensor<64xf32>) -> tensor<64xf32>
  // expected-error @below {{must be along one axis: states are partitioned over shards alone}}
  %s, %t = zero.reduce_scatter @g, %b : tensor<64xf32> -> tensor<16xf32>
  %g = zero.wait %s, %t : tensor<16xf32>
  zero.store gradient @g, %part : tensor<32xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %whole : tensor<64xf32>
  return
}

// -----

// Secondary shards.

// expected-error @below {{zero.secondary_ranks must divide the ranks of a shard group}}
func.func @train() attributes {zero.stage = 3 : i64, zero.world = 4 : i64, zero.shard_ranks = 2 : i64, zero.secondary_ranks = 4 : i64} {
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%d: tensor<64xf32>, %part: tensor<16xf32>, %half: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 4 : i64, zero.secondary_ranks = 2 : i64} {
  zero.store gradient @g, %part : tensor<16xf32>
  // expected-error @below {{along secondary must gather what zero.keep has kept of the same group}}
  %full, %t = zero.all_gather @g, %half along secondary : tensor<32xf32> -> tensor<64xf32>
  %w = zero.wait %full, %t : tensor<64xf32>
  zero.release %w : tensor<64xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %part, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  zero.store moment1 @g, %m : tensor<16xf32>
  zero.store moment2 @g, %v : tensor<16xf32>
  zero.store parameter @g, %p : tensor<16xf32>
  return
}

// -----

// Parameters as bytes.

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%x: tensor<36xi8>, %part: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  %s = zero.load parameter @g : tensor<32xf32>
  zero.store gradient @g, %part : tensor<32xf32>
  // expected-error @below {{must take this rank's shard of a group's parameters}}
  %q = zero.quantize %part : tensor<32xf32> -> tensor<36xi8>
  %full, %t = zero.all_gather @g, %q : tensor<36xi8> -> tensor<72xi8>
  %b = zero.wait %full, %t : tensor<72xi8>
  %w = zero.dequantize %b parts 2 : tensor<72xi8> -> tensor<64xf32>
  zero.release %w : tensor<64xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %s, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %p : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%x: tensor<36xi8>, %part: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  %s = zero.load parameter @g : tensor<32xf32>
  zero.store gradient @g, %part : tensor<32xf32>
  // expected-error @below {{must be for one zero.all_gather of the same group}}
  %q = zero.quantize %s : tensor<32xf32> -> tensor<36xi8>
  %full, %t = zero.all_gather @g, %x : tensor<36xi8> -> tensor<72xi8>
  %b = zero.wait %full, %t : tensor<72xi8>
  %w = zero.dequantize %b parts 2 : tensor<72xi8> -> tensor<64xf32>
  zero.release %w : tensor<64xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %s, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %p : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%x: tensor<36xi8>, %part: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  %s = zero.load parameter @g : tensor<32xf32>
  zero.store gradient @g, %part : tensor<32xf32>
  // expected-error @below {{gathers bytes that no zero.quantize has made}}
  %full, %t = zero.all_gather @g, %x : tensor<36xi8> -> tensor<72xi8>
  %b = zero.wait %full, %t : tensor<72xi8>
  %w = zero.dequantize %b parts 2 : tensor<72xi8> -> tensor<64xf32>
  zero.release %w : tensor<64xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %s, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %p : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%x: tensor<36xi8>, %part: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  %s = zero.load parameter @g : tensor<32xf32>
  zero.store gradient @g, %part : tensor<32xf32>
  %q = zero.quantize %s : tensor<32xf32> -> tensor<36xi8>
  // expected-error @below {{gathers bytes that no zero.dequantize makes parameters of}}
  %full, %t = zero.all_gather @g, %q : tensor<36xi8> -> tensor<72xi8>
  %b = zero.wait %full, %t : tensor<72xi8>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %s, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %p : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%x: tensor<36xi8>, %part: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  %s = zero.load parameter @g : tensor<32xf32>
  zero.store gradient @g, %part : tensor<32xf32>
  %q = zero.quantize %s : tensor<32xf32> -> tensor<36xi8>
  %full, %t = zero.all_gather @g, %q : tensor<36xi8> -> tensor<72xi8>
  %b = zero.wait %full, %t : tensor<72xi8>
  %w = zero.dequantize %b parts 2 : tensor<72xi8> -> tensor<64xf32>
  zero.release %w : tensor<64xf32>
  // expected-error @below {{uses gathered bytes, which are for one zero.dequantize alone}}
  %w2 = zero.dequantize %b parts 2 : tensor<72xi8> -> tensor<64xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %s, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %p : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%x: tensor<36xi8>, %part: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  %s = zero.load parameter @g : tensor<32xf32>
  zero.store gradient @g, %part : tensor<32xf32>
  %q = zero.quantize %s : tensor<32xf32> -> tensor<36xi8>
  %full, %t = zero.all_gather @g, %q : tensor<36xi8> -> tensor<72xi8>
  %b = zero.wait %full, %t : tensor<72xi8>
  %w = zero.dequantize %b parts 2 : tensor<72xi8> -> tensor<64xf32>
  // expected-error @+3 {{uses parameters after their release}}
  // expected-note @below {{they are released here}}
  zero.release %w : tensor<64xf32>
  %late = math.absf %w : tensor<64xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %s, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %p : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @train(%x: tensor<36xi8>, %part: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  %s = zero.load parameter @g : tensor<32xf32>
  zero.store gradient @g, %part : tensor<32xf32>
  %q = zero.quantize %s : tensor<32xf32> -> tensor<36xi8>
  // expected-error @below {{is never released: in stage 3 whole parameters exist around their use alone}}
  %full, %t = zero.all_gather @g, %q : tensor<36xi8> -> tensor<72xi8>
  %b = zero.wait %full, %t : tensor<72xi8>
  %w = zero.dequantize %b parts 2 : tensor<72xi8> -> tensor<64xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %s, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  zero.store moment1 @g, %m : tensor<32xf32>
  zero.store moment2 @g, %v : tensor<32xf32>
  zero.store parameter @g, %p : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<288xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 288 padded 288 class_ends [0]
func.func @train(%x: tensor<148xi8>, %part: tensor<144xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 3 : i64, zero.world = 2 : i64} {
  %s = zero.load parameter @g : tensor<144xf32>
  zero.store gradient @g, %part : tensor<144xf32>
  %q = zero.quantize %s : tensor<144xf32> -> tensor<148xi8>
  %full, %t = zero.all_gather @g, %q : tensor<148xi8> -> tensor<296xi8>
  %b = zero.wait %full, %t : tensor<296xi8>
  // expected-error @below {{takes the bytes for 1 parts, but they are of 2 shards}}
  %w = zero.dequantize %b parts 1 : tensor<296xi8> -> tensor<288xf32>
  zero.release %w : tensor<288xf32>
  nn.section "reduce"
  nn.section "update"
  %p, %m, %v = zero.update @g, %s, %part states %part, %part by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<144xf32>, tensor<144xf32>, tensor<144xf32>, tensor<144xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<144xf32>, tensor<144xf32>, tensor<144xf32>)
  zero.store moment1 @g, %m : tensor<144xf32>
  zero.store moment2 @g, %v : tensor<144xf32>
  zero.store parameter @g, %p : tensor<144xf32>
  return
}

// -----

// States that the optimizer does not keep.

nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
func.func @train(%x: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<1xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  zero.store gradient @g, %x : tensor<32xf32>
  %p = zero.update @g, %x, %x by %clip, %hyper
      using #optimizer.sgd<momentum = 0.0, nesterov = false> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<1xf32>, tensor<1xi64>) -> tensor<32xf32>
  zero.store parameter @g, %p : tensor<32xf32>
  // expected-error @below {{stores moment1 of @g, which its optimizer does not keep}}
  zero.store moment1 @g, %x : tensor<32xf32>
  return
}
