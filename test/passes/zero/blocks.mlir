// RUN: tessera-opt %s --zero-partition --zero-verify | FileCheck %s

// What is read in blocks is a group of bytes, beside the layer's other parameters.
// The first weight has two tiles of two blocks, 2 * (2 * 512 + 2 * 32) bytes.

// CHECK: zero.group @h.0.blocks parameters [@w, @v] offsets [0, 2176] elements 3328 padded 3328
// CHECK: zero.group @h.0 parameters [@b] offsets [0] elements 20 padded 32
// CHECK-LABEL: func.func @decode
// CHECK-DAG: %[[BYTES:.*]] = zero.load parameter @h.0.blocks : tensor<3328xi8>
// CHECK-DAG: %[[REST:.*]] = zero.load parameter @h.0 : tensor<32xf32>
// CHECK: %[[W:.*]] = nn.slice %[[BYTES]] from 0 : tensor<3328xi8> -> tensor<2176xi8>
// CHECK: nn.quantized_matmul %{{.*}}, %{{.*}}, %{{.*}}, %[[W]] :
// CHECK: %[[V:.*]] = nn.slice %[[BYTES]] from 2176 : tensor<3328xi8> -> tensor<1152xi8>
// CHECK: nn.quantized_matmul %{{.*}}, %{{.*}}, %{{.*}}, %[[V]] bias
module attributes {
    spec.generation = #spec.generation<slots = 1, length = 8, chunk = 2>,
    spec.specification = #spec.specification<
      name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
      training = <global_batch = 2, micro_batch = 1, steps = 1,
        optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
      parallel = <world = 2, zero_stage = 3>>} {
  nn.parameter @w : tensor<20x64xf32> init normal(0.02) decay group "h.0" blocks along 1
  nn.parameter @b : tensor<20xf32> init constant(0.0) group "h.0"
  nn.parameter @v : tensor<20x20xf32> init normal(0.02) decay group "h.0" blocks along 0

  func.func @decode(%x: tensor<1x64xf32> {nn.input = "x"}) -> (tensor<1x20xf32> {nn.output = "y"}) {
    %w = nn.get_parameter @w : tensor<2176xi8>
    %b = nn.get_parameter @b : tensor<20xf32>
    %v = nn.get_parameter @v : tensor<1152xi8>
    %q, %s, %o = nn.quantize_rows %x : tensor<1x64xf32> -> tensor<1x64xi8>, tensor<1x2xf32>, tensor<1x2xi32>
    %y = nn.quantized_matmul %q, %s, %o, %w
        : (tensor<1x64xi8>, tensor<1x2xf32>, tensor<1x2xi32>, tensor<2176xi8>) -> tensor<1x20xf32>
    %r, %t, %u = nn.quantize_rows %y : tensor<1x20xf32> -> tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32>
    %z = nn.quantized_matmul %r, %t, %u, %v bias %b
        : (tensor<1x32xi8>, tensor<1x1xf32>, tensor<1x1xi32>, tensor<1152xi8>, tensor<20xf32>) -> tensor<1x20xf32>
    return %z : tensor<1x20xf32>
  }
}
