// RUN: tessera-opt %s --plan-place | FileCheck %s
// RUN: tessera-opt %s --plan-place --plan-layout | FileCheck %s --check-prefix=LAYOUT

// An input that declares it is filled once is filled when the program is loaded,
// whatever its name; all others before the section that reads them first.

module {
  func.func private @add(%x: tensor<16xf32>, %y: tensor<16xf32>) -> tensor<16xf32>
      attributes {plan.kernel, plan.iterations = 1} {
    %z = arith.addf %x, %y : tensor<16xf32>
    return %z : tensor<16xf32>
  }

  // CHECK-DAG: plan.input "mesh" %{{.*}} when "load"
  // CHECK-DAG: plan.input "features" %{{.*}} when "run"
  func.func @predict(%mesh: tensor<16xf32> {nn.filled_once, nn.input = "mesh"},
                     %features: tensor<16xf32> {nn.input = "features"})
      -> (tensor<16xf32> {nn.output = "logits"}) {
    %y = plan.launch @add(%mesh, %features) : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
    return %y : tensor<16xf32>
  }

  // One that no step reads is memory for the time before the first step: what
  // later steps need takes its place.
  // LAYOUT-LABEL: plan.program @twice
  // LAYOUT-SAME: arena 320
  // LAYOUT-DAG: plan.buffer "x" workspace at 0 persistent
  // LAYOUT-DAG: %[[ROOM:.*]] = plan.buffer "room" workspace at 128 live [0, 0] : memref<192xi8>
  // LAYOUT-DAG: plan.input "room" %{{.*}} when "load"
  func.func @twice(%x: tensor<16xf32> {nn.filled_once, nn.input = "x"},
                   %room: tensor<48xi32> {nn.filled_once, nn.input = "room"})
      -> (tensor<16xf32> {nn.output = "logits"}) {
    %y = plan.launch @add(%x, %x) : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
    return %y : tensor<16xf32>
  }
}
