// RUN: split-file %s %t
// RUN: tessera-opt %t/steps.mlir --plan-describe-steps | FileCheck %s
// RUN: tessera-opt %t/none.mlir --plan-describe-steps | FileCheck %s --check-prefix=NONE

//--- steps.mlir

// What steps do is listed once each. A step is [work, layer, bytes in use], and how
// often it calls the runtime where that is not once. A step without parameters is of
// the layer of what is computed before it.

// CHECK: llvm.mlir.global external constant @tessera_steps("{\22works\22:[
// CHECK-SAME: {\22name\22:\22clear\22,\22kind\22:\22clear\22,\22bytes\22:256},
// CHECK-SAME: {\22name\22:\22start all_gather\22,\22kind\22:\22all_gather\22,\22collective\22:0},
// CHECK-SAME: {\22name\22:\22wait all_gather\22,\22kind\22:\22all_gather\22,\22bytes\22:64,\22collective\22:0},
// CHECK-SAME: {\22name\22:\22negate\22,\22kind\22:\22fused\22,\22flops\22:32,\22bytes\22:256},
// CHECK-SAME: {\22name\22:\22gemm 8 x 8 by 8 x 8\22,\22kind\22:\22gemm\22,\22flops\22:1024,\22bytes\22:768},
// CHECK-SAME: {\22name\22:\22fence all_gather\22,\22kind\22:\22all_gather\22,\22collective\22:0},
// CHECK-SAME: {\22name\22:\22evict\22,\22kind\22:\22evict\22,\22bytes\22:256}],
// CHECK-SAME: \22layers\22:[\22\22,\22g\22],
// CHECK-SAME: \22sections\22:[{\22name\22:\22begin\22,\22steps\22:{{\[}}[0,0,1152],[1,1,1152]]},
// CHECK-SAME: {\22name\22:\22micro\22,\22steps\22:{{\[}}[2,1,1152],[3,1,1152],[4,1,1152],[5,1,1152],[6,1,128,2]]}]}\00")

zero.group @g parameters [@w] offsets [0] elements 32 padded 32 class_ends [0]
nn.parameter @w : tensor<32xf32> init normal(0.5) group "g"
func.func private @negate(%x: tensor<32xf32>) -> tensor<32xf32> attributes {plan.kernel, plan.flops = 32 : i64} {
  %0 = arith.negf %x : tensor<32xf32>
  return %0 : tensor<32xf32>
}

plan.program @train world 2 stage 1 accumulation 1 arena 1152 offload 16384
    memory {activations = 1024 : i64, parameters = 128 : i64} flops 1056 {
  %p = plan.buffer "parameter g" parameters at 0 persistent : memref<128xi8>
  %a = plan.buffer "a" activations at 128 live [0, 5] : memref<1024xi8>
  %v = plan.buffer "moment1 g" optimizer in file at 0 persistent : memref<128xi8>
  %u = plan.buffer "moment2 g" optimizer in file at 12288 persistent : memref<128xi8>
  plan.state parameter @g %p : memref<128xi8>
  plan.state moment1 @g %v : memref<128xi8>
  plan.state moment2 @g %u : memref<128xi8>
  %full = plan.view %p at 0 : memref<128xi8> -> memref<32xf32>
  %part = plan.view %p at 0 rank_stride 64 : memref<128xi8> -> memref<16xf32>
  %m = plan.view %a at 0 : memref<1024xi8> -> memref<8x8xf32>
  %n = plan.view %a at 256 : memref<1024xi8> -> memref<8x8xf32>
  %y = plan.view %a at 512 : memref<1024xi8> -> memref<32xf32>
  plan.section "begin"
  plan.clear %m : memref<8x8xf32>
  %t = plan.start all_gather @g from %part to %full in_place : memref<16xf32>, memref<32xf32>
  plan.section "micro"
  plan.wait %t
  plan.launch @negate(%full, %y) {plan.iterations = 1 : i64} : (memref<32xf32>, memref<32xf32>) -> ()
  plan.gemm %m, %m into %n : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
  plan.fence %t
  plan.evict %v, %u : memref<128xi8>, memref<128xi8>
}

//--- none.mlir

// Other programs are not profiled.

// NONE-NOT: tessera_steps
plan.program @eval world 1 stage 0 accumulation 1 arena 64 memory {activations = 64 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<64xi8>
  %x = plan.view %0 at 0 : memref<64xi8> -> memref<16xf32>
  plan.section "run"
  plan.clear %x : memref<16xf32>
}
