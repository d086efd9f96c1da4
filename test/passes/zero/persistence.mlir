// RUN: tessera-opt %s --zero-partition="stage=3 world=4 persistence=127" --verify-zero | FileCheck %s --check-prefix=LARGE
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 persistence=128" --verify-zero | FileCheck %s --check-prefix=SMALL

// A group of at most so many elements stays gathered from its first use to its
// last. @second has 128 with its padding.

// LARGE: zero.all_gather @second
// LARGE: zero.all_gather @second
// LARGE-NOT: zero.all_gather @second

// SMALL: zero.all_gather @first
// SMALL: zero.release
// SMALL: zero.all_gather @second
// SMALL: zero.all_gather @third
// SMALL-NOT: zero.all_gather
// SMALL-COUNT-2: zero.release
// SMALL: nn.section "reduce"

module attributes {tessera.spec = {training = {optimizer = {
    beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}}}} {
  nn.parameter @a : tensor<64xf32> init normal(0.02) decay group "first"
  nn.parameter @b : tensor<64xf32> init normal(0.02) decay group "second"
  nn.parameter @s : tensor<f32> init constant(1.0) group "second"
  nn.parameter @c : tensor<64xf32> init normal(0.02) decay group "third"

  func.func @train(%x: tensor<64xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %a = nn.get_parameter @a : tensor<64xf32>
    %b = nn.get_parameter @b : tensor<64xf32>
    %s = nn.get_parameter @s : tensor<f32>
    %c = nn.get_parameter @c : tensor<64xf32>
    %scale = nn.broadcast %s dims [] : tensor<f32> -> tensor<64xf32>
    // Forward.
    %ax = arith.mulf %a, %x : tensor<64xf32>
    %bx = arith.mulf %b, %ax : tensor<64xf32>
    %sx = arith.mulf %scale, %bx : tensor<64xf32>
    %cx = arith.mulf %c, %sx : tensor<64xf32>
    %loss = nn.reduce sum %cx dims [0] : tensor<64xf32> -> tensor<f32>
    // Backward.
    %dc = math.absf %sx : tensor<64xf32>
    %dsx = math.exp %c : tensor<64xf32>
    %dscale = arith.mulf %dsx, %bx : tensor<64xf32>
    %ds = nn.reduce sum %dscale dims [0] : tensor<64xf32> -> tensor<f32>
    %dbx = arith.mulf %dsx, %scale : tensor<64xf32>
    %db = arith.mulf %dbx, %ax : tensor<64xf32>
    %dax = arith.mulf %dbx, %b : tensor<64xf32>
    %da = arith.mulf %dax, %x : tensor<64xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %da, %db, %ds, %dc : tensor<64xf32>, tensor<64xf32>, tensor<f32>, tensor<64xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @a by %da, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @b by %db, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @s by %ds, %clip, %hyper : tensor<f32>, tensor<f32>, tensor<4xf32>
    nn.update @c by %dc, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
