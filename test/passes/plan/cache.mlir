// RUN: tessera-opt %s --plan-place --plan-layout | FileCheck %s

// A cache is written in place, and lies behind the parameters.

// CHECK-LABEL: plan.program @decode
// CHECK-SAME: cache = 256 : i64
// CHECK: %[[P:.*]] = plan.buffer "parameter all" parameters at 0
// CHECK: plan.buffer "cache c" cache at 256
// CHECK: plan.state cache @c
// CHECK: plan.launch @write(%{{.*}}, %[[C:.*]], %{{.*}}, %{{.*}}, %{{.*}}, %[[C]])
module {
  nn.parameter @w : tensor<64xf32> init constant(1.0) group "all"
  zero.group @all parameters [@w] offsets [0] elements 64 padded 64 class_ends [0]
  nn.cache @c : tensor<2x1x1x8x4xf32>

  func.func private @write(%x: tensor<1x12xf32>, %c: tensor<2x1x1x8x4xf32>, %s: tensor<1xi32>, %p: tensor<1xi32>, %n: tensor<1xi32>)
      -> (tensor<2x1x1x8x4xf32> {plan.inplace = [1]}) attributes {plan.kernel, plan.iterations = 1} {
    %0 = nn.cache_write %x into %c at %s, %p count %n heads 1 layout blocked
        : tensor<1x12xf32>, tensor<2x1x1x8x4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>
    return %0 : tensor<2x1x1x8x4xf32>
  }
  func.func private @read(%c: tensor<2x1x1x8x4xf32>, %w: tensor<64xf32>) -> tensor<64xf32>
      attributes {plan.kernel, plan.iterations = 1} {
    %0 = nn.reshape %c : tensor<2x1x1x8x4xf32> -> tensor<64xf32>
    %1 = arith.addf %0, %w : tensor<64xf32>
    return %1 : tensor<64xf32>
  }
  func.func @decode(%x: tensor<1x12xf32> {nn.input = "x"}, %s: tensor<1xi32> {nn.input = "slots"},
                    %p: tensor<1xi32> {nn.input = "positions"}, %n: tensor<1xi32> {nn.input = "count"})
      -> (tensor<64xf32> {nn.output = "y"}) {
    %w = zero.load parameter @all : tensor<64xf32>
    %flat = zero.load cache @c : tensor<64xf32>
    %before = nn.reshape %flat : tensor<64xf32> -> tensor<2x1x1x8x4xf32>
    %after = plan.launch @write(%x, %before, %s, %p, %n)
        : (tensor<1x12xf32>, tensor<2x1x1x8x4xf32>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>) -> tensor<2x1x1x8x4xf32>
    %next = nn.reshape %after : tensor<2x1x1x8x4xf32> -> tensor<64xf32>
    zero.store cache @c, %next : tensor<64xf32>
    %y = plan.launch @read(%after, %w) : (tensor<2x1x1x8x4xf32>, tensor<64xf32>) -> tensor<64xf32>
    return %y : tensor<64xf32>
  }
}
