// RUN: tessera-opt %s --cuda-build-kernels | FileCheck %s

// The example of the pass: four numbers a thread.

// example: exp
func.func private @exp(%x: tensor<1024xf32>) -> tensor<1024xf32> attributes {plan.kernel} {
  %y = math.exp %x : tensor<1024xf32>
  return %y : tensor<1024xf32>
}
// example end

// CHECK: gpu.module @device {

// example: exp
// CHECK-NEXT:   gpu.func @exp(%[[X:[^ :,]+]]: memref<1024xf32> {llvm.noalias}, %[[Y:[^ :,]+]]: memref<1024xf32> {llvm.noalias}, %[[SCRATCH:[^ :,]+]]: memref<0xi8> {llvm.noalias}) kernel attributes {known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 1, 1, 1>, nvvm.minctasm = 1 : i32, plan.kernel = "exp"} {
// CHECK-NEXT:     %[[BLOCK:[^ :,]+]] = gpu.block_id  x
// CHECK-NEXT:     %[[THREAD:[^ :,]+]] = gpu.thread_id  x
// CHECK-NEXT:     %[[MOST:[^ :,]+]] = arith.constant 1024 : index
// CHECK-NEXT:     %[[FIRST:[^ :,]+]] = arith.muli %[[BLOCK]], %[[MOST]] : index
// CHECK-NEXT:     %[[WIDTH:[^ :,]+]] = arith.constant 4 : index
// CHECK-NEXT:     %[[OFFSET:[^ :,]+]] = arith.muli %[[THREAD]], %[[WIDTH]] : index
// CHECK-NEXT:     %[[AT:[^ :,]+]] = arith.addi %[[FIRST]], %[[OFFSET]] : index
// CHECK-NEXT:     %[[NUMBERS:[^ :,]+]] = vector.load %[[X]][%[[AT]]] {alignment = 16 : i64} : memref<1024xf32>, vector<4xf32>
// CHECK-NEXT:     %[[POWERS:[^ :,]+]] = math.exp %[[NUMBERS]] : vector<4xf32>
// CHECK-NEXT:     vector.store %[[POWERS]], %[[Y]][%[[AT]]] {alignment = 16 : i64} : memref<1024xf32>, vector<4xf32>
// CHECK-NEXT:     gpu.return
// CHECK-NEXT:   }
// example end
