//===- Passes.td - Passes of the phase plan ----------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_PLAN_PASSES_TD
#define TESSERA_PASSES_PLAN_PASSES_TD

include "mlir/Pass/PassBase.td"

def Place : Pass<"plan-place", "mlir::ModuleOp"> {
  let summary = "Give each tensor of a program a buffer";
  let description = [{
    Turns each function that is not a kernel into a `plan.program` on buffers.
    Views (slice, reshape, all_slice, wait) share their operand's buffer. Parts
    of a bucket or concat, and what is stored to a state, are computed in their
    place; a result overwrites an operand that is not needed any more where its
    kernel allows it. Only what cannot be in its place is copied there.

    Sums over micro-batches have persistent buffers, cleared in the section
    "begin". Each collective is fenced right after its wait. The buffers do not
    overlap yet: that is `plan-layout`'s part.

    ```mlir test/passes/plan/place-example.mlir#buffers
    func.func @train(%x: tensor<16x16xf32> {nn.input = "tokens"})
        -> (tensor<16x16xf32> {nn.output = "logits"}) {
      %p = zero.load parameter @h.0 : tensor<256xf32>
      %w = nn.reshape %p : tensor<256xf32> -> tensor<16x16xf32>
      %y = plan.gemm %x, %w : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
      return %y : tensor<16x16xf32>
    }
    ```
    becomes
    ```mlir test/passes/plan/place-example.mlir#buffers becomes
    plan.program @train world 1 stage 0 accumulation 1 arena 3072 memory {activations = 0 : i64, communication = 0 : i64, gradients = 0 : i64, optimizer = 0 : i64, parameters = 1024 : i64, workspace = 2048 : i64} flops 8192 {
      %parameters = plan.buffer "parameter h.0" parameters at 0 persistent : memref<1024xi8>
      plan.state parameter @h.0 %parameters : memref<1024xi8>
      %tokens = plan.buffer "tokens" workspace at 1024 persistent : memref<1024xi8>
      %logits = plan.buffer "gemm" workspace at 2048 persistent : memref<1024xi8>
      %x = plan.view %tokens at 0 : memref<1024xi8> -> memref<16x16xf32>
      plan.input "tokens" %x when "run" : memref<16x16xf32>
      %y = plan.view %logits at 0 : memref<1024xi8> -> memref<16x16xf32>
      plan.output "logits" %y : memref<16x16xf32>
      plan.section "run"
      %w = plan.view %parameters at 0 : memref<1024xi8> -> memref<16x16xf32>
      plan.gemm %x, %w into %y : (memref<16x16xf32>, memref<16x16xf32>, memref<16x16xf32>) -> ()
    }
    ```
  }];
  let options = [
    Option<"maxThreads", "max-threads", "int64_t", "0",
           "Threads to reserve scratch memory for where the specification "
           "does not say; 0: the cores of this machine">
  ];
  let statistics = [
    Statistic<"numBuffers", "buffers", "Buffers made">,
    Statistic<"numInPlace", "in-place", "Results that overwrite an operand">,
    Statistic<"numCopies", "copies", "Values copied to their place">,
    Statistic<"numClears", "clears", "Views filled with zero">
  ];
  let dependentDialects = ["plan::PlanDialect"];
}

def Layout : Pass<"plan-layout", "mlir::ModuleOp"> {
  let summary = "Lay out the arena: buffers that live apart share memory";
  let description = [{
    Moves waits so that no more than two buckets of gradients exist, one that
    is filled and one on its way. Measures each buffer's lifetime in steps and
    places it: persistent memory
    first, by category, then all that lives for a while, packed by several
    heuristics of which the one that ends lowest is kept. Then moves the fence of each collective to where
    it costs least: behind the wait of a later collective, which implies it, or
    before the first step that writes where peers may still read, or to the end
    of the section.

    A program `within` another has states and inputs that are filled once where
    the other has them, what it uses for a while behind what the other keeps,
    and inputs of its own that are filled once behind the other's arena. It may
    reach beyond that: whoever runs both needs room for the larger.

    ```mlir test/passes/plan/layout-example.mlir#chain
    %a = plan.buffer "a" activations at 0 live [0, 1] : memref<1024xi8>
    %b = plan.buffer "b" activations at 1024 live [1, 2] : memref<1024xi8>
    %c = plan.buffer "c" activations at 2048 live [2, 3] : memref<1024xi8>
    ...
    plan.section "run"
    plan.clear %av : memref<256xf32>
    plan.copy %av to %bv : memref<256xf32>
    plan.copy %bv to %cv : memref<256xf32>
    plan.clear %cv : memref<256xf32>
    ```
    becomes
    ```mlir test/passes/plan/layout-example.mlir#chain becomes
    %a = plan.buffer "a" activations at 0 live [0, 1] : memref<1024xi8>
    %b = plan.buffer "b" activations at 1024 live [1, 2] : memref<1024xi8>
    %c = plan.buffer "c" activations at 0 live [2, 3] : memref<1024xi8>
    ```
  }];
  let options = [
    Option<"heuristic", "heuristic", "std::string", "\"\"",
           "The one order to place buffers in: size, area, lifetime, "
           "first-use or last-use; empty: try all">
  ];
  let statistics = [
    Statistic<"arenaBytes", "arena-bytes", "Bytes of all arenas">,
    Statistic<"numMovedWaits", "moved-waits",
              "Waits moved so that fewer buckets exist">,
    Statistic<"lowerBound", "lower-bound", "Bytes that no layout can go below">
  ];
  let dependentDialects = ["plan::PlanDialect"];
}

def Offload : Pass<"plan-offload", "mlir::ModuleOp"> {
  let summary = "Put the optimizer's states into a file";
  let description = [{
    Where the specification's entry `training.offload` is "optimizer", the
    buffers of category optimizer move from the arena to the rank's file. Those
    that a range of steps uses together (the states of a group) lie next to
    one another there. The states of the next range are fetched before a
    range runs and its own are evicted behind it, so that memory holds those
    of two groups at most.

    ```mlir test/passes/plan/offload-example.mlir#states
    %m0 = plan.buffer "m0" optimizer at 128 persistent : memref<64xi8>
    %m1 = plan.buffer "m1" optimizer at 192 persistent : memref<64xi8>
    plan.section "update"
    plan.launch @update(%p0v, %m0v, %p0v, %m0v) {plan.iterations = 1 : i64}
        : (memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>) -> ()
    plan.launch @update(%p1v, %m1v, %p1v, %m1v) {plan.iterations = 1 : i64}
        : (memref<16xf32>, memref<16xf32>, memref<16xf32>, memref<16xf32>) -> ()
    ```
    becomes
    ```mlir test/passes/plan/offload-example.mlir#states becomes
    %m0 = plan.buffer "m0" optimizer in file at 0 persistent : memref<64xi8>
    %m1 = plan.buffer "m1" optimizer in file at 4096 persistent : memref<64xi8>
    plan.section "update"
    plan.fetch %m0 : memref<64xi8>
    plan.fetch %m1 : memref<64xi8>
    plan.launch @update(...) ...
    plan.evict %m0 : memref<64xi8>
    plan.launch @update(...) ...
    plan.evict %m1 : memref<64xi8>
    ```
  }];
  let statistics = [
    Statistic<"numBuffers", "buffers", "Buffers moved to the file">
  ];
  let dependentDialects = ["plan::PlanDialect"];
}

def VerifyPlan : Pass<"plan-verify", "mlir::ModuleOp"> {
  let summary = "Check the contract of the phase plan";
  let description = [{
    No function is left but kernels, and each launch says how often the
    kernel's loop runs. A program within another lies where the other keeps
    nothing, but for what both have in common. That no two living buffers overlap
    and that the categories sum to the arena, each `plan.program` verifies itself.
  }];
}

#endif // TESSERA_PASSES_PLAN_PASSES_TD
