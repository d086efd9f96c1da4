// RUN: tessera-opt %s --plan-place --plan-layout | FileCheck %s

// When a result may overwrite an operand, when it must not, and when a value
// must be copied to its place.

func.func private @twice(%x: tensor<16xf32>) -> (tensor<16xf32> {plan.inplace = [0]})
    attributes {plan.kernel, plan.iterations = 1} {
  %y = arith.addf %x, %x : tensor<16xf32>
  return %y : tensor<16xf32>
}
func.func private @sum(%x: tensor<16xf32>, %y: tensor<16xf32>) -> (tensor<16xf32> {plan.inplace = [0]})
    attributes {plan.kernel, plan.iterations = 1} {
  %z = arith.addf %x, %y : tensor<16xf32>
  return %z : tensor<16xf32>
}

// An input is never overwritten: the runtime fills it before another entry.
// CHECK-LABEL: plan.program @input
// CHECK: %[[X:.*]] = plan.view %{{.*}} -> memref<16xf32>
// CHECK: plan.launch @twice(%[[X]], %[[A:.*]]) {
// CHECK: plan.launch @twice(%[[A]], %[[A]]) {
func.func @input(%x: tensor<16xf32> {nn.input = "tokens"}) -> (tensor<16xf32> {nn.output = "logits"}) {
  %a = plan.launch @twice(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %b = plan.launch @twice(%a) : (tensor<16xf32>) -> tensor<16xf32>
  return %b : tensor<16xf32>
}

// A value that is used again is kept; one that the kernel also reads through an
// argument that must stay is kept too.
// CHECK-LABEL: plan.program @alive
// CHECK: plan.launch @twice(%[[X:.*]], %[[A:.*]]) {
// CHECK: plan.launch @twice(%[[A]], %[[B:[^)]*]]) {
// CHECK: plan.launch @sum(%[[B]], %[[A]], %[[B]]) {
// CHECK: plan.launch @sum(%[[B]], %[[B]], %[[D:[^)]*]]) {
func.func @alive(%x: tensor<16xf32> {nn.input = "tokens"}) -> (tensor<16xf32> {nn.output = "logits"}) {
  %a = plan.launch @twice(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %b = plan.launch @twice(%a) : (tensor<16xf32>) -> tensor<16xf32>
  %c = plan.launch @sum(%b, %a) : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  %d = plan.launch @sum(%c, %c) : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  return %d : tensor<16xf32>
}

// A GEMM is added to its addend's memory, or to a copy where the addend is
// needed later.
// CHECK-LABEL: plan.program @addend
// CHECK: plan.gemm %[[X:.*]], %[[X]] into %[[A:[a-z_0-9]+]]
// CHECK: plan.copy %[[A]] to %[[B:.*]] :
// CHECK-NEXT: plan.gemm %[[X]], %[[X]] into %[[B]] accumulate
// CHECK-NEXT: plan.gemm %[[A]], %[[X]] into %[[B]] accumulate
func.func @addend(%x: tensor<16x16xf32> {nn.input = "tokens"}) -> (tensor<16x16xf32> {nn.output = "logits"}) {
  %a = plan.gemm %x, %x : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %b = plan.gemm %x, %x add %a : (tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %c = plan.gemm %a, %x add %b : (tensor<16x16xf32>, tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  return %c : tensor<16x16xf32>
}

// The parts of a concatenation are computed in their places; the same value a
// second time, and an input, are copied.
// CHECK-LABEL: plan.program @concat
// CHECK: %[[FIRST:.*]] = plan.view %[[ALL:.*]] at 0 : memref<192xi8> -> memref<16xf32>
// CHECK: plan.launch @twice(%[[X:.*]], %[[FIRST]]) {
// CHECK: %[[SECOND:.*]] = plan.view %[[ALL]] at 64 : memref<192xi8> -> memref<16xf32>
// CHECK-NEXT: plan.copy %[[FIRST]] to %[[SECOND]]
// CHECK: %[[THIRD:.*]] = plan.view %[[ALL]] at 128 : memref<192xi8> -> memref<16xf32>
// CHECK-NEXT: plan.copy %[[X]] to %[[THIRD]]
func.func @concat(%x: tensor<16xf32> {nn.input = "tokens"}) -> (tensor<48xf32> {nn.output = "logits"}) {
  %a = plan.launch @twice(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %all = nn.concat %a, %a, %x : tensor<16xf32>, tensor<16xf32>, tensor<16xf32> -> tensor<48xf32>
  return %all : tensor<48xf32>
}

// What fills most of its place lies there from its first form on; what fills
// little of it does not keep the rest occupied meanwhile.
func.func private @start(%x: tensor<16xf32>) -> tensor<16xf32> attributes {plan.kernel}
func.func private @rest(%x: tensor<16xf32>) -> tensor<8xf32> attributes {plan.kernel}
func.func private @large(%x: tensor<16xf32>) -> tensor<32xf32> attributes {plan.kernel}
func.func private @use24(%x: tensor<24xf32>) -> tensor<16xf32> attributes {plan.kernel}
func.func private @use48(%x: tensor<48xf32>) -> tensor<16xf32> attributes {plan.kernel}

// CHECK-LABEL: plan.program @most
// CHECK: plan.launch @start(%{{.*}}, %[[A:.*]]) :
// CHECK: plan.launch @twice(%[[A]], %[[A]]) {
// CHECK: plan.view %{{.*}} at 0 : memref<128xi8> -> memref<24xf32>
func.func @most(%x: tensor<16xf32> {nn.input = "tokens"}) -> (tensor<16xf32> {nn.output = "logits"}) {
  %a = plan.launch @start(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %b = plan.launch @twice(%a) : (tensor<16xf32>) -> tensor<16xf32>
  %c = plan.launch @rest(%x) : (tensor<16xf32>) -> tensor<8xf32>
  %all = nn.concat %b, %c : tensor<16xf32>, tensor<8xf32> -> tensor<24xf32>
  %y = plan.launch @use24(%all) : (tensor<24xf32>) -> tensor<16xf32>
  return %y : tensor<16xf32>
}

// CHECK-LABEL: plan.program @little
// CHECK: plan.launch @start(%{{.*}}, %[[A:.*]]) :
// CHECK: plan.launch @twice(%[[A]], %[[B:[^)]*]]) {
// CHECK: plan.view %{{.*}} at 0 : memref<192xi8> -> memref<48xf32>
func.func @little(%x: tensor<16xf32> {nn.input = "tokens"}) -> (tensor<16xf32> {nn.output = "logits"}) {
  %a = plan.launch @start(%x) : (tensor<16xf32>) -> tensor<16xf32>
  %b = plan.launch @twice(%a) : (tensor<16xf32>) -> tensor<16xf32>
  %c = plan.launch @large(%x) : (tensor<16xf32>) -> tensor<32xf32>
  %all = nn.concat %b, %c : tensor<16xf32>, tensor<32xf32> -> tensor<48xf32>
  %y = plan.launch @use48(%all) : (tensor<48xf32>) -> tensor<16xf32>
  return %y : tensor<16xf32>
}
