// RUN: tessera-opt %s | tessera-opt | FileCheck %s
// RUN: tessera-opt %s --emit-bytecode | tessera-opt | FileCheck %s

// CHECK: nn.cache @h.0.cache : tensor<2x3x2x16x8xf32>
// example: cache
nn.cache @h.0.cache : tensor<2x3x2x16x8xf32>
// example end

// CHECK: nn.parameter @head : tensor<5x32xf32> init normal(2.000000e-02) decay group "final" as bf16 packed rows
nn.parameter @head : tensor<5x32xf32> init normal(0.02) decay group "final" as bf16 packed rows
// CHECK: nn.parameter @up : tensor<5x32xf32> init normal(2.000000e-02) decay group "final" packed columns
nn.parameter @up : tensor<5x32xf32> init normal(0.02) decay group "final" packed columns

// CHECK-LABEL: func.func @decode
func.func @decode(%qkv: tensor<4x64xf32>, %slots: tensor<4xi32>, %at: tensor<4xi32>,
                  %count: tensor<1xi32>, %w: tensor<5x32xf32>, %v: tensor<32x5xf32>, %b: tensor<5xf32>) {
  // CHECK: nn.get_cache @h.0.cache : tensor<2x3x2x16x8xf32>
  // example: get-cache
  %0 = nn.get_cache @h.0.cache : tensor<2x3x2x16x8xf32>
  // example end
  // CHECK: nn.cache_write %{{.*}} into %{{.*}} at %{{.*}}, %{{.*}} count %{{.*}} heads 4 layout blocked : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
  // example: cache-write
  %1 = nn.cache_write %qkv into %0 at %slots, %at count %count heads 4 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
  // example end
  // CHECK: nn.set_cache @h.0.cache, %{{.*}} : tensor<2x3x2x16x8xf32>
  // example: set-cache
  nn.set_cache @h.0.cache, %1 : tensor<2x3x2x16x8xf32>
  // example end
  // CHECK: nn.cached_attention %{{.*}}, %{{.*}} at %{{.*}}, %{{.*}} count %{{.*}} heads 4 layout blocked alibi window 5 scale 5.000000e-01
  // example: cached-attention
  %2 = nn.cached_attention %qkv, %1 at %slots, %at count %count heads 4 layout blocked alibi window 5 scale 0.5
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
  // example end
  // CHECK: nn.cached_attention %{{.*}}, %{{.*}} at %{{.*}}, %{{.*}} count %{{.*}} heads 4 layout blocked one_slot scale 5.000000e-01
  %one = nn.cached_attention %qkv, %1 at %slots, %at count %count heads 4 layout blocked one_slot scale 0.5
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
  // CHECK: nn.cached_attention_parts %{{.*}}, %{{.*}} at %{{.*}}, %{{.*}} count %{{.*}} heads 4 layout blocked alibi scale 5.000000e-01 parts of 4
  // example: cached-attention-parts
  %sums, %maxima, %totals = nn.cached_attention_parts %qkv, %1 at %slots, %at count %count heads 4 layout blocked alibi scale 0.5 parts of 4
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
      -> tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<4x4x4xf32>
  // example end
  // CHECK: nn.merge_attention_parts %{{.*}}, %{{.*}}, %{{.*}} at %{{.*}} count %{{.*}} parts of 4 :
  // example: merge-attention-parts
  %merged = nn.merge_attention_parts %sums, %maxima, %totals at %at count %count parts of 4
      : tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
  // example end
  // A window of 6 lies in at most three parts.
  // CHECK: nn.cached_attention_parts {{.*}} window 6 scale 5.000000e-01 parts of 4
  %few:3 = nn.cached_attention_parts %qkv, %1 at %slots, %at count %count heads 4 layout blocked window 6 scale 0.5 parts of 4
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
      -> tensor<4x4x3x8xf32>, tensor<4x4x3xf32>, tensor<4x4x3xf32>
  // CHECK: nn.merge_attention_parts {{.*}} window 6 parts of 4
  %of_few = nn.merge_attention_parts %few#0, %few#1, %few#2 at %at count %count window 6 parts of 4
      : tensor<4x4x3x8xf32>, tensor<4x4x3xf32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
  // CHECK: nn.row_matmul %{{.*}}, %{{.*}} count %{{.*}} transpose_b bias %{{.*}} : tensor<4x32xf32>, tensor<5x32xf32>, tensor<1xi32>, tensor<5xf32> -> tensor<4x5xf32>
  // example: row-matmul
  %3 = nn.row_matmul %2, %w count %count transpose_b bias %b
      : tensor<4x32xf32>, tensor<5x32xf32>, tensor<1xi32>, tensor<5xf32> -> tensor<4x5xf32>
  // example end
  // CHECK: nn.row_matmul %{{.*}}, %{{.*}} count %{{.*}} : tensor<4x32xf32>, tensor<32x5xf32>, tensor<1xi32> -> tensor<4x5xf32>
  %4 = nn.row_matmul %2, %v count %count
      : tensor<4x32xf32>, tensor<32x5xf32>, tensor<1xi32> -> tensor<4x5xf32>
  // CHECK: nn.row_matmul %{{.*}}, %{{.*}} count %{{.*}} transpose_b packed bias %{{.*}} : tensor<4x32xf32>, tensor<5x32xf32>, tensor<1xi32>, tensor<5xf32> -> tensor<4x5xf32>
  %5 = nn.row_matmul %2, %w count %count transpose_b packed bias %b
      : tensor<4x32xf32>, tensor<5x32xf32>, tensor<1xi32>, tensor<5xf32> -> tensor<4x5xf32>
  // CHECK: nn.packed_gather %{{.*}}, %{{.*}} : tensor<5x32xf32>, tensor<4xi32> -> tensor<4x32xf32>
  // example: packed-gather
  %6 = nn.packed_gather %w, %slots : tensor<5x32xf32>, tensor<4xi32> -> tensor<4x32xf32>
  // example end
  return
}
