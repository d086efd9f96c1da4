// RUN: tessera-opt %s --split-input-file --plan-lower-programs --verify-diagnostics

llvm.func @k(!llvm.ptr, i64, i64, !llvm.ptr)
plan.program @p world 1 stage 0 accumulation 1 arena 64 memory {activations = 64 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<16xf32>
  plan.section "run"
  // expected-error @+1 {{does not say how often the kernel's loop runs: run cpu-shape-kernels before plan-place}}
  plan.launch @k(%1) : (memref<16xf32>) -> ()
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 64 memory {activations = 64 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<16xf32>
  // expected-error @+1 {{stands before the program's first section}}
  plan.clear %1 : memref<16xf32>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 256 memory {activations = 256 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<256xi8>
  %1 = plan.view %0 at 0 : memref<256xi8> -> memref<8x8xf32>
  plan.section "run"
  // expected-error @+1 {{has no number: run plan-assign-ids before plan-lower-programs}}
  plan.gemm %1, %1 into %1 : (memref<8x8xf32>, memref<8x8xf32>, memref<8x8xf32>) -> ()
}

// -----

llvm.func @k(!llvm.ptr, i64, i64, !llvm.ptr)
plan.program @p world 1 stage 0 accumulation 1 arena 64 memory {activations = 64 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<16xf32>
  plan.section "run"
  // expected-error @+1 {{has plan.counted_iterations = array<i64: 0, 1, 1>: the operand of a count, a numerator and a denominator are wanted}}
  plan.launch @k(%1) {plan.iterations = 1 : i64, plan.counted_iterations = array<i64: 0, 1, 1>} : (memref<16xf32>) -> ()
}
