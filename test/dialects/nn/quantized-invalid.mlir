// RUN: tessera-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{has blocks along dimension 2: a matrix has them along 0 or 1}}
nn.parameter @w : tensor<20x80xf32> init normal(0.02) decay group "g" blocks along 2

// -----

// expected-error @below {{has blocks along dimension 0: a matrix has them along 0 or 1}}
nn.parameter @w : tensor<80xf32> init normal(0.02) decay group "g" blocks along 0

// -----

// expected-error @below {{is read in blocks, and not as 'bf16'}}
nn.parameter @w : tensor<20x80xf32> init normal(0.02) decay group "g" as bf16 blocks along 1

// -----

// expected-error @below {{is read in blocks, and not in panels}}
nn.parameter @w : tensor<20x80xf32> init normal(0.02) decay group "g" blocks along 1 packed rows

// -----

// expected-error @below {{has parts, which would cut blocks along dimension 0}}
nn.parameter @w : tensor<20x80xf32> init normal(0.02) decay group "g" blocks along 0 parts ["a" 20]

// -----

nn.parameter @w : tensor<20x80xf32> init normal(0.02) decay group "g" blocks along 1
func.func @f() {
  // expected-error @below {{parameter @w is 'tensor<3328xi8>', not 'tensor<20x80xf32>'}}
  %0 = nn.get_parameter @w : tensor<20x80xf32>
  return
}

// -----

func.func @f(%x: tensor<80xf32>) {
  // expected-error @below {{input must be a matrix}}
  %q, %s, %o = nn.quantize_rows %x : tensor<80xf32> -> tensor<1x96xi8>, tensor<1x3xf32>, tensor<1x3xi32>
  return
}

// -----

func.func @f(%x: tensor<2x80xf32>) {
  // expected-error @below {{result must have shape [2, 96]}}
  %q, %s, %o = nn.quantize_rows %x : tensor<2x80xf32> -> tensor<2x80xi8>, tensor<2x3xf32>, tensor<2x3xi32>
  return
}

// -----

func.func @f(%x: tensor<2x80xf32>) {
  // expected-error @below {{scales and offsets must have one number a block: [2, 3]}}
  %q, %s, %o = nn.quantize_rows %x : tensor<2x80xf32> -> tensor<2x96xi8>, tensor<2x2xf32>, tensor<2x3xi32>
  return
}

// -----

func.func @f(%x: tensor<2x80xf32>, %n: tensor<2xi32>) {
  // expected-error @below {{count must have one element}}
  %q, %s, %o = nn.quantize_rows %x count %n : tensor<2x80xf32>, tensor<2xi32> -> tensor<2x96xi8>, tensor<2x3xf32>, tensor<2x3xi32>
  return
}

// -----

func.func @f(%q: tensor<2x80xi8>, %s: tensor<2x3xf32>, %o: tensor<2x3xi32>, %w: tensor<3328xi8>) {
  // expected-error @below {{rows must be a matrix of whole blocks}}
  %y = nn.quantized_matmul %q, %s, %o, %w : (tensor<2x80xi8>, tensor<2x3xf32>, tensor<2x3xi32>, tensor<3328xi8>) -> tensor<2x20xf32>
  return
}

// -----

func.func @f(%q: tensor<2x96xi8>, %s: tensor<2x3xf32>, %o: tensor<2x2xi32>, %w: tensor<3328xi8>) {
  // expected-error @below {{scales and offsets must have one number a block: [2, 3]}}
  %y = nn.quantized_matmul %q, %s, %o, %w : (tensor<2x96xi8>, tensor<2x3xf32>, tensor<2x2xi32>, tensor<3328xi8>) -> tensor<2x20xf32>
  return
}

// -----

func.func @f(%q: tensor<2x96xi8>, %s: tensor<2x3xf32>, %o: tensor<2x3xi32>, %w: tensor<3328xi8>) {
  // expected-error @below {{result must be a matrix of 2 rows}}
  %y = nn.quantized_matmul %q, %s, %o, %w : (tensor<2x96xi8>, tensor<2x3xf32>, tensor<2x3xi32>, tensor<3328xi8>) -> tensor<3x20xf32>
  return
}

// -----

func.func @f(%q: tensor<2x96xi8>, %s: tensor<2x3xf32>, %o: tensor<2x3xi32>, %w: tensor<3328xi8>) {
  // expected-error @below {{weight of 40 columns of 3 blocks must have 4992 bytes}}
  %y = nn.quantized_matmul %q, %s, %o, %w : (tensor<2x96xi8>, tensor<2x3xf32>, tensor<2x3xi32>, tensor<3328xi8>) -> tensor<2x40xf32>
  return
}

// -----

func.func @f(%q: tensor<2x96xi8>, %s: tensor<2x3xf32>, %o: tensor<2x3xi32>, %w: tensor<3328xi8>, %b: tensor<32xf32>) {
  // expected-error @below {{bias must have one element a column: 20}}
  %y = nn.quantized_matmul %q, %s, %o, %w bias %b : (tensor<2x96xi8>, tensor<2x3xf32>, tensor<2x3xi32>, tensor<3328xi8>, tensor<32xf32>) -> tensor<2x20xf32>
  return
}

// -----

func.func @f(%w: tensor<3328xi8>, %ids: tensor<4xi32>) {
  // expected-error @below {{result must be a matrix with a row for each index}}
  %x = nn.quantized_gather %w, %ids columns 20 : tensor<3328xi8>, tensor<4xi32> -> tensor<3x80xf32>
  return
}

// -----

func.func @f(%w: tensor<3328xi8>, %ids: tensor<4xi32>) {
  // expected-error @below {{table of 40 columns of 80 numbers must have 4992 bytes}}
  %x = nn.quantized_gather %w, %ids columns 40 : tensor<3328xi8>, tensor<4xi32> -> tensor<4x80xf32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xi8>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{has scales where the cache has bytes, and only there}}
  %0 = nn.cache_write %x into %c at %s, %s count %n heads 4 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x16x8xi8>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xi8>, %t: tensor<2x3x2x16x8xf16>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{scales must have one number a position: 'tensor<2x3x2x16x1xi8>'}}
  %0, %1 = nn.cache_write %x into %c scaled %t at %s, %s count %n heads 4 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x16x8xi8>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>, tensor<2x3x2x16x8xf16>
      -> tensor<2x3x2x16x8xf16>
  return
}

// -----

func.func @f(%x: tensor<4x64xf32>, %c: tensor<2x3x2x16x8xi8>, %t: tensor<2x3x2x16x1xf16>, %s: tensor<4xi32>, %n: tensor<1xi32>) {
  // expected-error @below {{gives scales as it takes them}}
  %0 = nn.cache_write %x into %c scaled %t at %s, %s count %n heads 4 layout blocked
      : tensor<4x64xf32>, tensor<2x3x2x16x8xi8>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32>, tensor<2x3x2x16x1xf16>
  return
}
