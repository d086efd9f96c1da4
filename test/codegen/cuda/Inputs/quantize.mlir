// Messages of less than a block, of whole blocks and of a rest.

func.func private @quantize_16_f32(%x: tensor<16xf32>)
    -> tensor<20xi8> attributes {plan.kernel} {
  %q = zero.quantize %x : tensor<16xf32> -> tensor<20xi8>
  return %q : tensor<20xi8>
}

func.func private @dequantize_3x16_f32(%q: tensor<60xi8>)
    -> tensor<48xf32> attributes {plan.kernel} {
  %x = zero.dequantize %q parts 3 : tensor<60xi8> -> tensor<48xf32>
  return %x : tensor<48xf32>
}

func.func private @quantize_256_bf16(%x: tensor<256xbf16>)
    -> tensor<260xi8> attributes {plan.kernel} {
  %q = zero.quantize %x : tensor<256xbf16> -> tensor<260xi8>
  return %q : tensor<260xi8>
}

func.func private @dequantize_3x256_bf16(%q: tensor<780xi8>)
    -> tensor<768xbf16> attributes {plan.kernel} {
  %x = zero.dequantize %q parts 3 : tensor<780xi8> -> tensor<768xbf16>
  return %x : tensor<768xbf16>
}

func.func private @quantize_4336_f32(%x: tensor<4336xf32>)
    -> tensor<4404xi8> attributes {plan.kernel} {
  %q = zero.quantize %x : tensor<4336xf32> -> tensor<4404xi8>
  return %q : tensor<4404xi8>
}

func.func private @dequantize_3x4336_f32(%q: tensor<13212xi8>)
    -> tensor<13008xf32> attributes {plan.kernel} {
  %x = zero.dequantize %q parts 3 : tensor<13212xi8> -> tensor<13008xf32>
  return %x : tensor<13008xf32>
}

func.func private @quantize_4336_bf16(%x: tensor<4336xbf16>)
    -> tensor<4404xi8> attributes {plan.kernel} {
  %q = zero.quantize %x : tensor<4336xbf16> -> tensor<4404xi8>
  return %q : tensor<4404xi8>
}

func.func private @dequantize_3x4336_bf16(%q: tensor<13212xi8>)
    -> tensor<13008xbf16> attributes {plan.kernel} {
  %x = zero.dequantize %q parts 3 : tensor<13212xi8> -> tensor<13008xbf16>
  return %x : tensor<13008xbf16>
}
