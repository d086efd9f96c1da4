// RUN: tessera-opt %s --plan-offload | FileCheck %s

// The example of the pass: the states of two groups.

module attributes {spec.specification = #spec.specification<
    name = "test", model = #spec.gnn<nodes = 8, edges = 8, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    parallel = <offload = optimizer>>} {
  func.func private @update(%p: tensor<16xf32>, %m: tensor<16xf32>) -> (tensor<16xf32>, tensor<16xf32>)
      attributes {plan.kernel, plan.iterations = 1}

  plan.program @train world 1 stage 0 accumulation 1 arena 256
      memory {optimizer = 128 : i64, parameters = 128 : i64} flops 0 {
    %p0 = plan.buffer "p0" parameters at 0 persistent : memref<64xi8>
    %p1 = plan.buffer "p1" parameters at 64 persistent : memref<64xi8>
    // example: states
    %m0 = plan.buffer "m0" optimizer at 128 persistent : memref<64xi8>
    %m1 = plan.buffer "m1" optimizer at 192 persistent : memref<64xi8>
    // CHECK: %[[M0:[^ ]+]] = plan.buffer "m0" optimizer in file at 0 persistent : memref<64xi8>
    // CHECK: %[[M1:[^ ]+]] = plan.buffer "m1" optimizer in file at 4096 persistent : memref<64xi8>
    // example end
    %p0v = plan.view %p0 at 0 : memref<64xi8> -> memref<16xf32>
    %p1v = plan.view %p1 at 0 : memref<64xi8> -> memref<16xf32>
    %m0v = plan.view %m0 at 0 : memref<64xi8> -> memref<16xf32>
    %m1v = plan.view %m1 at 0 : memref<64xi8> -> memref<16xf32>
    // example: states
    plan.section "update"
    plan.launch @update(%p0v, %m0v, %p0v, %m0v) {plan.iterations = 1 : i64}
        : (memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>) -> ()
    plan.launch @update(%p1v, %m1v, %p1v, %m1v) {plan.iterations = 1 : i64}
        : (memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>) -> ()
    // CHECK: plan.section "update"
    // CHECK-NEXT: plan.fetch %[[M0]] : memref<64xi8>
    // CHECK-NEXT: plan.fetch %[[M1]] : memref<64xi8>
    // CHECK-NEXT: plan.launch @update({{.*}}) {{.*}}
    // CHECK-NEXT: plan.evict %[[M0]] : memref<64xi8>
    // CHECK-NEXT: plan.launch @update({{.*}}) {{.*}}
    // CHECK-NEXT: plan.evict %[[M1]] : memref<64xi8>
    // example end
  }
}
