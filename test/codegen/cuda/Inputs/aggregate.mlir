// Widths with and without vectors, in one strip and in several.

func.func private @aggregate_1_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x1xf32>)
    -> tensor<57x1xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %y = graph.aggregate %g, %x : !graph.csr<57x57, 301>, tensor<57x1xf32>
  return %y : tensor<57x1xf32>
}

func.func private @aggregate_7_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x7xf32>)
    -> tensor<57x7xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %y = graph.aggregate %g, %x transpose : !graph.csr<57x57, 301>, tensor<57x7xf32>
  return %y : tensor<57x7xf32>
}

func.func private @aggregate_16_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x16xbf16>)
    -> tensor<57x16xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %y = graph.aggregate %g, %x : !graph.csr<57x57, 301>, tensor<57x16xbf16>
  return %y : tensor<57x16xbf16>
}

func.func private @aggregate_33_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x33xbf16>)
    -> tensor<57x33xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %y = graph.aggregate %g, %x transpose : !graph.csr<57x57, 301>, tensor<57x33xbf16>
  return %y : tensor<57x33xbf16>
}

func.func private @aggregate_64_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x64xf32>)
    -> tensor<57x64xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %y = graph.aggregate %g, %x : !graph.csr<57x57, 301>, tensor<57x64xf32>
  return %y : tensor<57x64xf32>
}

func.func private @aggregate_130_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x130xf32>)
    -> tensor<57x130xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %y = graph.aggregate %g, %x : !graph.csr<57x57, 301>, tensor<57x130xf32>
  return %y : tensor<57x130xf32>
}

func.func private @aggregate_264_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x264xbf16>)
    -> tensor<57x264xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %y = graph.aggregate %g, %x transpose : !graph.csr<57x57, 301>, tensor<57x264xbf16>
  return %y : tensor<57x264xbf16>
}

func.func private @aggregate_1433_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x1433xf32>)
    -> tensor<57x1433xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %y = graph.aggregate %g, %x : !graph.csr<57x57, 301>, tensor<57x1433xf32>
  return %y : tensor<57x1433xf32>
}

func.func private @aggregate_13_columns_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<14xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x16xf32>)
    -> tensor<57x16xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x13, 301>
  %y = graph.aggregate %g, %x : !graph.csr<57x13, 301>, tensor<13x16xf32>
  return %y : tensor<57x16xf32>
}

func.func private @aggregate_13_columns_transposed_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<14xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x16xf32>)
    -> tensor<13x16xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x13, 301>
  %y = graph.aggregate %g, %x transpose : !graph.csr<57x13, 301>, tensor<57x16xf32>
  return %y : tensor<13x16xf32>
}
