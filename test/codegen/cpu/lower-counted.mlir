// RUN: tessera-opt %s --cpu-build-kernels --plan-assign-ids --plan-lower-programs | FileCheck %s

// A launch whose rows are counted runs as often as the count says, at most as often
// as there is room for, so that threads share what there is. A GEMM gets the count.

func.func private @exp(%x: tensor<64x40xf32>, %n: tensor<i32> {plan.counts_rows = 64 : i64}) -> tensor<64x40xf32>
    attributes {plan.kernel} {
  %y = math.exp %x : tensor<64x40xf32>
  return %y : tensor<64x40xf32>
}

plan.program @train world 1 stage 0 accumulation 1 arena 20544
    memory {workspace = 20544 : i64} flops 512 {
  %a = plan.buffer "x" workspace at 0 persistent : memref<10240xi8>
  %b = plan.buffer "y" workspace at 10240 persistent : memref<10240xi8>
  %c = plan.buffer "count.0" workspace at 20480 persistent : memref<64xi8>
  %x = plan.view %a at 0 : memref<10240xi8> -> memref<64x40xf32>
  %y = plan.view %b at 0 : memref<10240xi8> -> memref<64x40xf32>
  %w = plan.view %b at 0 : memref<10240xi8> -> memref<40x40xf32>
  %n = plan.view %c at 0 : memref<64xi8> -> memref<i32>

  // CHECK-LABEL: llvm.func internal @train.run(
  // CHECK-SAME: %[[C:.*]]: !llvm.ptr, %[[ARENA:.*]]: !llvm.ptr)
  // CHECK-DAG: %[[AT:.*]] = llvm.mlir.constant(20480 : i64)
  // CHECK-DAG: %[[ALL:.*]] = llvm.mlir.constant(3 : i64)
  // CHECK-DAG: %[[NONE:.*]] = llvm.mlir.constant(0 : i64)
  // CHECK-DAG: %[[WIDTH:.*]] = llvm.mlir.constant(40 : i64)
  // CHECK-DAG: %[[MORE:.*]] = llvm.mlir.constant(1023 : i64)
  // CHECK-DAG: %[[BLOCK:.*]] = llvm.mlir.constant(1024 : i64)
  // CHECK: %[[N:.*]] = llvm.getelementptr %[[ARENA]][%[[AT]]]
  // CHECK: %[[LOADED:.*]] = llvm.load %[[N]] : !llvm.ptr -> i32
  // CHECK: %[[WIDE:.*]] = llvm.sext %[[LOADED]] : i32 to i64
  // CHECK: %[[COUNT:.*]] = llvm.intr.smax(%[[WIDE]], %[[NONE]])
  // CHECK: %[[ELEMENTS:.*]] = llvm.mul %[[COUNT]], %[[WIDTH]]
  // CHECK: %[[PADDED:.*]] = llvm.add %[[ELEMENTS]], %[[MORE]]
  // CHECK: %[[WANTED:.*]] = llvm.udiv %[[PADDED]], %[[BLOCK]]
  // CHECK: %[[ITERATIONS:.*]] = llvm.intr.smin(%[[WANTED]], %[[ALL]])
  // CHECK: llvm.call @tessera_launch(%[[C]], %{{.*}}, %{{.*}}, %[[ITERATIONS]],
  plan.section "run"
  plan.launch @exp(%x, %n, %y)
      {plan.iterations = 3 : i64, plan.counted_iterations = array<i64: 1, 40, 1024>}
      : (memref<64x40xf32>, memref<i32>, memref<64x40xf32>) -> ()
  // CHECK: llvm.call @tessera_gemm_counted(%[[C]], %{{.*}}, %[[N]],
  plan.gemm %x, %w into %y counted rows of 64 by %n
      : (memref<64x40xf32>, memref<40x40xf32>, memref<64x40xf32>, memref<i32>) -> ()
}

// CHECK: llvm.mlir.global external constant @tessera_manifest("{
// CHECK-SAME: \22counted\22:\22rows\22,\22room\22:64,
