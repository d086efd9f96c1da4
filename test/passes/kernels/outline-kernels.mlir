// RUN: tessera-opt %s --nn-decompose --canonicalize --cse --plan-outline-kernels | FileCheck %s

// A residual sum and the layer norm after it are one kernel, which stores the
// sum, the norm, and what the backward pass needs of each row.
// CHECK-LABEL: func.func @norm
// CHECK-NEXT:    %[[R:.*]]:4 = plan.launch @add_rowsum_mul_sub_etc(%arg0, %arg1, %arg2, %arg3)
// CHECK-SAME:      -> (tensor<8x32xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8x32xf32>)
// CHECK-NEXT:    return %[[R]]#0, %[[R]]#3, %[[R]]#1, %[[R]]#2
func.func @norm(%x: tensor<8x32xf32>, %y: tensor<8x32xf32>, %w: tensor<32xf32>,
                %b: tensor<32xf32>) -> (tensor<8x32xf32>, tensor<8x32xf32>, tensor<8xf32>, tensor<8xf32>) {
  %sum = arith.addf %x, %y : tensor<8x32xf32>
  %n, %mean, %rstd = nn.layer_norm %sum, %w, %b epsilon 1.0e-5 : tensor<8x32xf32>, tensor<32xf32> -> tensor<8xf32>
  return %sum, %n, %mean, %rstd : tensor<8x32xf32>, tensor<8x32xf32>, tensor<8xf32>, tensor<8xf32>
}

// Sums along columns make a kernel of their own, all over one tensor together;
// elementwise work that both kernels need is repeated rather than stored.
// CHECK-LABEL: func.func @columns
// CHECK-DAG:     plan.launch @exp{{.*}}(%arg0) : (tensor<8x32xf32>) -> tensor<8x32xf32>
// CHECK-DAG:     plan.launch @exp_columnsum{{.*}}(%arg0) : (tensor<8x32xf32>) -> (tensor<32xf32>, tensor<32xf32>)
func.func @columns(%x: tensor<8x32xf32>) -> (tensor<8x32xf32>, tensor<32xf32>, tensor<32xf32>) {
  %e = math.exp %x : tensor<8x32xf32>
  %n = arith.negf %e : tensor<8x32xf32>
  %a = nn.reduce sum %e dims [0] : tensor<8x32xf32> -> tensor<32xf32>
  %b = nn.reduce sum %x dims [0] : tensor<8x32xf32> -> tensor<32xf32>
  return %n, %a, %b : tensor<8x32xf32>, tensor<32xf32>, tensor<32xf32>
}

// The same structure is the same kernel.
// CHECK-LABEL: func.func @twice
// CHECK-NEXT:    %[[A:.*]] = plan.launch @[[TANH:.*]](%arg0)
// CHECK-NEXT:    plan.gemm
// CHECK-NEXT:    plan.launch @[[TANH]](
func.func @twice(%x: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %a = math.tanh %x : tensor<16x16xf32>
  %b = plan.gemm %a, %a : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
  %c = math.tanh %b : tensor<16x16xf32>
  return %c : tensor<16x16xf32>
}

// Nothing moves from one section to another.
// CHECK-LABEL: func.func @sections
// CHECK:         nn.section "update"
// CHECK-NEXT:    plan.launch
func.func @sections(%x: tensor<16xf32>) -> tensor<16xf32> {
  nn.section "update"
  %a = math.exp %x : tensor<16xf32>
  return %a : tensor<16xf32>
}

// What a sliced table's gradient is joined with is written by a kernel.
// CHECK-LABEL: func.func @zeros
// CHECK:         %[[ZEROS:.*]] = plan.launch @{{.*}}() : () -> tensor<4x16xf32>
// CHECK:         nn.concat %arg0, %[[ZEROS]]
func.func @zeros(%x: tensor<12x16xf32>) -> tensor<16x16xf32> {
  %zeros = arith.constant dense<0.0> : tensor<4x16xf32>
  %all = nn.concat %x, %zeros : tensor<12x16xf32>, tensor<4x16xf32> -> tensor<16x16xf32>
  return %all : tensor<16x16xf32>
}

// A kernel that is one operation reads its operands from memory, a constant
// too; but a table that rows are added to may begin as one.
// CHECK-LABEL: func.func @constants
// CHECK:         %[[ONES:.*]] = plan.launch @fill{{.*}}() : () -> tensor<4x1xf32>
// CHECK:         plan.launch @aggregate(%arg0, %arg1, %arg2, %arg3, %arg4, %arg5, %[[ONES]])
// CHECK:         plan.launch @scatter_add(%arg7, %arg6)
func.func @constants(%row_ptr: tensor<5xi32>, %col: tensor<7xi32>, %weight: tensor<7xf32>,
                     %row_ptr_t: tensor<5xi32>, %col_t: tensor<7xi32>, %weight_t: tensor<7xf32>,
                     %rows: tensor<3x8xf32>, %indices: tensor<3xi32>) -> (tensor<4x1xf32>, tensor<16x8xf32>) {
  %g = graph.csr %row_ptr, %col, %weight transposed %row_ptr_t, %col_t, %weight_t : !graph.csr<4x4, 7>
  %ones = arith.constant dense<1.0> : tensor<4x1xf32>
  %degrees = graph.aggregate %g, %ones : !graph.csr<4x4, 7>, tensor<4x1xf32>
  %zeros = arith.constant dense<0.0> : tensor<16x8xf32>
  %table = nn.scatter_add %rows, %indices into %zeros : tensor<3x8xf32>, tensor<3xi32>, tensor<16x8xf32>
  return %degrees, %table : tensor<4x1xf32>, tensor<16x8xf32>
}

// A value of rows whose reduction is another kernel's does not share one with
// values of all columns, where nothing would say that it has none.
// CHECK-LABEL: func.func @spread
// CHECK:         %[[A:.*]] = plan.launch @mul{{.*}} -> tensor<4x6xf32>
// CHECK-NEXT:    %[[B:.*]] = plan.launch @{{.*}}(%[[A]]) : (tensor<4x6xf32>) -> tensor<4x6x3xf32>
// CHECK-NEXT:    return %[[A]], %[[B]]
func.func @spread(%x: tensor<4x6x3xf32>, %w: tensor<6x6xf32>) -> (tensor<4x6xf32>, tensor<4x6x3xf32>) {
  %sum = nn.reduce sum %x dims [2] : tensor<4x6x3xf32> -> tensor<4x6xf32>
  %product = nn.matmul %sum, %w : tensor<4x6xf32>, tensor<6x6xf32> -> tensor<4x6xf32>
  %a = arith.mulf %sum, %product : tensor<4x6xf32>
  %b = nn.broadcast %a dims [0, 1] : tensor<4x6xf32> -> tensor<4x6x3xf32>
  return %a, %b : tensor<4x6xf32>, tensor<4x6x3xf32>
}

// Halves of the columns are read where they lie, and two results are stored side by
// side in what they are computed from.
// CHECK-LABEL: func.func @gate
// CHECK-NEXT:    plan.launch @[[GATE:mul[_0-9]*]](%arg1, %arg0) : (tensor<8x32xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>
// CHECK-NEXT:    return
func.func @gate(%x: tensor<8x64xf32>, %dy: tensor<8x32xf32>) -> tensor<8x64xf32> {
  %gate, %up = nn.split_columns %x : tensor<8x64xf32> -> tensor<8x32xf32>, tensor<8x32xf32>
  %dgate = arith.mulf %dy, %up : tensor<8x32xf32>
  %dup = arith.mulf %dy, %gate : tensor<8x32xf32>
  %dx = nn.concat_columns %dgate, %dup : tensor<8x32xf32>, tensor<8x32xf32> -> tensor<8x64xf32>
  return %dx : tensor<8x64xf32>
}

// A view of what a kernel computes is read in parts by another kernel, in place, with
// a table of positions for all heads.
// CHECK-LABEL: func.func @rotary
// CHECK:         %[[E:.*]] = plan.launch @exp{{.*}}(%arg0)
// CHECK:         %[[HEADS:.*]] = nn.reshape %[[E]] : tensor<12x48xf32> -> tensor<2x6x6x8xf32>
// CHECK:         plan.launch @[[ROTARY:iota_cmpi_select_mul_etc]](%[[HEADS]], %{{.*}}, %{{.*}}) : (tensor<2x6x6x8xf32>, tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<2x6x6x8xf32>
func.func @rotary(%x: tensor<12x48xf32>, %t: tensor<2x6x4xf32>) -> tensor<12x48xf32> {
  %e = math.exp %x : tensor<12x48xf32>
  %y = nn.rotary %e, %t heads 2 : tensor<12x48xf32>, tensor<2x6x4xf32>
  return %y : tensor<12x48xf32>
}

// CHECK: func.func private @add_rowsum_mul_sub_etc
// CHECK-SAME: {plan.inplace = [0, 1]}
// CHECK-SAME: attributes {plan.kernel}
// CHECK: func.func private @[[GATE]](
// CHECK-SAME: {plan.inplace = [1]}
// CHECK: func.func private @[[ROTARY]](
// CHECK-SAME: {plan.inplace = [0]}
