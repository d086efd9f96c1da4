// RUN: tessera-opt %s | tessera-opt | FileCheck %s
// RUN: tessera-opt %s --mlir-print-op-generic | tessera-opt | FileCheck %s
// RUN: tessera-opt %s --emit-bytecode | tessera-opt | FileCheck %s

// Each operation once, as it is written.

nn.parameter @w : tensor<6x8xf32> init normal(0.02) decay group "h.0"
nn.parameter @b : tensor<6xf32> init constant(0.0) group "h.0"

// CHECK: zero.group @h.0 parameters [@w, @b] offsets [0, 48] elements 54 padded 64 class_ends [48]
// example: group
zero.group @h.0 parameters [@w, @b] offsets [0, 48] elements 54 padded 64 class_ends [48]
// example end

// CHECK-LABEL: func.func @train
// CHECK-SAME: attributes {zero.stage = 1 : i64, zero.world = 2 : i64}
func.func @train(%dw: tensor<6x8xf32>, %db: tensor<6xf32>, %squares: tensor<f64>,
                 %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>)
    attributes {zero.stage = 1 : i64, zero.world = 2 : i64} {
  // CHECK: %[[P:.*]] = zero.load parameter @h.0 : tensor<64xf32>
  // example: load
  %p = zero.load parameter @h.0 : tensor<64xf32>
  // example end
  // CHECK: %[[B:.*]] = zero.bucket @h.0(%{{.*}}, %{{.*}}) : (tensor<6x8xf32>, tensor<6xf32>) -> tensor<64xf32>
  // example: bucket
  %bucket = zero.bucket @h.0 (%dw, %db) : (tensor<6x8xf32>, tensor<6xf32>) -> tensor<64xf32>
  // example end
  // CHECK: zero.store gradient @h.0, %[[B]] : tensor<64xf32>
  zero.store gradient @h.0, %bucket : tensor<64xf32>
  // CHECK: %[[S:.*]], %[[ST:.*]] = zero.reduce_scatter @h.0, %[[B]] in_place : tensor<64xf32> -> tensor<32xf32>
  // example: reduce-scatter
  %part, %part_token = zero.reduce_scatter @h.0, %bucket in_place : tensor<64xf32> -> tensor<32xf32>
  // example end
  // CHECK: %[[G:.*]] = zero.wait %[[S]], %[[ST]] : tensor<32xf32>
  // example: reduce-scatter
  %g = zero.wait %part, %part_token : tensor<32xf32>
  // example end
  // CHECK: zero.all_reduce %{{.*}} : tensor<f64>
  // example: wait-2
  %sum, %sum_token = zero.all_reduce %squares : tensor<f64>
  // CHECK: zero.wait %{{.*}}, %{{.*}} : tensor<f64>
  %total = zero.wait %sum, %sum_token : tensor<f64>
  // example end
  // CHECK: %[[PS:.*]] = zero.all_slice %[[P]] : tensor<64xf32> -> tensor<32xf32>
  // example: all-slice
  %ps = zero.all_slice %p : tensor<64xf32> -> tensor<32xf32>
  // example end
  %m = zero.load moment1 @h.0 : tensor<32xf32>
  %v = zero.load moment2 @h.0 : tensor<32xf32>
  // CHECK: zero.update @h.0, %[[PS]], %[[G]] states %{{.*}}, %{{.*}} by %{{.*}}, %{{.*}} using #optimizer.adamw<beta1 = 9.000000e-01 : f64, beta2 = 0.9{{[0-9]*}} : f64, eps = 1.000000e-08 : f64> ends %{{.*}} lr_scales [1.000000e+00, 1.000000e+00] weight_decays [1.000000e-01, 0.000000e+00] : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>) -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  // example: update
  %p1, %m1, %v1 = zero.update @h.0, %ps, %g states %m, %v by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<32xf32>, tensor<32xf32>, tensor<32xf32>)
  // example end
  // example: store
  zero.store moment1 @h.0, %m1 : tensor<32xf32>
  // example end
  zero.store moment2 @h.0, %v1 : tensor<32xf32>
  // CHECK: zero.all_gather @h.0, %{{.*}} in_place : tensor<32xf32> -> tensor<64xf32>
  %full, %full_token = zero.all_gather @h.0, %p1 in_place : tensor<32xf32> -> tensor<64xf32>
  %next = zero.wait %full, %full_token : tensor<64xf32>
  zero.store parameter @h.0, %next : tensor<64xf32>
  return
}

// Memory of a model that generates.
nn.cache @h.0.cache : tensor<2x3x2x16x8xf32>

// CHECK-LABEL: func.func @decode
func.func @decode() attributes {zero.stage = 0 : i64, zero.world = 1 : i64} {
  // CHECK: %[[C:.*]] = zero.load cache @h.0.cache : tensor<1536xf32>
  // example: load
  %c = zero.load cache @h.0.cache : tensor<1536xf32>
  // example end
  // CHECK: zero.store cache @h.0.cache, %[[C]] : tensor<1536xf32>
  zero.store cache @h.0.cache, %c : tensor<1536xf32>
  return
}

// A sum over micro-batches, and a gathered group's end.
// CHECK-LABEL: func.func @stage3
func.func @stage3(%dw: tensor<6x8xf32>, %db: tensor<6xf32>)
    attributes {zero.stage = 3 : i64, zero.world = 4 : i64} {
  %p = zero.load parameter @h.0 : tensor<16xf32>
  // CHECK: zero.all_gather @h.0, %{{.*}} : tensor<16xf32> -> tensor<64xf32>
  // example: wait
  %full, %full_token = zero.all_gather @h.0, %p : tensor<16xf32> -> tensor<64xf32>
  // example end
  %w = zero.wait %full, %full_token : tensor<64xf32>
  // CHECK: zero.release %{{.*}} : tensor<64xf32>
  // example: all-gather-2
  zero.release %w : tensor<64xf32>
  // example end
  %bucket = zero.bucket @h.0 (%dw, %db) : (tensor<6x8xf32>, tensor<6xf32>) -> tensor<64xf32>
  // CHECK: zero.reduce_scatter @h.0, %{{.*}} accumulate : tensor<64xf32> -> tensor<16xf32>
  %part, %part_token = zero.reduce_scatter @h.0, %bucket accumulate : tensor<64xf32> -> tensor<16xf32>
  // example: wait
  %g = zero.wait %part, %part_token : tensor<16xf32>
  // example end
  zero.store gradient @h.0, %g : tensor<16xf32>
  return
}

// Two replicas of two shards: a collective runs along one axis, or among all.
// CHECK-LABEL: func.func @grid
func.func @grid(%bucket: tensor<64xf32>, %norm: tensor<f64>)
    attributes {zero.shard_ranks = 2 : i64, zero.stage = 1 : i64, zero.world = 4 : i64} {
  // CHECK: zero.reduce_scatter @h.0, %{{.*}} in_place along shards : tensor<64xf32> -> tensor<32xf32>
  %s, %t = zero.reduce_scatter @h.0, %bucket in_place along shards : tensor<64xf32> -> tensor<32xf32>
  %shard = zero.wait %s, %t : tensor<32xf32>
  // CHECK: zero.reduce_scatter @h.0, %{{.*}} in_place along replicas : tensor<32xf32> -> tensor<16xf32>
  %r, %u = zero.reduce_scatter @h.0, %shard in_place along replicas : tensor<32xf32> -> tensor<16xf32>
  %piece = zero.wait %r, %u : tensor<16xf32>
  // CHECK: zero.all_gather @h.0, %{{.*}} in_place along replicas : tensor<16xf32> -> tensor<32xf32>
  %a, %v = zero.all_gather @h.0, %piece in_place along replicas : tensor<16xf32> -> tensor<32xf32>
  %sum = zero.wait %a, %v : tensor<32xf32>
  // CHECK: zero.all_slice %{{.*}} along shards : tensor<64xf32> -> tensor<32xf32>
  %part = zero.all_slice %bucket along shards : tensor<64xf32> -> tensor<32xf32>
  // CHECK: zero.all_reduce %{{.*}} along shards : tensor<f64>
  %n, %w = zero.all_reduce %norm along shards : tensor<f64>
  %whole = zero.wait %n, %w : tensor<f64>
  return
}

// What is kept of a gather is gathered again among fewer ranks.
// CHECK-LABEL: func.func @secondary
func.func @secondary(%p: tensor<16xf32>)
    attributes {zero.secondary_ranks = 2 : i64, zero.stage = 3 : i64, zero.world = 4 : i64} {
  // example: all-gather
  %full, %full_token = zero.all_gather @h.0, %p : tensor<16xf32> -> tensor<64xf32>
  // example end
  %w = zero.wait %full, %full_token : tensor<64xf32>
  // CHECK: zero.keep %{{.*}} along secondary : tensor<64xf32> -> tensor<32xf32>
  // example: all-gather-2
  %kept = zero.keep %w along secondary : tensor<64xf32> -> tensor<32xf32>
  // example end
  zero.release %w : tensor<64xf32>
  // CHECK: zero.all_gather @h.0, %{{.*}} along secondary : tensor<32xf32> -> tensor<64xf32>
  // example: all-gather-2
  %again, %token = zero.all_gather @h.0, %kept along secondary : tensor<32xf32> -> tensor<64xf32>
  // example end
  %w2 = zero.wait %again, %token : tensor<64xf32>
  zero.release %w2 : tensor<64xf32>
  return
}

// Parameters as bytes: 32 of them are 32 bytes and one scale.
// CHECK-LABEL: func.func @quantized
func.func @quantized() attributes {zero.stage = 3 : i64, zero.world = 4 : i64, zero.shard_ranks = 2 : i64} {
  %p = zero.load parameter @h.0 : tensor<32xf32>
  // CHECK: %[[Q:.*]] = zero.quantize %{{.*}} : tensor<32xf32> -> tensor<36xi8>
  // example: quantize
  %q = zero.quantize %p : tensor<32xf32> -> tensor<36xi8>
  // example end
  // CHECK: zero.all_gather @h.0, %[[Q]] along shards : tensor<36xi8> -> tensor<72xi8>
  %full, %t = zero.all_gather @h.0, %q along shards : tensor<36xi8> -> tensor<72xi8>
  // CHECK: %[[W:.*]] = zero.wait %{{.*}}, %{{.*}} : tensor<72xi8>
  %bytes = zero.wait %full, %t : tensor<72xi8>
  // CHECK: %[[D:.*]] = zero.dequantize %[[W]] parts 2 : tensor<72xi8> -> tensor<64xf32>
  // example: dequantize
  %w = zero.dequantize %bytes parts 2 : tensor<72xi8> -> tensor<64xf32>
  // example end
  // CHECK: zero.release %[[D]] : tensor<64xf32>
  zero.release %w : tensor<64xf32>
  return
}

// A kernel serves any group.
// CHECK-LABEL: func.func @kernel
func.func @kernel(%p: tensor<64xf32>, %g: tensor<64xf32>, %m: tensor<64xf32>, %v: tensor<64xf32>,
                  %clip: tensor<f32>, %hyper: tensor<4xf32>, %end: tensor<1xi64>) -> tensor<64xf32> {
  // CHECK: zero.update %{{.*}}, %{{.*}} states %{{.*}}, %{{.*}} by
  %p1, %m1, %v1 = zero.update %p, %g states %m, %v by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>)
  return %p1 : tensor<64xf32>
}

// With a master of parameters in 16 bits.
// CHECK-LABEL: func.func @mixed
func.func @mixed(%p: tensor<64xf32>, %g: tensor<64xbf16>, %clip: tensor<f32>,
                 %hyper: tensor<4xf32>, %end: tensor<1xi64>) -> tensor<64xbf16> {
  // CHECK: zero.update {{.*}} -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xbf16>)
  %p1, %m1, %v1, %rounded = zero.update %p, %g states %p, %p by %clip, %hyper
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %end
      lr_scales [1.0, 1.0] weight_decays [0.1, 0.0]
      : (tensor<64xf32>, tensor<64xbf16>, tensor<64xf32>, tensor<64xf32>, tensor<f32>, tensor<4xf32>, tensor<1xi64>)
      -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xbf16>)
  return %rounded : tensor<64xbf16>
}
