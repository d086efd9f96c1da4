// RUN: tessera-opt %s | tessera-opt | FileCheck %s
// RUN: tessera-opt %s --emit-bytecode | tessera-opt | FileCheck %s

// Three blocks of 32 for 80 numbers, and two tiles of 16 columns for 20:
// 2 * (3 * 512 + 3 * 32) bytes.
// CHECK: nn.parameter @w : tensor<20x80xf32> init normal(2.000000e-02) decay group "g" blocks along 1
nn.parameter @w : tensor<20x80xf32> init normal(0.02) decay group "g" blocks along 1
// CHECK: nn.parameter @v : tensor<80x20xf32> init normal(2.000000e-02) decay group "g" blocks along 0
nn.parameter @v : tensor<80x20xf32> init normal(0.02) decay group "g" blocks along 0
// CHECK: nn.parameter @p : tensor<20x80xf32> init normal(2.000000e-02) decay group "g" blocks along 1 parts ["q" 4, "k" 16]
nn.parameter @p : tensor<20x80xf32> init normal(0.02) decay group "g" blocks along 1 parts ["q" 4, "k" 16]

// CHECK-LABEL: func.func @decode
func.func @decode(%x: tensor<8x80xbf16>, %ids: tensor<8xi32>, %n: tensor<1xi32>, %bias: tensor<20xbf16>) {
  // CHECK: nn.get_parameter @w : tensor<3328xi8>
  %w = nn.get_parameter @w : tensor<3328xi8>
  %v = nn.get_parameter @v : tensor<3328xi8>
  // CHECK: nn.quantize_rows %{{.*}} count %{{.*}} : tensor<8x80xbf16>, tensor<1xi32> -> tensor<8x96xi8>, tensor<8x3xf32>, tensor<8x3xi32>
  // example: quantize-rows
  %q, %s, %o = nn.quantize_rows %x count %n : tensor<8x80xbf16>, tensor<1xi32>
      -> tensor<8x96xi8>, tensor<8x3xf32>, tensor<8x3xi32>
  // example end
  // CHECK: nn.quantized_matmul %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} count %{{.*}} bias %{{.*}} : (tensor<8x96xi8>,
  // example: quantized-matmul
  %y = nn.quantized_matmul %q, %s, %o, %w count %n bias %bias
      : (tensor<8x96xi8>, tensor<8x3xf32>, tensor<8x3xi32>, tensor<3328xi8>, tensor<1xi32>, tensor<20xbf16>)
      -> tensor<8x20xbf16>
  // example end
  // CHECK: nn.quantize_rows %{{.*}} : tensor<8x80xbf16> -> tensor<8x96xi8>
  %r, %t, %u = nn.quantize_rows %x : tensor<8x80xbf16> -> tensor<8x96xi8>, tensor<8x3xf32>, tensor<8x3xi32>
  // CHECK: nn.quantized_matmul %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<8x96xi8>,
  %z = nn.quantized_matmul %r, %t, %u, %v
      : (tensor<8x96xi8>, tensor<8x3xf32>, tensor<8x3xi32>, tensor<3328xi8>) -> tensor<8x20xbf16>
  // CHECK: nn.quantized_matmul %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} bias %{{.*}} : (tensor<8x96xi8>,
  %b = nn.quantized_matmul %r, %t, %u, %v bias %bias
      : (tensor<8x96xi8>, tensor<8x3xf32>, tensor<8x3xi32>, tensor<3328xi8>, tensor<20xbf16>) -> tensor<8x20xbf16>
  // CHECK: nn.quantized_gather %{{.*}}, %{{.*}} columns 20 : tensor<3328xi8>, tensor<8xi32> -> tensor<8x80xbf16>
  // example: quantized-gather
  %g = nn.quantized_gather %w, %ids columns 20 : tensor<3328xi8>, tensor<8xi32> -> tensor<8x80xbf16>
  // example end
  return
}

// A cache of bytes has a scale for each position of a head.
nn.cache @c : tensor<2x3x2x16x8xi8>
nn.cache @c.scales : tensor<2x3x2x16x1xf16>

// CHECK-LABEL: func.func @cached
func.func @cached(%qkv: tensor<4x64xf32>, %at: tensor<4xi32>, %n: tensor<1xi32>) {
  // CHECK: nn.get_cache @c : tensor<2x3x2x16x8xi8>
  %0 = nn.get_cache @c : tensor<2x3x2x16x8xi8>
  %1 = nn.get_cache @c.scales : tensor<2x3x2x16x1xf16>
  // CHECK: nn.cache_write %{{.*}} into %{{.*}} scaled %{{.*}} at %{{.*}}, %{{.*}} count %{{.*}} heads 4 layout blocked : tensor<4x64xf32>, tensor<2x3x2x16x8xi8>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>, tensor<2x3x2x16x1xf16> -> tensor<2x3x2x16x1xf16>
  %2, %3 = nn.cache_write %qkv into %0 scaled %1 at %at, %at count %n heads 4 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x16x8xi8>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>, tensor<2x3x2x16x1xf16>
      -> tensor<2x3x2x16x1xf16>
  // CHECK: nn.set_cache @c, %{{.*}} : tensor<2x3x2x16x8xi8>
  nn.set_cache @c, %2 : tensor<2x3x2x16x8xi8>
  nn.set_cache @c.scales, %3 : tensor<2x3x2x16x1xf16>
  // CHECK: nn.cached_attention %{{.*}}, %{{.*}} scaled %{{.*}} at %{{.*}}, %{{.*}} count %{{.*}} heads 4 layout blocked scale 5.000000e-01
  %4 = nn.cached_attention %qkv, %2 scaled %3 at %at, %at count %n heads 4 layout blocked scale 0.5
      : tensor<4x64xf32>, tensor<2x3x2x16x8xi8>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>, tensor<2x3x2x16x1xf16>
      -> tensor<4x32xf32>
  return
}
