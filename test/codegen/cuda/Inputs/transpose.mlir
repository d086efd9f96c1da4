// Permutations that move rows, and ones that move the last dimension.

func.func private @transpose_7x33_f32(%x: tensor<7x33xf32>)
    -> tensor<33x7xf32> attributes {plan.kernel} {
  %y = nn.transpose %x by [1, 0] : tensor<7x33xf32> -> tensor<33x7xf32>
  return %y : tensor<33x7xf32>
}

func.func private @transpose_130x33_bf16(%x: tensor<130x33xbf16>)
    -> tensor<33x130xbf16> attributes {plan.kernel} {
  %y = nn.transpose %x by [1, 0] : tensor<130x33xbf16> -> tensor<33x130xbf16>
  return %y : tensor<33x130xbf16>
}

func.func private @transpose_128x64_bf16(%x: tensor<128x64xbf16>)
    -> tensor<64x128xbf16> attributes {plan.kernel} {
  %y = nn.transpose %x by [1, 0] : tensor<128x64xbf16> -> tensor<64x128xbf16>
  return %y : tensor<64x128xbf16>
}

func.func private @transpose_1x9_f32(%x: tensor<1x9xf32>)
    -> tensor<9x1xf32> attributes {plan.kernel} {
  %y = nn.transpose %x by [1, 0] : tensor<1x9xf32> -> tensor<9x1xf32>
  return %y : tensor<9x1xf32>
}

func.func private @transpose_2x5x4x64_bf16(%x: tensor<2x5x4x64xbf16>)
    -> tensor<2x4x5x64xbf16> attributes {plan.kernel} {
  %y = nn.transpose %x by [0, 2, 1, 3] : tensor<2x5x4x64xbf16> -> tensor<2x4x5x64xbf16>
  return %y : tensor<2x4x5x64xbf16>
}

func.func private @transpose_3x5x7x33_f32(%x: tensor<3x5x7x33xf32>)
    -> tensor<3x7x5x33xf32> attributes {plan.kernel} {
  %y = nn.transpose %x by [0, 2, 1, 3] : tensor<3x5x7x33xf32> -> tensor<3x7x5x33xf32>
  return %y : tensor<3x7x5x33xf32>
}

func.func private @transpose_2x33x5x70_f32(%x: tensor<2x33x5x70xf32>)
    -> tensor<2x5x70x33xf32> attributes {plan.kernel} {
  %y = nn.transpose %x by [0, 2, 3, 1] : tensor<2x33x5x70xf32> -> tensor<2x5x70x33xf32>
  return %y : tensor<2x5x70x33xf32>
}

func.func private @transpose_5x40x7x3_bf16(%x: tensor<5x40x7x3xbf16>)
    -> tensor<3x40x5x7xbf16> attributes {plan.kernel} {
  %y = nn.transpose %x by [3, 1, 0, 2] : tensor<5x40x7x3xbf16> -> tensor<3x40x5x7xbf16>
  return %y : tensor<3x40x5x7xbf16>
}

func.func private @transpose_9x3x1_f32(%x: tensor<9x3x1xf32>)
    -> tensor<3x9x1xf32> attributes {plan.kernel} {
  %y = nn.transpose %x by [1, 0, 2] : tensor<9x3x1xf32> -> tensor<3x9x1xf32>
  return %y : tensor<3x9x1xf32>
}

func.func private @transpose_6x1030_i32(%x: tensor<6x1030xi32>)
    -> tensor<1030x6xi32> attributes {plan.kernel} {
  %y = nn.transpose %x by [1, 0] : tensor<6x1030xi32> -> tensor<1030x6xi32>
  return %y : tensor<1030x6xi32>
}
