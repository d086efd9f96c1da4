// RUN: tessera-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{type must be a tensor of floating-point numbers or bytes of shape [2, slots, key heads, context, head dim], but is 'tensor<3x3x2x16x8xf32>'}}
nn.cache @c : tensor<3x3x2x16x8xf32>

// -----

func.func @f() {
  // expected-error @below {{no nn.cache is named @c}}
  %0 = nn.get_cache @c : tensor<2x3x2x16x8xf32>
  return
}

// -----

nn.cache @c : tensor<2x3x2x16x8xf32>
func.func @f(%x: tensor<2x3x2x16x4xf32>) {
  // expected-error @below {{cache @c is 'tensor<2x3x2x16x8xf32>', not 'tensor<2x3x2x16x4xf32>'}}
  nn.set_cache @c, %x : tensor<2x3x2x16x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x128xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{cache must be [2, slots, key heads, context, head dim], but is 'tensor<2x3x2x128xf32>'}}
  %0 = nn.cache_write %x into %c at %s, %s count %n heads 4 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x128xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{has 3 heads, which 2 key heads cannot share evenly}}
  %0 = nn.cache_write %x into %c at %s, %s count %n heads 3 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{interleaved columns have as many key heads as heads: 4, not 2}}
  %0 = nn.cache_write %x into %c at %s, %s count %n heads 4 layout interleaved
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
  return
}

// -----

func.func @f(%x: tensor<4x65xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{qkv must have 64 columns}}
  %0 = nn.cache_write %x into %c at %s, %s count %n heads 4 layout blocked
      : tensor<4x65xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
  return
}

// -----

func.func @f(%x: tensor<4x64xbf16>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{element types of qkv and cache differ}}
  %0 = nn.cache_write %x into %c at %s, %s count %n heads 4 layout blocked
      : tensor<4x64xbf16>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<3xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{slots and positions must have one number a row: 4}}
  %0 = nn.cache_write %x into %c at %s, %s count %n heads 4 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<3xi32>, tensor<3xi32>, tensor<1xi32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<2xi32>) {
  // expected-error @below {{count must have one element}}
  %0 = nn.cache_write %x into %c at %s, %s count %n heads 4 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<2xi32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{result must be 'tensor<4x32xf32>', but is 'tensor<4x16xf32>'}}
  %0 = nn.cached_attention %x, %c at %s, %s count %n heads 4 layout blocked scale 0.5
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x16xf32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{window must be at least 1, but is 0}}
  %0 = nn.cached_attention %x, %c at %s, %s count %n heads 4 layout blocked window 0 scale 0.5
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{parts must have at least 1 position, but have 0}}
  %0:3 = nn.cached_attention_parts %x, %c at %s, %s count %n heads 4 layout blocked scale 0.5 parts of 0
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{maxima and totals must be 'tensor<4x4x4xf32>', but are 'tensor<4x4x3xf32>'}}
  %0:3 = nn.cached_attention_parts %x, %c at %s, %s count %n heads 4 layout blocked scale 0.5 parts of 4
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x4x4x8xf32>, tensor<4x4x3xf32>, tensor<4x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{sums must be 'tensor<4x4x3x8xf32>', but are 'tensor<4x4x4x8xf32>'}}
  %0:3 = nn.cached_attention_parts %x, %c at %s, %s count %n heads 4 layout blocked window 6 scale 0.5 parts of 4
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x4x4x8xf32>, tensor<4x4x3xf32>, tensor<4x4x3xf32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xf32>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{window must be at least 1, but is 0}}
  %0:3 = nn.cached_attention_parts %x, %c at %s, %s count %n heads 4 layout blocked window 0 scale 0.5 parts of 4
      : tensor<4x64xf32>, tensor<2x3x2x16x8xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<4x4x4xf32>
  return
}

// -----

func.func @f(%s: tensor<4x16x8xf32>, %m: tensor<4x4x4xf32>, %p: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{sums must be [rows, heads, parts, head dim], but are 'tensor<4x16x8xf32>'}}
  %0 = nn.merge_attention_parts %s, %m, %m at %p count %n parts of 4 : tensor<4x16x8xf32>, tensor<4x4x4xf32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
  return
}

// -----

func.func @f(%s: tensor<4x4x4x8xf32>, %m: tensor<4x4xf32>, %p: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{maxima and totals must be 'tensor<4x4x4xf32>', but are 'tensor<4x4xf32>'}}
  %0 = nn.merge_attention_parts %s, %m, %m at %p count %n parts of 4 : tensor<4x4x4x8xf32>, tensor<4x4xf32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x32xf32>
  return
}

// -----

func.func @f(%s: tensor<4x4x4x8xf32>, %m: tensor<4x4x4xf32>, %p: tensor<3xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{positions must have one number a row: 4}}
  %0 = nn.merge_attention_parts %s, %m, %m at %p count %n parts of 4 : tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<3xi32>, tensor<1xi32> -> tensor<4x32xf32>
  return
}

// -----

func.func @f(%s: tensor<4x4x4x8xf32>, %m: tensor<4x4x4xf32>, %p: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{result must have shape [4, 32]}}
  %0 = nn.merge_attention_parts %s, %m, %m at %p count %n parts of 4 : tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%s: tensor<4x4x4x8xf32>, %m: tensor<4x4x4xf32>, %p: tensor<4xi32>, %n: tensor<2xi32>) {
  // expected-error @below {{count must have one element}}
  %0 = nn.merge_attention_parts %s, %m, %m at %p count %n parts of 4 : tensor<4x4x4x8xf32>, tensor<4x4x4xf32>, tensor<4xi32>, tensor<2xi32> -> tensor<4x32xf32>
  return
}

// -----

func.func @f(%x: tensor<4x32xf32>, %w: tensor<32xf32>, %n: tensor<1xi32>) {
  // expected-error @below {{operands must be matrices}}
  %0 = nn.row_matmul %x, %w count %n : tensor<4x32xf32>, tensor<32xf32>, tensor<1xi32> -> tensor<4x5xf32>
  return
}

// -----

func.func @f(%x: tensor<4x32xf32>, %w: tensor<5x32xf32>, %n: tensor<1xi32>) {
  // expected-error @below {{inner sizes differ: 32 and 5}}
  %0 = nn.row_matmul %x, %w count %n : tensor<4x32xf32>, tensor<5x32xf32>, tensor<1xi32> -> tensor<4x32xf32>
  return
}

// -----

func.func @f(%x: tensor<4x32xf32>, %w: tensor<5x32xf32>, %n: tensor<1xi32>) {
  // expected-error @below {{result must have shape [4, 5]}}
  %0 = nn.row_matmul %x, %w count %n transpose_b : tensor<4x32xf32>, tensor<5x32xf32>, tensor<1xi32> -> tensor<4x6xf32>
  return
}

// -----

func.func @f(%x: tensor<4x32xf32>, %w: tensor<5x32xf32>, %n: tensor<1xi32>, %b: tensor<4xf32>) {
  // expected-error @below {{bias must have one element a column: 5}}
  %0 = nn.row_matmul %x, %w count %n transpose_b bias %b
      : tensor<4x32xf32>, tensor<5x32xf32>, tensor<1xi32>, tensor<4xf32> -> tensor<4x5xf32>
  return
}

// -----

// expected-error @below {{is packed and no matrix: 'tensor<5xf32>'}}
nn.parameter @w : tensor<5xf32> init constant(0.0) group "final" packed rows

// -----

func.func @f(%w: tensor<5x32xf32>, %ids: tensor<4xi32>) {
  // expected-error @below {{rows must be 'tensor<4x32xf32>'}}
  %0 = nn.packed_gather %w, %ids : tensor<5x32xf32>, tensor<4xi32> -> tensor<4x5xf32>
  return
}
