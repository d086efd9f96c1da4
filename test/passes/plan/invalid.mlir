// RUN: tessera-opt %s --split-input-file --plan-place --plan-verify --verify-diagnostics

// What cannot be planned is reported where it stands, with the remedy.

// expected-error @+1 {{argument #0 needs a name: nn.input}}
func.func @predict(%x: tensor<4xf32>) {
  return
}

// -----

// expected-error @+1 {{result #0 needs a name: nn.output}}
func.func @predict(%x: tensor<4xf32> {nn.input = "tokens"}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

func.func @predict(%x: tensor<4xf32> {nn.input = "tokens"}) -> (tensor<4xf32> {nn.output = "logits"}) {
  // expected-error @+1 {{does not belong in the phase kernels: outline it into a kernel first}}
  %y = arith.addf %x, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func private @copy(%x: tensor<4xf32>) -> tensor<4xf32> attributes {plan.kernel, plan.iterations = 1} {
  return %x : tensor<4xf32>
}
func.func @predict() -> (tensor<4xf32> {nn.output = "logits"}) {
  // expected-error @+1 {{is read by plan.launch: a plan has no constants, compute it in a kernel}}
  %x = arith.constant dense<1.0> : tensor<4xf32>
  %y = plan.launch @copy(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// expected-error @+1 {{has several blocks: programs and kernels are straight lines of operations}}
func.func @predict() {
  llvm.br ^next
^next:
  return
}

// -----

func.func private @next(%x: tensor<32xf32>) -> tensor<32xf32> attributes {plan.kernel, plan.iterations = 1} {
  return %x : tensor<32xf32>
}
zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
nn.parameter @w : tensor<32xf32> init constant(0.0) group "g"
func.func @train() -> (tensor<32xf32> {nn.output = "logits"}) attributes {zero.world = 1 : i64, zero.stage = 0 : i64} {
  %p = zero.load parameter @g : tensor<32xf32>
  %n = plan.launch @next(%p) : (tensor<32xf32>) -> tensor<32xf32>
  // expected-error @+1 {{would overwrite the state while its previous content is still needed}}
  zero.store parameter @g, %n : tensor<32xf32>
  %o = plan.launch @next(%p) : (tensor<32xf32>) -> tensor<32xf32>
  return %o : tensor<32xf32>
}

// -----

func.func private @next(%x: tensor<32xf32>) -> tensor<32xf32> attributes {plan.kernel} {
  return %x : tensor<32xf32>
}
func.func @predict(%x: tensor<32xf32> {nn.input = "tokens"}) -> (tensor<32xf32> {nn.output = "logits"}) {
  // expected-error @+1 {{does not say how often the kernel's loop runs: run cpu-shape-kernels before plan-place}}
  %y = plan.launch @next(%x) : (tensor<32xf32>) -> tensor<32xf32>
  return %y : tensor<32xf32>
}

// -----

func.func @predict(%x: tensor<4x4xf64> {nn.input = "tokens"}) -> (tensor<4x4xf64> {nn.output = "logits"}) {
  // expected-error @+1 {{cannot be done by the library: 4 x 4 by 4 x 4, 'f64' to 'f64'}}
  %y = plan.gemm %x, %x : (tensor<4x4xf64>, tensor<4x4xf64>) -> tensor<4x4xf64>
  return %y : tensor<4x4xf64>
}

// -----

func.func @reduce() attributes {zero.world = 2 : i64, zero.stage = 0 : i64} {
  // expected-error @+1 {{is read by zero.all_reduce: a plan has no constants, compute it in a kernel}}
  %x = arith.constant dense<1.0> : tensor<f32>
  %sum, %t = zero.all_reduce %x : tensor<f32>
  %y = zero.wait %sum, %t : tensor<f32>
  return
}

// -----

// A cache is written in place: what it held before cannot be read any more.
nn.cache @c : tensor<2x1x1x8x4xf32>
func.func private @write(%x: tensor<1x12xf32>, %c: tensor<2x1x1x8x4xf32>, %s: tensor<1xi32>, %p: tensor<1xi32>, %n: tensor<1xi32>)
    -> (tensor<2x1x1x8x4xf32> {plan.inplace = [1]}) attributes {plan.kernel, plan.iterations = 1} {
  %0 = nn.cache_write %x into %c at %s, %p count %n heads 1 layout blocked
      : tensor<1x12xf32>, tensor<2x1x1x8x4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>
  return %0 : tensor<2x1x1x8x4xf32>
}
func.func private @read(%c: tensor<2x1x1x8x4xf32>) -> tensor<64xf32> attributes {plan.kernel, plan.iterations = 1} {
  %0 = nn.reshape %c : tensor<2x1x1x8x4xf32> -> tensor<64xf32>
  %1 = arith.addf %0, %0 : tensor<64xf32>
  return %1 : tensor<64xf32>
}
func.func @decode(%x: tensor<1x12xf32> {nn.input = "x"}, %s: tensor<1xi32> {nn.input = "slots"},
                  %p: tensor<1xi32> {nn.input = "positions"}, %n: tensor<1xi32> {nn.input = "count"})
    -> (tensor<64xf32> {nn.output = "y"}) {
  %flat = zero.load cache @c : tensor<64xf32>
  %before = nn.reshape %flat : tensor<64xf32> -> tensor<2x1x1x8x4xf32>
  // expected-error @+1 {{writes into a cache whose former content is still read: read what it gives instead}}
  %after = plan.launch @write(%x, %before, %s, %p, %n)
      : (tensor<1x12xf32>, tensor<2x1x1x8x4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<2x1x1x8x4xf32>
  %y = plan.launch @read(%before) : (tensor<2x1x1x8x4xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----

// A program within another writes where the other keeps nothing.

plan.program @train world 1 stage 0 accumulation 1 arena 128
    memory {activations = 64 : i64, parameters = 64 : i64} flops 0 {
  // expected-note @+1 {{this buffer}}
  %p = plan.buffer "p" parameters at 0 persistent : memref<64xi8>
  %a = plan.buffer "a" activations at 64 live [0, 0] : memref<64xi8>
}
plan.program @validate world 1 stage 0 accumulation 1 arena 64
    memory {activations = 64 : i64} flops 0 attributes {plan.within = @train} {
  // expected-error @+1 {{lies where @train keeps something else}}
  %b = plan.buffer "b" activations at 0 live [0, 0] : memref<64xi8>
}

// -----

// What it keeps lies where the other writes nothing.

plan.program @train world 1 stage 0 accumulation 1 arena 64
    memory {activations = 64 : i64} flops 0 {
  // expected-note @+1 {{this buffer}}
  %a = plan.buffer "a" activations at 0 live [0, 0] : memref<64xi8>
}
plan.program @validate world 1 stage 0 accumulation 1 arena 64
    memory {workspace = 64 : i64} flops 0 attributes {plan.within = @train} {
  // expected-error @+1 {{lies where @train writes}}
  %x = plan.buffer "x" workspace at 0 persistent : memref<64xi8>
  %xv = plan.view %x at 0 : memref<64xi8> -> memref<16xf32>
  plan.input "x" %xv when "load" : memref<16xf32>
}
