// RUN: tessera-opt %s -split-input-file -verify-each --plan-chunk-rows="chunk-bytes=2560 least-bytes=0 least-rows=100 rows-per-column=1" | FileCheck %s
// RUN: tessera-opt %s -split-input-file --plan-chunk-rows="chunk-bytes=0 least-bytes=0 least-rows=100 rows-per-column=1" | FileCheck %s --check-prefix=WHOLE
// RUN: tessera-opt %s -split-input-file --plan-chunk-rows | FileCheck %s --check-prefix=WHOLE

// 200 rows of 4, 8, 8 and 8 numbers: a chunk of 2560 bytes would have 22 rows, and
// has 64, which is the least. What the product leaves for the kernel is not stored
// whole; the slice of the weights moves up to where the chain runs.
// CHECK-LABEL: func.func @train(
// CHECK-SAME:    %[[X:.*]]: tensor<200x4xf32>, %[[W:.*]]: tensor<8x4xf32>, %[[B:.*]]: tensor<8xf32>, %[[ALL:.*]]: tensor<70xf32>
// CHECK-NEXT:    %[[FLAT:.*]] = nn.slice %[[ALL]] from 0
// CHECK-NEXT:    %[[V:.*]] = nn.reshape %[[FLAT]]
// CHECK-NEXT:    %[[Y:.*]]:3 = plan.launch @rows(%[[X]], %[[W]], %[[B]], %[[V]])
// CHECK-SAME:      -> (tensor<200x8xf32>, tensor<4x8xf32>, tensor<4x8x4xf32>)
// CHECK-NEXT:    %[[S:.*]] = plan.launch @sum_parts(%[[Y]]#1) : (tensor<4x8xf32>) -> tensor<8xf32>
// CHECK-NEXT:    %[[G:.*]] = plan.launch @sum_parts_0(%[[Y]]#2) : (tensor<4x8x4xf32>) -> tensor<8x4xf32>
// CHECK-NEXT:    plan.launch @whole(%[[Y]]#0)
// CHECK-NEXT:    return %{{.*}}, %[[S]], %[[G]]

// CHECK:       func.func private @whole(
// CHECK-NOT:   func.func private @relu(

// CHECK:       func.func private @relu.64(%{{.*}}: tensor<64x8xf32>) -> (tensor<64x8xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
// CHECK-NEXT:    %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<64x8xf32>
// CHECK:       func.func private @columnsum.64(%[[A:.*]]: tensor<64x8xf32>, %[[BEFORE:.*]]: tensor<8xf32>) -> (tensor<8xf32> {plan.inplace = [1]}) attributes {plan.kernel} {
// CHECK-NEXT:    %[[SUM:.*]] = nn.reduce sum %[[A]] dims [0] : tensor<64x8xf32> -> tensor<8xf32>
// CHECK-NEXT:    arith.addf %[[BEFORE]], %[[SUM]]

// CHECK:       func.func private @chunk.64(%[[CX:.*]]: tensor<64x4xf32>, %[[CW:.*]]: tensor<8x4xf32>, %[[CB:.*]]: tensor<8xf32>, %[[CV:.*]]: tensor<8x8xf32>,
// CHECK-SAME:      %[[CS:.*]]: tensor<8xf32>, %[[CG:.*]]: tensor<8x4xf32>)
// CHECK-SAME:      -> (tensor<64x8xf32>, tensor<8xf32> {plan.inplace = [4]}, tensor<8x4xf32> {plan.inplace = [5]}) attributes {plan.kernel} {
// CHECK-NEXT:    %[[P:.*]] = plan.gemm %[[CX]], %[[CW]] transpose_b bias %[[CB]] local
// CHECK-NEXT:    %[[H:.*]] = plan.launch @relu.64(%[[P]])
// CHECK-NEXT:    %[[Q:.*]] = plan.gemm %[[H]], %[[CV]] transpose_b local
// CHECK-NEXT:    %[[T:.*]] = plan.launch @columnsum.64(%[[H]], %[[CS]])
// CHECK-NEXT:    %[[U:.*]] = plan.gemm %[[Q]], %[[CX]] transpose_a add %[[CG]] local
// CHECK-NEXT:    return %[[Q]], %[[T]], %[[U]]

// CHECK:       func.func private @chunk.8(

// CHECK:       func.func private @rows(
// CHECK-NEXT:    %[[L:.*]]:3 = plan.row_loop @chunk.64, @chunk.8(%{{.*}}) rows 200 by 64 parts 4
// CHECK-NEXT:    return %[[L]]#0, %[[L]]#1, %[[L]]#2

// Programs whose chains are small stay as they are, and so do all where chunks
// have no bytes.
// WHOLE-LABEL: func.func @train(
// WHOLE:         plan.gemm
// WHOLE-NEXT:    plan.launch @relu
func.func @train(%x: tensor<200x4xf32>, %w: tensor<8x4xf32>, %b: tensor<8xf32>, %all: tensor<70xf32>)
    -> (tensor<200x8xf32>, tensor<8xf32>, tensor<8x4xf32>) {
  %p = plan.gemm %x, %w transpose_b bias %b : (tensor<200x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<200x8xf32>
  %h = plan.launch @relu(%p) : (tensor<200x8xf32>) -> tensor<200x8xf32>
  %flat = nn.slice %all from 0 : tensor<70xf32> -> tensor<64xf32>
  %v = nn.reshape %flat : tensor<64xf32> -> tensor<8x8xf32>
  %q = plan.gemm %h, %v transpose_b : (tensor<200x8xf32>, tensor<8x8xf32>) -> tensor<200x8xf32>
  %y = plan.launch @whole(%q) : (tensor<200x8xf32>) -> tensor<200x8xf32>
  %s = plan.launch @columnsum(%h) : (tensor<200x8xf32>) -> tensor<8xf32>
  %g = plan.gemm %q, %x transpose_a : (tensor<200x8xf32>, tensor<200x4xf32>) -> tensor<8x4xf32>
  return %y, %s, %g : tensor<200x8xf32>, tensor<8xf32>, tensor<8x4xf32>
}

func.func private @relu(%x: tensor<200x8xf32>) -> (tensor<200x8xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %zero = arith.constant dense<0.0> : tensor<200x8xf32>
  %y = arith.maximumf %x, %zero : tensor<200x8xf32>
  return %y : tensor<200x8xf32>
}

func.func private @columnsum(%x: tensor<200x8xf32>) -> tensor<8xf32> attributes {plan.kernel} {
  %y = nn.reduce sum %x dims [0] : tensor<200x8xf32> -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// A number that counts rows: not the same in a chunk.
func.func private @whole(%x: tensor<200x8xf32>) -> tensor<200x8xf32> attributes {plan.kernel} {
  %row = nn.iota 0 : tensor<200x8xi32>
  %number = arith.sitofp %row : tensor<200x8xi32> to tensor<200x8xf32>
  %y = arith.addf %x, %number : tensor<200x8xf32>
  return %y : tensor<200x8xf32>
}

// -----

// A product that only what follows an aggregation reads moves behind it: it reads 4
// columns there, and would be stored with 8.
// CHECK-LABEL: func.func @train(
// CHECK-SAME:    %[[X:.*]]: tensor<200x4xf32>, %[[W:.*]]: tensor<8x4xf32>
// CHECK-NEXT:    %[[H:.*]] = plan.launch @rows(%[[X]]) : (tensor<200x4xf32>) -> tensor<200x4xf32>
// CHECK-NEXT:    %[[A:.*]] = plan.launch @whole(%[[H]])
// CHECK-NEXT:    plan.launch @rows{{.*}}(%[[H]], %[[W]], %[[A]])
func.func @train(%x: tensor<200x4xf32>, %w: tensor<8x4xf32>) -> tensor<200x8xf32> {
  %n = plan.launch @negate(%x) : (tensor<200x4xf32>) -> tensor<200x4xf32>
  %h = plan.launch @negate(%n) : (tensor<200x4xf32>) -> tensor<200x4xf32>
  %p = plan.gemm %h, %w transpose_b : (tensor<200x4xf32>, tensor<8x4xf32>) -> tensor<200x8xf32>
  %a = plan.launch @whole(%h) : (tensor<200x4xf32>) -> tensor<200x4xf32>
  %q = plan.gemm %a, %w transpose_b : (tensor<200x4xf32>, tensor<8x4xf32>) -> tensor<200x8xf32>
  %y = plan.launch @sum(%p, %q) : (tensor<200x8xf32>, tensor<200x8xf32>) -> tensor<200x8xf32>
  return %y : tensor<200x8xf32>
}

func.func private @negate(%x: tensor<200x4xf32>) -> (tensor<200x4xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %y = arith.negf %x : tensor<200x4xf32>
  return %y : tensor<200x4xf32>
}

func.func private @sum(%a: tensor<200x8xf32>, %b: tensor<200x8xf32>) -> (tensor<200x8xf32> {plan.inplace = [0, 1]}) attributes {plan.kernel} {
  %y = arith.addf %a, %b : tensor<200x8xf32>
  return %y : tensor<200x8xf32>
}

func.func private @whole(%x: tensor<200x4xf32>) -> tensor<200x4xf32> attributes {plan.kernel} {
  %row = nn.iota 0 : tensor<200x4xi32>
  %number = arith.sitofp %row : tensor<200x4xi32> to tensor<200x4xf32>
  %y = arith.addf %x, %number : tensor<200x4xf32>
  return %y : tensor<200x4xf32>
}

// -----

// How many rows count is known when this runs.
// CHECK-LABEL: func.func @train(
// CHECK-NEXT:    plan.launch @negate
// CHECK-NEXT:    plan.launch @negate
// CHECK-NOT:     plan.row_loop
func.func @train(%x: tensor<200x4xf32> {nn.counted = "count.0"}) -> tensor<200x4xf32> {
  %n = plan.launch @negate(%x) : (tensor<200x4xf32>) -> tensor<200x4xf32>
  %h = plan.launch @negate(%n) : (tensor<200x4xf32>) -> tensor<200x4xf32>
  return %h : tensor<200x4xf32>
}

func.func private @negate(%x: tensor<200x4xf32>) -> (tensor<200x4xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %y = arith.negf %x : tensor<200x4xf32>
  return %y : tensor<200x4xf32>
}
