// Dropout of sparse matrices, of few rows and of many.

func.func private @dropout_3_rows(%p: tensor<4xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %s: tensor<1x4xi32>)
    -> tensor<301xf32> attributes {plan.kernel} {
  %r = graph.dropout 0.5 of %p, %c, %w from %s : tensor<4xi32>, tensor<301xi32>, tensor<301xf32>, tensor<1x4xi32>
  return %r : tensor<301xf32>
}

func.func private @dropout_300_rows_transposed(%p: tensor<301xi32>, %c: tensor<997xi32>, %w: tensor<997xf32>, %s: tensor<1x4xi32>)
    -> tensor<997xf32> attributes {plan.kernel} {
  %r = graph.dropout 0.3 of %p, %c, %w from %s transpose : tensor<301xi32>, tensor<997xi32>, tensor<997xf32>, tensor<1x4xi32>
  return %r : tensor<997xf32>
}
