// RUN: tessera-opt %s --cpu-build-kernels | FileCheck %s

// Where one tile of rows meets the weights, which come from memory then, kernels ask
// for them ahead: from six rows on, as a CPU does so by itself for fewer.
// CHECK-LABEL: func.func private @few.body(
// CHECK:         scf.index_switch
// CHECK-NOT:     memref.prefetch
// CHECK:         case 6 {
// CHECK:           scf.for
// CHECK-COUNT-8:     memref.prefetch %{{.*}}[%{{.*}}], read, locality<2>, data : memref<16384xf32>
// CHECK:           vector.load
// CHECK:         default {
// CHECK:           memref.prefetch
func.func private @few(%a: tensor<8x512xf32>, %w: tensor<512x32xf32>, %count: tensor<1xi32>)
    -> tensor<8x32xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %w count %count packed
      : tensor<8x512xf32>, tensor<512x32xf32>, tensor<1xi32> -> tensor<8x32xf32>
  return %0 : tensor<8x32xf32>
}

// More rows meet them in the second cache.
// CHECK-LABEL: func.func private @many.body(
// CHECK-NOT:     memref.prefetch
// CHECK-LABEL: llvm.func @many(
func.func private @many(%a: tensor<16x512xf32>, %w: tensor<512x32xf32>, %count: tensor<1xi32>)
    -> tensor<16x32xf32> attributes {plan.kernel} {
  %0 = nn.row_matmul %a, %w count %count packed
      : tensor<16x512xf32>, tensor<512x32xf32>, tensor<1xi32> -> tensor<16x32xf32>
  return %0 : tensor<16x32xf32>
}

// Of weights as integers a group, 17 lines, from two rows on.
// CHECK-LABEL: func.func private @bytes.body(
// CHECK:         case 1 {
// CHECK-NOT:     memref.prefetch
// CHECK:         default {
// CHECK-COUNT-17: memref.prefetch %{{.*}}[%{{.*}}], read, locality<2>, data : memref<1088xi8>
// CHECK-NOT:     memref.prefetch
func.func private @bytes(%q: tensor<2x64xi8>, %s: tensor<2x2xf32>, %o: tensor<2x2xi32>, %w: tensor<1088xi8>)
    -> tensor<2x16xf32> attributes {plan.kernel} {
  %0 = nn.quantized_matmul %q, %s, %o, %w
      : (tensor<2x64xi8>, tensor<2x2xf32>, tensor<2x2xi32>, tensor<1088xi8>) -> tensor<2x16xf32>
  return %0 : tensor<2x16xf32>
}
