// RUN: tessera-opt %s --plan-layout | FileCheck %s

// The example of the pass: the third buffer of a chain takes the place of the first.

plan.program @chain world 1 stage 0 accumulation 1 arena 3072
    memory {activations = 3072 : i64} flops 0 {
  // example: chain
  %a = plan.buffer "a" activations at 0 live [0, 1] : memref<1024xi8>
  %b = plan.buffer "b" activations at 1024 live [1, 2] : memref<1024xi8>
  %c = plan.buffer "c" activations at 2048 live [2, 3] : memref<1024xi8>
  // example end
  %av = plan.view %a at 0 : memref<1024xi8> -> memref<256xf32>
  %bv = plan.view %b at 0 : memref<1024xi8> -> memref<256xf32>
  %cv = plan.view %c at 0 : memref<1024xi8> -> memref<256xf32>
  // example: chain
  // ...
  plan.section "run"
  plan.clear %av : memref<256xf32>
  plan.copy %av to %bv : memref<256xf32>
  plan.copy %bv to %cv : memref<256xf32>
  plan.clear %cv : memref<256xf32>
  // example end
}

// example: chain
// CHECK: %[[A:[^ :,]+]] = plan.buffer "a" activations at 0 live [0, 1] : memref<1024xi8>
// CHECK-NEXT: %[[B:[^ :,]+]] = plan.buffer "b" activations at 1024 live [1, 2] : memref<1024xi8>
// CHECK-NEXT: %[[C:[^ :,]+]] = plan.buffer "c" activations at 0 live [2, 3] : memref<1024xi8>
// example end
