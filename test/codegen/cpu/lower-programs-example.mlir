// RUN: tessera-opt %s --cpu-build-kernels --plan-assign-ids --plan-lower-programs | FileCheck %s

// The example of the pass: one kernel.

func.func private @negate(%x: tensor<16xf32>) -> tensor<16xf32> attributes {plan.kernel} {
  %y = arith.negf %x : tensor<16xf32>
  return %y : tensor<16xf32>
}

// example: launch
plan.program @predict world 1 stage 0 accumulation 1 arena 128 memory {activations = 128 : i64} flops 0 {
  %a = plan.buffer "a" activations at 0 live [0, 0] : memref<128xi8>
  %x = plan.view %a at 0 : memref<128xi8> -> memref<16xf32>
  %y = plan.view %a at 64 : memref<128xi8> -> memref<16xf32>
  plan.section "run"
  plan.launch @negate(%x, %y) {plan.iterations = 1 : i64} : (memref<16xf32>, memref<16xf32>) -> ()
}
// example end

// example: lowered
// CHECK: llvm.func internal @predict.run(%[[CONTEXT:[^:]+]]: !llvm.ptr, %[[ARENA:[^:]+]]: !llvm.ptr) {
// ...
// CHECK: %[[KERNEL:[^ ]+]] = llvm.mlir.addressof @negate : !llvm.ptr
// CHECK-NEXT: %[[SCRATCH:[^ ]+]] = llvm.mlir.zero : !llvm.ptr
// CHECK-NEXT: llvm.call @tessera_launch(%[[CONTEXT]], %[[KERNEL]], %[[ARGUMENTS:[^,]+]], %[[ITERATIONS:[^,]+]], %[[SCRATCH]], %[[STRIDE:[^,]+]]) : {{.*}}
// CHECK-NEXT: llvm.return
// CHECK-NEXT: }
// CHECK: llvm.mlir.global external constant @tessera_manifest("{{.*}}\00")
// CHECK: llvm.mlir.global external constant @tessera_entries() {{.*}} : !llvm.array<2 x struct<(ptr, ptr)>>
// example end
