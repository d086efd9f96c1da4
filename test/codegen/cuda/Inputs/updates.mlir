// Steps of all optimizers, of sizes that fill vectors and that do not, and of
// classes from one to three.

func.func private @adam_3_classes(%p: tensor<5120xf32>, %g: tensor<5120xf32>, %s0: tensor<5120xf32>, %s1: tensor<5120xf32>, %clip: tensor<f32>, %scalars: tensor<4xf32>, %ends: tensor<2xi64>)
    -> (tensor<5120xf32> {plan.inplace = array<i64: 0>}, tensor<5120xf32> {plan.inplace = array<i64: 2>}, tensor<5120xf32> {plan.inplace = array<i64: 3>}) attributes {plan.kernel} {
  %r0, %r1, %r2 = zero.update %p, %g states %s0, %s1 by %clip, %scalars
      using #optimizer.adam<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %ends
      lr_scales [1.0, 0.5, 2.0] weight_decays [0.1, 0.0, 0.3]
      : (tensor<5120xf32>, tensor<5120xf32>, tensor<5120xf32>, tensor<5120xf32>, tensor<f32>, tensor<4xf32>, tensor<2xi64>)
      -> (tensor<5120xf32>, tensor<5120xf32>, tensor<5120xf32>)
  return %r0, %r1, %r2 : tensor<5120xf32>, tensor<5120xf32>, tensor<5120xf32>
}

func.func private @adamw_3_classes_bf16(%p: tensor<1001xf32>, %g: tensor<1001xbf16>, %s0: tensor<1001xf32>, %s1: tensor<1001xf32>, %clip: tensor<f32>, %scalars: tensor<4xf32>, %ends: tensor<2xi64>)
    -> (tensor<1001xf32> {plan.inplace = array<i64: 0>}, tensor<1001xf32> {plan.inplace = array<i64: 2>}, tensor<1001xf32> {plan.inplace = array<i64: 3>}, tensor<1001xbf16>) attributes {plan.kernel} {
  %r0, %r1, %r2, %r3 = zero.update %p, %g states %s0, %s1 by %clip, %scalars
      using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8> ends %ends
      lr_scales [1.0, 0.5, 2.0] weight_decays [0.1, 0.0, 0.3]
      : (tensor<1001xf32>, tensor<1001xbf16>, tensor<1001xf32>, tensor<1001xf32>, tensor<f32>, tensor<4xf32>, tensor<2xi64>)
      -> (tensor<1001xf32>, tensor<1001xf32>, tensor<1001xf32>, tensor<1001xbf16>)
  return %r0, %r1, %r2, %r3 : tensor<1001xf32>, tensor<1001xf32>, tensor<1001xf32>, tensor<1001xbf16>
}

func.func private @sgd_1_class(%p: tensor<4103xf32>, %g: tensor<4103xf32>, %clip: tensor<f32>, %scalars: tensor<1xf32>, %ends: tensor<0xi64>)
    -> (tensor<4103xf32> {plan.inplace = array<i64: 0>}) attributes {plan.kernel} {
  %r0 = zero.update %p, %g by %clip, %scalars
      using #optimizer.sgd<momentum = 0.0, nesterov = false> ends %ends
      lr_scales [1.0] weight_decays [0.1]
      : (tensor<4103xf32>, tensor<4103xf32>, tensor<f32>, tensor<1xf32>, tensor<0xi64>)
      -> (tensor<4103xf32>)
  return %r0 : tensor<4103xf32>
}

func.func private @momentum_2_classes(%p: tensor<4112xf32>, %g: tensor<4112xf32>, %s0: tensor<4112xf32>, %clip: tensor<f32>, %scalars: tensor<1xf32>, %ends: tensor<1xi64>)
    -> (tensor<4112xf32> {plan.inplace = array<i64: 0>}, tensor<4112xf32> {plan.inplace = array<i64: 2>}) attributes {plan.kernel} {
  %r0, %r1 = zero.update %p, %g states %s0 by %clip, %scalars
      using #optimizer.sgd<momentum = 0.9, nesterov = false> ends %ends
      lr_scales [1.0, 0.5] weight_decays [0.1, 0.0]
      : (tensor<4112xf32>, tensor<4112xf32>, tensor<4112xf32>, tensor<f32>, tensor<1xf32>, tensor<1xi64>)
      -> (tensor<4112xf32>, tensor<4112xf32>)
  return %r0, %r1 : tensor<4112xf32>, tensor<4112xf32>
}

func.func private @nesterov_3_classes(%p: tensor<96xf32>, %g: tensor<96xf32>, %s0: tensor<96xf32>, %clip: tensor<f32>, %scalars: tensor<1xf32>, %ends: tensor<2xi64>)
    -> (tensor<96xf32> {plan.inplace = array<i64: 0>}, tensor<96xf32> {plan.inplace = array<i64: 2>}) attributes {plan.kernel} {
  %r0, %r1 = zero.update %p, %g states %s0 by %clip, %scalars
      using #optimizer.sgd<momentum = 0.9, nesterov = true> ends %ends
      lr_scales [1.0, 0.5, 2.0] weight_decays [0.1, 0.0, 0.3]
      : (tensor<96xf32>, tensor<96xf32>, tensor<96xf32>, tensor<f32>, tensor<1xf32>, tensor<2xi64>)
      -> (tensor<96xf32>, tensor<96xf32>)
  return %r0, %r1 : tensor<96xf32>, tensor<96xf32>
}

func.func private @lion_2_classes(%p: tensor<10000xf32>, %g: tensor<10000xf32>, %s0: tensor<10000xf32>, %clip: tensor<f32>, %scalars: tensor<1xf32>, %ends: tensor<1xi64>)
    -> (tensor<10000xf32> {plan.inplace = array<i64: 0>}, tensor<10000xf32> {plan.inplace = array<i64: 2>}) attributes {plan.kernel} {
  %r0, %r1 = zero.update %p, %g states %s0 by %clip, %scalars
      using #optimizer.lion<beta1 = 0.9, beta2 = 0.99> ends %ends
      lr_scales [1.0, 0.5] weight_decays [0.1, 0.0]
      : (tensor<10000xf32>, tensor<10000xf32>, tensor<10000xf32>, tensor<f32>, tensor<1xf32>, tensor<1xi64>)
      -> (tensor<10000xf32>, tensor<10000xf32>)
  return %r0, %r1 : tensor<10000xf32>, tensor<10000xf32>
}
