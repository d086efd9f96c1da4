// RUN: tessera-opt %s --zero-partition="stage=3 world=4 quantized-gathers=1" --zero-verify | FileCheck %s
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 secondary-ranks=2 quantized-gathers=1" --zero-verify | FileCheck %s --check-prefix=KEPT
// RUN: tessera-opt %s --zero-pipeline="stage=3 world=4 quantized-gathers=1" | FileCheck %s --check-prefix=EARLY
// RUN: tessera-opt %s --zero-pipeline="stage=3 world=4 quantized-gathers=1" --zero-schedule --zero-verify | FileCheck %s --check-prefix=EARLY
// RUN: tessera-opt %s --zero-pipeline="stage=3 world=4 quantized-gathers=1 prefetch=2 prefetch-bytes=1000" | FileCheck %s --check-prefix=BUDGET
// RUN: tessera-opt %s --zero-pipeline="stage=3 world=4 quantized-gathers=1 prefetch=2 prefetch-bytes=600" | FileCheck %s --check-prefix=NONE
// RUN: tessera-opt %s --zero-partition="stage=3 world=4 quantized-gathers=1 persistence-threshold=64" --zero-verify | FileCheck %s --check-prefix=WHOLE
// RUN: tessera-opt %s --zero-partition="stage=2 world=4 quantized-gathers=1" --zero-verify | FileCheck %s --check-prefix=WHOLE

// Parameters travel as bytes: a shard of 16 is 16 bytes and one scale of 4, and
// all ranks compute with what the four messages stand for, their own included.

// CHECK: func.func @train
// example: gather
// CHECK: %[[A:.*]] = zero.load parameter @first : tensor<16xf32>
// CHECK: %[[Q:.*]] = zero.quantize %[[A]] : tensor<16xf32> -> tensor<20xi8>
// CHECK-NEXT: %[[F:.*]], %[[T:.*]] = zero.all_gather @first, %[[Q]] : tensor<20xi8> -> tensor<80xi8>
// CHECK-NEXT: %[[BYTES:.*]] = zero.wait %[[F]], %[[T]] : tensor<80xi8>
// CHECK-NEXT: %[[W:.*]] = zero.dequantize %[[BYTES]] parts 4 : tensor<80xi8> -> tensor<64xf32>
// CHECK-NEXT: nn.slice %[[W]] from 0 {{.*}}
// ...
// CHECK: zero.release %[[W]] : tensor<64xf32>
// example end
// CHECK: zero.quantize
// CHECK-NEXT: zero.all_gather @second
// The backward pass quantizes again rather than keep what it has sent.
// CHECK: zero.quantize %[[A]]
// CHECK-NEXT: zero.all_gather @first
// The state is updated as it is.
// CHECK: nn.section "update"
// CHECK: zero.update @first, %[[A]]
// CHECK-NOT: zero.quantize

// Among few ranks the bytes are kept: two of the four messages.
// KEPT: %[[BYTES:.*]] = zero.wait %{{.*}} : tensor<80xi8>
// KEPT-NEXT: %[[K:.*]] = zero.keep %[[BYTES]] along secondary : tensor<80xi8> -> tensor<40xi8>
// KEPT-NEXT: zero.dequantize %[[BYTES]] parts 4
// KEPT: zero.all_gather @first, %[[K]] along secondary : tensor<40xi8> -> tensor<80xi8>
// KEPT-NEXT: %[[AGAIN:.*]] = zero.wait
// KEPT-NEXT: zero.dequantize %[[AGAIN]] parts 4

// A gather starts early, right behind its quantization; parameters are whole
// only from where they are used.
// EARLY: zero.quantize
// EARLY-NEXT: zero.all_gather @first
// EARLY-NEXT: %[[BYTES:.*]] = zero.wait
// EARLY-NEXT: zero.quantize
// EARLY-NEXT: zero.all_gather @second
// EARLY-NEXT: %[[W:.*]] = zero.dequantize %[[BYTES]]
// EARLY: zero.release %[[W]]
// EARLY-NEXT: %[[BYTES2:.*]] = zero.wait
// EARLY-NEXT: zero.quantize
// EARLY-NEXT: zero.all_gather @first
// EARLY-NEXT: zero.dequantize %[[BYTES2]]

// A group counts with its bytes and its parameters, 80 + 256: 1000 have room for
// two of them, but not for a third, 600 for one.
// BUDGET: zero.all_gather @first
// BUDGET: zero.all_gather @second
// BUDGET: zero.release
// BUDGET: zero.all_gather @first
// NONE: zero.all_gather @first
// NONE-NOT: zero.all_gather
// NONE: zero.release
// NONE: zero.all_gather @second

// Where parameters are whole already nothing is quantized.
// WHOLE-NOT: quantize
// WHOLE-NOT: xi8

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>>} {
  nn.parameter @a : tensor<64xf32> init normal(0.02) decay group "first"
  nn.parameter @b : tensor<64xf32> init normal(0.02) decay group "second"

  func.func @train(%x: tensor<64xf32> {nn.input = "x"}, %hyper: tensor<4xf32> {nn.input = "hyper"})
      -> (tensor<f32> {nn.output = "loss"}, tensor<f32> {nn.output = "grad_norm"}) {
    %a = nn.get_parameter @a : tensor<64xf32>
    %b = nn.get_parameter @b : tensor<64xf32>
    %ax = arith.mulf %a, %x : tensor<64xf32>
    %bx = arith.mulf %b, %ax : tensor<64xf32>
    %loss = nn.reduce sum %bx dims [0] : tensor<64xf32> -> tensor<f32>
    %db = math.absf %ax : tensor<64xf32>
    %dax = arith.mulf %b, %x : tensor<64xf32>
    %da = arith.mulf %dax, %a : tensor<64xf32>
    nn.section "reduce"
    %squares = nn.sum_squares %da, %db : tensor<64xf32>, tensor<64xf32> -> tensor<f64>
    %clip, %norm = nn.clip_scale %squares max_norm 1.0 : tensor<f64> -> tensor<f32>, tensor<f32>
    nn.section "update"
    nn.update @a by %da, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    nn.update @b by %db, %clip, %hyper : tensor<64xf32>, tensor<f32>, tensor<4xf32>
    return %loss, %norm : tensor<f32>, tensor<f32>
  }
}
