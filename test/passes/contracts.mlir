// RUN: split-file %s %t

// A module may hold anything that parses: each pass says what it cannot work on
// rather than look into it.

// RUN: not tessera-opt --nn-verify-model %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --nn-apply-precision %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --nn-fuse-head %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --nn-differentiate %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --nn-verify-train %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --nn-recompute %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --zero-partition %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --zero-schedule %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --zero-verify %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --plan-form-gemms %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --nn-decompose %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --plan-outline-kernels %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --plan-verify-kernels %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not tessera-opt --plan-place %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// DECLARED: declared.mlir:1:1: error: 'func.func' op has no body: programs and kernels are written out; remove the declaration

// RUN: not tessera-opt --cpu-shape-kernels %t/kernel.mlir 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: not tessera-opt --cpu-build-kernels %t/kernel.mlir 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: not tessera-opt --cuda-shape-kernels %t/kernel.mlir 2>&1 | FileCheck %s --check-prefix=KERNEL
// RUN: not tessera-opt --cuda-build-kernels %t/kernel.mlir 2>&1 | FileCheck %s --check-prefix=KERNEL
// KERNEL: kernel.mlir:1:1: error: 'func.func' op has no body

// Memory is planned before kernels are built.

// RUN: not tessera-opt --cpu-build-kernels --plan-place %t/built.mlir 2>&1 | FileCheck %s --check-prefix=BUILT
// RUN: tessera-opt --cpu-shape-kernels --plan-place %t/built.mlir > %t/placed.mlir
// RUN: tessera-opt --plan-layout --verify-diagnostics %t/placed.mlir
// RUN: not tessera-opt --cpu-build-kernels --plan-layout %t/placed.mlir 2>&1 | FileCheck %s --check-prefix=BUILT
// BUILT: error: 'plan.launch' op is of a kernel that has been built already: plan before kernels are built

// RUN: tessera-opt --split-input-file --verify-diagnostics --nn-verify-model %t/invalid.mlir
// RUN: tessera-opt --verify-diagnostics --plan-verify %t/unplaced.mlir
// RUN: tessera-opt --verify-diagnostics --plan-verify %t/bytes.mlir
// RUN: tessera-opt --verify-diagnostics --plan-form-gemms %t/branches.mlir

//--- declared.mlir
func.func private @objective(tensor<f32>) -> tensor<f32>

//--- kernel.mlir
func.func private @twice(tensor<4xf32>) -> tensor<4xf32> attributes {plan.kernel}

//--- built.mlir
func.func private @twice(%x: tensor<16xf32>) -> tensor<16xf32> attributes {plan.kernel} {
  %y = arith.addf %x, %x : tensor<16xf32>
  return %y : tensor<16xf32>
}
func.func @predict(%x: tensor<16xf32> {nn.input = "tokens"}) -> (tensor<16xf32> {nn.output = "logits"}) {
  %y = plan.launch @twice(%x) : (tensor<16xf32>) -> tensor<16xf32>
  return %y : tensor<16xf32>
}

//--- invalid.mlir
// expected-error @+1 {{no function @objective: a model needs one whose result is the loss}}
module {}

// -----

func.func @objective(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{has a value that is not written out: give it as dense<...>}}
  %c = arith.constant dense_resource<none> : tensor<f32>
  return %c : tensor<f32>
}

// -----

// expected-error @+1 {{'func.func' op has 'tensor<?xf32>': programs and kernels work on tensors of static shape}}
func.func @objective(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

// expected-error @+1 {{'func.func' op has 'memref<1xf32>': programs and kernels work on tensors of static shape}}
func.func @objective(%x: memref<1xf32>) {
  return
}

// -----

func.func @objective(%x: tensor<4xf32>) -> tensor<f32> {
  // expected-error @+1 {{has 'f32': programs and kernels work on tensors of static shape}}
  %c = arith.constant 1.0 : f32
  %y = nn.reduce sum %x dims [0] : tensor<4xf32> -> tensor<f32>
  return %y : tensor<f32>
}

// -----

func.func @objective(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{calls a function: write out what it does in its place}}
  %y = func.call @other(%x) : (tensor<f32>) -> tensor<f32>
  return %y : tensor<f32>
}
func.func @other(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----

func.func @objective(%x: tensor<4xf32>) -> tensor<f32> {
  // expected-error @+1 {{makes 'tensor<0xf32>', which has no elements}}
  %e = nn.slice %x from 4 : tensor<4xf32> -> tensor<0xf32>
  %y = nn.reduce sum %x dims [0] : tensor<4xf32> -> tensor<f32>
  return %y : tensor<f32>
}

// -----

// expected-error @+1 {{does not belong at a module's top: only func.func, nn.parameter, nn.cache, zero.group and plan.program do}}
%0 = nn.iota 0 : tensor<4xi32>

// -----

// expected-error @+1 {{has "\FF", which is no UTF-8: give another text}}
func.func @"\FF"(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----

// expected-error @+1 {{has "a\FE", which is no UTF-8: give another text}}
nn.parameter @w : tensor<4xf32> init constant(0.0) group "a\FE"

// -----

// expected-note @+1 {{which is of this parameter}}
nn.parameter @w : tensor<4xf32> init constant(0.0) group "a"
// expected-error @+1 {{part "w" has the name of another tensor}}
nn.parameter @v : tensor<4xf32> init constant(0.0) group "a" parts ["u" 1, "w" 3]

// -----

// expected-note @+1 {{which is of this parameter}}
nn.parameter @w : tensor<4xf32> init constant(0.0) group "a" parts ["q" 4]
// expected-error @+1 {{part "q" has the name of another tensor}}
nn.parameter @v : tensor<4xf32> init constant(0.0) group "a" parts ["u" 1, "q" 3]

// -----

// expected-error @+1 {{has "\FF", which is no UTF-8: give another text}}
nn.parameter @w : tensor<4xf32> init constant(0.0) group "a" parts ["\FF" 4]

// -----

// expected-error @+1 {{has "\FF", which is no UTF-8: give another text}}
module attributes {spec.specification = #spec.specification<
    name = "\FF", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {}

//--- branches.mlir
// expected-error @+1 {{has several blocks: programs and kernels are straight lines of operations}}
func.func @objective(%x: tensor<f32>) -> tensor<f32> {
  llvm.br ^next
^next:
  return %x : tensor<f32>
}

//--- unplaced.mlir
// expected-error @+1 {{is not a kernel: run plan-place first}}
func.func @elsewhere() {
  return
}

//--- bytes.mlir
plan.program @train world 1 stage 0 accumulation 1 arena 64 memory {workspace = 64 : i64} flops 0 {
  %0 = plan.buffer "a" workspace at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<16xf32>
  // expected-error @+1 {{has "\FF", which is no UTF-8: give another text}}
  plan.input "\FF" %1 when "micro" : memref<16xf32>
}
