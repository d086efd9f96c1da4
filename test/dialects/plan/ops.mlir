// RUN: tessera-opt %s | tessera-opt | FileCheck %s

// Steps on tensors, before buffers have places.

// CHECK-LABEL: func.func @steps
func.func @steps(%a: tensor<128x64xf32>, %b: tensor<256x64xf32>, %bias: tensor<256xf32>, %v: tensor<64x256xf32>,
                 %u: tensor<128x32xf32>, %n: tensor<i32>, %m: tensor<16x16xf32>) {
  // CHECK: plan.launch @gelu(%{{.*}}) : (tensor<16x16xf32>) -> tensor<16x16xf32>
  // example: launch
  %l = plan.launch @gelu(%m) : (tensor<16x16xf32>) -> tensor<16x16xf32>
  // example end
  // CHECK: plan.gemm %{{.*}}, %{{.*}} transpose_b bias %{{.*}} epilogue gelu : (tensor<128x64xf32>, tensor<256x64xf32>, tensor<256xf32>) -> tensor<128x256xf32>
  // CHECK: %[[SAVED:.*]]:2 = plan.gemm %{{.*}}, %{{.*}} transpose_b epilogue gelu_saved
  // CHECK-SAME: -> (tensor<128x256xf32>, tensor<128x256xf32>)
  // CHECK: plan.gemm %{{.*}}, %{{.*}} aux %[[SAVED]]#1 epilogue gelu_grad
  // CHECK: plan.gemm %{{.*}}, %{{.*}} transpose_a counted inner of 128 by %{{.*}} :
  // example: gemm
  %c = plan.gemm %a, %b transpose_b bias %bias epilogue gelu
      : (tensor<128x64xf32>, tensor<256x64xf32>, tensor<256xf32>) -> tensor<128x256xf32>
  %y, %z = plan.gemm %a, %b transpose_b epilogue gelu_saved
      : (tensor<128x64xf32>, tensor<256x64xf32>) -> (tensor<128x256xf32>, tensor<128x256xf32>)
  %g = plan.gemm %a, %v aux %z epilogue gelu_grad
      : (tensor<128x64xf32>, tensor<64x256xf32>, tensor<128x256xf32>) -> tensor<128x256xf32>
  %w = plan.gemm %a, %u transpose_a counted inner of 128 by %n
      : (tensor<128x64xf32>, tensor<128x32xf32>, tensor<i32>) -> tensor<64x32xf32>
  // example end
  return
}

// Two ranks of a program: a gathered weight, a GEMM, a summed gradient.

func.func private @gelu(tensor<16x16xf32>) -> tensor<16x16xf32> attributes {plan.kernel}

// CHECK-LABEL: plan.program @train world 2 stage 3 accumulation 1 arena 4096
// CHECK-SAME: flops 8192
plan.program @train world 2 stage 3 accumulation 1 arena 4096
    memory {activations = 1024 : i64, communication = 1024 : i64, gradients = 512 : i64,
            optimizer = 0 : i64, parameters = 512 : i64, workspace = 1024 : i64}
    flops 8192 {
  // CHECK: plan.buffer "parameter h.0" parameters at 0 persistent : memref<512xi8>
  // example: buffer
  %p = plan.buffer "parameter h.0" parameters at 0 persistent : memref<512xi8>
  // example end
  %g = plan.buffer "gradient h.0" gradients at 512 persistent : memref<512xi8>
  %x = plan.buffer "x" workspace at 1024 persistent : memref<1024xi8>
  // CHECK: plan.buffer "gathered h.0" communication at 2048 live [1, 8]
  %full = plan.buffer "gathered h.0" communication at 2048 live [1, 8] : memref<1024xi8>
  // example: buffer
  %y = plan.buffer "y" activations at 3072 live [3, 4] : memref<1024xi8>
  // example end
  // CHECK: plan.state parameter @h.0 %{{.*}} sharded : memref<512xi8>
  // CHECK: plan.state gradient @h.0 %{{.*}} sharded of bf16 : memref<512xi8>
  // example: state
  plan.state parameter @h.0 %p sharded : memref<512xi8>
  plan.state gradient @h.0 %g sharded of bf16 : memref<512xi8>
  // example end
  %pv = plan.view %p at 0 : memref<512xi8> -> memref<128xf32>
  %gv = plan.view %g at 0 : memref<512xi8> -> memref<128xf32>
  // example: view
  %xv = plan.view %x at 0 : memref<1024xi8> -> memref<16x16xf32>
  // example end
  %fv = plan.view %full at 0 : memref<1024xi8> -> memref<256xf32>
  %w = plan.view %full at 0 : memref<1024xi8> -> memref<16x16xf32>
  %yv = plan.view %y at 0 : memref<1024xi8> -> memref<16x16xf32>
  // CHECK: plan.view %{{.*}} at 0 rank_stride 512 : memref<1024xi8> -> memref<128xf32>
  // example: view
  %mine = plan.view %full at 0 rank_stride 512 : memref<1024xi8> -> memref<128xf32>
  // example end
  plan.input "tokens" %xv when "micro" : memref<16x16xf32>
  plan.output "logits" %xv : memref<16x16xf32>
  plan.section "begin"
  plan.clear %gv : memref<128xf32>
  plan.section "micro"
  // CHECK: %[[T:.*]] = plan.start all_gather @h.0 from %{{.*}} to %{{.*}} : memref<128xf32>, memref<256xf32>
  // example: fence
  %t = plan.start all_gather @h.0 from %pv to %fv : memref<128xf32>, memref<256xf32>
  // CHECK-NEXT: plan.wait %[[T]]
  plan.wait %t
  // example end
  // CHECK-NEXT: plan.gemm %{{.*}}, %{{.*}} transpose_b into %{{.*}} :
  plan.gemm %xv, %w transpose_b into %yv
      : (memref<16x16xf32>, memref<16x16xf32>, memref<16x16xf32>) -> ()
  // example: launch
  plan.launch @gelu(%yv, %w) : (memref<16x16xf32>, memref<16x16xf32>) -> ()
  // example end
  // example: fence
  plan.fence %t
  // example end
  // CHECK: plan.start reduce_scatter @h.0 from %{{.*}} to %{{.*}} accumulate
  %u = plan.start reduce_scatter @h.0 from %fv to %gv accumulate : memref<256xf32>, memref<128xf32>
  plan.wait %u
  plan.fence %u
}

// A bucket of 16-bit gradients, summed into 32 bits.

// CHECK-LABEL: plan.program @sum
// example: program
plan.program @sum world 2 stage 2 accumulation 1 arena 128
    memory {communication = 64 : i64, gradients = 64 : i64} flops 0 {
  %g = plan.buffer "gradient h.0" gradients at 0 persistent : memref<64xi8>
  %b = plan.buffer "bucket h.0" communication at 64 live [0, 2] : memref<64xi8>
  %gv = plan.view %g at 0 : memref<64xi8> -> memref<16xf32>
  %bv = plan.view %b at 0 : memref<64xi8> -> memref<32xbf16>
  plan.section "micro"
  // CHECK: plan.start reduce_scatter @h.0 from %{{.*}} to %{{.*}} : memref<32xbf16>, memref<16xf32>
  %t = plan.start reduce_scatter @h.0 from %bv to %gv : memref<32xbf16>, memref<16xf32>
  plan.wait %t
  plan.fence %t
}
// example end

// States in the rank's file.

// CHECK-LABEL: plan.program @file world 1 stage 0 accumulation 1 arena 0 offload 4096
plan.program @file world 1 stage 0 accumulation 1 arena 0 offload 4096 memory {} flops 0 {
  // CHECK: %[[M:.*]] = plan.buffer "moment1 h.0" optimizer in file at 0 persistent : memref<64xi8>
  // example: buffer
  %m = plan.buffer "moment1 h.0" optimizer in file at 0 persistent : memref<64xi8>
  // example end
  plan.state moment1 @h.0 %m : memref<64xi8>
  plan.section "update"
  // CHECK: plan.fetch %[[M]] : memref<64xi8>
  // CHECK: plan.evict %[[M]] : memref<64xi8>
  // example: fetch
  plan.fetch %m : memref<64xi8>
  plan.evict %m : memref<64xi8>
  // example end
}

// Rows by 64, and 8 of a rest: activations, and the gradient of a weight, the sum
// of two parts.

// CHECK-LABEL: func.func @rows
func.func @rows(%x: tensor<200x8xf32>, %w: tensor<16x8xf32>) {
  // CHECK: plan.row_loop @chunk, @rest(%{{.*}}, %{{.*}}) rows 200 by 64 parts 2 : (tensor<200x8xf32>, tensor<16x8xf32>) -> (tensor<200x16xf32>, tensor<2x16x8xf32>)
  // example: row-loop
  %h, %g = plan.row_loop @chunk, @rest(%x, %w) rows 200 by 64 parts 2
      : (tensor<200x8xf32>, tensor<16x8xf32>) -> (tensor<200x16xf32>, tensor<2x16x8xf32>)
  // example end
  return
}

// example: row-loop
func.func private @chunk(%x: tensor<64x8xf32>, %w: tensor<16x8xf32>, %g: tensor<16x8xf32>)
    -> (tensor<64x16xf32>, tensor<16x8xf32>) attributes {plan.kernel} {
  %h = plan.gemm %x, %w transpose_b local : (tensor<64x8xf32>, tensor<16x8xf32>) -> tensor<64x16xf32>
  %d = plan.gemm %h, %x transpose_a local : (tensor<64x16xf32>, tensor<64x8xf32>) -> tensor<16x8xf32>
  %sum = plan.launch @add(%g, %d) : (tensor<16x8xf32>, tensor<16x8xf32>) -> tensor<16x8xf32>
  return %h, %sum : tensor<64x16xf32>, tensor<16x8xf32>
}
// example end

func.func private @rest(%x: tensor<8x8xf32>, %w: tensor<16x8xf32>, %g: tensor<16x8xf32>)
    -> (tensor<8x16xf32>, tensor<16x8xf32>) attributes {plan.kernel} {
  %h = plan.gemm %x, %w transpose_b local : (tensor<8x8xf32>, tensor<16x8xf32>) -> tensor<8x16xf32>
  %d = plan.gemm %h, %x transpose_a local : (tensor<8x16xf32>, tensor<8x8xf32>) -> tensor<16x8xf32>
  %sum = plan.launch @add(%g, %d) : (tensor<16x8xf32>, tensor<16x8xf32>) -> tensor<16x8xf32>
  return %h, %sum : tensor<8x16xf32>, tensor<16x8xf32>
}

func.func private @add(%x: tensor<16x8xf32>, %y: tensor<16x8xf32>) -> tensor<16x8xf32> attributes {plan.kernel} {
  %sum = arith.addf %x, %y : tensor<16x8xf32>
  return %sum : tensor<16x8xf32>
}
