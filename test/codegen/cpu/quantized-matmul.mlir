// RUN: sed s/CPU/znver4/ %s | tessera-opt --cpu-build-kernels | FileCheck %s
// RUN: sed s/CPU/znver4/ %s | tessera-opt --cpu-build-kernels | FileCheck %s --check-prefix=WHOLE
// RUN: sed s/CPU/alderlake/ %s | tessera-opt --cpu-build-kernels | FileCheck %s --check-prefix=HALVES
// RUN: sed s/CPU/x86-64-v4/ %s | tessera-opt --cpu-build-kernels | FileCheck %s --check-prefix=PLAIN

// A tile of weights meets a row, two blocks at a time: each block's integers, then
// its scales.
// CHECK-LABEL: func.func private @matmul.body(
// CHECK:         scf.for
// CHECK:           memref.load %{{.*}} : memref<2xi32>
// CHECK-COUNT-8:   vector.load %{{.*}} : memref<1088xi8>, vector<64xi8>
// CHECK:           vector.load %{{.*}} : memref<544xf16>, vector<16xf16>
// CHECK:           arith.sitofp %{{.*}} : vector<16xi32> to vector<16xf32>
// CHECK:           math.fma

// Eight instructions for each of two blocks, or what stands for them.
// WHOLE-COUNT-16: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
// WHOLE-NOT:     vpdpbusd
// HALVES-COUNT-32: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"(%{{.*}}) : (vector<8xi32>, vector<32xi8>, vector<32xi8>) -> vector<8xi32>
// HALVES-NOT:    vpdpbusd
// PLAIN-NOT:     vpdpbusd
// PLAIN-COUNT-64: arith.muli %{{.*}} : vector<16xi32>
// PLAIN-NOT:     vpdpbusd
module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cpu<name = "CPU">>} {
  func.func private @matmul(%q: tensor<1x64xi8>, %s: tensor<1x2xf32>, %o: tensor<1x2xi32>, %w: tensor<1088xi8>)
      -> tensor<1x16xf32> attributes {plan.kernel} {
    %0 = nn.quantized_matmul %q, %s, %o, %w
        : (tensor<1x64xi8>, tensor<1x2xf32>, tensor<1x2xi32>, tensor<1088xi8>) -> tensor<1x16xf32>
    return %0 : tensor<1x16xf32>
  }
}
