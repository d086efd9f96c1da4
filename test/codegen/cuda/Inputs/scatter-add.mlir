// Tables of one row, of fewer and of more rows than are added; in place, apart
// and from a constant.

func.func private @scatter_add_1_5x7_f32(%i: tensor<1xi32>, %r: tensor<1x7xf32>)
    -> tensor<5x7xf32> attributes {plan.kernel} {
  %t = arith.constant dense<0.5> : tensor<5x7xf32>
  %y = nn.scatter_add %r, %i into %t : tensor<1x7xf32>, tensor<1xi32>, tensor<5x7xf32>
  return %y : tensor<5x7xf32>
}

func.func private @scatter_add_7_3x1_f32(%t: tensor<3x1xf32>, %i: tensor<7xi32>, %r: tensor<7x1xf32>)
    -> (tensor<3x1xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %y = nn.scatter_add %r, %i into %t : tensor<7x1xf32>, tensor<7xi32>, tensor<3x1xf32>
  return %y : tensor<3x1xf32>
}

func.func private @scatter_add_100_9x33_f32(%t: tensor<9x33xf32>, %i: tensor<100xi32>, %r: tensor<100x33xf32>)
    -> tensor<9x33xf32> attributes {plan.kernel} {
  %y = nn.scatter_add %r, %i into %t : tensor<100x33xf32>, tensor<100xi32>, tensor<9x33xf32>
  return %y : tensor<9x33xf32>
}

func.func private @scatter_add_301_40x130_bf16(%t: tensor<40x130xf32>, %i: tensor<301xi32>, %r: tensor<301x130xbf16>)
    -> (tensor<40x130xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %y = nn.scatter_add %r, %i into %t : tensor<301x130xbf16>, tensor<301xi32>, tensor<40x130xf32>
  return %y : tensor<40x130xf32>
}

func.func private @scatter_add_513_1x64_f32(%i: tensor<513xi32>, %r: tensor<513x64xf32>)
    -> tensor<1x64xf32> attributes {plan.kernel} {
  %t = arith.constant dense<0.5> : tensor<1x64xf32>
  %y = nn.scatter_add %r, %i into %t : tensor<513x64xf32>, tensor<513xi32>, tensor<1x64xf32>
  return %y : tensor<1x64xf32>
}

func.func private @scatter_add_64_2000x7_bf16(%i: tensor<64xi32>, %r: tensor<64x7xbf16>)
    -> tensor<2000x7xf32> attributes {plan.kernel} {
  %t = arith.constant dense<0.5> : tensor<2000x7xf32>
  %y = nn.scatter_add %r, %i into %t : tensor<64x7xbf16>, tensor<64xi32>, tensor<2000x7xf32>
  return %y : tensor<2000x7xf32>
}

func.func private @scatter_add_1030_300x33_f32(%t: tensor<300x33xf32>, %i: tensor<1030xi32>, %r: tensor<1030x33xf32>)
    -> (tensor<300x33xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %y = nn.scatter_add %r, %i into %t : tensor<1030x33xf32>, tensor<1030xi32>, tensor<300x33xf32>
  return %y : tensor<300x33xf32>
}

func.func private @scatter_add_1024_600x130_bf16(%t: tensor<600x130xf32>, %i: tensor<1024xi32>, %r: tensor<1024x130xbf16>)
    -> (tensor<600x130xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %y = nn.scatter_add %r, %i into %t : tensor<1024x130xbf16>, tensor<1024xi32>, tensor<600x130xf32>
  return %y : tensor<600x130xf32>
}

func.func private @scatter_add_90_9x1024_bf16(%i: tensor<90xi32>, %r: tensor<90x1024xbf16>)
    -> tensor<9x1024xf32> attributes {plan.kernel} {
  %t = arith.constant dense<0.5> : tensor<9x1024xf32>
  %y = nn.scatter_add %r, %i into %t : tensor<90x1024xbf16>, tensor<90xi32>, tensor<9x1024xf32>
  return %y : tensor<9x1024xf32>
}
