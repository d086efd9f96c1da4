// RUN: tessera-opt %s --nn-drop-unread-inputs | FileCheck %s

// A scalar that nothing reads is no input; what is read stays, and so does what does
// not say that it may go.
// CHECK-LABEL: func.func @train(
// CHECK-SAME:    %[[X:.*]]: tensor<4xf32> {nn.input = "features"},
// CHECK-SAME:    %[[READ:.*]]: tensor<4xf32> {nn.input = "weight.0", nn.only_if_read},
// CHECK-SAME:    %{{.*}}: tensor<f32> {nn.input = "scale"})
// CHECK-NEXT:    plan.launch @add(%[[X]], %[[READ]])
func.func @train(%x: tensor<4xf32> {nn.input = "features"},
                 %count: tensor<i32> {nn.input = "count.0", nn.only_if_read},
                 %read: tensor<4xf32> {nn.input = "weight.0", nn.only_if_read},
                 %scale: tensor<f32> {nn.input = "scale"}) -> tensor<4xf32> {
  %y = plan.launch @add(%x, %read) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

func.func private @add(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> attributes {plan.kernel} {
  %z = arith.addf %x, %y : tensor<4xf32>
  return %z : tensor<4xf32>
}
