// RUN: tessera-opt %s --plan-form-gemms --nn-decompose --canonicalize --cse --plan-outline-kernels --canonicalize --plan-bound-rows | FileCheck %s

// A layer of GraphSAGE over a block of a sampled neighbourhood, with its gradient:
// of 40 nodes there are count.1, of 10 targets count.0. What has a row for each
// node is computed as far as there are nodes, and sums over nodes have no more.
// CHECK-LABEL: func.func @train(
// CHECK-SAME: %[[FEATURES:.*]]: tensor<50x8xf32>
// CHECK-SAME: %[[NODES:[^ ]*]]: tensor<40xi32>
// CHECK-SAME: %[[TARGETS:[^ ]*]]: tensor<10xi32>
// CHECK-SAME: %[[N0:[^ ]*]]: tensor<i32> {nn.input = "count.0"}
// CHECK-SAME: %[[N1:[^ ]*]]: tensor<i32> {nn.input = "count.1"}
// CHECK: %[[X:.*]] = plan.launch @gather_counted(%[[FEATURES]], %[[NODES]], %[[N1]])
// CHECK: %[[XL:.*]] = plan.gemm %[[X]], %{{.*}} transpose_b counted rows of 40 by %[[N1]]
// CHECK: %[[A:.*]] = plan.launch @aggregate_counted({{.*}}, %[[XL]], %[[N0]])
// Of the roots, a slice with room for 10, there are as many as of their users.
// CHECK: %[[ROOT:.*]] = nn.slice %[[X]] from 0
// CHECK: plan.gemm %[[ROOT]], %{{.*}} transpose_b counted rows of 10 by %[[N0]]
// CHECK: %[[ROW:.*]]:{{[0-9]+}} = plan.launch @{{add_[a-z_]*}}_counted({{.*}}, %[[N0]])
// CHECK: plan.launch @{{[a-z_]*}}rowsum_counted({{.*}}, %[[N0]]) : {{.*}} -> tensor<f32>
// CHECK: plan.launch @columnsum_counted(%{{.*}}, %[[N0]]) : {{.*}} -> tensor<4xf32>
// CHECK: plan.gemm %[[ROW]]#{{[0-9]}}, %[[ROOT]] transpose_a counted inner of 10 by %[[N0]]
// CHECK: %[[DA:.*]] = plan.launch @aggregate_1_counted({{.*}}, %[[N1]]) : {{.*}} -> tensor<40x4xf32>
// CHECK: plan.gemm %[[DA]], %[[X]] transpose_a counted inner of 40 by %[[N1]]
func.func @train(%features: tensor<50x8xf32> {nn.filled_once, nn.input = "features"},
                 %nodes: tensor<40xi32> {nn.counted = "count.1", nn.input = "nodes"},
                 %rp: tensor<11xi32> {nn.counted = "count.0", nn.input = "row_ptr.0"},
                 %col: tensor<60xi32> {nn.input = "col.0"}, %w: tensor<60xf32> {nn.input = "weight.0"},
                 %rpt: tensor<41xi32> {nn.counted = "count.1", nn.input = "row_ptr_t.0"},
                 %colt: tensor<60xi32> {nn.input = "col_t.0"}, %wt: tensor<60xf32> {nn.input = "weight_t.0"},
                 %targets: tensor<10xi32> {nn.counted = "count.0", nn.input = "targets"},
                 %n0: tensor<i32> {nn.input = "count.0"}, %n1: tensor<i32> {nn.input = "count.1"},
                 %wl: tensor<4x8xf32> {nn.input = "wl"}, %wr: tensor<4x8xf32> {nn.input = "wr"},
                 %b: tensor<4xf32> {nn.input = "b"})
    -> (tensor<f32> {nn.output = "loss"}, tensor<4x8xf32> {nn.output = "gl"}, tensor<4x8xf32> {nn.output = "gr"},
        tensor<4xf32> {nn.output = "gb"}) {
  %g = graph.csr %rp, %col, %w transposed %rpt, %colt, %wt : !graph.csr<10x40, 60>
  %x = nn.gather %features, %nodes : tensor<50x8xf32>, tensor<40xi32> -> tensor<40x8xf32>
  %xl = nn.matmul %x, %wl transpose_b : tensor<40x8xf32>, tensor<4x8xf32> -> tensor<40x4xf32>
  %a = graph.aggregate %g, %xl : !graph.csr<10x40, 60>, tensor<40x4xf32>
  %root = nn.slice %x from 0 : tensor<40x8xf32> -> tensor<10x8xf32>
  %xr = nn.matmul %root, %wr transpose_b : tensor<10x8xf32>, tensor<4x8xf32> -> tensor<10x4xf32>
  %bias = nn.broadcast %b dims [1] : tensor<4xf32> -> tensor<10x4xf32>
  %s0 = arith.addf %a, %bias : tensor<10x4xf32>
  %s = arith.addf %s0, %xr : tensor<10x4xf32>
  %zero = arith.constant dense<0> : tensor<10x4xi32>
  %none = arith.constant dense<0.0> : tensor<10x4xf32>
  %t = nn.broadcast %targets dims [0] : tensor<10xi32> -> tensor<10x4xi32>
  %real = arith.cmpi sge, %t, %zero : tensor<10x4xi32>
  %sq = arith.mulf %s, %s : tensor<10x4xf32>
  %l = arith.select %real, %sq, %none : tensor<10x4xi1>, tensor<10x4xf32>
  %loss = nn.reduce sum %l dims [0, 1] : tensor<10x4xf32> -> tensor<f32>
  %two = arith.addf %s, %s : tensor<10x4xf32>
  %ds = arith.select %real, %two, %none : tensor<10x4xi1>, tensor<10x4xf32>
  %gb = nn.reduce sum %ds dims [0] : tensor<10x4xf32> -> tensor<4xf32>
  %gr = nn.matmul %ds, %root transpose_a : tensor<10x4xf32>, tensor<10x8xf32> -> tensor<4x8xf32>
  %da = graph.aggregate %g, %ds transpose : !graph.csr<10x40, 60>, tensor<10x4xf32>
  %gl = nn.matmul %da, %x transpose_a : tensor<40x4xf32>, tensor<40x8xf32> -> tensor<4x8xf32>
  return %loss, %gl, %gr, %gb : tensor<f32>, tensor<4x8xf32>, tensor<4x8xf32>, tensor<4xf32>
}

// What is returned is needed whole, and so is what it is computed from; a sum over
// rows that nobody counts has all of them.
// CHECK-LABEL: func.func @whole(
// CHECK: plan.launch @exp(%{{[^,]*}})
// CHECK: plan.launch @columnsum_1(%{{[^,]*}})
// CHECK: return
func.func @whole(%x: tensor<16x4xf32> {nn.counted = "count.0", nn.input = "x"},
                 %y: tensor<16x4xf32> {nn.input = "y"},
                 %n: tensor<i32> {nn.input = "count.0"})
    -> (tensor<16x4xf32> {nn.output = "e"}, tensor<4xf32> {nn.output = "s"}) {
  %e = math.exp %x : tensor<16x4xf32>
  %s = nn.reduce sum %y dims [0] : tensor<16x4xf32> -> tensor<4xf32>
  return %e, %s : tensor<16x4xf32>, tensor<4xf32>
}

// One of two users needs all rows: they are computed for both. The sum still has
// only those that there are.
// CHECK-LABEL: func.func @both(
// CHECK: %[[Y:.*]] = plan.gemm %{{[^ ]*}}, %{{[^ ]*}} : (
// CHECK: plan.gemm %[[Y]], %{{[^ ]*}} transpose_a counted inner of 16 by %{{[^ ]*}} :
func.func @both(%x: tensor<16x4xf32> {nn.counted = "count.0", nn.input = "x"},
                %w: tensor<4x4xf32> {nn.input = "w"},
                %n: tensor<i32> {nn.input = "count.0"})
    -> (tensor<16x4xf32> {nn.output = "y"}, tensor<4x4xf32> {nn.output = "s"}) {
  %y = nn.matmul %x, %w : tensor<16x4xf32>, tensor<4x4xf32> -> tensor<16x4xf32>
  %s = nn.matmul %y, %x transpose_a : tensor<16x4xf32>, tensor<16x4xf32> -> tensor<4x4xf32>
  return %y, %s : tensor<16x4xf32>, tensor<4x4xf32>
}

// A maximum over rows has no rows that change nothing: it needs all.
// CHECK-LABEL: func.func @largest(
// CHECK: plan.launch @rowmax(%{{[^,]*}}) :
func.func @largest(%x: tensor<16xf32> {nn.counted = "count.0", nn.input = "x"},
                   %n: tensor<i32> {nn.input = "count.0"}) -> (tensor<f32> {nn.output = "m"}) {
  %m = nn.reduce max %x dims [0] : tensor<16xf32> -> tensor<f32>
  return %m : tensor<f32>
}

// The gradient of a slice is those of its rows, and zeros: of these 4 and of the 12
// others there are no more needed than of the sum.
// CHECK-LABEL: func.func @root(
// CHECK: %[[ZEROS:.*]] = plan.launch @{{fill[_0-9]*}}_counted(%[[N:.*]]) : (tensor<i32>) -> tensor<12x4xf32>
// CHECK: %[[Y:.*]] = plan.gemm %{{[^ ]*}}, %{{[^ ]*}} counted rows of 16 by %[[N]] :
// CHECK: %[[R:.*]] = nn.slice %[[Y]] from 0
// CHECK: %[[D:.*]] = plan.gemm %[[R]], %{{[^ ]*}} counted rows of 4 by %[[N]] :
// CHECK: %[[PADDED:.*]] = nn.concat %[[D]], %[[ZEROS]]
// CHECK: %[[DX:.*]] = plan.launch @add_counted(%[[PADDED]], %[[Y]], %[[N]]) :
// CHECK: plan.gemm %[[DX]], %{{[^ ]*}} transpose_a counted inner of 16 by %[[N]] :
func.func @root(%x: tensor<16x4xf32> {nn.counted = "count.0", nn.input = "x"},
                %w: tensor<4x4xf32> {nn.input = "w"},
                %n: tensor<i32> {nn.input = "count.0"}) -> (tensor<4x4xf32> {nn.output = "s"}) {
  %y = nn.matmul %x, %w : tensor<16x4xf32>, tensor<4x4xf32> -> tensor<16x4xf32>
  %r = nn.slice %y from 0 : tensor<16x4xf32> -> tensor<4x4xf32>
  %d = nn.matmul %r, %w : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  %zeros = arith.constant dense<0.0> : tensor<12x4xf32>
  %padded = nn.concat %d, %zeros : tensor<4x4xf32>, tensor<12x4xf32> -> tensor<16x4xf32>
  %dx = arith.addf %padded, %y : tensor<16x4xf32>
  %s = nn.matmul %dx, %x transpose_a : tensor<16x4xf32>, tensor<16x4xf32> -> tensor<4x4xf32>
  return %s : tensor<4x4xf32>
}

// Rows of texts that grow: a matmul with packed weights has a count of its own, so of
// what it multiplies it needs as many rows, and of its result there are no more. Who
// gathers one of them at last asks for one that there is.
// CHECK-LABEL: func.func @prefill(
// CHECK-SAME: %[[TOKENS:[^ ]*]]: tensor<8xi32> {nn.counted = "count"
// CHECK-SAME: %[[COUNT:[^ ]*]]: tensor<1xi32> {nn.input = "count"}
// CHECK: %[[X:.*]] = plan.launch @gather_1_counted(%{{.*}}, %[[TOKENS]], %[[COUNT]])
// CHECK: %[[H:.*]] = plan.launch @row_matmul(%[[X]], %{{.*}}, %[[COUNT]])
// CHECK: %[[G:.*]] = plan.launch @tanh_counted(%[[H]], %[[COUNT]])
// CHECK: %[[Y:.*]] = plan.launch @row_matmul_1(%[[G]], %{{.*}}, %[[COUNT]])
// CHECK: %[[S:.*]] = plan.launch @add_1_counted(%[[X]], %[[Y]], %[[COUNT]])
// CHECK: plan.launch @gather_2(%[[S]], %{{.*}}) : {{.*}} -> tensor<1x4xf32>
func.func @prefill(%tokens: tensor<8xi32> {nn.counted = "count", nn.input = "tokens"},
                   %count: tensor<1xi32> {nn.input = "count"}, %last: tensor<1xi32> {nn.input = "last"},
                   %table: tensor<9x4xf32> {nn.input = "table"}, %w: tensor<4x6xf32> {nn.input = "w"},
                   %v: tensor<6x4xf32> {nn.input = "v"}) -> (tensor<1x4xf32> {nn.output = "y"}) {
  %x = nn.gather %table, %tokens : tensor<9x4xf32>, tensor<8xi32> -> tensor<8x4xf32>
  %h = nn.row_matmul %x, %w count %count : tensor<8x4xf32>, tensor<4x6xf32>, tensor<1xi32> -> tensor<8x6xf32>
  %g = math.tanh %h : tensor<8x6xf32>
  %y = nn.row_matmul %g, %v count %count : tensor<8x6xf32>, tensor<6x4xf32>, tensor<1xi32> -> tensor<8x4xf32>
  %s = arith.addf %x, %y : tensor<8x4xf32>
  %row = nn.gather %s, %last : tensor<8x4xf32>, tensor<1xi32> -> tensor<1x4xf32>
  return %row : tensor<1x4xf32>
}

// Heads are rows of their own: 16 nodes have 32 of them.
// CHECK-LABEL: func.func @heads(
// CHECK: plan.launch @[[HEADS:.*_counted]](%{{[^,]*}}, %{{[^,]*}}) : (tensor<16x8xf32>, tensor<i32>) -> tensor<16x2xf32>
// CHECK: func.func private @[[HEADS]]({{.*}}, %{{.*}}: tensor<i32> {plan.counts_rows = 16 : i64}) -> tensor<16x2xf32>
func.func @heads(%x: tensor<16x8xf32> {nn.counted = "count.0", nn.input = "x"},
                 %n: tensor<i32> {nn.input = "count.0"}) -> (tensor<2x8xf32> {nn.output = "g"}) {
  %h = nn.reshape %x : tensor<16x8xf32> -> tensor<16x2x4xf32>
  %q = arith.mulf %h, %h : tensor<16x2x4xf32>
  %s = nn.reduce sum %q dims [2] : tensor<16x2x4xf32> -> tensor<16x2xf32>
  %g = nn.matmul %s, %x transpose_a : tensor<16x2xf32>, tensor<16x8xf32> -> tensor<2x8xf32>
  return %g : tensor<2x8xf32>
}
