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

// expected-error @+1 {{cannot have shards of 3 in a world of 4}}
plan.program @p world 4 shards 3 stage 0 accumulation 1 arena 0 memory {} flops 0 {
}

// -----

plan.program @p world 4 shards 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  // expected-error @+1 {{ends at byte 72 of a buffer of 64}}
  %1 = plan.view %0 at 16 rank_stride 16 replica_stride 32 : memref<64xi8> -> memref<2xf32>
}

// -----

plan.program @p world 4 shards 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<2xf32>
  %2 = plan.view %0 at 16 : memref<64xi8> -> memref<4xf32>
  // expected-error @+1 {{is over 2 ranks, step 4, which do not divide the world of 4}}
  %t = plan.start all_gather @g over 2 step 4 from %1 to %2 : memref<2xf32>, memref<4xf32>
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  // expected-error @+1 {{does not belong in a plan}}
  %0 = arith.constant 1 : i32
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<64xi8>
  // expected-error @+1 {{must be a view of a plan.buffer}}
  %2 = plan.view %1 at 0 : memref<64xi8> -> memref<16xf32>
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<i32>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<i32>
  // expected-error @+1 {{needs elements of f32, f64, bf16 or f16}}
  %t = plan.start all_reduce from %1 to %2 : memref<i32>, memref<i32>
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<8xi8>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<8xi8>
  // expected-error @+1 {{only an all_gather may have bytes, i8}}
  %t = plan.start all_reduce from %1 to %2 : memref<8xi8>, memref<8xi8>
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<bf16>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<f32>
  // expected-error @+1 {{needs one element type: only a reduce_scatter out of place may sum bf16 or f16 into f32}}
  %t = plan.start all_reduce from %1 to %2 : memref<bf16>, memref<f32>
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<16xf32>
  // expected-error @+1 {{needs a plan.view as operand #0}}
  %t = plan.start all_reduce from %0 to %0 : memref<64xi8>, memref<64xi8>
  plan.wait %t
  plan.fence %t
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 64 memory {parameters = 64 : i64} flops 0 {
  %0 = plan.buffer "a" parameters at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<f64>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<f64>
  // expected-error @+1 {{has no fence}}
  %t = plan.start all_reduce from %1 to %2 : memref<f64>, memref<f64>
  plan.wait %t
}

// -----

func.func private @k(tensor<4xf32>) -> tensor<4xf32> attributes {plan.kernel}
func.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{operand or result #0 is 'tensor<8xf32>', but kernel @k has 'tensor<4xf32>'}}
  %y = plan.launch @k(%x) : (tensor<8xf32>) -> tensor<4xf32>
  return
}

// -----

func.func private @k(tensor<4xf32>) -> tensor<4xf32> attributes {plan.kernel}
func.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{kernel @k has 2 arguments and results, the launch has 1}}
  plan.launch @k(%x) : (tensor<8xf32>) -> ()
  return
}

// -----

func.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{no kernel is named @none}}
  plan.launch @none(%x) : (tensor<8xf32>) -> ()
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>) {
  // expected-error @+1 {{inner sizes differ: 8 and 4}}
  %0 = plan.gemm %a, %b : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>, %bias: tensor<5xf32>) {
  // expected-error @+1 {{bias must have one element per column: 4}}
  %0 = plan.gemm %a, %a transpose_b bias %bias : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<5xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>, %c: tensor<5x4xf32>) {
  // expected-error @+1 {{addend must have the result's shape}}
  %0 = plan.gemm %a, %a transpose_b add %c : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<5x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{result must have shape 4x4}}
  %0 = plan.gemm %a, %a transpose_b : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @f(%a: tensor<4x8xf32>) {
  // expected-error @+1 {{needs either a result or a buffer to write into}}
  plan.gemm %a, %a transpose_b : (tensor<4x8xf32>, tensor<4x8xf32>) -> ()
  return
}

// -----

func.func @f(%a: tensor<8xf32>) {
  // expected-error @+1 {{operands must be matrices}}
  %0 = plan.gemm %a, %a : (tensor<8xf32>, tensor<8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @f(%a: tensor<4x8xbf16>) {
  // expected-error @+1 {{factors must have one element type, and the result that type or f32}}
  %0 = plan.gemm %a, %a transpose_b : (tensor<4x8xbf16>, tensor<4x8xbf16>) -> tensor<4x4xf16>
  return
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 0 offload 8192 memory {} flops 0 {
  // expected-error @+1 {{lies in the file, so it must be persistent and of category optimizer}}
  %0 = plan.buffer "a" parameters in file at 0 persistent : memref<64xi8>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 0 offload 8192 memory {} flops 0 {
  // expected-error @+1 {{lies in the file, so its offset must be a multiple of 4096}}
  %0 = plan.buffer "a" optimizer in file at 64 persistent : memref<64xi8>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 0 offload 64 memory {} flops 0 {
  // expected-error @+1 {{ends at byte 128 of a file of 64}}
  %0 = plan.buffer "a" optimizer in file at 0 persistent : memref<128xi8>
}

// -----

plan.program @p world 1 stage 0 accumulation 1 arena 64 memory {optimizer = 64 : i64} flops 0 {
  %0 = plan.buffer "a" optimizer at 0 persistent : memref<64xi8>
  // expected-error @+1 {{needs buffers of the file}}
  plan.fetch %0 : memref<64xi8>
}

// -----

plan.program @p world 2 stage 0 accumulation 1 arena 0 offload 64 memory {} flops 0 {
  %0 = plan.buffer "a" optimizer in file at 0 persistent : memref<64xi8>
  %1 = plan.view %0 at 0 : memref<64xi8> -> memref<f64>
  %2 = plan.view %0 at 8 : memref<64xi8> -> memref<f64>
  // expected-error @+1 {{uses a buffer of the file, which only this rank may}}
  %t = plan.start all_reduce from %1 to %2 : memref<f64>, memref<f64>
  plan.wait %t
  plan.fence %t
}

// -----

func.func @saved_without_result(%a: tensor<8x8xf32>) {
  // expected-error@+1 {{must have the GELU's operand as a second result}}
  %0 = plan.gemm %a, %a epilogue gelu_saved : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @plain_with_two_results(%a: tensor<8x8xf32>) {
  // expected-error@+1 {{has too many results}}
  %0:2 = plan.gemm %a, %a : (tensor<8x8xf32>, tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>)
  return
}

// -----

func.func @gradient_without_aux(%a: tensor<8x8xf32>) {
  // expected-error@+1 {{needs 'aux' with the epilogue gelu_grad}}
  %0 = plan.gemm %a, %a epilogue gelu_grad : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @gelu_with_aux(%a: tensor<8x8xf32>) {
  // expected-error@+1 {{has no use for 'aux' with the epilogue gelu}}
  %0 = plan.gemm %a, %a aux %a epilogue gelu : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @aux_of_another_type(%a: tensor<8x8xf32>, %b: tensor<8x8xbf16>) {
  // expected-error@+1 {{the GELU's operand must have the result's type}}
  %0 = plan.gemm %a, %a aux %b epilogue gelu_grad : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xbf16>) -> tensor<8x8xf32>
  return
}

// -----

func.func @counted_by_two(%a: tensor<4x4xf32>, %n: tensor<2xi32>) {
  // expected-error@+1 {{must be counted by one i32, not by 'tensor<2xi32>'}}
  %0 = plan.gemm %a, %a counted rows of 4 by %n : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<2xi32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @uncounted_room(%a: tensor<4x4xf32>) {
  // expected-error@+1 {{needs a count, what it bounds and of how many, or none of these}}
  %0 = plan.gemm %a, %a {room = 4 : i64} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @uneven_parts(%a: tensor<4x4xf32>, %n: tensor<i32>) {
  // expected-error@+1 {{is counted by parts of 3, which do not divide 4}}
  %0 = plan.gemm %a, %a counted rows of 3 by %n : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<i32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @counted_columns(%a: tensor<4x4xf32>, %n: tensor<i32>) {
  // expected-error@+1 {{is counted along a dimension that is not the rows of its operands}}
  %0 = plan.gemm %a, %a counted inner of 4 by %n : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<i32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @counted_with_bias(%a: tensor<4x4xf32>, %b: tensor<4xf32>, %n: tensor<i32>) {
  // expected-error@+1 {{can end with a bias and a GELU where its rows are counted, and with neither where its inner dimension is}}
  %0 = plan.gemm %a, %a transpose_a bias %b counted inner of 4 by %n : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4xf32>, tensor<i32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @counted_with_saved(%a: tensor<4x4xf32>, %n: tensor<i32>) {
  // expected-error@+1 {{can end with a bias and a GELU where its rows are counted, and with neither where its inner dimension is}}
  %0:2 = plan.gemm %a, %a epilogue gelu_saved counted rows of 4 by %n : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<i32>) -> (tensor<4x4xf32>, tensor<4x4xf32>)
  return
}

// -----

func.func @counted_sum_in_16_bits(%a: tensor<4x4xbf16>, %n: tensor<i32>) {
  // expected-error@+1 {{can be counted along its inner dimension only where sums are stored in f32}}
  %0 = plan.gemm %a, %a transpose_a counted inner of 4 by %n : (tensor<4x4xbf16>, tensor<4x4xbf16>, tensor<i32>) -> tensor<4x4xbf16>
  return
}
