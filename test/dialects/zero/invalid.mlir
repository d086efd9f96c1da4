// RUN: tessera-opt %s --split-input-file --verify-diagnostics

// The parameters of a group.

nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
// expected-error @below {{has 1 parameters, but 2 offsets}}
zero.group @g parameters [@w] offsets [0, 16] elements 8 padded 16 class_ends [0]

// -----

// expected-error @below {{no nn.parameter is named @w}}
zero.group @g parameters [@w] offsets [0] elements 8 padded 16 class_ends [0]

// -----

nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
// expected-error @below {{offset 8 of @w is no multiple of 16}}
zero.group @g parameters [@w] offsets [8] elements 16 padded 16 class_ends [0]

// -----

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
nn.parameter @b : tensor<8xf32> init constant(0.0) group "g"
// expected-error @below {{parameter @b at offset 16 overlaps the one before, which ends at 20}}
zero.group @g parameters [@w, @b] offsets [0, 16] elements 24 padded 32 class_ends [0]

// -----

nn.parameter @b : tensor<8xf32> init constant(0.0) group "g"
nn.parameter @w : tensor<8xf32> init constant(0.0) decay group "g"
// expected-error @below {{class_ends must ascend}}
zero.group @g parameters [@b, @w] offsets [0, 16] elements 24 padded 32 class_ends [24, 8]

// -----

nn.parameter @w : tensor<8xf32> init constant(0.0) group "g"
// expected-error @below {{elements must be 8, where the last parameter ends, but is 16}}
zero.group @g parameters [@w] offsets [0] elements 16 padded 16 class_ends [0]

// -----

nn.parameter @w : tensor<8xf32> init constant(0.0) decay group "g"
// expected-error @below {{class_ends has 4, where no parameter ends}}
zero.group @g parameters [@w] offsets [0] elements 8 padded 16 class_ends [4]

// -----

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
// expected-error @below {{padded must be a multiple of 16 and at least 20, but is 24}}
zero.group @g parameters [@w] offsets [0] elements 20 padded 24 class_ends [0]

// -----

// States.

func.func @f() {
  // expected-error @below {{no zero.group is named @g}}
  %p = zero.load parameter @g : tensor<16xf32>
  return
}

// -----

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 20 padded 64 class_ends [0]
func.func @f() attributes {zero.world = 4 : i64} {
  // expected-error @below {{group @g has 64 elements, a part on one of 4 ranks 16, but the tensor has 32}}
  %p = zero.load parameter @g : tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 20 padded 32 class_ends [0]
func.func @f(%d: tensor<20xf32>) {
  // expected-error @below {{group @g has 1 parameters, but the bucket has 2 operands}}
  %b = zero.bucket @g (%d, %d) : (tensor<20xf32>, tensor<20xf32>) -> tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 20 padded 32 class_ends [0]
func.func @f(%d: tensor<4x5xf32>) {
  // expected-error @below {{parameter @w is 'tensor<20xf32>', but its operand is 'tensor<4x5xf32>'}}
  %b = zero.bucket @g (%d) : (tensor<4x5xf32>) -> tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 20 padded 32 class_ends [0]
func.func @f(%d: tensor<20xf32>) {
  // expected-error @below {{group @g has 32 elements, but the bucket has 20}}
  %b = zero.bucket @g (%d) : (tensor<20xf32>) -> tensor<20xf32>
  return
}

// -----

// Collectives.

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 20 padded 32 class_ends [0]
func.func @f(%x: tensor<16xf32>) {
  // expected-error @below {{group @g has 32 elements, but the whole tensor has 64}}
  %full, %t = zero.all_gather @g, %x : tensor<16xf32> -> tensor<64xf32>
  return
}

// -----

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 20 padded 64 class_ends [0]
func.func @f(%x: tensor<64xf32>) attributes {zero.world = 2 : i64} {
  // expected-error @below {{a part has 16 elements, which is not one of 2 parts of 64}}
  %part, %t = zero.reduce_scatter @g, %x : tensor<64xf32> -> tensor<16xf32>
  return
}

// -----

nn.parameter @w : tensor<20xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 20 padded 32 class_ends [0]
func.func @f(%x: tensor<32xf32>) {
  // expected-error @below {{in_place and accumulate exclude each other: the operand's buffer cannot hold the running sum too}}
  %part, %t = zero.reduce_scatter @g, %x in_place accumulate : tensor<32xf32> -> tensor<16xf32>
  return
}

// -----

func.func @f(%x: tensor<f32>, %y: tensor<f32>) {
  %a, %ta = zero.all_reduce %x : tensor<f32>
  %b, %tb = zero.all_reduce %y : tensor<f32>
  // expected-error @below {{the tensor and the token must come from one collective's start}}
  %c = zero.wait %a, %tb : tensor<f32>
  return
}

// -----

func.func @f(%x: tensor<16xf32>) {
  // expected-error @below {{the operand must be an awaited zero.all_gather}}
  zero.release %x : tensor<16xf32>
  return
}

// -----

func.func @f(%x: tensor<64xf32>) attributes {zero.world = 2 : i64} {
  // expected-error @below {{the result has 16 elements, which is not one of 2 parts of 64}}
  %y = zero.all_slice %x : tensor<64xf32> -> tensor<16xf32>
  return
}

// -----

// The optimizer.

func.func @f(%x: tensor<16xf32>, %clip: tensor<1xf32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{clip must be a scalar}}
  %p, %m, %v = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<1xf32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %clip: tensor<f32>, %hyper: tensor<3xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{scalars must have 4 elements for adamw}}
  %p, %m, %v = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<3xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<2xi64>) {
  // expected-error @below {{ends must have 1 elements, one for each class but the last}}
  %p, %m, %v = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<2xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %g: tensor<8xbf16>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{gradient and rounded must have the 16 elements of the parameter}}
  %p, %m, %v = zero.update %x, %g states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<8xbf16>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %y: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{adamw keeps 2 states, but the operation has 1}}
  %r0, %r1 = zero.update %x, %x states %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %y: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{has 5 results, but adamw makes 3, or one more that is rounded}}
  %r0, %r1, %r2, %r3, %r4 = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %y: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{must have as many lr_scales as weight_decays, and at least one}}
  %r0, %r1, %r2 = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %y: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{lr_scales and weight_decays must be finite and not below 0}}
  %r0, %r1, %r2 = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, -1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %y: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{lr_scales and weight_decays must be finite and not below 0}}
  %r0, %r1, %r2 = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0x7FF8000000000000]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>)
  return
}

// -----

func.func @f(%x: tensor<16xf32>, %y: tensor<32xf32>, %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) {
  // expected-error @below {{parameter, states and their results must have one type}}
  %r0, %r1, %r2 = zero.update %x, %x states %x, %x by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<16xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<32xf32>)
  return
}

// -----

func.func @f() {
  // expected-error @below {{expected the name of a state: letters, digits and underscores}}
  %p = zero.load _moment @g : tensor<16xf32>
  return
}

// -----

// Along replicas the whole is a shard.

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @f(%x: tensor<64xf32>) attributes {zero.world = 4 : i64, zero.shard_ranks = 2 : i64} {
  // expected-error @below {{group @g has 32 elements a shard, but the whole tensor has 64}}
  %s, %t = zero.reduce_scatter @g, %x along replicas : tensor<64xf32> -> tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @f(%x: tensor<64xf32>) attributes {zero.world = 4 : i64, zero.shard_ranks = 2 : i64} {
  // expected-error @below {{the result has 16 elements, which is not one of 2 parts of 64}}
  %s = zero.all_slice %x along shards : tensor<64xf32> -> tensor<16xf32>
  return
}

// -----

func.func @f(%x: tensor<64xf32>) attributes {zero.world = 4 : i64, zero.secondary_ranks = 2 : i64} {
  // expected-error @below {{the operand must be an awaited zero.all_gather}}
  %k = zero.keep %x along secondary : tensor<64xf32> -> tensor<32xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @f(%x: tensor<16xf32>) attributes {zero.world = 4 : i64, zero.secondary_ranks = 2 : i64} {
  %full, %t = zero.all_gather @g, %x : tensor<16xf32> -> tensor<64xf32>
  %w = zero.wait %full, %t : tensor<64xf32>
  // expected-error @below {{the result has 16 elements, which is not one of 2 parts of 64}}
  %k = zero.keep %w along secondary : tensor<64xf32> -> tensor<16xf32>
  return
}

// -----

// Parameters as bytes.

func.func @f(%x: tensor<40xf32>) {
  // expected-error @below {{the operand has 40 elements, which is no multiple of 16}}
  %q = zero.quantize %x : tensor<40xf32> -> tensor<44xi8>
  return
}

// -----

func.func @f(%x: tensor<272xf32>) {
  // expected-error @below {{makes 280 bytes of 272 elements, but the result has 276}}
  %q = zero.quantize %x : tensor<272xf32> -> tensor<276xi8>
  return
}

// -----

func.func @f(%x: tensor<72xi8>) {
  // expected-error @below {{the result has 64 elements, which are not 3 parts of a multiple of 16}}
  %w = zero.dequantize %x parts 3 : tensor<72xi8> -> tensor<64xf32>
  return
}

// -----

func.func @f(%x: tensor<72xi8>) {
  // expected-error @below {{takes 68 bytes for 64 elements in 1 parts, but the operand has 72}}
  %w = zero.dequantize %x parts 1 : tensor<72xi8> -> tensor<64xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @f(%x: tensor<32xi8>) attributes {zero.world = 2 : i64} {
  // expected-error @below {{group @g, quantized on 2 ranks, has 72 bytes, but the whole tensor has 64}}
  %full, %t = zero.all_gather @g, %x : tensor<32xi8> -> tensor<64xi8>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @f(%x: tensor<36xi8>) attributes {zero.world = 2 : i64, zero.secondary_ranks = 4 : i64} {
  // expected-error @below {{a part has 36 elements, which is not one of 4 parts of 72}}
  %full, %t = zero.all_gather @g, %x along secondary : tensor<36xi8> -> tensor<72xi8>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @f(%x: tensor<36xi8>) attributes {zero.world = 2 : i64} {
  // expected-error @below {{gathers bytes as bytes: operand and result must have one element type}}
  %full, %t = zero.all_gather @g, %x : tensor<36xi8> -> tensor<72xf32>
  return
}

// -----

nn.parameter @w : tensor<64xf32> init constant(0.0) group "g"
zero.group @g parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
func.func @f(%x: tensor<36xi8>) attributes {zero.world = 2 : i64, zero.secondary_ranks = 2 : i64} {
  %full, %t = zero.all_gather @g, %x : tensor<36xi8> -> tensor<72xi8>
  %bytes = zero.wait %full, %t : tensor<72xi8>
  // expected-error @below {{keeps what there is: operand and result must have one element type}}
  %k = zero.keep %bytes along secondary : tensor<72xi8> -> tensor<36xf32>
  return
}

// -----

func.func @f(%x: tensor<72xi8>) {
  %w = zero.dequantize %x parts 2 : tensor<72xi8> -> tensor<64xf32>
  // expected-error @below {{the operand must be an awaited zero.all_gather, or dequantized from one}}
  zero.release %w : tensor<64xf32>
  return
}
