// The largest of neighbours and what its gradient takes, of several widths.

func.func private @max_1_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x1xf32>)
    -> tensor<57x1xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max %g, %x : !graph.csr<57x57, 301>, tensor<57x1xf32>
  return %r : tensor<57x1xf32>
}

func.func private @max_7_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x7xf32>)
    -> tensor<57x7xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max %g, %x : !graph.csr<57x57, 301>, tensor<57x7xf32>
  return %r : tensor<57x7xf32>
}

func.func private @max_16_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x16xbf16>)
    -> tensor<57x16xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max %g, %x : !graph.csr<57x57, 301>, tensor<57x16xbf16>
  return %r : tensor<57x16xbf16>
}

func.func private @max_33_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<14xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x33xbf16>)
    -> tensor<57x33xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x13, 301>
  %r = graph.max %g, %x : !graph.csr<57x13, 301>, tensor<13x33xbf16>
  return %r : tensor<57x33xbf16>
}

func.func private @max_64_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<14xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x64xf32>)
    -> tensor<57x64xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x13, 301>
  %r = graph.max %g, %x : !graph.csr<57x13, 301>, tensor<13x64xf32>
  return %r : tensor<57x64xf32>
}

func.func private @max_264_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x264xf32>)
    -> tensor<57x264xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max %g, %x : !graph.csr<57x57, 301>, tensor<57x264xf32>
  return %r : tensor<57x264xf32>
}

func.func private @max_ties_1_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x1xf32>, %y: tensor<57x1xf32>)
    -> tensor<57x1xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max_ties %g, %x, %y : !graph.csr<57x57, 301>, tensor<57x1xf32>, tensor<57x1xf32>
  return %r : tensor<57x1xf32>
}

func.func private @max_ties_7_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x7xf32>, %y: tensor<57x7xf32>)
    -> tensor<57x7xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max_ties %g, %x, %y : !graph.csr<57x57, 301>, tensor<57x7xf32>, tensor<57x7xf32>
  return %r : tensor<57x7xf32>
}

func.func private @max_ties_16_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x16xbf16>, %y: tensor<57x16xbf16>)
    -> tensor<57x16xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max_ties %g, %x, %y : !graph.csr<57x57, 301>, tensor<57x16xbf16>, tensor<57x16xbf16>
  return %r : tensor<57x16xbf16>
}

func.func private @max_ties_33_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<14xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x33xbf16>, %y: tensor<57x33xbf16>)
    -> tensor<57x33xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x13, 301>
  %r = graph.max_ties %g, %x, %y : !graph.csr<57x13, 301>, tensor<13x33xbf16>, tensor<57x33xbf16>
  return %r : tensor<57x33xbf16>
}

func.func private @max_ties_64_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<14xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x64xf32>, %y: tensor<57x64xf32>)
    -> tensor<57x64xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x13, 301>
  %r = graph.max_ties %g, %x, %y : !graph.csr<57x13, 301>, tensor<13x64xf32>, tensor<57x64xf32>
  return %r : tensor<57x64xf32>
}

func.func private @max_ties_264_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x264xf32>, %y: tensor<57x264xf32>)
    -> tensor<57x264xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max_ties %g, %x, %y : !graph.csr<57x57, 301>, tensor<57x264xf32>, tensor<57x264xf32>
  return %r : tensor<57x264xf32>
}

func.func private @max_gradient_1_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x1xf32>, %y: tensor<57x1xf32>, %s: tensor<57x1xf32>)
    -> tensor<57x1xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max_gradient %g, %x, %y, %s : !graph.csr<57x57, 301>, tensor<57x1xf32>, tensor<57x1xf32>
  return %r : tensor<57x1xf32>
}

func.func private @max_gradient_7_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x7xf32>, %y: tensor<57x7xf32>, %s: tensor<57x7xf32>)
    -> tensor<57x7xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max_gradient %g, %x, %y, %s : !graph.csr<57x57, 301>, tensor<57x7xf32>, tensor<57x7xf32>
  return %r : tensor<57x7xf32>
}

func.func private @max_gradient_16_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x16xbf16>, %y: tensor<57x16xbf16>, %s: tensor<57x16xbf16>)
    -> tensor<57x16xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max_gradient %g, %x, %y, %s : !graph.csr<57x57, 301>, tensor<57x16xbf16>, tensor<57x16xbf16>
  return %r : tensor<57x16xbf16>
}

func.func private @max_gradient_33_bf16(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<14xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x33xbf16>, %y: tensor<57x33xbf16>, %s: tensor<57x33xbf16>)
    -> tensor<13x33xbf16> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x13, 301>
  %r = graph.max_gradient %g, %x, %y, %s : !graph.csr<57x13, 301>, tensor<13x33xbf16>, tensor<57x33xbf16>
  return %r : tensor<13x33xbf16>
}

func.func private @max_gradient_64_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<14xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x64xf32>, %y: tensor<57x64xf32>, %s: tensor<57x64xf32>)
    -> tensor<13x64xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x13, 301>
  %r = graph.max_gradient %g, %x, %y, %s : !graph.csr<57x13, 301>, tensor<13x64xf32>, tensor<57x64xf32>
  return %r : tensor<13x64xf32>
}

func.func private @max_gradient_264_f32(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x264xf32>, %y: tensor<57x264xf32>, %s: tensor<57x264xf32>)
    -> tensor<57x264xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %r = graph.max_gradient %g, %x, %y, %s : !graph.csr<57x57, 301>, tensor<57x264xf32>, tensor<57x264xf32>
  return %r : tensor<57x264xf32>
}
