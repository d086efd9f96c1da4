// RUN: tessera-opt %s --plan-place | FileCheck %s

// The example of the pass: a GEMM on buffers.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>, target = #spec.cpu<threads = 2>>} {
  zero.group @h.0 parameters [@w] offsets [0] elements 256 padded 256 class_ends [256]
  nn.parameter @w : tensor<16x16xf32> init constant(1.0) decay group "h.0"

  // example: buffers
  func.func @train(%x: tensor<16x16xf32> {nn.input = "tokens"})
      -> (tensor<16x16xf32> {nn.output = "logits"}) {
    %p = zero.load parameter @h.0 : tensor<256xf32>
    %w = nn.reshape %p : tensor<256xf32> -> tensor<16x16xf32>
    %y = plan.gemm %x, %w : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
    return %y : tensor<16x16xf32>
  }
  // example end
}

// example: buffers
// CHECK: plan.program @train world 1 stage 0 accumulation 1 arena 3072 memory {activations = 0 : i64, communication = 0 : i64, gradients = 0 : i64, optimizer = 0 : i64, parameters = 1024 : i64, workspace = 2048 : i64} flops 8192 {
// CHECK-NEXT:   %[[PARAMETERS:[^ :,]+]] = plan.buffer "parameter h.0" parameters at 0 persistent : memref<1024xi8>
// CHECK-NEXT:   plan.state parameter @h.0 %[[PARAMETERS]] : memref<1024xi8>
// CHECK-NEXT:   %[[TOKENS:[^ :,]+]] = plan.buffer "tokens" workspace at 1024 persistent : memref<1024xi8>
// CHECK-NEXT:   %[[LOGITS:[^ :,]+]] = plan.buffer "gemm" workspace at 2048 persistent : memref<1024xi8>
// CHECK-NEXT:   %[[X:[^ :,]+]] = plan.view %[[TOKENS]] at 0 : memref<1024xi8> -> memref<16x16xf32>
// CHECK-NEXT:   plan.input "tokens" %[[X]] when "run" : memref<16x16xf32>
// CHECK-NEXT:   %[[Y:[^ :,]+]] = plan.view %[[LOGITS]] at 0 : memref<1024xi8> -> memref<16x16xf32>
// CHECK-NEXT:   plan.output "logits" %[[Y]] : memref<16x16xf32>
// CHECK-NEXT:   plan.section "run"
// CHECK-NEXT:   %[[W:[^ :,]+]] = plan.view %[[PARAMETERS]] at 0 : memref<1024xi8> -> memref<16x16xf32>
// CHECK-NEXT:   plan.gemm %[[X]], %[[W]] into %[[Y]] : (memref<16x16xf32>, memref<16x16xf32>, memref<16x16xf32>) -> ()
// CHECK-NEXT: }
// example end
