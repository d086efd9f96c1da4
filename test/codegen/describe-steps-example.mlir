// RUN: tessera-opt %s --plan-describe-steps | FileCheck %s

// The example of the pass: one step.

// example: clear
plan.program @train world 1 stage 0 accumulation 1 arena 64 memory {gradients = 64 : i64} flops 0 {
  %g = plan.buffer "gradient g" gradients at 0 persistent : memref<64xi8>
  %x = plan.view %g at 0 : memref<64xi8> -> memref<16xf32>
  plan.section "begin"
  plan.clear %x : memref<16xf32>
}
// CHECK: llvm.mlir.global external constant @tessera_steps("{\22works\22:[{\22name\22:\22clear\22,\22kind\22:\22clear\22,\22bytes\22:64{{.*}}\00")
// example end
