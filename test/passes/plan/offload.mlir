// RUN: tessera-opt %s --plan-offload | FileCheck %s --check-prefix=LIVES
// RUN: tessera-opt %s --plan-offload --plan-layout | FileCheck %s

// Two groups' moments move to the file, those of a group next to one another,
// each from a page on. The second group's are fetched before the first one's
// update runs (so lifetimes in numbers of steps change); each group's leave behind its update. What has no room in the
// file, because it is no state of the optimizer's, stays in the arena.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    parallel = <offload = optimizer>>} {
  func.func private @update(%p: tensor<16xf32>, %m: tensor<16xf32>, %v: tensor<16xf32>)
      -> (tensor<16xf32>, tensor<16xf32>, tensor<16xf32>) attributes {plan.kernel, plan.iterations = 1}

  // CHECK: plan.program @train {{.*}} arena 192 offload 16384
  // CHECK-SAME: optimizer = 0
  // CHECK-SAME: parameters = 128
  plan.program @train world 1 stage 0 accumulation 1 arena 448
      memory {activations = 64 : i64, optimizer = 256 : i64, parameters = 128 : i64} flops 0 {
    // CHECK-DAG: %[[P0:.*]] = plan.buffer "p0" parameters at 0 persistent
    // CHECK-DAG: %[[M0:.*]] = plan.buffer "m0" optimizer in file at 0 persistent
    // CHECK-DAG: %[[V0:.*]] = plan.buffer "v0" optimizer in file at 4096 persistent
    // CHECK-DAG: %[[M1:.*]] = plan.buffer "m1" optimizer in file at 8192 persistent
    // CHECK-DAG: %[[V1:.*]] = plan.buffer "v1" optimizer in file at 12288 persistent
    %p0 = plan.buffer "p0" parameters at 0 persistent : memref<64xi8>
    %p1 = plan.buffer "p1" parameters at 64 persistent : memref<64xi8>
    %m0 = plan.buffer "m0" optimizer at 128 persistent : memref<64xi8>
    %m1 = plan.buffer "m1" optimizer at 192 persistent : memref<64xi8>
    %v0 = plan.buffer "v0" optimizer at 256 persistent : memref<64xi8>
    %v1 = plan.buffer "v1" optimizer at 320 persistent : memref<64xi8>
    // LIVES: plan.buffer "a" activations at 384 live [0, 5]
    %a = plan.buffer "a" activations at 384 live [0, 2] : memref<64xi8>
    %av = plan.view %a at 0 : memref<64xi8> -> memref<16xf32>
    %p0v = plan.view %p0 at 0 : memref<64xi8> -> memref<16xf32>
    %p1v = plan.view %p1 at 0 : memref<64xi8> -> memref<16xf32>
    %m0v = plan.view %m0 at 0 : memref<64xi8> -> memref<16xf32>
    %m1v = plan.view %m1 at 0 : memref<64xi8> -> memref<16xf32>
    %v0v = plan.view %v0 at 0 : memref<64xi8> -> memref<16xf32>
    %v1v = plan.view %v1 at 0 : memref<64xi8> -> memref<16xf32>
    plan.section "micro"
    plan.clear %av : memref<16xf32>
    // CHECK: plan.section "update"
    // CHECK-NEXT: plan.fetch %[[M0]], %[[V0]]
    // CHECK-NEXT: plan.fetch %[[M1]], %[[V1]]
    // CHECK-NEXT: plan.launch @update(
    // CHECK-NEXT: plan.evict %[[M0]], %[[V0]]
    // CHECK-NEXT: plan.launch @update(
    // CHECK-NEXT: plan.evict %[[M1]], %[[V1]]
    plan.section "update"
    plan.launch @update(%p0v, %m0v, %v0v, %p0v, %m0v, %v0v) {plan.iterations = 1 : i64}
        : (memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>) -> ()
    plan.launch @update(%av, %m1v, %v1v, %p1v, %m1v, %v1v) {plan.iterations = 1 : i64}
        : (memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>) -> ()
  }
}
