// RUN: tessera-opt %s --cpu-build-kernels | FileCheck %s

// The kernel's body works on buffers: arguments, results, the range of the
// parallel loop, scratch memory. What may be overwritten may alias.
// CHECK-LABEL: func.func private @scatter.body(
// CHECK-SAME:      %[[TABLE:[a-z0-9]+]]: memref<9x16xf32>, %[[INDICES:.*]]: memref<64xi32> {llvm.noalias},
// CHECK-SAME:      %[[ROWS:.*]]: memref<64x16xf32> {llvm.noalias}, %[[OUT:[a-z0-9]+]]: memref<9x16xf32>,
// CHECK-SAME:      %[[BEGIN:.*]]: index, %[[END:.*]]: index, %{{.*}}: memref<0xi8> {llvm.noalias})
// CHECK:         scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
// CHECK:           memref.load %[[INDICES]]
// CHECK:           vector.load
// CHECK:           vector.store

// The entry unpacks the addresses.
// CHECK-LABEL: llvm.func @scatter(
// CHECK-SAME:      %{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: !llvm.ptr)
// CHECK-COUNT-4: llvm.load
// CHECK:         call @scatter.body
func.func private @scatter(%table: tensor<9x16xf32>, %indices: tensor<64xi32>, %rows: tensor<64x16xf32>)
    -> (tensor<9x16xf32> {plan.inplace = [0]}) attributes {plan.kernel} {
  %0 = nn.scatter_add %rows, %indices into %table : tensor<64x16xf32>, tensor<64xi32>, tensor<9x16xf32>
  return %0 : tensor<9x16xf32>
}
