// RUN: tessera-opt %s -nn-apply-precision="compute=bf16" | FileCheck %s
// RUN: tessera-opt %s -nn-apply-precision="compute=bf16" -nn-differentiate="gradients=f32" | FileCheck %s --check-prefix=GRAD
// RUN: tessera-opt %s -nn-apply-precision="compute=f32" | FileCheck %s --check-prefix=SINGLE
// RUN: tessera-opt %s -nn-apply-precision="compute=f16" -nn-differentiate="max-norm=1.0" | FileCheck %s --check-prefix=HALF
// RUN: not tessera-opt %s -nn-apply-precision="compute=f8" 2>&1 | FileCheck %s --check-prefix=ERROR

// What is read of parameters and handed on has 16 bits. Statistics, sums and
// outputs have 32, and so has arithmetic with them: it is rounded where a
// matmul reads it.

// ERROR: error: nothing computes in 'f8': choose f32, bf16 or f16

// CHECK: nn.parameter @w : tensor<16x8xf32> init normal(2.000000e-02) decay group "all" as bf16
// SINGLE: nn.parameter @w : tensor<16x8xf32> init normal(2.000000e-02) decay group "all"{{$}}
nn.parameter @w : tensor<16x8xf32> init normal(0.02) decay group "all"
nn.parameter @g : tensor<16xf32> init constant(1.0) group "all"
nn.parameter @b : tensor<16xf32> init constant(0.0) group "all"

// CHECK-LABEL: func.func @objective
// CHECK:   %[[W:.*]] = nn.get_parameter @w : tensor<16x8xbf16>
// CHECK:   %[[X:.*]] = arith.truncf %arg0 : tensor<4x8xf32> to tensor<4x8xbf16>
// CHECK:   %[[Y:.*]] = nn.matmul %[[X]], %[[W]] transpose_b : tensor<4x8xbf16>, tensor<16x8xbf16> -> tensor<4x16xbf16>
// CHECK:   %[[ROWS:.*]] = nn.broadcast %{{.*}} dims [1] : tensor<16xbf16> -> tensor<4x16xbf16>
// CHECK:   arith.addf %[[Y]], %[[ROWS]] : tensor<4x16xbf16>
// CHECK:   nn.layer_norm %{{.*}} : tensor<4x16xbf16>, tensor<16xbf16> -> tensor<4xf32>
// CHECK:   %[[SUM:.*]] = nn.reduce sum %{{.*}} dims [1] : tensor<4x16xbf16> -> tensor<4xf32>
// CHECK:   %[[COLUMNS:.*]] = nn.broadcast %[[SUM]] dims [0] : tensor<4xf32> -> tensor<4x16xf32>
// CHECK:   %[[WIDE:.*]] = arith.extf %{{.*}} : tensor<4x16xbf16> to tensor<4x16xf32>
// CHECK:   %[[MIXED:.*]] = arith.mulf %[[WIDE]], %[[COLUMNS]] : tensor<4x16xf32>
// CHECK:   %[[NARROW:.*]] = arith.truncf %[[MIXED]] : tensor<4x16xf32> to tensor<4x16xbf16>
// CHECK:   nn.cross_entropy %[[NARROW]], %arg1, %arg2 : tensor<4x16xbf16>, tensor<4xi32>, tensor<f32>

// In f16 the runtime scales the loss: norm and clipping factor are unscaled.
// HALF-LABEL: func.func @train
// HALF-SAME:    %[[UNSCALE:[a-z0-9]*]]: tensor<f32> {nn.input = "unscale"}
// HALF:   %[[SQUARES:.*]] = nn.sum_squares
// HALF:   %[[WIDE:.*]] = arith.extf %[[UNSCALE]] : tensor<f32> to tensor<f64>
// HALF:   %[[SQUARE:.*]] = arith.mulf %[[WIDE]], %[[WIDE]]
// HALF:   %[[TRUE:.*]] = arith.mulf %[[SQUARES]], %[[SQUARE]]
// HALF:   %[[CLIP:.*]], %{{.*}} = nn.clip_scale %[[TRUE]]
// HALF:   %[[FACTOR:.*]] = arith.mulf %[[CLIP]], %[[UNSCALE]]
// HALF:   nn.update @w by %{{.*}}, %[[FACTOR]]

// Gradients of parameters are not rounded: the matmul and the sum give fp32.
// GRAD-LABEL: func.func @train
// GRAD:   %[[DB:.*]] = nn.reduce sum %{{.*}} dims [0] : tensor<4x16xbf16> -> tensor<16xf32>
// GRAD:   %[[DW:.*]] = nn.matmul %{{.*}}, %{{.*}} transpose_a : tensor<4x16xbf16>, tensor<4x8xbf16> -> tensor<16x8xf32>
// GRAD:   nn.update @w by %[[DW]]
func.func @objective(%x: tensor<4x8xf32> {nn.input = "x"},
                     %targets: tensor<4xi32> {nn.input = "targets"},
                     %scale: tensor<f32> {nn.input = "scale"})
    -> (tensor<f32> {nn.output = "loss"}) {
  %w = nn.get_parameter @w : tensor<16x8xf32>
  %g = nn.get_parameter @g : tensor<16xf32>
  %b = nn.get_parameter @b : tensor<16xf32>
  %y = nn.matmul %x, %w transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
  %rows = nn.broadcast %b dims [1] : tensor<16xf32> -> tensor<4x16xf32>
  %z = arith.addf %y, %rows : tensor<4x16xf32>
  %n, %mean, %rstd = nn.layer_norm %z, %g, %b epsilon 1.0e-5
      : tensor<4x16xf32>, tensor<16xf32> -> tensor<4xf32>
  %sum = nn.reduce sum %n dims [1] : tensor<4x16xf32> -> tensor<4xf32>
  %columns = nn.broadcast %sum dims [0] : tensor<4xf32> -> tensor<4x16xf32>
  %mixed = arith.mulf %n, %columns : tensor<4x16xf32>
  %loss = nn.cross_entropy %mixed, %targets, %scale
      : tensor<4x16xf32>, tensor<4xi32>, tensor<f32>
  return %loss : tensor<f32>
}

// CHECK-LABEL: func.func @predict
// CHECK:   %[[Y:.*]] = nn.matmul %{{.*}} transpose_b : tensor<4x8xbf16>, tensor<16x8xbf16> -> tensor<4x16xf32>
// CHECK:   return %[[Y]] : tensor<4x16xf32>
func.func @predict(%x: tensor<4x8xf32> {nn.input = "x"})
    -> (tensor<4x16xf32> {nn.output = "logits"}) {
  %w = nn.get_parameter @w : tensor<16x8xf32>
  %y = nn.matmul %x, %w transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// A product that reductions read is rounded, unless it says that it is not.
// CHECK-LABEL: func.func @score
// CHECK:   nn.matmul %{{.*}} transpose_b {nn.wide_result} : tensor<4x8xbf16>, tensor<16x8xbf16> -> tensor<4x16xf32>
// CHECK:   nn.matmul %{{.*}} transpose_b : tensor<4x8xbf16>, tensor<16x8xbf16> -> tensor<4x16xbf16>
func.func @score(%x: tensor<4x8xf32> {nn.input = "x"})
    -> (tensor<4xf32> {nn.output = "wide"}, tensor<4xf32> {nn.output = "narrow"}) {
  %w = nn.get_parameter @w : tensor<16x8xf32>
  %y = nn.matmul %x, %w transpose_b {nn.wide_result} : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
  %z = nn.matmul %x, %w transpose_b : tensor<4x8xf32>, tensor<16x8xf32> -> tensor<4x16xf32>
  %wide = nn.reduce max %y dims [1] : tensor<4x16xf32> -> tensor<4xf32>
  %narrow = nn.reduce max %z dims [1] : tensor<4x16xf32> -> tensor<4xf32>
  return %wide, %narrow : tensor<4xf32>, tensor<4xf32>
}
