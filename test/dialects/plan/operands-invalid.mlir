// RUN: tessera-opt %s --split-input-file --verify-diagnostics

// What the operands of a program's operations are, and what it divides by.

plan.program @predict world 1 stage 0 accumulation 1 arena 64 memory {workspace = 64} flops 0 {
  %0 = plan.buffer "a" workspace at 0 persistent : memref<64xi8>
  plan.section "run"
  // expected-error @+1 {{needs a plan.view as operand #0}}
  plan.clear %0 : memref<64xi8>
}

// -----

plan.program @predict world 1 stage 0 accumulation 1 arena 64 memory {workspace = 64} flops 0 {
  %0 = plan.buffer "a" workspace at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<64xi8>
  // expected-error @+1 {{needs a plan.buffer as operand #0}}
  plan.scratch %1 threads 1 : memref<64xi8>
}

// -----

// expected-error @+1 {{has arguments: what a program works on are its buffers}}
"plan.program"() <{sym_name = "predict", world = 1 : i64, stage = 0 : i64, accumulation = 1 : i64, arena_bytes = 0 : i64, memory = {}, flops = 0 : i64}> ({
^entry(%x: memref<64xi8>):
  plan.section "run"
}) : () -> ()

// -----

// expected-error @+1 {{cannot have a world of 0: from 1 to 65536 ranks are possible}}
plan.program @predict world 0 stage 0 accumulation 1 arena 0 memory {} flops 0 {
}

// -----

// expected-error @+1 {{cannot have shards of 0 in a world of 1}}
plan.program @predict world 1 shards 0 stage 0 accumulation 1 arena 0 memory {} flops 0 {
}

// -----

// expected-error @+1 {{cannot keep parameters among 0 of 2 ranks}}
plan.program @predict world 2 secondary 0 stage 0 accumulation 1 arena 0 memory {} flops 0 {
}

// -----

// expected-error @+1 {{cannot have -64 bytes of gradients}}
plan.program @predict world 1 stage 0 accumulation 1 arena 0 memory {workspace = 64, gradients = -64} flops 0 {
}

// -----

plan.program @predict world 1 stage 0 accumulation 1 arena 64 memory {workspace = 64} flops 0 {
  // expected-error @+1 {{size and offset must be at most 1152921504606846976}}
  %0 = plan.buffer "a" workspace at 9223372036854775744 persistent : memref<64xi8>
}

// -----

plan.program @predict world 65536 stage 0 accumulation 1 arena 64 memory {workspace = 64} flops 0 {
  %0 = plan.buffer "a" workspace at 0 persistent : memref<64xi8>
  // expected-error @+1 {{begins beyond the end of a buffer of 64}}
  %1 = plan.view %0 at 0 rank_stride 9223372036854775804 : memref<64xi8> -> memref<1xf32>
}

// -----

plan.program @predict world 1 stage 0 accumulation 1 arena 64 memory {workspace = 64} flops 0 {
  %0 = plan.buffer "a" workspace at 0 persistent : memref<64xi8>
  // expected-error @+1 {{of a buffer of 64}}
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<4294967296x4294967296xf32>
}

// -----

// expected-error @+1 {{expects parent op 'plan.program'}}
%0 = plan.buffer "a" workspace at 0 persistent : memref<64xi8>

// -----

// expected-error @+1 {{zero.world is 0 : i64: an i64 from 1 to 65536 is wanted}}
func.func @train() attributes {zero.stage = 0 : i64, zero.world = 0 : i64} {
  return
}

// -----

// expected-error @+1 {{zero.stage is 4 : i64: an i64 from 0 to 3 is wanted}}
func.func @train() attributes {zero.stage = 4 : i64, zero.world = 1 : i64} {
  return
}
