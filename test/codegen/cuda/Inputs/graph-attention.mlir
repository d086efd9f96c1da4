// Heads and their columns: one of each, vectors of 4, of 2 and of 1, several
// heads a thread, strips.

func.func private @attention_1x1(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x1xf32>, %s: tensor<57x1xf32>, %t: tensor<57x1xf32>)
    -> (tensor<57x1xf32>, tensor<57x1xf32>, tensor<57x1xf32>, tensor<57x1xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x1xf32>, tensor<57x1xf32>, tensor<57x1xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x1xf32>, tensor<57x1xf32>, tensor<57x1xf32>, tensor<57x1xf32>
}

func.func private @attention_grad_1x1(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x1xf32>, %s: tensor<57x1xf32>, %t: tensor<57x1xf32>, %lse: tensor<57x1xf32>, %delta: tensor<57x1xf32>)
    -> (tensor<57x1xf32>, tensor<57x1xf32>, tensor<57x1xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x1xf32>, tensor<57x1xf32>, tensor<57x1xf32>
  return %0#0, %0#1, %0#2 : tensor<57x1xf32>, tensor<57x1xf32>, tensor<57x1xf32>
}

func.func private @attention_1x7(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x7xf32>, %s: tensor<57x1xf32>, %t: tensor<57x1xf32>)
    -> (tensor<57x7xf32>, tensor<57x1xf32>, tensor<57x7xf32>, tensor<57x1xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x7xf32>, tensor<57x1xf32>, tensor<57x1xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x7xf32>, tensor<57x1xf32>, tensor<57x7xf32>, tensor<57x1xf32>
}

func.func private @attention_grad_1x7(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x7xf32>, %s: tensor<57x1xf32>, %t: tensor<57x1xf32>, %lse: tensor<57x1xf32>, %delta: tensor<57x1xf32>)
    -> (tensor<57x7xf32>, tensor<57x7xf32>, tensor<57x1xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x7xf32>, tensor<57x1xf32>, tensor<57x1xf32>
  return %0#0, %0#1, %0#2 : tensor<57x7xf32>, tensor<57x7xf32>, tensor<57x1xf32>
}

func.func private @attention_3x5(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x15xf32>, %s: tensor<57x3xf32>, %t: tensor<57x3xf32>)
    -> (tensor<57x15xf32>, tensor<57x3xf32>, tensor<57x15xf32>, tensor<57x3xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x15xf32>, tensor<57x3xf32>, tensor<57x3xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x15xf32>, tensor<57x3xf32>, tensor<57x15xf32>, tensor<57x3xf32>
}

func.func private @attention_grad_3x5(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x15xf32>, %s: tensor<57x3xf32>, %t: tensor<57x3xf32>, %lse: tensor<57x3xf32>, %delta: tensor<57x3xf32>)
    -> (tensor<57x15xf32>, tensor<57x15xf32>, tensor<57x3xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x15xf32>, tensor<57x3xf32>, tensor<57x3xf32>
  return %0#0, %0#1, %0#2 : tensor<57x15xf32>, tensor<57x15xf32>, tensor<57x3xf32>
}

func.func private @attention_8x8(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x64xf32>, %s: tensor<57x8xf32>, %t: tensor<57x8xf32>)
    -> (tensor<57x64xf32>, tensor<57x8xf32>, tensor<57x64xf32>, tensor<57x8xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x64xf32>, tensor<57x8xf32>, tensor<57x8xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x64xf32>, tensor<57x8xf32>, tensor<57x64xf32>, tensor<57x8xf32>
}

func.func private @attention_grad_8x8(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x64xf32>, %s: tensor<57x8xf32>, %t: tensor<57x8xf32>, %lse: tensor<57x8xf32>, %delta: tensor<57x8xf32>)
    -> (tensor<57x64xf32>, tensor<57x64xf32>, tensor<57x8xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x64xf32>, tensor<57x8xf32>, tensor<57x8xf32>
  return %0#0, %0#1, %0#2 : tensor<57x64xf32>, tensor<57x64xf32>, tensor<57x8xf32>
}

func.func private @attention_8x6(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x48xf32>, %s: tensor<57x8xf32>, %t: tensor<57x8xf32>)
    -> (tensor<57x48xf32>, tensor<57x8xf32>, tensor<57x48xf32>, tensor<57x8xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x48xf32>, tensor<57x8xf32>, tensor<57x8xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x48xf32>, tensor<57x8xf32>, tensor<57x48xf32>, tensor<57x8xf32>
}

func.func private @attention_grad_8x6(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x48xf32>, %s: tensor<57x8xf32>, %t: tensor<57x8xf32>, %lse: tensor<57x8xf32>, %delta: tensor<57x8xf32>)
    -> (tensor<57x48xf32>, tensor<57x48xf32>, tensor<57x8xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x48xf32>, tensor<57x8xf32>, tensor<57x8xf32>
  return %0#0, %0#1, %0#2 : tensor<57x48xf32>, tensor<57x48xf32>, tensor<57x8xf32>
}

func.func private @attention_2x17(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x34xf32>, %s: tensor<57x2xf32>, %t: tensor<57x2xf32>)
    -> (tensor<57x34xf32>, tensor<57x2xf32>, tensor<57x34xf32>, tensor<57x2xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x34xf32>, tensor<57x2xf32>, tensor<57x2xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x34xf32>, tensor<57x2xf32>, tensor<57x34xf32>, tensor<57x2xf32>
}

func.func private @attention_grad_2x17(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x34xf32>, %s: tensor<57x2xf32>, %t: tensor<57x2xf32>, %lse: tensor<57x2xf32>, %delta: tensor<57x2xf32>)
    -> (tensor<57x34xf32>, tensor<57x34xf32>, tensor<57x2xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x34xf32>, tensor<57x2xf32>, tensor<57x2xf32>
  return %0#0, %0#1, %0#2 : tensor<57x34xf32>, tensor<57x34xf32>, tensor<57x2xf32>
}

func.func private @attention_1x256(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x256xf32>, %s: tensor<57x1xf32>, %t: tensor<57x1xf32>)
    -> (tensor<57x256xf32>, tensor<57x1xf32>, tensor<57x256xf32>, tensor<57x1xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x256xf32>, tensor<57x1xf32>, tensor<57x1xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x256xf32>, tensor<57x1xf32>, tensor<57x256xf32>, tensor<57x1xf32>
}

func.func private @attention_grad_1x256(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x256xf32>, %s: tensor<57x1xf32>, %t: tensor<57x1xf32>, %lse: tensor<57x1xf32>, %delta: tensor<57x1xf32>)
    -> (tensor<57x256xf32>, tensor<57x256xf32>, tensor<57x1xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x256xf32>, tensor<57x1xf32>, tensor<57x1xf32>
  return %0#0, %0#1, %0#2 : tensor<57x256xf32>, tensor<57x256xf32>, tensor<57x1xf32>
}

func.func private @attention_4x128(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x512xf32>, %s: tensor<57x4xf32>, %t: tensor<57x4xf32>)
    -> (tensor<57x512xf32>, tensor<57x4xf32>, tensor<57x512xf32>, tensor<57x4xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x512xf32>, tensor<57x4xf32>, tensor<57x4xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x512xf32>, tensor<57x4xf32>, tensor<57x512xf32>, tensor<57x4xf32>
}

func.func private @attention_grad_4x128(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x512xf32>, %s: tensor<57x4xf32>, %t: tensor<57x4xf32>, %lse: tensor<57x4xf32>, %delta: tensor<57x4xf32>)
    -> (tensor<57x512xf32>, tensor<57x512xf32>, tensor<57x4xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x512xf32>, tensor<57x4xf32>, tensor<57x4xf32>
  return %0#0, %0#1, %0#2 : tensor<57x512xf32>, tensor<57x512xf32>, tensor<57x4xf32>
}

func.func private @attention_40x3(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x120xf32>, %s: tensor<57x40xf32>, %t: tensor<57x40xf32>)
    -> (tensor<57x120xf32>, tensor<57x40xf32>, tensor<57x120xf32>, tensor<57x40xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x120xf32>, tensor<57x40xf32>, tensor<57x40xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x120xf32>, tensor<57x40xf32>, tensor<57x120xf32>, tensor<57x40xf32>
}

func.func private @attention_grad_40x3(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x120xf32>, %s: tensor<57x40xf32>, %t: tensor<57x40xf32>, %lse: tensor<57x40xf32>, %delta: tensor<57x40xf32>)
    -> (tensor<57x120xf32>, tensor<57x120xf32>, tensor<57x40xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x120xf32>, tensor<57x40xf32>, tensor<57x40xf32>
  return %0#0, %0#1, %0#2 : tensor<57x120xf32>, tensor<57x120xf32>, tensor<57x40xf32>
}

func.func private @attention_2x1030(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x2060xf32>, %s: tensor<57x2xf32>, %t: tensor<57x2xf32>)
    -> (tensor<57x2060xf32>, tensor<57x2xf32>, tensor<57x2060xf32>, tensor<57x2xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<57x57, 301>, tensor<57x2060xf32>, tensor<57x2xf32>, tensor<57x2xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x2060xf32>, tensor<57x2xf32>, tensor<57x2060xf32>, tensor<57x2xf32>
}

func.func private @attention_grad_2x1030(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x2060xf32>, %s: tensor<57x2xf32>, %t: tensor<57x2xf32>, %lse: tensor<57x2xf32>, %delta: tensor<57x2xf32>)
    -> (tensor<57x2060xf32>, tensor<57x2060xf32>, tensor<57x2xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<57x57, 301>, tensor<57x2060xf32>, tensor<57x2xf32>, tensor<57x2xf32>
  return %0#0, %0#1, %0#2 : tensor<57x2060xf32>, tensor<57x2060xf32>, tensor<57x2xf32>
}

func.func private @attention_1x7_dropout(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x7xf32>, %s: tensor<57x1xf32>, %t: tensor<57x1xf32>, %d: tensor<1x4xi32>)
    -> (tensor<57x7xf32>, tensor<57x1xf32>, tensor<57x7xf32>, tensor<57x1xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 dropout 0.3 from %d : !graph.csr<57x57, 301>, tensor<57x7xf32>, tensor<57x1xf32>, tensor<57x1xf32>, tensor<1x4xi32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x7xf32>, tensor<57x1xf32>, tensor<57x7xf32>, tensor<57x1xf32>
}

func.func private @attention_grad_1x7_dropout(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x7xf32>, %s: tensor<57x1xf32>, %t: tensor<57x1xf32>, %lse: tensor<57x1xf32>, %delta: tensor<57x1xf32>, %d: tensor<1x4xi32>)
    -> (tensor<57x7xf32>, tensor<57x7xf32>, tensor<57x1xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 dropout 0.3 from %d : !graph.csr<57x57, 301>, tensor<57x7xf32>, tensor<57x1xf32>, tensor<57x1xf32>, tensor<1x4xi32>
  return %0#0, %0#1, %0#2 : tensor<57x7xf32>, tensor<57x7xf32>, tensor<57x1xf32>
}

func.func private @attention_3x5_dropout(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x15xf32>, %s: tensor<57x3xf32>, %t: tensor<57x3xf32>, %d: tensor<1x4xi32>)
    -> (tensor<57x15xf32>, tensor<57x3xf32>, tensor<57x15xf32>, tensor<57x3xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 dropout 0.3 from %d : !graph.csr<57x57, 301>, tensor<57x15xf32>, tensor<57x3xf32>, tensor<57x3xf32>, tensor<1x4xi32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x15xf32>, tensor<57x3xf32>, tensor<57x15xf32>, tensor<57x3xf32>
}

func.func private @attention_grad_3x5_dropout(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x15xf32>, %s: tensor<57x3xf32>, %t: tensor<57x3xf32>, %lse: tensor<57x3xf32>, %delta: tensor<57x3xf32>, %d: tensor<1x4xi32>)
    -> (tensor<57x15xf32>, tensor<57x15xf32>, tensor<57x3xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 dropout 0.3 from %d : !graph.csr<57x57, 301>, tensor<57x15xf32>, tensor<57x3xf32>, tensor<57x3xf32>, tensor<1x4xi32>
  return %0#0, %0#1, %0#2 : tensor<57x15xf32>, tensor<57x15xf32>, tensor<57x3xf32>
}

func.func private @attention_8x8_dropout(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x64xf32>, %s: tensor<57x8xf32>, %t: tensor<57x8xf32>, %d: tensor<1x4xi32>)
    -> (tensor<57x64xf32>, tensor<57x8xf32>, tensor<57x64xf32>, tensor<57x8xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 dropout 0.3 from %d : !graph.csr<57x57, 301>, tensor<57x64xf32>, tensor<57x8xf32>, tensor<57x8xf32>, tensor<1x4xi32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x64xf32>, tensor<57x8xf32>, tensor<57x64xf32>, tensor<57x8xf32>
}

func.func private @attention_grad_8x8_dropout(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x64xf32>, %s: tensor<57x8xf32>, %t: tensor<57x8xf32>, %lse: tensor<57x8xf32>, %delta: tensor<57x8xf32>, %d: tensor<1x4xi32>)
    -> (tensor<57x64xf32>, tensor<57x64xf32>, tensor<57x8xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 dropout 0.3 from %d : !graph.csr<57x57, 301>, tensor<57x64xf32>, tensor<57x8xf32>, tensor<57x8xf32>, tensor<1x4xi32>
  return %0#0, %0#1, %0#2 : tensor<57x64xf32>, tensor<57x64xf32>, tensor<57x8xf32>
}

func.func private @attention_40x3_dropout(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x120xf32>, %s: tensor<57x40xf32>, %t: tensor<57x40xf32>, %d: tensor<1x4xi32>)
    -> (tensor<57x120xf32>, tensor<57x40xf32>, tensor<57x120xf32>, tensor<57x40xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 dropout 0.3 from %d : !graph.csr<57x57, 301>, tensor<57x120xf32>, tensor<57x40xf32>, tensor<57x40xf32>, tensor<1x4xi32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<57x120xf32>, tensor<57x40xf32>, tensor<57x120xf32>, tensor<57x40xf32>
}

func.func private @attention_grad_40x3_dropout(%p: tensor<58xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x120xf32>, %s: tensor<57x40xf32>, %t: tensor<57x40xf32>, %lse: tensor<57x40xf32>, %delta: tensor<57x40xf32>, %d: tensor<1x4xi32>)
    -> (tensor<57x120xf32>, tensor<57x120xf32>, tensor<57x40xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<57x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 dropout 0.3 from %d : !graph.csr<57x57, 301>, tensor<57x120xf32>, tensor<57x40xf32>, tensor<57x40xf32>, tensor<1x4xi32>
  return %0#0, %0#1, %0#2 : tensor<57x120xf32>, tensor<57x120xf32>, tensor<57x40xf32>
}

// Fewer nodes where edges end than where they begin, as in a sampled block.

func.func private @attention_block_3x5(%p: tensor<14xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x15xf32>, %s: tensor<57x3xf32>, %t: tensor<13x3xf32>)
    -> (tensor<13x15xf32>, tensor<13x3xf32>, tensor<13x15xf32>, tensor<13x3xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<13x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 : !graph.csr<13x57, 301>, tensor<57x15xf32>, tensor<57x3xf32>, tensor<13x3xf32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<13x15xf32>, tensor<13x3xf32>, tensor<13x15xf32>, tensor<13x3xf32>
}

func.func private @attention_grad_block_3x5(%p: tensor<14xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x15xf32>, %s: tensor<57x3xf32>, %t: tensor<13x3xf32>, %lse: tensor<13x3xf32>, %delta: tensor<13x3xf32>)
    -> (tensor<57x15xf32>, tensor<57x15xf32>, tensor<57x3xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<13x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 : !graph.csr<13x57, 301>, tensor<13x15xf32>, tensor<57x3xf32>, tensor<13x3xf32>
  return %0#0, %0#1, %0#2 : tensor<57x15xf32>, tensor<57x15xf32>, tensor<57x3xf32>
}

func.func private @attention_block_3x5_dropout(%p: tensor<14xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<57x15xf32>, %s: tensor<57x3xf32>, %t: tensor<13x3xf32>, %d: tensor<1x4xi32>, %i: tensor<57xi32>)
    -> (tensor<13x15xf32>, tensor<13x3xf32>, tensor<13x15xf32>, tensor<13x3xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<13x57, 301>
  %0:4 = graph.attention %g, %x, %s, %t slope 0.2 dropout 0.4 from %d of %i : !graph.csr<13x57, 301>, tensor<57x15xf32>, tensor<57x3xf32>, tensor<13x3xf32>, tensor<1x4xi32>, tensor<57xi32>
  return %0#0, %0#1, %0#2, %0#3 : tensor<13x15xf32>, tensor<13x3xf32>, tensor<13x15xf32>, tensor<13x3xf32>
}

func.func private @attention_grad_block_3x5_dropout(%p: tensor<14xi32>, %c: tensor<301xi32>, %w: tensor<301xf32>, %pt: tensor<58xi32>, %ct: tensor<301xi32>, %wt: tensor<301xf32>, %x: tensor<13x15xf32>, %s: tensor<57x3xf32>, %t: tensor<13x3xf32>, %lse: tensor<13x3xf32>, %delta: tensor<13x3xf32>, %d: tensor<1x4xi32>, %i: tensor<57xi32>)
    -> (tensor<57x15xf32>, tensor<57x15xf32>, tensor<57x3xf32>) attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<13x57, 301>
  %0:3 = graph.attention_grad %g, %x, %s, %t, %lse, %delta slope 0.2 dropout 0.4 from %d of %i : !graph.csr<13x57, 301>, tensor<13x15xf32>, tensor<57x3xf32>, tensor<13x3xf32>, tensor<1x4xi32>, tensor<57xi32>
  return %0#0, %0#1, %0#2 : tensor<57x15xf32>, tensor<57x15xf32>, tensor<57x3xf32>
}
