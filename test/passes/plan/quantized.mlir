// RUN: tessera-opt %s --plan-outline-kernels --cpu-shape-kernels --plan-place --plan-layout | FileCheck %s

// Parameters that travel as bytes: quantizing and dequantizing are kernels, which
// groups of one size share. What is sent, what is received and the parameters
// made of it are communication, each in memory only as long as it is needed: what
// was sent makes room for the parameters, and is fenced before.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cpu<threads = 1>>} {
  nn.parameter @a : tensor<4096xf32> init constant(1.0) decay group "g"
  nn.parameter @b : tensor<4096xf32> init constant(1.0) decay group "h"
  zero.group @g parameters [@a] offsets [0] elements 4096 padded 4096 class_ends [4096]
  zero.group @h parameters [@b] offsets [0] elements 4096 padded 4096 class_ends [4096]

  // CHECK-LABEL: plan.program @train
  // CHECK-SAME: communication = 22656
  // CHECK: %[[SG:.*]] = plan.buffer "parameter g" parameters
  // CHECK: plan.buffer "quantize" communication at [[AT:.*]] live [0, 4] : memref<1088xi8>
  // CHECK-NEXT: plan.buffer "all_gather g" communication at {{.*}} live [1, 5] : memref<4160xi8>
  // CHECK-NEXT: plan.buffer "keep" communication at {{.*}} live [3, 17] : memref<2112xi8>
  // CHECK-NEXT: plan.buffer "dequantize" communication at [[AT]] live [5, 6] : memref<16384xi8>
  func.func @train(%x: tensor<4096xf32> {nn.input = "x"}) -> (tensor<f32> {nn.output = "sum"})
      attributes {zero.world = 4 : i64, zero.secondary_ranks = 2 : i64, zero.stage = 3 : i64} {
    %g = zero.load parameter @g : tensor<1024xf32>
    %h = zero.load parameter @h : tensor<1024xf32>
    // CHECK: %[[SHARD:.*]] = plan.view %[[SG]] at 0 : memref<4096xi8> -> memref<1024xf32>
    // CHECK: plan.launch @quantize(%[[SHARD]], %[[SENT:.*]]) {{.*}} : (memref<1024xf32>, memref<1040xi8>)
    %q = zero.quantize %g : tensor<1024xf32> -> tensor<1040xi8>
    // CHECK: %[[T:.*]] = plan.start all_gather @g from %[[SENT]] to %[[GOT:.*]] : memref<1040xi8>, memref<4160xi8>
    // CHECK-NEXT: plan.wait %[[T]]
    %f, %t = zero.all_gather @g, %q : tensor<1040xi8> -> tensor<4160xi8>
    %b = zero.wait %f, %t : tensor<4160xi8>
    // CHECK: %[[PART:.*]] = plan.view %{{.*}} at 0 secondary_stride 2080 : memref<4160xi8> -> memref<2080xi8>
    // CHECK: plan.copy %[[PART]] to
    %k = zero.keep %b along secondary : tensor<4160xi8> -> tensor<2080xi8>
    // CHECK: plan.fence %[[T]]
    // CHECK-NEXT: plan.launch @dequantize(%[[GOT]], %{{.*}}) {{.*}} : (memref<4160xi8>, memref<4096xf32>)
    %w = zero.dequantize %b parts 4 : tensor<4160xi8> -> tensor<4096xf32>
    %y = arith.mulf %w, %x : tensor<4096xf32>
    %s = nn.reduce sum %y dims [0] : tensor<4096xf32> -> tensor<f32>
    zero.release %w : tensor<4096xf32>
    %q1 = zero.quantize %h : tensor<1024xf32> -> tensor<1040xi8>
    %f1, %t1 = zero.all_gather @h, %q1 : tensor<1040xi8> -> tensor<4160xi8>
    %b1 = zero.wait %f1, %t1 : tensor<4160xi8>
    // CHECK: plan.launch @dequantize
    %w1 = zero.dequantize %b1 parts 4 : tensor<4160xi8> -> tensor<4096xf32>
    %y1 = arith.mulf %w1, %x : tensor<4096xf32>
    %s1 = nn.reduce sum %y1 dims [0] : tensor<4096xf32> -> tensor<f32>
    zero.release %w1 : tensor<4096xf32>
    // CHECK: plan.start all_gather @g over 2 step 1 from %{{.*}} to %{{.*}} : memref<2080xi8>, memref<4160xi8>
    %f2, %t2 = zero.all_gather @g, %k along secondary : tensor<2080xi8> -> tensor<4160xi8>
    %b2 = zero.wait %f2, %t2 : tensor<4160xi8>
    // CHECK: plan.launch @dequantize
    %w2 = zero.dequantize %b2 parts 4 : tensor<4160xi8> -> tensor<4096xf32>
    %y2 = arith.mulf %w2, %x : tensor<4096xf32>
    %s2 = nn.reduce sum %y2 dims [0] : tensor<4096xf32> -> tensor<f32>
    zero.release %w2 : tensor<4096xf32>
    %o = arith.addf %s, %s1 : tensor<f32>
    %o2 = arith.addf %o, %s2 : tensor<f32>
    return %o2 : tensor<f32>
  }

  // CHECK: func.func private @quantize(%{{.*}}: tensor<1024xf32>) -> tensor<1040xi8>
  // CHECK-SAME: plan.iterations = 4
  // CHECK: func.func private @dequantize(%{{.*}}: tensor<4160xi8>) -> tensor<4096xf32>
  // CHECK-SAME: plan.iterations = 16
  // CHECK-NOT: func.func private @dequantize_1
}
