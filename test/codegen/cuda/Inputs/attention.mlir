// Heads that share keys, and windows that end within a tile.

func.func private @attention_grouped(%qkv: tensor<140x128xf32>) -> (tensor<140x96xf32>, tensor<12x70xf32>) attributes {plan.kernel} {
  %0:2 = nn.attention %qkv batch 2 heads 6 kv_heads 1 layout blocked causal scale 0.25 : tensor<140x128xf32> -> tensor<140x96xf32>, tensor<12x70xf32>
  return %0#0, %0#1 : tensor<140x96xf32>, tensor<12x70xf32>
}

func.func private @attention_grad_grouped(%qkv: tensor<140x128xf32>, %o: tensor<140x96xf32>, %l: tensor<12x70xf32>, %g: tensor<140x96xf32>) -> tensor<140x128xf32> attributes {plan.kernel} {
  %0 = nn.attention_grad %qkv, %o, %l, %g batch 2 heads 6 kv_heads 1 layout blocked causal scale 0.25 : tensor<140x128xf32>, tensor<140x96xf32>, tensor<12x70xf32>
  return %0 : tensor<140x128xf32>
}

func.func private @attention_grad_wide_grouped(%qkv: tensor<20x512xf32>, %o: tensor<20x256xf32>, %l: tensor<2x20xf32>, %g: tensor<20x256xf32>) -> tensor<20x512xf32> attributes {plan.kernel} {
  %0 = nn.attention_grad %qkv, %o, %l, %g batch 1 heads 2 kv_heads 1 layout blocked causal scale 0.25 : tensor<20x512xf32>, tensor<20x256xf32>, tensor<2x20xf32>
  return %0 : tensor<20x512xf32>
}

func.func private @attention_window(%qkv: tensor<150x96xf32>) -> (tensor<150x32xf32>, tensor<2x150xf32>) attributes {plan.kernel} {
  %0:2 = nn.attention %qkv batch 1 heads 2 layout interleaved causal window 37 alibi scale 0.25 : tensor<150x96xf32> -> tensor<150x32xf32>, tensor<2x150xf32>
  return %0#0, %0#1 : tensor<150x32xf32>, tensor<2x150xf32>
}

func.func private @attention_grad_window(%qkv: tensor<150x96xf32>, %o: tensor<150x32xf32>, %l: tensor<2x150xf32>, %g: tensor<150x32xf32>) -> tensor<150x96xf32> attributes {plan.kernel} {
  %0 = nn.attention_grad %qkv, %o, %l, %g batch 1 heads 2 layout interleaved causal window 37 alibi scale 0.25 : tensor<150x96xf32>, tensor<150x32xf32>, tensor<2x150xf32>
  return %0 : tensor<150x96xf32>
}

// dK and dV in a grid each.
func.func private @attention_grad_wide(%qkv: tensor<70x512xf32>, %o: tensor<70x256xf32>, %l: tensor<2x70xf32>, %g: tensor<70x256xf32>) -> tensor<70x512xf32> attributes {plan.kernel} {
  %0 = nn.attention_grad %qkv, %o, %l, %g batch 1 heads 2 kv_heads 1 layout blocked causal window 21 scale 0.08 : tensor<70x512xf32>, tensor<70x256xf32>, tensor<2x70xf32>
  return %0 : tensor<70x512xf32>
}

func.func private @attention_bf16(%qkv: tensor<150x128xbf16>) -> (tensor<150x64xbf16>, tensor<4x150xf32>) attributes {plan.kernel} {
  %0:2 = nn.attention %qkv batch 1 heads 4 kv_heads 2 layout blocked causal window 50 scale 0.25 : tensor<150x128xbf16> -> tensor<150x64xbf16>, tensor<4x150xf32>
  return %0#0, %0#1 : tensor<150x64xbf16>, tensor<4x150xf32>
}
