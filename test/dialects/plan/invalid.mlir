// RUN: tessera-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{categories sum to 64 bytes, the arena has 128}}
plan.program @p world 1 stage 0 accumulation 1 arena 128 memory {activations = 64 : i64} flops 0 {
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 128 memory {activations = 128 : i64} flops 0 {
  // expected-error @+1 {{size and offset must be multiples of 64}}
  %0 = plan.buffer "a" activations at 32 live [0, 1] : memref<64xi8>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 128 memory {activations = 128 : i64} flops 0 {
  // expected-error @+1 {{ends at byte 192 of an arena of 128}}
  %0 = plan.buffer "a" activations at 64 live [0, 1] : memref<128xi8>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 128 memory {activations = 128 : i64} flops 0 {
  // expected-error @+1 {{must be either persistent or have a lifetime}}
  %0 = plan.buffer "a" activations at 0 : memref<64xi8>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 128 memory {activations = 128 : i64} flops 0 {
  // expected-error @+1 {{lifetime must be [first step, last step]}}
  %0 = plan.buffer "a" activations at 0 live [3, 1] : memref<64xi8>
}

// -----

// Two buffers share byte 64 in step 2.
plan.program @p world 1 stage 0 accumulation 1 arena 192 memory {activations = 192 : i64} flops 0 {
  // expected-note @+1 {{the other buffer}}
  %0 = plan.buffer "a" activations at 0 live [0, 2] : memref<128xi8>
  // expected-error @+1 {{overlaps the buffer "a", which lives at the same time}}
  %1 = plan.buffer "b" activations at 64 live [2, 3] : memref<128xi8>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 128 memory {activations = 64 : i64, parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<64xi8>
  // expected-error @+1 {{offset and stride must be multiples of the element's 4 bytes}}
  %1 = plan.view %0 at 2 : memref<64xi8> -> memref<4xf32>
}

// -----

plan.program @p world 4 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  // expected-error @+1 {{ends at byte 80 of a buffer of 64}}
  %1 = plan.view %0 at 16 rank_stride 16 : memref<64xi8> -> memref<4xf32>
}

// -----

// expected-error @+1 {{persistent buffers of category parameters have 128 bytes, the plan says 64}}
plan.program @p world 1 stage 0 accumulation 1 arena 128 memory {activations = 64 : i64, parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<128xi8>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 64 memory {activations = 64 : i64} flops 0 {
  // expected-note @+1 {{the buffer}}
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<16xf32>
  plan.clear %1 : memref<16xf32>
  // expected-error @+1 {{uses buffer "a" in steps 1 to 1, outside its lifetime}}
  plan.clear %1 : memref<16xf32>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 64 memory {activations = 64 : i64} flops 0 {
  %0 = plan.buffer "a" activations at 0 live [0, 0] : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<16xf32>
  // expected-error @+1 {{needs a persistent buffer}}
  plan.input "x" %1 when "run" : memref<16xf32>
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<f64>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<f64>
  // expected-error @+1 {{has no wait}}
  %t = plan.start all_reduce from %1 to %2 : memref<f64>, memref<f64>
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<f64>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<f64>
  %t = plan.start all_reduce from %1 to %2 : memref<f64>, memref<f64>
  // expected-error @+1 {{stands before the collective's wait}}
  plan.fence %t
  plan.wait %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<f64>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<f64>
  %t = plan.start all_reduce from %1 to %2 : memref<f64>, memref<f64>
  plan.wait %t
  // expected-error @+1 {{ends a collective that has ended this way before}}
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 2 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<f64>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<f64>
  plan.section "micro"
  // expected-error @+1 {{starts in each micro-batch and must end in section "micro"}}
  %t = plan.start all_reduce from %1 to %2 : memref<f64>, memref<f64>
  plan.section "reduce"
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<2xf32>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<2xf32>
  // expected-error @+1 {{has 2 elements as source and 2 as destination in a world of 2}}
  %t = plan.start all_gather @g from %1 to %2 : memref<2xf32>, memref<2xf32>
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 rank_stride 8 : memref<64xi8> -> memref<2xf32>
  %2 = plan.view %0 at 16 : memref<64xi8> -> memref<4xf32>
  // expected-error @+1 {{is not in place, so its views must be the same on all ranks}}
  %t = plan.start all_gather @g from %1 to %2 : memref<2xf32>, memref<4xf32>
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  // expected-error @+1 {{does not belong in a plan}}
  %0 = arith.constant 1 : i32
}
