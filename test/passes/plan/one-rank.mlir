// RUN: tessera-opt %s --plan-place --plan-layout | FileCheck %s

// One linear layer on one rank: the parts of the gradient's bucket are computed
// in the gradient's memory, the activation overwrites the GEMM's result, and
// the update overwrites the parameters.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cpu<threads = 2>>} {
  zero.group @all parameters [@w, @b] offsets [0, 256] elements 272 padded 288 class_ends [256]
  nn.parameter @w : tensor<16x16xf32> init constant(1.0) decay group "all"
  nn.parameter @b : tensor<16xf32> init constant(1.0) group "all"

  func.func private @relu(%x: tensor<8x16xf32>) -> (tensor<8x16xf32> {plan.inplace = [0]})
      attributes {plan.kernel, plan.iterations = 8, plan.scratch = 128, plan.flops = 128} {
    %zero = arith.constant dense<0.0> : tensor<8x16xf32>
    %y = arith.maximumf %x, %zero : tensor<8x16xf32>
    return %y : tensor<8x16xf32>
  }
  func.func private @column_sum(%x: tensor<8x16xf32>) -> tensor<16xf32>
      attributes {plan.kernel, plan.iterations = 1} {
    %y = nn.reduce sum %x dims [0] : tensor<8x16xf32> -> tensor<16xf32>
    return %y : tensor<16xf32>
  }
  func.func private @loss(%x: tensor<8x16xf32>) -> tensor<f32>
      attributes {plan.kernel, plan.iterations = 1} {
    %y = nn.reduce sum %x dims [0, 1] : tensor<8x16xf32> -> tensor<f32>
    return %y : tensor<f32>
  }
  func.func private @descend(%p: tensor<288xf32>, %g: tensor<288xf32>)
      -> (tensor<288xf32> {plan.inplace = [0]})
      attributes {plan.kernel, plan.iterations = 1} {
    %y = arith.subf %p, %g : tensor<288xf32>
    return %y : tensor<288xf32>
  }

  // The categories sum to the arena; a GEMM counts 2mnk operations.
  // CHECK: plan.program @train world 1 stage 0 accumulation 1 arena [[ARENA:[0-9]+]] memory
  // CHECK-SAME: activations = 512
  // CHECK-SAME: communication = 0
  // CHECK-SAME: gradients = 1152
  // CHECK-SAME: parameters = 1152
  // CHECK-SAME: flops 8320
  // CHECK: %[[P:.*]] = plan.buffer "parameter all" parameters at 0 persistent
  // CHECK: %[[G:.*]] = plan.buffer "gradient all" gradients at 1152 persistent
  // CHECK: %[[Y:.*]] = plan.buffer "gemm" activations at {{[0-9]+}} live [0, 4] : memref<512xi8>
  // CHECK: plan.input "tokens" %{{.*}} when "micro"
  // CHECK: plan.output "loss"
  // CHECK: plan.scratch %{{.*}} threads 2
  func.func @train(%x: tensor<8x16xf32> {nn.input = "tokens"}) -> (tensor<f32> {nn.output = "loss"}) {
    // CHECK: plan.section "begin"
    // CHECK-NEXT: plan.section "micro"
    %p = zero.load parameter @all : tensor<288xf32>
    %flat = nn.slice %p from 0 : tensor<288xf32> -> tensor<256xf32>
    %w = nn.reshape %flat : tensor<256xf32> -> tensor<16x16xf32>
    %b = nn.slice %p from 256 : tensor<288xf32> -> tensor<16xf32>
    // CHECK: %[[YV:.*]] = plan.view %[[Y]] at 0
    // CHECK: %[[W:.*]] = plan.view %[[P]] at 0 : memref<1152xi8> -> memref<16x16xf32>
    // CHECK: %[[B:.*]] = plan.view %[[P]] at 1024 : memref<1152xi8> -> memref<16xf32>
    // CHECK: plan.gemm %[[X:.*]], %[[W]] bias %[[B]] into %[[YV]]
    %y = plan.gemm %x, %w bias %b : (tensor<8x16xf32>, tensor<16x16xf32>, tensor<16xf32>) -> tensor<8x16xf32>
    // CHECK-NEXT: plan.launch @relu(%[[YV]], %[[YV]]) {plan.iterations = 8 : i64, plan.scratch = 128 : i64}
    %z = plan.launch @relu(%y) : (tensor<8x16xf32>) -> tensor<8x16xf32>
    %l = plan.launch @loss(%z) : (tensor<8x16xf32>) -> tensor<f32>
    // CHECK: %[[DW:.*]] = plan.view %[[G]] at 0
    // CHECK-NEXT: plan.gemm %[[X]], %[[YV]] transpose_a into %[[DW]]
    %dw = plan.gemm %x, %z transpose_a : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<16x16xf32>
    // CHECK: %[[DB:.*]] = plan.view %[[G]] at 1024
    // CHECK-NEXT: plan.launch @column_sum(%[[YV]], %[[DB]])
    %db = plan.launch @column_sum(%z) : (tensor<8x16xf32>) -> tensor<16xf32>
    // What lies behind the last parameter is zero.
    // CHECK: %[[REST:.*]] = plan.view %[[G]] at 1088 : memref<1152xi8> -> memref<64xi8>
    // CHECK-NEXT: plan.clear %[[REST]]
    %g = zero.bucket @all (%dw, %db) : (tensor<16x16xf32>, tensor<16xf32>) -> tensor<288xf32>
    zero.store gradient @all, %g : tensor<288xf32>
    // CHECK: plan.section "reduce"
    nn.section "reduce"
    // CHECK: plan.section "update"
    nn.section "update"
    // CHECK: %[[ALL:.*]] = plan.view %[[P]] at 0 : memref<1152xi8> -> memref<288xf32>
    // CHECK: plan.launch @descend(%[[ALL]], %{{.*}}, %[[ALL]])
    %next = plan.launch @descend(%p, %g) : (tensor<288xf32>, tensor<288xf32>) -> tensor<288xf32>
    zero.store parameter @all, %next : tensor<288xf32>
    return %l : tensor<f32>
  }
}
