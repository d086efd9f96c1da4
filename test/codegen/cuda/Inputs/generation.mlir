// Products of few rows: weights [out, in] and [in, out], in fp32 by multiply-adds
// and in 16 bits by tensor cores, with sizes that fill no access of memory, no
// step and no strip, and more rows than are computed at once.

func.func private @out_in_8x64x256_f32(%a: tensor<8x64xf32>, %b: tensor<256x64xf32>, %n: tensor<1xi32>, %c: tensor<256xf32>) -> tensor<8x256xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b bias %c : tensor<8x64xf32>, tensor<256x64xf32>, tensor<1xi32>, tensor<256xf32> -> tensor<8x256xf32>
  return %0 : tensor<8x256xf32>
}

func.func private @out_in_1x100x33_f32(%a: tensor<1x100xf32>, %b: tensor<33x100xf32>, %n: tensor<1xi32>) -> tensor<1x33xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b : tensor<1x100xf32>, tensor<33x100xf32>, tensor<1xi32> -> tensor<1x33xf32>
  return %0 : tensor<1x33xf32>
}

func.func private @out_in_5x37x50_f32(%a: tensor<5x37xf32>, %b: tensor<50x37xf32>, %n: tensor<1xi32>) -> tensor<5x50xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b : tensor<5x37xf32>, tensor<50x37xf32>, tensor<1xi32> -> tensor<5x50xf32>
  return %0 : tensor<5x50xf32>
}

func.func private @out_in_70x72x40_f32(%a: tensor<70x72xf32>, %b: tensor<40x72xf32>, %n: tensor<1xi32>) -> tensor<70x40xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b : tensor<70x72xf32>, tensor<40x72xf32>, tensor<1xi32> -> tensor<70x40xf32>
  return %0 : tensor<70x40xf32>
}

func.func private @out_in_3x2056x70_f32(%a: tensor<3x2056xf32>, %b: tensor<70x2056xf32>, %n: tensor<1xi32>, %c: tensor<70xf32>) -> tensor<3x70xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b bias %c : tensor<3x2056xf32>, tensor<70x2056xf32>, tensor<1xi32>, tensor<70xf32> -> tensor<3x70xf32>
  return %0 : tensor<3x70xf32>
}

func.func private @in_out_8x64x256_f32(%a: tensor<8x64xf32>, %b: tensor<64x256xf32>, %n: tensor<1xi32>, %c: tensor<256xf32>) -> tensor<8x256xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n bias %c : tensor<8x64xf32>, tensor<64x256xf32>, tensor<1xi32>, tensor<256xf32> -> tensor<8x256xf32>
  return %0 : tensor<8x256xf32>
}

func.func private @in_out_1x100x36_f32(%a: tensor<1x100xf32>, %b: tensor<100x36xf32>, %n: tensor<1xi32>) -> tensor<1x36xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n : tensor<1x100xf32>, tensor<100x36xf32>, tensor<1xi32> -> tensor<1x36xf32>
  return %0 : tensor<1x36xf32>
}

func.func private @in_out_5x37x50_f32(%a: tensor<5x37xf32>, %b: tensor<37x50xf32>, %n: tensor<1xi32>) -> tensor<5x50xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n : tensor<5x37xf32>, tensor<37x50xf32>, tensor<1xi32> -> tensor<5x50xf32>
  return %0 : tensor<5x50xf32>
}

func.func private @in_out_70x46x40_f32(%a: tensor<70x46xf32>, %b: tensor<46x40xf32>, %n: tensor<1xi32>) -> tensor<70x40xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n : tensor<70x46xf32>, tensor<46x40xf32>, tensor<1xi32> -> tensor<70x40xf32>
  return %0 : tensor<70x40xf32>
}

func.func private @in_out_2x18x7_f32(%a: tensor<2x18xf32>, %b: tensor<18x7xf32>, %n: tensor<1xi32>) -> tensor<2x7xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n : tensor<2x18xf32>, tensor<18x7xf32>, tensor<1xi32> -> tensor<2x7xf32>
  return %0 : tensor<2x7xf32>
}

func.func private @in_out_3x532x4104_f32(%a: tensor<3x532xf32>, %b: tensor<532x4104xf32>, %n: tensor<1xi32>, %c: tensor<4104xf32>) -> tensor<3x4104xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n bias %c : tensor<3x532xf32>, tensor<532x4104xf32>, tensor<1xi32>, tensor<4104xf32> -> tensor<3x4104xf32>
  return %0 : tensor<3x4104xf32>
}

func.func private @out_in_8x64x256_bf16(%a: tensor<8x64xbf16>, %b: tensor<256x64xbf16>, %n: tensor<1xi32>, %c: tensor<256xbf16>) -> tensor<8x256xbf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b bias %c : tensor<8x64xbf16>, tensor<256x64xbf16>, tensor<1xi32>, tensor<256xbf16> -> tensor<8x256xbf16>
  return %0 : tensor<8x256xbf16>
}

func.func private @out_in_1x100x33_bf16(%a: tensor<1x100xbf16>, %b: tensor<33x100xbf16>, %n: tensor<1xi32>) -> tensor<1x33xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b : tensor<1x100xbf16>, tensor<33x100xbf16>, tensor<1xi32> -> tensor<1x33xf32>
  return %0 : tensor<1x33xf32>
}

func.func private @out_in_5x37x50_bf16(%a: tensor<5x37xbf16>, %b: tensor<50x37xbf16>, %n: tensor<1xi32>) -> tensor<5x50xbf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b : tensor<5x37xbf16>, tensor<50x37xbf16>, tensor<1xi32> -> tensor<5x50xbf16>
  return %0 : tensor<5x50xbf16>
}

func.func private @out_in_70x72x40_bf16(%a: tensor<70x72xbf16>, %b: tensor<40x72xbf16>, %n: tensor<1xi32>) -> tensor<70x40xbf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b : tensor<70x72xbf16>, tensor<40x72xbf16>, tensor<1xi32> -> tensor<70x40xbf16>
  return %0 : tensor<70x40xbf16>
}

func.func private @out_in_3x2056x70_bf16(%a: tensor<3x2056xbf16>, %b: tensor<70x2056xbf16>, %n: tensor<1xi32>, %c: tensor<70xbf16>) -> tensor<3x70xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b bias %c : tensor<3x2056xbf16>, tensor<70x2056xbf16>, tensor<1xi32>, tensor<70xbf16> -> tensor<3x70xf32>
  return %0 : tensor<3x70xf32>
}

func.func private @in_out_8x64x256_bf16(%a: tensor<8x64xbf16>, %b: tensor<64x256xbf16>, %n: tensor<1xi32>, %c: tensor<256xbf16>) -> tensor<8x256xbf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n bias %c : tensor<8x64xbf16>, tensor<64x256xbf16>, tensor<1xi32>, tensor<256xbf16> -> tensor<8x256xbf16>
  return %0 : tensor<8x256xbf16>
}

func.func private @in_out_1x100x36_bf16(%a: tensor<1x100xbf16>, %b: tensor<100x36xbf16>, %n: tensor<1xi32>) -> tensor<1x36xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n : tensor<1x100xbf16>, tensor<100x36xbf16>, tensor<1xi32> -> tensor<1x36xf32>
  return %0 : tensor<1x36xf32>
}

func.func private @in_out_5x37x50_bf16(%a: tensor<5x37xbf16>, %b: tensor<37x50xbf16>, %n: tensor<1xi32>) -> tensor<5x50xbf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n : tensor<5x37xbf16>, tensor<37x50xbf16>, tensor<1xi32> -> tensor<5x50xbf16>
  return %0 : tensor<5x50xbf16>
}

func.func private @in_out_70x46x40_bf16(%a: tensor<70x46xbf16>, %b: tensor<46x40xbf16>, %n: tensor<1xi32>) -> tensor<70x40xbf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n : tensor<70x46xbf16>, tensor<46x40xbf16>, tensor<1xi32> -> tensor<70x40xbf16>
  return %0 : tensor<70x40xbf16>
}

func.func private @in_out_2x18x7_bf16(%a: tensor<2x18xbf16>, %b: tensor<18x7xbf16>, %n: tensor<1xi32>) -> tensor<2x7xbf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n : tensor<2x18xbf16>, tensor<18x7xbf16>, tensor<1xi32> -> tensor<2x7xbf16>
  return %0 : tensor<2x7xbf16>
}

func.func private @in_out_3x532x4104_bf16(%a: tensor<3x532xbf16>, %b: tensor<532x4104xbf16>, %n: tensor<1xi32>, %c: tensor<4104xbf16>) -> tensor<3x4104xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n bias %c : tensor<3x532xbf16>, tensor<532x4104xbf16>, tensor<1xi32>, tensor<4104xbf16> -> tensor<3x4104xf32>
  return %0 : tensor<3x4104xf32>
}

func.func private @out_in_8x96x48_f16(%a: tensor<8x96xf16>, %b: tensor<48x96xf16>, %n: tensor<1xi32>, %c: tensor<48xf16>) -> tensor<8x48xf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b bias %c : tensor<8x96xf16>, tensor<48x96xf16>, tensor<1xi32>, tensor<48xf16> -> tensor<8x48xf16>
  return %0 : tensor<8x48xf16>
}

func.func private @in_out_8x96x48_f16(%a: tensor<8x96xf16>, %b: tensor<96x48xf16>, %n: tensor<1xi32>, %c: tensor<48xf16>) -> tensor<8x48xf16> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n bias %c : tensor<8x96xf16>, tensor<96x48xf16>, tensor<1xi32>, tensor<48xf16> -> tensor<8x48xf16>
  return %0 : tensor<8x48xf16>
}

func.func private @out_in_4x40x24_mixed(%a: tensor<4x40xf32>, %b: tensor<24x40xbf16>, %n: tensor<1xi32>, %c: tensor<24xf32>) -> tensor<4x24xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n transpose_b bias %c : tensor<4x40xf32>, tensor<24x40xbf16>, tensor<1xi32>, tensor<24xf32> -> tensor<4x24xf32>
  return %0 : tensor<4x24xf32>
}

func.func private @in_out_4x40x24_mixed(%a: tensor<4x40xf32>, %b: tensor<40x24xbf16>, %n: tensor<1xi32>, %c: tensor<24xf32>) -> tensor<4x24xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %b count %n bias %c : tensor<4x40xf32>, tensor<40x24xbf16>, tensor<1xi32>, tensor<24xf32> -> tensor<4x24xf32>
  return %0 : tensor<4x24xf32>
}

// Keys and values that go into their slots.

func.func private @write_f32(%q: tensor<8x96xf32>, %k: tensor<2x3x2x20x12xf32>, %s: tensor<8xi32>, %p: tensor<8xi32>, %n: tensor<1xi32>) -> (tensor<2x3x2x20x12xf32> {plan.inplace = [1]}) attributes {plan.kernel} {
  %0 = nn.cache_write %q into %k at %s, %p count %n heads 4 layout blocked : tensor<8x96xf32>, tensor<2x3x2x20x12xf32>, tensor<8xi32>, tensor<8xi32>, tensor<1xi32>
  return %0 : tensor<2x3x2x20x12xf32>
}

func.func private @write_odd_bf16(%q: tensor<7x45xbf16>, %k: tensor<2x2x3x20x5xbf16>, %s: tensor<7xi32>, %p: tensor<7xi32>, %n: tensor<1xi32>) -> (tensor<2x2x3x20x5xbf16> {plan.inplace = [1]}) attributes {plan.kernel} {
  %0 = nn.cache_write %q into %k at %s, %p count %n heads 3 layout interleaved : tensor<7x45xbf16>, tensor<2x2x3x20x5xbf16>, tensor<7xi32>, tensor<7xi32>, tensor<1xi32>
  return %0 : tensor<2x2x3x20x5xbf16>
}

func.func private @write_f16(%q: tensor<130x1536xf16>, %k: tensor<2x9x8x33x64xf16>, %s: tensor<130xi32>, %p: tensor<130xi32>, %n: tensor<1xi32>) -> (tensor<2x9x8x33x64xf16> {plan.inplace = [1]}) attributes {plan.kernel} {
  %0 = nn.cache_write %q into %k at %s, %p count %n heads 8 layout blocked : tensor<130x1536xf16>, tensor<2x9x8x33x64xf16>, tensor<130xi32>, tensor<130xi32>, tensor<1xi32>
  return %0 : tensor<2x9x8x33x64xf16>
}

// Attention to what slots keep: heads of all sizes, shared keys, windows and
// biases by positions.

func.func private @attention_7_f32(%q: tensor<5x42xf32>, %k: tensor<2x3x2x100x7xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x14xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.3780 : tensor<5x42xf32>, tensor<2x3x2x100x7xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x14xf32>
  return %0 : tensor<5x14xf32>
}

func.func private @attention_7_bf16(%q: tensor<5x42xbf16>, %k: tensor<2x3x2x100x7xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x14xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.3780 : tensor<5x42xbf16>, tensor<2x3x2x100x7xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x14xbf16>
  return %0 : tensor<5x14xbf16>
}

func.func private @attention_16_f32(%q: tensor<5x96xf32>, %k: tensor<2x3x2x100x16xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x32xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.2500 : tensor<5x96xf32>, tensor<2x3x2x100x16xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x32xf32>
  return %0 : tensor<5x32xf32>
}

func.func private @attention_16_bf16(%q: tensor<5x96xbf16>, %k: tensor<2x3x2x100x16xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x32xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.2500 : tensor<5x96xbf16>, tensor<2x3x2x100x16xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x32xbf16>
  return %0 : tensor<5x32xbf16>
}

func.func private @attention_24_f32(%q: tensor<5x144xf32>, %k: tensor<2x3x2x100x24xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x48xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.2041 : tensor<5x144xf32>, tensor<2x3x2x100x24xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x48xf32>
  return %0 : tensor<5x48xf32>
}

func.func private @attention_24_bf16(%q: tensor<5x144xbf16>, %k: tensor<2x3x2x100x24xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x48xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.2041 : tensor<5x144xbf16>, tensor<2x3x2x100x24xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x48xbf16>
  return %0 : tensor<5x48xbf16>
}

func.func private @attention_40_f32(%q: tensor<5x240xf32>, %k: tensor<2x3x2x100x40xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x80xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.1581 : tensor<5x240xf32>, tensor<2x3x2x100x40xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x80xf32>
  return %0 : tensor<5x80xf32>
}

func.func private @attention_40_bf16(%q: tensor<5x240xbf16>, %k: tensor<2x3x2x100x40xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x80xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.1581 : tensor<5x240xbf16>, tensor<2x3x2x100x40xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x80xbf16>
  return %0 : tensor<5x80xbf16>
}

func.func private @attention_64_f32(%q: tensor<5x384xf32>, %k: tensor<2x3x2x100x64xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x128xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.1250 : tensor<5x384xf32>, tensor<2x3x2x100x64xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x128xf32>
  return %0 : tensor<5x128xf32>
}

func.func private @attention_64_bf16(%q: tensor<5x384xbf16>, %k: tensor<2x3x2x100x64xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x128xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.1250 : tensor<5x384xbf16>, tensor<2x3x2x100x64xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x128xbf16>
  return %0 : tensor<5x128xbf16>
}

func.func private @attention_80_f32(%q: tensor<5x480xf32>, %k: tensor<2x3x2x100x80xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x160xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.1118 : tensor<5x480xf32>, tensor<2x3x2x100x80xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x160xf32>
  return %0 : tensor<5x160xf32>
}

func.func private @attention_80_bf16(%q: tensor<5x480xbf16>, %k: tensor<2x3x2x100x80xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x160xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.1118 : tensor<5x480xbf16>, tensor<2x3x2x100x80xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x160xbf16>
  return %0 : tensor<5x160xbf16>
}

func.func private @attention_96_f32(%q: tensor<5x576xf32>, %k: tensor<2x3x2x100x96xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x192xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.1021 : tensor<5x576xf32>, tensor<2x3x2x100x96xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x192xf32>
  return %0 : tensor<5x192xf32>
}

func.func private @attention_96_bf16(%q: tensor<5x576xbf16>, %k: tensor<2x3x2x100x96xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x192xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.1021 : tensor<5x576xbf16>, tensor<2x3x2x100x96xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x192xbf16>
  return %0 : tensor<5x192xbf16>
}

func.func private @attention_128_f32(%q: tensor<5x768xf32>, %k: tensor<2x3x2x100x128xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x256xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.0884 : tensor<5x768xf32>, tensor<2x3x2x100x128xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x256xf32>
  return %0 : tensor<5x256xf32>
}

func.func private @attention_128_bf16(%q: tensor<5x768xbf16>, %k: tensor<2x3x2x100x128xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x256xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.0884 : tensor<5x768xbf16>, tensor<2x3x2x100x128xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x256xbf16>
  return %0 : tensor<5x256xbf16>
}

func.func private @attention_160_f32(%q: tensor<5x960xf32>, %k: tensor<2x3x2x100x160xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x320xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.0791 : tensor<5x960xf32>, tensor<2x3x2x100x160xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x320xf32>
  return %0 : tensor<5x320xf32>
}

func.func private @attention_160_bf16(%q: tensor<5x960xbf16>, %k: tensor<2x3x2x100x160xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x320xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.0791 : tensor<5x960xbf16>, tensor<2x3x2x100x160xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x320xbf16>
  return %0 : tensor<5x320xbf16>
}

func.func private @attention_256_f32(%q: tensor<5x1536xf32>, %k: tensor<2x3x2x100x256xf32>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x512xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked scale 0.0625 : tensor<5x1536xf32>, tensor<2x3x2x100x256xf32>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x512xf32>
  return %0 : tensor<5x512xf32>
}

func.func private @attention_256_bf16(%q: tensor<5x1536xbf16>, %k: tensor<2x3x2x100x256xbf16>, %s: tensor<5xi32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x512xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked window 37 scale 0.0625 : tensor<5x1536xbf16>, tensor<2x3x2x100x256xbf16>, tensor<5xi32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x512xbf16>
  return %0 : tensor<5x512xbf16>
}

func.func private @attention_interleaved_f32(%q: tensor<6x360xf32>, %k: tensor<2x4x5x70x24xf32>, %s: tensor<6xi32>, %p: tensor<6xi32>, %n: tensor<1xi32>) -> tensor<6x120xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 5 layout interleaved alibi scale 0.2041 : tensor<6x360xf32>, tensor<2x4x5x70x24xf32>, tensor<6xi32>, tensor<6xi32>, tensor<1xi32> -> tensor<6x120xf32>
  return %0 : tensor<6x120xf32>
}

func.func private @attention_alibi_f16(%q: tensor<6x1152xf16>, %k: tensor<2x4x12x70x32xf16>, %s: tensor<6xi32>, %p: tensor<6xi32>, %n: tensor<1xi32>) -> tensor<6x384xf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 12 layout blocked alibi window 20 scale 0.1768 : tensor<6x1152xf16>, tensor<2x4x12x70x32xf16>, tensor<6xi32>, tensor<6xi32>, tensor<1xi32> -> tensor<6x384xf16>
  return %0 : tensor<6x384xf16>
}

func.func private @attention_grouped_f32(%q: tensor<6x640xf32>, %k: tensor<2x2x2x90x64xf32>, %s: tensor<6xi32>, %p: tensor<6xi32>, %n: tensor<1xi32>) -> tensor<6x384xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 6 layout blocked alibi scale 0.1250 : tensor<6x640xf32>, tensor<2x2x2x90x64xf32>, tensor<6xi32>, tensor<6xi32>, tensor<1xi32> -> tensor<6x384xf32>
  return %0 : tensor<6x384xf32>
}

func.func private @attention_grouped_bf16(%q: tensor<6x1152xbf16>, %k: tensor<2x2x2x90x64xbf16>, %s: tensor<6xi32>, %p: tensor<6xi32>, %n: tensor<1xi32>) -> tensor<6x896xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 14 layout blocked scale 0.1250 : tensor<6x1152xbf16>, tensor<2x2x2x90x64xbf16>, tensor<6xi32>, tensor<6xi32>, tensor<1xi32> -> tensor<6x896xbf16>
  return %0 : tensor<6x896xbf16>
}

func.func private @attention_one_head_f32(%q: tensor<6x1408xf32>, %k: tensor<2x2x1x90x128xf32>, %s: tensor<6xi32>, %p: tensor<6xi32>, %n: tensor<1xi32>) -> tensor<6x1152xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 9 layout blocked window 33 scale 0.0884 : tensor<6x1408xf32>, tensor<2x2x1x90x128xf32>, tensor<6xi32>, tensor<6xi32>, tensor<1xi32> -> tensor<6x1152xf32>
  return %0 : tensor<6x1152xf32>
}

func.func private @attention_chunks_f32(%q: tensor<2x192xf32>, %k: tensor<2x2x2x1100x32xf32>, %s: tensor<2xi32>, %p: tensor<2xi32>, %n: tensor<1xi32>) -> tensor<2x64xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked alibi scale 0.1768 : tensor<2x192xf32>, tensor<2x2x2x1100x32xf32>, tensor<2xi32>, tensor<2xi32>, tensor<1xi32> -> tensor<2x64xf32>
  return %0 : tensor<2x64xf32>
}

func.func private @attention_chunks_bf16(%q: tensor<3x480xbf16>, %k: tensor<2x3x2x1300x40xbf16>, %s: tensor<3xi32>, %p: tensor<3xi32>, %n: tensor<1xi32>) -> tensor<3x320xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 8 layout blocked window 700 scale 0.1581 : tensor<3x480xbf16>, tensor<2x3x2x1300x40xbf16>, tensor<3xi32>, tensor<3xi32>, tensor<1xi32> -> tensor<3x320xbf16>
  return %0 : tensor<3x320xbf16>
}

func.func private @attention_many_rows_f16(%q: tensor<130x512xf16>, %k: tensor<2x2x2x150x64xf16>, %s: tensor<130xi32>, %p: tensor<130xi32>, %n: tensor<1xi32>) -> tensor<130x256xf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 4 layout blocked scale 0.1250 : tensor<130x512xf16>, tensor<2x2x2x150x64xf16>, tensor<130xi32>, tensor<130xi32>, tensor<1xi32> -> tensor<130x256xf16>
  return %0 : tensor<130x256xf16>
}

// Parts of slots, and their merge. With a window few parts are kept, in turns.

func.func private @parts_f32(%q: tensor<2x192xf32>, %k: tensor<2x2x2x1100x32xf32>, %s: tensor<2xi32>, %p: tensor<2xi32>, %n: tensor<1xi32>) -> (tensor<2x2x5x32xf32>, tensor<2x2x5xf32>, tensor<2x2x5xf32>) attributes {plan.kernel} {
  %0:3 = nn.cached_attention_parts %q, %k at %s, %p count %n heads 2 layout blocked alibi scale 0.1768 parts of 256 : tensor<2x192xf32>, tensor<2x2x2x1100x32xf32>, tensor<2xi32>, tensor<2xi32>, tensor<1xi32> -> tensor<2x2x5x32xf32>, tensor<2x2x5xf32>, tensor<2x2x5xf32>
  return %0#0, %0#1, %0#2 : tensor<2x2x5x32xf32>, tensor<2x2x5xf32>, tensor<2x2x5xf32>
}

func.func private @parts_window_bf16(%q: tensor<3x480xbf16>, %k: tensor<2x3x2x1300x40xbf16>, %s: tensor<3xi32>, %p: tensor<3xi32>, %n: tensor<1xi32>) -> (tensor<3x8x4x40xf32>, tensor<3x8x4xf32>, tensor<3x8x4xf32>) attributes {plan.kernel} {
  %0:3 = nn.cached_attention_parts %q, %k at %s, %p count %n heads 8 layout blocked window 700 scale 0.1768 parts of 320 : tensor<3x480xbf16>, tensor<2x3x2x1300x40xbf16>, tensor<3xi32>, tensor<3xi32>, tensor<1xi32> -> tensor<3x8x4x40xf32>, tensor<3x8x4xf32>, tensor<3x8x4xf32>
  return %0#0, %0#1, %0#2 : tensor<3x8x4x40xf32>, tensor<3x8x4xf32>, tensor<3x8x4xf32>
}

func.func private @parts_sets_f16(%q: tensor<6x1152xf16>, %k: tensor<2x2x2x200x64xf16>, %s: tensor<6xi32>, %p: tensor<6xi32>, %n: tensor<1xi32>) -> (tensor<6x14x4x64xf32>, tensor<6x14x4xf32>, tensor<6x14x4xf32>) attributes {plan.kernel} {
  %0:3 = nn.cached_attention_parts %q, %k at %s, %p count %n heads 14 layout blocked scale 0.1768 parts of 64 : tensor<6x1152xf16>, tensor<2x2x2x200x64xf16>, tensor<6xi32>, tensor<6xi32>, tensor<1xi32> -> tensor<6x14x4x64xf32>, tensor<6x14x4xf32>, tensor<6x14x4xf32>
  return %0#0, %0#1, %0#2 : tensor<6x14x4x64xf32>, tensor<6x14x4xf32>, tensor<6x14x4xf32>
}

func.func private @merge_f32(%s: tensor<5x3x6x40xf32>, %m: tensor<5x3x6xf32>, %t: tensor<5x3x6xf32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x120xf32> attributes {plan.kernel} {
  %0 = nn.merge_attention_parts %s, %m, %t at %p count %n parts of 100 : tensor<5x3x6x40xf32>, tensor<5x3x6xf32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x120xf32>
  return %0 : tensor<5x120xf32>
}

func.func private @merge_window_bf16(%s: tensor<5x2x3x64xf32>, %m: tensor<5x2x3xf32>, %t: tensor<5x2x3xf32>, %p: tensor<5xi32>, %n: tensor<1xi32>) -> tensor<5x128xbf16> attributes {plan.kernel} {
  %0 = nn.merge_attention_parts %s, %m, %t at %p count %n window 400 parts of 256 : tensor<5x2x3x64xf32>, tensor<5x2x3xf32>, tensor<5xi32>, tensor<1xi32> -> tensor<5x128xbf16>
  return %0 : tensor<5x128xbf16>
}

// Rows of one slot: tiles that end within the rows, after tokens before them.

func.func private @one_slot_64_f32(%q: tensor<128x384xf32>, %k: tensor<2x2x2x300x64xf32>, %s: tensor<128xi32>, %p: tensor<128xi32>, %n: tensor<1xi32>) -> tensor<128x128xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked one_slot scale 0.1250 : tensor<128x384xf32>, tensor<2x2x2x300x64xf32>, tensor<128xi32>, tensor<128xi32>, tensor<1xi32> -> tensor<128x128xf32>
  return %0 : tensor<128x128xf32>
}

func.func private @one_slot_grouped_f32(%q: tensor<90x240xf32>, %k: tensor<2x3x2x131x24xf32>, %s: tensor<90xi32>, %p: tensor<90xi32>, %n: tensor<1xi32>) -> tensor<90x144xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 6 layout blocked one_slot alibi window 37 scale 0.2041 : tensor<90x240xf32>, tensor<2x3x2x131x24xf32>, tensor<90xi32>, tensor<90xi32>, tensor<1xi32> -> tensor<90x144xf32>
  return %0 : tensor<90x144xf32>
}

func.func private @one_slot_128_f32(%q: tensor<37x768xf32>, %k: tensor<2x2x1x100x128xf32>, %s: tensor<37xi32>, %p: tensor<37xi32>, %n: tensor<1xi32>) -> tensor<37x512xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 4 layout blocked one_slot window 50 scale 0.0884 : tensor<37x768xf32>, tensor<2x2x1x100x128xf32>, tensor<37xi32>, tensor<37xi32>, tensor<1xi32> -> tensor<37x512xf32>
  return %0 : tensor<37x512xf32>
}

func.func private @one_slot_odd_f32(%q: tensor<20x63xf32>, %k: tensor<2x2x3x21x7xf32>, %s: tensor<20xi32>, %p: tensor<20xi32>, %n: tensor<1xi32>) -> tensor<20x21xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 3 layout interleaved one_slot alibi scale 0.3780 : tensor<20x63xf32>, tensor<2x2x3x21x7xf32>, tensor<20xi32>, tensor<20xi32>, tensor<1xi32> -> tensor<20x21xf32>
  return %0 : tensor<20x21xf32>
}

func.func private @one_slot_64_bf16(%q: tensor<128x384xbf16>, %k: tensor<2x2x2x300x64xbf16>, %s: tensor<128xi32>, %p: tensor<128xi32>, %n: tensor<1xi32>) -> tensor<128x128xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked one_slot scale 0.1250 : tensor<128x384xbf16>, tensor<2x2x2x300x64xbf16>, tensor<128xi32>, tensor<128xi32>, tensor<1xi32> -> tensor<128x128xbf16>
  return %0 : tensor<128x128xbf16>
}

func.func private @one_slot_grouped_bf16(%q: tensor<90x240xbf16>, %k: tensor<2x3x2x131x24xbf16>, %s: tensor<90xi32>, %p: tensor<90xi32>, %n: tensor<1xi32>) -> tensor<90x144xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 6 layout blocked one_slot alibi window 37 scale 0.2041 : tensor<90x240xbf16>, tensor<2x3x2x131x24xbf16>, tensor<90xi32>, tensor<90xi32>, tensor<1xi32> -> tensor<90x144xbf16>
  return %0 : tensor<90x144xbf16>
}

func.func private @one_slot_128_bf16(%q: tensor<37x768xbf16>, %k: tensor<2x2x1x100x128xbf16>, %s: tensor<37xi32>, %p: tensor<37xi32>, %n: tensor<1xi32>) -> tensor<37x512xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 4 layout blocked one_slot window 50 scale 0.0884 : tensor<37x768xbf16>, tensor<2x2x1x100x128xbf16>, tensor<37xi32>, tensor<37xi32>, tensor<1xi32> -> tensor<37x512xbf16>
  return %0 : tensor<37x512xbf16>
}

func.func private @one_slot_odd_bf16(%q: tensor<20x63xbf16>, %k: tensor<2x2x3x21x7xbf16>, %s: tensor<20xi32>, %p: tensor<20xi32>, %n: tensor<1xi32>) -> tensor<20x21xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 3 layout interleaved one_slot alibi scale 0.3780 : tensor<20x63xbf16>, tensor<2x2x3x21x7xbf16>, tensor<20xi32>, tensor<20xi32>, tensor<1xi32> -> tensor<20x21xbf16>
  return %0 : tensor<20x21xbf16>
}

func.func private @one_slot_256_f32(%q: tensor<17x768xf32>, %k: tensor<2x1x1x60x256xf32>, %s: tensor<17xi32>, %p: tensor<17xi32>, %n: tensor<1xi32>) -> tensor<17x256xf32> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 1 layout blocked one_slot scale 0.0625 : tensor<17x768xf32>, tensor<2x1x1x60x256xf32>, tensor<17xi32>, tensor<17xi32>, tensor<1xi32> -> tensor<17x256xf32>
  return %0 : tensor<17x256xf32>
}

func.func private @one_slot_80_f16(%q: tensor<16x320xf16>, %k: tensor<2x2x1x40x80xf16>, %s: tensor<16xi32>, %p: tensor<16xi32>, %n: tensor<1xi32>) -> tensor<16x160xf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %q, %k at %s, %p count %n heads 2 layout blocked one_slot scale 0.1118 : tensor<16x320xf16>, tensor<2x2x1x40x80xf16>, tensor<16xi32>, tensor<16xi32>, tensor<1xi32> -> tensor<16x160xf16>
  return %0 : tensor<16x160xf16>
}

