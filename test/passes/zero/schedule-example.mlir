// RUN: tessera-opt %s --zero-schedule=prefetch=1 | FileCheck %s

// The example of the pass: parameters of two groups.

nn.parameter @a.w : tensor<64xf32> init normal(0.02) group "a"
nn.parameter @b.w : tensor<64xf32> init normal(0.02) group "b"
zero.group @a parameters [@a.w] offsets [0] elements 64 padded 64 class_ends [0]
zero.group @b parameters [@b.w] offsets [0] elements 64 padded 64 class_ends [0]

func.func @predict(%x: tensor<64xf32> {nn.input = "x"}) -> tensor<64xf32>
    attributes {zero.stage = 3 : i64, zero.world = 4 : i64} {
  %a = zero.load parameter @a : tensor<16xf32>
  %b = zero.load parameter @b : tensor<16xf32>
  // example: gathers
  %r0, %t0 = zero.all_gather @a, %a : tensor<16xf32> -> tensor<64xf32>
  %wa = zero.wait %r0, %t0 : tensor<64xf32>
  %y = arith.mulf %wa, %x : tensor<64xf32>
  zero.release %wa : tensor<64xf32>
  %r1, %t1 = zero.all_gather @b, %b : tensor<16xf32> -> tensor<64xf32>
  %wb = zero.wait %r1, %t1 : tensor<64xf32>
  %z = arith.mulf %wb, %y : tensor<64xf32>
  zero.release %wb : tensor<64xf32>
  // CHECK: %[[R0:[^ ]+]], %[[T0:[^ ]+]] = zero.all_gather @a, %[[A:[^ ]+]] : tensor<16xf32> -> tensor<64xf32>
  // CHECK-NEXT: %[[WA:[^ ]+]] = zero.wait %[[R0]], %[[T0]] : tensor<64xf32>
  // CHECK-NEXT: %[[R1:[^ ]+]], %[[T1:[^ ]+]] = zero.all_gather @b, %[[B:[^ ]+]] : tensor<16xf32> -> tensor<64xf32>
  // CHECK-NEXT: %[[Y:[^ ]+]] = arith.mulf %[[WA]], %[[X:[^ ]+]] : tensor<64xf32>
  // CHECK-NEXT: zero.release %[[WA]] : tensor<64xf32>
  // CHECK-NEXT: %[[WB:[^ ]+]] = zero.wait %[[R1]], %[[T1]] : tensor<64xf32>
  // CHECK-NEXT: %[[Z:[^ ]+]] = arith.mulf %[[WB]], %[[Y]] : tensor<64xf32>
  // CHECK-NEXT: zero.release %[[WB]] : tensor<64xf32>
  // example end
  return %z : tensor<64xf32>
}
