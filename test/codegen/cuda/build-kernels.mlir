// RUN: tessera-opt %s --cuda-build-kernels --canonicalize --cse | FileCheck %s

// A thread loads all its vectors of 16 bytes, a block of threads apart, before
// it stores the first. What lies past the end is moved to the last vector.
// CHECK-LABEL: gpu.func @elements(
// CHECK-SAME:      %[[X:[a-z0-9]+]]: memref<100x128xbf16>, %[[Y:[a-z0-9]+]]: memref<100x128xbf16>, %{{.*}}: memref<0xi8> {llvm.noalias}) kernel
// CHECK-SAME:      known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 4, 1, 1>, {{.*}}plan.kernel = "elements"
// CHECK:         %[[IN:.*]] = memref.collapse_shape %[[X]]
// CHECK:         %[[OUT:.*]] = memref.collapse_shape %[[Y]]
// CHECK:         %[[EXISTS:.*]] = arith.cmpi slt, %[[AT:.*]], %c12800
// CHECK:         %[[PLACE:.*]] = arith.minsi %[[AT]], %c12792
// CHECK:         vector.load %[[IN]][%[[PLACE]]] {alignment = 16 : i64} : memref<12800xbf16>, vector<8xbf16>
// CHECK:         math.tanh %{{.*}} : vector<8xf32>
// CHECK:         vector.load
// CHECK:         math.tanh
// CHECK:         scf.if %[[EXISTS]]
// CHECK-NEXT:      vector.store %{{.*}}, %[[OUT]][%[[PLACE]]]
// CHECK:         scf.if
// CHECK-NEXT:      vector.store
func.func private @elements(%x: tensor<100x128xbf16>) -> (tensor<100x128xbf16> {plan.inplace = [0]})
    attributes {plan.kernel} {
  %0 = math.tanh %x : tensor<100x128xbf16>
  return %0 : tensor<100x128xbf16>
}

// A warp has a row; four rows are a block.
// CHECK-LABEL: gpu.func @row_sums(
// CHECK-SAME:      %{{.*}}: memref<100x256xf32> {llvm.noalias}, %[[Y:[a-z0-9]+]]: memref<100xf32> {llvm.noalias}
// CHECK-SAME:      known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 25, 1, 1>
// CHECK-COUNT-2: vector.load {{.*}} : memref<25600xf32>, vector<4xf32>
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK:         scf.if
// CHECK-NEXT:      memref.store %{{.*}}, %[[Y]]
// CHECK-NOT:     gpu.barrier
func.func private @row_sums(%x: tensor<100x256xf32>) -> tensor<100xf32> attributes {plan.kernel} {
  %0 = nn.reduce sum %x dims [1] : tensor<100x256xf32> -> tensor<100xf32>
  return %0 : tensor<100xf32>
}

// A cross-entropy's backward pass in place of the logits: a block of 512 threads has
// a row, too long for registers. It walks over it for the maximum, then for the
// two sums, and once more to write; each reduction is one by warps and one by
// way of shared memory.
// CHECK-LABEL: gpu.func @cross_entropy(
// CHECK-SAME:      %[[LOGITS:[a-z0-9]+]]: memref<16x50304xf32>
// CHECK-SAME:      known_block_size = array<i32: 512, 1, 1>, known_grid_size = array<i32: 16, 1, 1>
// CHECK:         %[[X:.*]] = memref.collapse_shape %[[LOGITS]]
// CHECK:         scf.for
// CHECK-COUNT-4:   vector.load %[[X]]
// CHECK:           arith.maximumf
// CHECK-COUNT-5: gpu.shuffle xor
// CHECK:         gpu.barrier
// CHECK-COUNT-4: gpu.shuffle xor
// CHECK:         scf.for
// CHECK-COUNT-4:   vector.load %[[X]]
// CHECK:           math.exp
// CHECK:         gpu.barrier
// CHECK:         gpu.barrier
// CHECK:         scf.for
// CHECK-COUNT-4:   vector.load %[[X]]
// CHECK-COUNT-4:   vector.store
func.func private @cross_entropy(%x: tensor<16x50304xf32>, %targets: tensor<16xi32>)
    -> (tensor<16xf32>, tensor<16x50304xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %zero = arith.constant dense<0.0> : tensor<16x50304xf32>
  %one = arith.constant dense<1.0> : tensor<16x50304xf32>
  %max = nn.reduce max %x dims [1] : tensor<16x50304xf32> -> tensor<16xf32>
  %shift = nn.broadcast %max dims [0] : tensor<16xf32> -> tensor<16x50304xf32>
  %shifted = arith.subf %x, %shift : tensor<16x50304xf32>
  %exp = math.exp %shifted : tensor<16x50304xf32>
  %sum = nn.reduce sum %exp dims [1] : tensor<16x50304xf32> -> tensor<16xf32>
  %column = nn.iota 1 : tensor<16x50304xi32>
  %target = nn.broadcast %targets dims [0] : tensor<16xi32> -> tensor<16x50304xi32>
  %hit = arith.cmpi eq, %column, %target : tensor<16x50304xi32>
  %picked = arith.select %hit, %shifted, %zero : tensor<16x50304xi1>, tensor<16x50304xf32>
  %logit = nn.reduce sum %picked dims [1] : tensor<16x50304xf32> -> tensor<16xf32>
  %log = math.log %sum : tensor<16xf32>
  %loss = arith.subf %log, %logit : tensor<16xf32>
  %sums = nn.broadcast %sum dims [0] : tensor<16xf32> -> tensor<16x50304xf32>
  %p = arith.divf %exp, %sums : tensor<16x50304xf32>
  %label = arith.select %hit, %one, %zero : tensor<16x50304xi1>, tensor<16x50304xf32>
  %dx = arith.subf %p, %label : tensor<16x50304xf32>
  return %loss, %dx : tensor<16xf32>, tensor<16x50304xf32>
}

// A block sums a part of the rows of a strip of columns, by way of shared
// memory, into scratch memory; the second grid adds the parts in their order.
// CHECK-LABEL: gpu.func @column_sums(
// CHECK-SAME:      %[[SCRATCH:[a-z0-9]+]]: memref<131072xi8> {llvm.noalias}) workgroup(%[[SHARED:.*]] : memref<1024xf32
// CHECK-SAME:      known_grid_size = array<i32: 256, 1, 1>
// CHECK:         scf.for
// CHECK-COUNT-4:   vector.load
// CHECK:         vector.store %{{.*}}, %[[SHARED]]
// CHECK:         gpu.barrier
// CHECK:         vector.load %[[SHARED]]
// CHECK:         %[[PARTS:.*]] = memref.view %[[SCRATCH]]
// CHECK:         vector.store %{{.*}}, %[[PARTS]]
// CHECK-LABEL: gpu.func @column_sums_grid1(
// CHECK-SAME:      %[[Y:[a-z0-9]+]]: memref<256xf32> {llvm.noalias}, %[[SCRATCH:[a-z0-9]+]]: memref<131072xi8> {llvm.noalias}) kernel
// CHECK-SAME:      plan.kernel = "column_sums"
// CHECK:         %[[PARTS:.*]] = memref.view %[[SCRATCH]]
// CHECK:         scf.for %{{.*}} = %c0 to %c128 step %c1
// CHECK:           vector.load %[[PARTS]]
// CHECK:         vector.store %{{.*}}, %[[Y]]
func.func private @column_sums(%x: tensor<4096x256xf32>) -> tensor<256xf32> attributes {plan.kernel} {
  %0 = nn.reduce sum %x dims [0] : tensor<4096x256xf32> -> tensor<256xf32>
  return %0 : tensor<256xf32>
}

// A block moves a tile of 32 x 32, whose rows are 33 elements apart in shared
// memory: columns of it lie in different banks.
// CHECK-LABEL: gpu.func @transpose(
// CHECK-SAME:      workgroup(%[[TILE:.*]] : memref<1056xf32, #gpu.address_space<workgroup>>
// CHECK-SAME:      known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 6, 1, 1>
// CHECK-COUNT-4: memref.load %{{.*}} : memref<6144xf32>
// CHECK-COUNT-4: memref.store %{{.*}}, %[[TILE]]
// CHECK:         gpu.barrier
// CHECK:         arith.muli %{{.*}}, %c33
// CHECK:         memref.load %[[TILE]]
// CHECK:         memref.store %{{.*}} : memref<6144xf32>
func.func private @transpose(%x: tensor<64x96xf32>) -> tensor<96x64xf32> attributes {plan.kernel} {
  %0 = nn.transpose %x by [1, 0] : tensor<64x96xf32> -> tensor<96x64xf32>
  return %0 : tensor<96x64xf32>
}

// Where the last dimension stays, vectors move as they are.
// CHECK-LABEL: gpu.func @transpose_heads(
// CHECK-NOT:     workgroup
// CHECK-COUNT-4: vector.load {{.*}} : memref<262144xf32>, vector<4xf32>
// CHECK-COUNT-4: vector.store {{.*}} : memref<262144xf32>, vector<4xf32>
func.func private @transpose_heads(%x: tensor<8x128x4x64xf32>) -> tensor<8x4x128x64xf32>
    attributes {plan.kernel} {
  %0 = nn.transpose %x by [0, 2, 1, 3] : tensor<8x128x4x64xf32> -> tensor<8x4x128x64xf32>
  return %0 : tensor<8x4x128x64xf32>
}

// Four threads have a node, so that 64 nodes are a block; four edges are on
// their way at a time.
// CHECK-LABEL: gpu.func @aggregate(
// CHECK-SAME:      %[[START:[a-z0-9]+]]: memref<101xi32> {llvm.noalias}, %[[SOURCE:[a-z0-9]+]]: memref<400xi32> {llvm.noalias}, %[[WEIGHT:[a-z0-9]+]]: memref<400xf32>
// CHECK-SAME:      known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 2, 1, 1>
// CHECK:         memref.load %[[START]]
// CHECK:         %[[END:.*]] = arith.index_cast
// CHECK:         memref.load %[[START]]
// CHECK:         scf.for %{{.*}} step %c4 iter_args(%{{.*}}) -> (vector<4xf32>)
// CHECK:           memref.load %[[WEIGHT]]
// CHECK:           memref.load %[[SOURCE]]
// CHECK-COUNT-4:   vector.load {{.*}} : memref<1600xf32>, vector<4xf32>
// CHECK-COUNT-4:   math.fma
// CHECK:         vector.store
func.func private @aggregate(%p: tensor<101xi32>, %c: tensor<400xi32>, %w: tensor<400xf32>,
    %pt: tensor<101xi32>, %ct: tensor<400xi32>, %wt: tensor<400xf32>, %x: tensor<100x16xf32>)
    -> tensor<100x16xf32> attributes {plan.kernel} {
  %g = graph.csr %p, %c, %w transposed %pt, %ct, %wt : !graph.csr<100x100, 400>
  %0 = graph.aggregate %g, %x : !graph.csr<100x100, 400>, tensor<100x16xf32>
  return %0 : tensor<100x16xf32>
}

// Two blocks order the 64 rows by their index, and one copies the table where
// that lies in another buffer. Then each index has a group of threads.
// CHECK-LABEL: gpu.func @scatter(
// CHECK-SAME:      %[[TABLE:[a-z0-9]+]]: memref<9x16xf32>, %[[INDICES:[a-z0-9]+]]: memref<64xi32> {llvm.noalias},
// CHECK-SAME:      %{{.*}}: memref<64x16xf32> {llvm.noalias}, %[[OUT:[a-z0-9]+]]: memref<9x16xf32>, %[[SCRATCH:[a-z0-9]+]]: memref<576xi8> {llvm.noalias})
// CHECK-SAME:      known_grid_size = array<i32: 3, 1, 1>
// CHECK-DAG:     %[[ORDER:.*]] = memref.view %[[SCRATCH]][%c0][] : memref<576xi8> to memref<64xi32>
// CHECK-DAG:     %[[SORTED:.*]] = memref.view %[[SCRATCH]][%c256][] : memref<576xi8> to memref<66xi32>
// CHECK:         arith.cmpi slt, %block_id_x, %c2
// CHECK:         vector.load %[[INDICES]]
// CHECK:         gpu.barrier
// CHECK:         memref.store %{{.*}}, %[[ORDER]]
// CHECK:         memref.store %{{.*}}, %[[SORTED]]
// CHECK:         } else {
// CHECK:         %[[APART:.*]] = arith.cmpi ne
// CHECK:         scf.if %[[APART]]
// CHECK:           vector.store
// CHECK-LABEL: gpu.func @scatter_grid1(
// CHECK:         arith.cmpi ne
// CHECK:         scf.while
// CHECK-COUNT-4:   vector.load {{.*}} : memref<1024xf32>, vector<4xf32>
// CHECK-COUNT-4:   arith.addf
// CHECK:         vector.store {{.*}} : memref<144xf32>, vector<4xf32>
func.func private @scatter(%table: tensor<9x16xf32>, %indices: tensor<64xi32>, %rows: tensor<64x16xf32>)
    -> (tensor<9x16xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %0 = nn.scatter_add %rows, %indices into %table : tensor<64x16xf32>, tensor<64xi32>, tensor<9x16xf32>
  return %0 : tensor<9x16xf32>
}

// A warp has a block of 256 numbers, eight per thread, and finds their largest.
// CHECK-LABEL: gpu.func @quantize(
// CHECK-SAME:      known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 2, 1, 1>
// CHECK-COUNT-2: vector.load {{.*}} : memref<4096xf32>, vector<4xf32>
// CHECK-COUNT-5: gpu.shuffle xor {{.*}} : i32
// CHECK-COUNT-2: vector.store {{.*}} : memref<4160xi8>, vector<4xi8>
func.func private @quantize(%x: tensor<4096xf32>) -> tensor<4160xi8> attributes {plan.kernel} {
  %0 = zero.quantize %x : tensor<4096xf32> -> tensor<4160xi8>
  return %0 : tensor<4160xi8>
}

// Scores are matmuls of tensor cores. As probabilities they are rounded to 16
// bits where they are, for the matmul with the values.
// CHECK-LABEL: gpu.func @attention(
// CHECK-SAME:      known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 8, 1, 1>
// CHECK:         vector.store {{.*}} {alignment = 16 : i64} : memref<2560xbf16, #gpu.address_space<workgroup>>, vector<8xbf16>
// CHECK:         scf.for
// CHECK-NOT:       math.exp2
// CHECK:           nvgpu.ldmatrix %{{.*}} {numTiles = 4 : i32, transpose = false}
// CHECK:           nvvm.mma.sync {{.*}} multiplicandAPtxType = #nvvm.mma_type<bf16>{{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK:           math.exp2
// CHECK-NOT:       vector.store {{.*}} vector<2xbf16>
// CHECK:           arith.truncf %{{.*}} : vector<2xf32> to vector<2xbf16>
// CHECK:           nvgpu.ldmatrix %{{.*}} {numTiles = 4 : i32, transpose = true}
// CHECK:           nvvm.mma.sync
// CHECK:         scf.yield
func.func private @attention(%qkv: tensor<256x192xbf16>) -> (tensor<256x64xbf16>, tensor<2x256xf32>)
    attributes {plan.kernel} {
  %0:2 = nn.attention %qkv batch 1 heads 2 layout blocked causal scale 0.1767 : tensor<256x192xbf16> -> tensor<256x64xbf16>, tensor<2x256xf32>
  return %0#0, %0#1 : tensor<256x64xbf16>, tensor<2x256xf32>
}

// A warp has 16 columns, two warps a half of the inner dimension each: its
// weights and rows are loaded as tensor cores take them, without shared memory.
// The halves' sums meet there.
// CHECK-LABEL: gpu.func @row_matmul(
// CHECK-SAME:      %[[X:[a-z0-9]+]]: memref<8x64xbf16> {llvm.noalias}, %[[W:[a-z0-9]+]]: memref<256x64xbf16> {llvm.noalias}, %[[N:[a-z0-9]+]]: memref<1xi32>
// CHECK-SAME:      known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 4, 1, 1>
// CHECK-DAG:     %[[ROWS:.*]] = memref.collapse_shape %[[X]]
// CHECK-DAG:     %[[WEIGHTS:.*]] = memref.collapse_shape %[[W]]
// CHECK-DAG:     memref.load %[[N]]
// CHECK:         scf.for
// CHECK-COUNT-2:   vector.load %[[WEIGHTS]]{{.*}} {alignment = 16 : i64} : memref<16384xbf16>, vector<8xbf16>
// CHECK:           vector.load %[[ROWS]]{{.*}} {alignment = 16 : i64} : memref<512xbf16>, vector<8xbf16>
// CHECK-COUNT-2:   nvvm.mma.sync {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK:           scf.yield
// CHECK-COUNT-4: memref.store %{{.*}} : memref<1024xf32, #gpu.address_space<workgroup>>
// CHECK:         gpu.barrier
// CHECK-COUNT-2: memref.load %{{.*}} : memref<1024xf32, #gpu.address_space<workgroup>>
// CHECK:         arith.truncf
func.func private @row_matmul(%x: tensor<8x64xbf16>, %w: tensor<256x64xbf16>, %n: tensor<1xi32>) -> tensor<8x256xbf16>
    attributes {plan.kernel} {
  %0 = nn.row_matmul %x, %w count %n transpose_b : tensor<8x64xbf16>, tensor<256x64xbf16>, tensor<1xi32> -> tensor<8x256xbf16>
  return %0 : tensor<8x256xbf16>
}

// Eight lanes have a key, a warp four, and four times as many on their way.
// Each of four parts of a slot has a block.
// CHECK-LABEL: gpu.func @cached_attention_parts(
// CHECK-SAME:      %{{.*}}: memref<2x192xbf16> {llvm.noalias}, %[[C:[a-z0-9]+]]: memref<2x2x1x1024x64xbf16>
// CHECK-SAME:      known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 8, 1, 1>
// CHECK:         %[[CACHE:.*]] = memref.collapse_shape %[[C]]
// CHECK:         scf.if
// CHECK:         scf.for
// CHECK-COUNT-8:   vector.load %[[CACHE]]{{.*}} {alignment = 16 : i64}
// CHECK-COUNT-12:  gpu.shuffle xor
// CHECK-COUNT-5:   math.exp2
// CHECK:           scf.yield
// CHECK:         gpu.barrier
func.func private @cached_attention_parts(%qkv: tensor<2x192xbf16>, %c: tensor<2x2x1x1024x64xbf16>, %s: tensor<2xi32>, %p: tensor<2xi32>, %n: tensor<1xi32>)
    -> (tensor<2x1x4x64xf32>, tensor<2x1x4xf32>, tensor<2x1x4xf32>) attributes {plan.kernel} {
  %0:3 = nn.cached_attention_parts %qkv, %c at %s, %p count %n heads 1 layout blocked scale 0.125 parts of 256
      : tensor<2x192xbf16>, tensor<2x2x1x1024x64xbf16>, tensor<2xi32>, tensor<2xi32>, tensor<1xi32> -> tensor<2x1x4x64xf32>, tensor<2x1x4xf32>, tensor<2x1x4xf32>
  return %0#0, %0#1, %0#2 : tensor<2x1x4x64xf32>, tensor<2x1x4xf32>, tensor<2x1x4xf32>
}

// A thread merges a column of the parts.
// CHECK-LABEL: gpu.func @merge_attention_parts(
// CHECK-SAME:      known_block_size = array<i32: 64, 1, 1>, known_grid_size = array<i32: 2, 1, 1>
// CHECK:         scf.for
// CHECK-COUNT-2:   math.exp2
// CHECK-NOT:     gpu.barrier
func.func private @merge_attention_parts(%sums: tensor<2x1x4x64xf32>, %m: tensor<2x1x4xf32>, %t: tensor<2x1x4xf32>, %p: tensor<2xi32>, %n: tensor<1xi32>)
    -> tensor<2x64xbf16> attributes {plan.kernel} {
  %0 = nn.merge_attention_parts %sums, %m, %t at %p count %n parts of 256
      : tensor<2x1x4x64xf32>, tensor<2x1x4xf32>, tensor<2xi32>, tensor<1xi32> -> tensor<2x64xbf16>
  return %0 : tensor<2x64xbf16>
}

// Attention that is not in parts has one grid.
// CHECK-LABEL: gpu.func @cached_attention(
// CHECK-SAME:      known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 2, 1, 1>
// CHECK-NOT:     @cached_attention_grid1
func.func private @cached_attention(%qkv: tensor<2x192xbf16>, %c: tensor<2x2x1x1024x64xbf16>, %s: tensor<2xi32>, %p: tensor<2xi32>, %n: tensor<1xi32>)
    -> tensor<2x64xbf16> attributes {plan.kernel} {
  %0 = nn.cached_attention %qkv, %c at %s, %p count %n heads 1 layout blocked scale 0.125
      : tensor<2x192xbf16>, tensor<2x2x1x1024x64xbf16>, tensor<2xi32>, tensor<2xi32>, tensor<1xi32> -> tensor<2x64xbf16>
  return %0 : tensor<2x64xbf16>
}

// Keys and values of a row lie side by side as the cache has them.
// CHECK-LABEL: gpu.func @cache_write(
// CHECK-SAME:      %[[C:[a-z0-9]+]]: memref<2x2x1x1024x64xbf16>, %{{[a-z0-9]+}}: memref<2xi32>
// CHECK-SAME:      known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 1, 1, 1>
// CHECK:         vector.load {{.*}} : memref<384xbf16>, vector<8xbf16>
// CHECK:         vector.store {{.*}} : memref<262144xbf16>, vector<8xbf16>
func.func private @cache_write(%qkv: tensor<2x192xbf16>, %c: tensor<2x2x1x1024x64xbf16>, %s: tensor<2xi32>, %p: tensor<2xi32>, %n: tensor<1xi32>)
    -> (tensor<2x2x1x1024x64xbf16> {plan.inplace = [1]}) attributes {plan.kernel} {
  %0 = nn.cache_write %qkv into %c at %s, %p count %n heads 1 layout blocked
      : tensor<2x192xbf16>, tensor<2x2x1x1024x64xbf16>, tensor<2xi32>, tensor<2xi32>, tensor<1xi32>
  return %0 : tensor<2x2x1x1024x64xbf16>
}
