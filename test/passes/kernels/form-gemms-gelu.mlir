// RUN: tessera-opt %s --plan-form-gemms | FileCheck %s

// With target.gelu_epilogue a training step's GELUs end GEMMs, forwards and
// back: the first keeps the GELU's operand for the second.
module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cuda<gelu_epilogue = true>>} {

// CHECK-LABEL: func.func @train
// CHECK:         %[[Y:.*]]:2 = plan.gemm %arg0, %arg1 transpose_b bias %arg2 epilogue gelu_saved
// CHECK-SAME:      -> (tensor<8x16xf32>, tensor<8x16xf32>)
// CHECK:         %[[DZ:.*]] = plan.gemm %arg3, %arg4 aux %[[Y]]#1 epilogue gelu_grad
// CHECK:         return %[[Y]]#0, %[[DZ]]
func.func @train(%x: tensor<8x4xf32>, %w: tensor<16x4xf32>, %bias: tensor<16xf32>,
                 %dy: tensor<8x4xf32>, %v: tensor<4x16xf32>)
    -> (tensor<8x16xf32>, tensor<8x16xf32>) {
  %c = nn.matmul %x, %w transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
  %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<8x16xf32>
  %z = arith.addf %c, %rows : tensor<8x16xf32>
  %y = nn.gelu %z : tensor<8x16xf32>
  %g = nn.matmul %dy, %v : tensor<8x4xf32>, tensor<4x16xf32> -> tensor<8x16xf32>
  %dz = nn.gelu_grad %z, %g : tensor<8x16xf32>
  nn.section "reduce"
  nn.section "update"
  return %y, %dz : tensor<8x16xf32>, tensor<8x16xf32>
}

// Something else needs the operand, or its rows are no multiple of 8 elements,
// which is what cuBLASLt takes: they stay apart.
// CHECK-LABEL: func.func @kept
// CHECK-NOT:     gelu_saved
func.func @kept(%x: tensor<8x4xf32>, %w: tensor<16x4xf32>, %u: tensor<12x4xf32>)
    -> (tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x12xf32>, tensor<8x12xf32>) {
  %z = nn.matmul %x, %w transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
  %y = nn.gelu %z : tensor<8x16xf32>
  %n = nn.matmul %x, %u transpose_b : tensor<8x4xf32>, tensor<12x4xf32> -> tensor<8x12xf32>
  %m = nn.gelu %n : tensor<8x12xf32>
  %d = nn.gelu_grad %n, %m : tensor<8x12xf32>
  nn.section "reduce"
  nn.section "update"
  return %z, %y, %m, %d : tensor<8x16xf32>, tensor<8x16xf32>, tensor<8x12xf32>, tensor<8x12xf32>
}

}
