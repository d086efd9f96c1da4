// RUN: tessera-opt %s --zero-partition="stage=3 world=4" --zero-verify | FileCheck %s --check-prefix=LAYERS
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 bucket-bytes=512" --zero-verify | FileCheck %s --check-prefix=CUT
// RUN: tessera-opt %s --zero-partition="stage=2 world=4 bucket-bytes=512" --zero-verify | FileCheck %s --check-prefix=PIECES
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 bucket-bytes=64" --zero-verify | FileCheck %s --check-prefix=ALONE
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 persistence-threshold=1" --zero-verify | FileCheck %s --check-prefix=WHOLE
// RUN: tessera-opt %s --zero-partition="stage=1 world=4 persistence-threshold=1" --zero-verify | FileCheck %s --check-prefix=EARLIER
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 gather-bytes=1280" --zero-verify | FileCheck %s --check-prefix=MERGED
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 gather-bytes=1279" --zero-verify | FileCheck %s --check-prefix=LAYERS
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 gather-bytes=1280 bucket-bytes=1279" --zero-verify | FileCheck %s --check-prefix=LAYERS

// Two layers between an embedding and the head that is tied to it.

// A group is a layer unless limits say otherwise.
// LAYERS: zero.group @embedding parameters [@table] offsets [0] elements 64 padded 64
// LAYERS: zero.group @h.0 parameters [@a.w, @a.v, @a.s] offsets [0, 64, 128] elements 129 padded 192
// LAYERS: zero.group @h.1 parameters [@b.w, @b.v, @b.s] offsets [0, 64, 128] elements 129 padded 192

// A bucket of 512 bytes has room for 128 gradients: a layer is cut in two.
// CUT: zero.group @embedding
// CUT-NEXT: zero.group @"h.0:1" parameters [@a.w, @a.v] offsets [0, 64] elements 128 padded 128 class_ends [128]
// CUT-NEXT: zero.group @"h.0:2" parameters [@a.s] offsets [0] elements 1 padded 64 class_ends [0]
// CUT-NEXT: zero.group @"h.1:1"
// CUT-NEXT: zero.group @"h.1:2"
// The step uses @a.w, @a.s and @a.v in turn. Each piece is gathered once all the
// same: it stays while its layer is in use.
// CUT: zero.all_gather @embedding
// CUT: zero.release
// CUT: zero.all_gather @"h.0:1"
// CUT-NOT: zero.release
// CUT: zero.all_gather @"h.0:2"
// CUT: zero.release
// CUT-NOT: zero.all_gather
// CUT: zero.release
// CUT: zero.all_gather @"h.1:1"
// CUT: zero.all_gather @"h.1:2"
// CUT: zero.all_gather @embedding
// CUT: zero.all_gather @"h.1:1"
// CUT: zero.all_gather @"h.1:2"
// CUT: zero.all_gather @"h.0:1"
// CUT: zero.all_gather @"h.0:2"
// CUT-NOT: zero.all_gather

// A piece's gradients are on their way as soon as they are there.
// PIECES: zero.bucket @"h.1:2"
// PIECES-NEXT: zero.reduce_scatter @"h.1:2"
// PIECES: zero.bucket @"h.1:1"
// PIECES-NEXT: zero.reduce_scatter @"h.1:1", %{{.*}} : tensor<128xf32> -> tensor<32xf32>
// PIECES: zero.bucket @"h.0:2"
// PIECES: zero.bucket @"h.0:1"

// A parameter that is larger than a bucket is a group alone.
// ALONE: zero.group @embedding parameters [@table]
// ALONE-NEXT: zero.group @"h.0:1" parameters [@a.w]
// ALONE-NEXT: zero.group @"h.0:2" parameters [@a.v]
// ALONE-NEXT: zero.group @"h.0:3" parameters [@a.s]

// Small parameters of all layers form one group. In stage 3 it is whole, as are
// all groups in stage 2, so that it is gathered once, after its update.
// WHOLE: zero.group @persistent parameters [@a.s, @b.s] offsets [0, 16] elements 17 padded 64 class_ends [0] persistent
// WHOLE-NEXT: zero.group @embedding
// WHOLE-NEXT: zero.group @h.0 parameters [@a.w, @a.v] offsets [0, 64] elements 128 padded 128 class_ends [128]{{$}}
// WHOLE: %[[P:.*]] = zero.load parameter @persistent : tensor<64xf32>
// WHOLE-NOT: zero.all_gather @persistent
// WHOLE: zero.reduce_scatter @persistent
// WHOLE-NEXT: %[[G:.*]] = zero.wait %{{.*}} : tensor<16xf32>
// WHOLE: zero.store gradient @persistent, %[[G]] : tensor<16xf32>
// WHOLE: nn.section "update"
// WHOLE: %[[PART:.*]] = zero.all_slice %[[P]] : tensor<64xf32> -> tensor<16xf32>
// WHOLE: %[[NEXT:.*]], %{{.*}} = zero.update @persistent, %[[PART]],
// WHOLE: %[[FULL:.*]], %[[T:.*]] = zero.all_gather @persistent, %[[NEXT]] in_place : tensor<16xf32> -> tensor<64xf32>
// WHOLE-NEXT: %[[W:.*]] = zero.wait %[[FULL]], %[[T]]
// WHOLE-NEXT: zero.store parameter @persistent, %[[W]] : tensor<64xf32>
// WHOLE-NOT: zero.all_gather

// Groups are the same in all stages, and so are the orders of sums over them.
// EARLIER: zero.group @persistent parameters [@a.s, @b.s]
// EARLIER-NEXT: zero.group @embedding
// EARLIER-NEXT: zero.group @h.0 parameters [@a.w, @a.v]

// Both layers fit one gather of 1280 bytes. The embedding does, too, but would be
// gathered for them in the backward pass, and they for the head.
// MERGED: zero.group @embedding parameters [@table]
// MERGED-NEXT: zero.group @h.0..h.1 parameters [@a.w, @a.v, @b.w, @b.v, @a.s, @b.s] offsets [0, 64, 128, 192, 256, 272] elements 273 padded 320
// MERGED: zero.all_gather @embedding
// MERGED: zero.all_gather @h.0..h.1
// MERGED: zero.all_gather @embedding
// MERGED: zero.all_gather @h.0..h.1
// MERGED-NOT: zero.all_gather

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @table : tensor<64xf32> init normal(0.02) decay group "embedding"
  nn.parameter @a.w : tensor<64xf32> init normal(0.02) decay group "h.0"
  nn.parameter @a.v : tensor<64xf32> init normal(0.02) decay group "h.0"
  nn.parameter @a.s : tensor<f32> init constant(1.0) group "h.0"
  nn.parameter @b.w : tensor<64xf32> init normal(0.02) decay group "h.1"
  nn.parameter @b.v : tensor<64xf32> init normal(0.02) decay group "h.1"
  nn.parameter @b.s : tensor<f32> init constant(1.0) group "h.1"

  func.func @train(%x: tensor<64xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %table = nn.get_parameter @table : tensor<64xf32>
    %aw = nn.get_parameter @a.w : tensor<64xf32>
    %av = nn.get_parameter @a.v : tensor<64xf32>
    %as = nn.get_parameter @a.s : tensor<f32>
    %bw = nn.get_parameter @b.w : tensor<64xf32>
    %bv = nn.get_parameter @b.v : tensor<64xf32>
    %bs = nn.get_parameter @b.s : tensor<f32>
    %ascale = nn.broadcast %as dims [] : tensor<f32> -> tensor<64xf32>
    %bscale = nn.broadcast %bs dims [] : tensor<f32> -> tensor<64xf32>
    // Forward: y = v * (s * (w * x)) in each layer.
    %x0 = arith.mulf %table, %x : tensor<64xf32>
    %a1 = arith.mulf %aw, %x0 : tensor<64xf32>
    %a2 = arith.mulf %ascale, %a1 : tensor<64xf32>
    %a3 = arith.mulf %av, %a2 : tensor<64xf32>
    %b1 = arith.mulf %bw, %a3 : tensor<64xf32>
    %b2 = arith.mulf %bscale, %b1 : tensor<64xf32>
    %b3 = arith.mulf %bv, %b2 : tensor<64xf32>
    %z = arith.mulf %table, %b3 : tensor<64xf32>
    %loss = nn.reduce sum %z dims [0] : tensor<64xf32> -> tensor<f32>
    // Backward.
    %db3 = math.absf %table : tensor<64xf32>
    %dbv = arith.mulf %db3, %b2 : tensor<64xf32>
    %db2 = arith.mulf %db3, %bv : tensor<64xf32>
    %dbscale = arith.mulf %db2, %b1 : tensor<64xf32>
    %dbs = nn.reduce sum %dbscale dims [0] : tensor<64xf32> -> tensor<f32>
    %db1 = arith.mulf %db2, %bscale : tensor<64xf32>
    %dbw = arith.mulf %db1, %a3 : tensor<64xf32>
    %da3 = arith.mulf %db1, %bw : tensor<64xf32>
    %dav = arith.mulf %da3, %a2 : tensor<64xf32>
    %da2 = arith.mulf %da3, %av : tensor<64xf32>
    %dascale = arith.mulf %da2, %a1 : tensor<64xf32>
    %das = nn.reduce sum %dascale dims [0] : tensor<64xf32> -> tensor<f32>
    %da1 = arith.mulf %da2, %ascale : tensor<64xf32>
    %daw = arith.mulf %da1, %x0 : tensor<64xf32>
    %dx0 = arith.mulf %da1, %aw : tensor<64xf32>
    %dx = arith.mulf %dx0, %x : tensor<64xf32>
    %dtable = arith.addf %dx, %b3 : tensor<64xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %dtable, %daw, %dav, %das, %dbw, %dbv, %dbs : tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<f32>, tensor<64xf32>, tensor<64xf32>, tensor<f32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @table by %dtable, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @a.w by %daw, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @a.v by %dav, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @a.s by %das, %clip, %hyper : tensor<f32>, tensor<f32>, tensor<4xf32>
    nn.update @b.w by %dbw, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @b.v by %dbv, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @b.s by %dbs, %clip, %hyper : tensor<f32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
