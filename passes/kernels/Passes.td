//===- Passes.td - Passes of the phase kernels -------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_KERNELS_PASSES_TD
#define TESSERA_PASSES_KERNELS_PASSES_TD

include "mlir/Pass/PassBase.td"

def Decompose : Pass<"nn-decompose", "mlir::ModuleOp"> {
  let summary = "Write composites in terms of the general core";
  let description = [{
    Layer normalisation, activations, softmax and losses become elementwise
    arithmetic, broadcasts and reductions, which outlining then fuses anew with
    what stands around them. A model's head becomes a chain of chunks.

    ```mlir test/passes/kernels/decompose.mlir#relu
    %y = nn.relu %x : tensor<8x16xf32>
    ```
    becomes
    ```mlir test/passes/kernels/decompose.mlir#relu becomes
    %zero = arith.constant dense<0.000000e+00> : tensor<8x16xf32>
    %y = arith.maximumf %x, %zero : tensor<8x16xf32>
    ```
  }];
  let options = [
    Option<"chunkBytes", "chunk-bytes", "int64_t", "134217728",
           "Most bytes of logits that a head's chunk may have">
  ];
  let statistics = [
    Statistic<"numDecomposed", "decomposed", "Composites decomposed">
  ];
  let dependentDialects = ["nn::NNDialect", "mlir::arith::ArithDialect",
                           "mlir::math::MathDialect"];
}

def FormGemms : Pass<"plan-form-gemms", "mlir::ModuleOp"> {
  let summary = "Make matmuls GEMMs of the target's library, with epilogues";
  let description = [{
    A bias added to every row, a GELU, a sum with another matmul and
    accumulation over micro-batches join the GEMM where nothing else uses
    its plain result. In a training step a GELU stays apart: the backward pass
    computes with its operand, and with the same bits.

    ```mlir test/passes/kernels/form-gemms.mlir#linear
    %c = nn.matmul %a, %b transpose_b : tensor<8x4xf32>, tensor<16x4xf32> -> tensor<8x16xf32>
    %rows = nn.broadcast %bias dims [1] : tensor<16xf32> -> tensor<8x16xf32>
    %y = arith.addf %c, %rows : tensor<8x16xf32>
    ```
    becomes
    ```mlir test/passes/kernels/form-gemms.mlir#linear becomes
    %y = plan.gemm %a, %b transpose_b bias %bias : (tensor<8x4xf32>, tensor<16x4xf32>, tensor<16xf32>) -> tensor<8x16xf32>
    ```
  }];
  let statistics = [
    Statistic<"numGemms", "gemms", "GEMMs formed">,
    Statistic<"numEpilogues", "epilogues", "Operations that joined a GEMM">
  ];
  let dependentDialects = ["plan::PlanDialect"];
}

def SplitAttention : Pass<"nn-split-attention", "mlir::ModuleOp"> {
  let summary = "Share out the keys of long contexts among threads";
  let description = [{
    Attention to a cache whose slots are longer than the target's parts becomes
    attention to parts, which threads compute side by side, and their merge. The
    parts follow from shapes alone, never from the threads or rows that there are. On
    CPUs the result has the bits that the attention would have.

    ```mlir test/passes/kernels/split-attention.mlir#split
    %y = nn.cached_attention %qkv, %cache at %slots, %at count %n heads 2 layout blocked scale 0.5
        : tensor<4x24xf32>, tensor<2x4x1x4096x6xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x12xf32>
    ```
    becomes
    ```mlir test/passes/kernels/split-attention.mlir#split becomes
    %sums, %maxima, %totals = nn.cached_attention_parts %qkv, %cache at %slots, %at count %n heads 2 layout blocked scale 5.000000e-01 parts of 512 : tensor<4x24xf32>, tensor<2x4x1x4096x6xf32>, tensor<4xi32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x2x8x6xf32>, tensor<4x2x8xf32>, tensor<4x2x8xf32>
    %y = nn.merge_attention_parts %sums, %maxima, %totals at %at count %n parts of 512 : tensor<4x2x8x6xf32>, tensor<4x2x8xf32>, tensor<4xi32>, tensor<1xi32> -> tensor<4x12xf32>
    ```
  }];
  let statistics = [
    Statistic<"numSplit", "split", "Attentions in parts">
  ];
  let dependentDialects = ["nn::NNDialect"];
}

def OutlineKernels : Pass<"plan-outline-kernels", "mlir::ModuleOp"> {
  let summary = "Fuse tensor computation into kernels and outline them";
  let description = [{
    Elementwise operations, broadcasts and reductions over one iteration space
    of rows and columns are fused into kernels. A value is stored only where
    something other than a kernel needs it, or where another kernel would have
    to repeat a reduction; elementwise work is repeated instead. Operations
    that are kernels by themselves are outlined alone. Kernels of the same
    structure are one function.

    ```mlir test/passes/kernels/outline-kernels-example.mlir#outline
    %d = arith.addf %a, %b : tensor<8x24xf32>
    %e = math.exp %d : tensor<8x24xf32>
    ```
    becomes
    ```mlir test/passes/kernels/outline-kernels-example.mlir#outline becomes
    %e = plan.launch @add_exp(%a, %b) : (tensor<8x24xf32>, tensor<8x24xf32>) -> tensor<8x24xf32>

    func.func private @add_exp(%a: tensor<8x24xf32>, %b: tensor<8x24xf32>) -> (tensor<8x24xf32> {plan.inplace = [0, 1]}) attributes {plan.kernel} {
      %d = arith.addf %a, %b : tensor<8x24xf32>
      %e = math.exp %d : tensor<8x24xf32>
      return %e : tensor<8x24xf32>
    }
    ```
  }];
  let options = [
    Option<"mostColumnSums", "most-column-sums", "int64_t", "-1",
           "Sums along the columns that one kernel may have; -1: what the "
           "target says">
  ];
  let statistics = [
    Statistic<"numLaunches", "launches", "Kernels launched">,
    Statistic<"numKernels", "kernels", "Kernels of different structure">
  ];
  let dependentDialects = ["plan::PlanDialect", "mlir::func::FuncDialect"];
}

def BoundRows : Pass<"plan-bound-rows", "mlir::ModuleOp"> {
  let summary = "Skip rows beyond what a run-time count says";
  let description = [{
    Where an argument of a program has the attribute `nn.counted`, the name of a
    scalar i32 input, it has as many rows as that says when the program runs. Finds
    which rows of each value are needed: of a value only the first ones where all its
    users need no others, and in sums over rows those that there are. Launches and
    GEMMs that can do with fewer rows get the count as one more operand. Programs
    without the attribute stay as they are.

    ```mlir test/passes/kernels/bound-rows-example.mlir#count
    func.func @train(%x: tensor<64x8xf32> {nn.counted = "count.0", nn.input = "x"},
                     %w: tensor<8x4xf32> {nn.input = "w"},
                     %n: tensor<i32> {nn.input = "count.0"}) -> tensor<4xf32> {
      %y = plan.gemm %x, %w : (tensor<64x8xf32>, tensor<8x4xf32>) -> tensor<64x4xf32>
      %s = plan.launch @columnsum(%y) : (tensor<64x4xf32>) -> tensor<4xf32>
      return %s : tensor<4xf32>
    }
    func.func private @columnsum(%y: tensor<64x4xf32>) -> tensor<4xf32> attributes {plan.kernel} {
      %s = nn.reduce sum %y dims [0] : tensor<64x4xf32> -> tensor<4xf32>
      return %s : tensor<4xf32>
    }
    ```
    becomes
    ```mlir test/passes/kernels/bound-rows-example.mlir#count becomes
    func.func @train(%x: tensor<64x8xf32> {nn.counted = "count.0", nn.input = "x"}, %w: tensor<8x4xf32> {nn.input = "w"}, %n: tensor<i32> {nn.input = "count.0"}) -> tensor<4xf32> {
      %y = plan.gemm %x, %w counted rows of 64 by %n : (tensor<64x8xf32>, tensor<8x4xf32>, tensor<i32>) -> tensor<64x4xf32>
      %s = plan.launch @columnsum_counted(%y, %n) : (tensor<64x4xf32>, tensor<i32>) -> tensor<4xf32>
      return %s : tensor<4xf32>
    }

    func.func private @columnsum_counted(%y: tensor<64x4xf32>, %n: tensor<i32> {plan.counts_sums = 64 : i64}) -> tensor<4xf32> attributes {plan.kernel} {
      %s = nn.reduce sum %y dims [0] : tensor<64x4xf32> -> tensor<4xf32>
      return %s : tensor<4xf32>
    }
    ```
  }];
  let statistics =
      [Statistic<"numLaunches", "launches", "Launches whose rows are counted">,
       Statistic<"numSums", "sums", "Launches that sum over counted rows">,
       Statistic<"numGemms", "gemms", "GEMMs with a counted dimension">];
  let dependentDialects = ["plan::PlanDialect", "mlir::func::FuncDialect"];
}

def ChunkRows : Pass<"plan-chunk-rows", "mlir::ModuleOp"> {
  let summary = "Run chains of steps on chunks of rows that stay in cache";
  let description = [{
    Launches and GEMMs that work row by row, or sum over rows, are gathered where
    they are one after the other or can be. Such a chain becomes one kernel, a
    `plan.row_loop`, whose threads run all of its steps on a chunk of rows before
    they take the next one: what one step leaves for another is read from
    cache, and never stored whole unless something else reads it. Sums are taken
    in parts whose number depends on sizes alone, and then added by a kernel.

    ```mlir test/passes/kernels/chunk-rows-example.mlir#chunks
    func.func @program(%x: tensor<1000x8xf32>, %w: tensor<4x8xf32>) -> tensor<1000x4xf32> {
      %h = plan.launch @relu(%x) : (tensor<1000x8xf32>) -> tensor<1000x8xf32>
      %y = plan.gemm %h, %w transpose_b
          : (tensor<1000x8xf32>, tensor<4x8xf32>) -> tensor<1000x4xf32>
      return %y : tensor<1000x4xf32>
    }
    ```
    becomes
    ```mlir test/passes/kernels/chunk-rows-example.mlir#chunks becomes
    func.func @program(%x: tensor<1000x8xf32>, %w: tensor<4x8xf32>) -> tensor<1000x4xf32> {
      %y = plan.launch @rows(%x, %w) : (tensor<1000x8xf32>, tensor<4x8xf32>) -> tensor<1000x4xf32>
      return %y : tensor<1000x4xf32>
    }

    func.func private @chunk.112(%x: tensor<112x8xf32>, %w: tensor<4x8xf32>) -> tensor<112x4xf32> attributes {plan.kernel} {
      %h = plan.launch @relu.112(%x) : (tensor<112x8xf32>) -> tensor<112x8xf32>
      %y = plan.gemm %h, %w transpose_b local : (tensor<112x8xf32>, tensor<4x8xf32>) -> tensor<112x4xf32>
      return %y : tensor<112x4xf32>
    }

    func.func private @rows(%x: tensor<1000x8xf32>, %w: tensor<4x8xf32>) -> tensor<1000x4xf32> attributes {plan.kernel} {
      %y = plan.row_loop @chunk.112, @chunk.104(%x, %w) rows 1000 by 112 parts 9 : (tensor<1000x8xf32>, tensor<4x8xf32>) -> tensor<1000x4xf32>
      return %y : tensor<1000x4xf32>
    }
    ```

    Programs of sampled graphs stay as they are: how many of their rows there
    are is known when they run.
  }];
  let options = [
    Option<"chunkBytes", "chunk-bytes", "int64_t", "-1",
           "Bytes that a chunk of rows may have; 0: no chunks, -1: what the "
           "target says">,
    Option<"leastBytes", "least-bytes", "int64_t", "33554432",
           "Bytes of the rows of a chain that is worth it">,
    Option<"leastRows", "least-rows", "int64_t", "8192",
           "Rows of a chain that is worth it">,
    Option<"rowsPerColumn", "rows-per-column", "int64_t", "16",
           "Rows that a chain has for each column of its matrices">
  ];
  let statistics = [
    Statistic<"numChains", "chains", "Chains of steps made kernels">,
    Statistic<"numSteps", "steps", "Launches and GEMMs in them">
  ];
  let dependentDialects = ["plan::PlanDialect", "mlir::func::FuncDialect",
                           "mlir::arith::ArithDialect", "nn::NNDialect"];
}

def DropUnreadInputs : Pass<"nn-drop-unread-inputs", "mlir::ModuleOp"> {
  let summary = "Drop inputs that are needed only where they are read";
  let description = [{
    Arguments that say `nn.only_if_read` and have no use are removed: the runtime
    fills just the inputs that a program has.

    ```mlir test/passes/kernels/drop-unread-inputs-example.mlir#unread
    func.func @train(%x: tensor<4xf32> {nn.input = "features"},
                     %n: tensor<i32> {nn.input = "count.0", nn.only_if_read}) -> tensor<4xf32> {
      return %x : tensor<4xf32>
    }
    ```
    becomes
    ```mlir test/passes/kernels/drop-unread-inputs-example.mlir#unread becomes
    func.func @train(%x: tensor<4xf32> {nn.input = "features"}) -> tensor<4xf32> {
      return %x : tensor<4xf32>
    }
    ```
  }];
  let statistics = [Statistic<"numDropped", "dropped", "Inputs dropped">];
}

def VerifyKernels : Pass<"plan-verify-kernels", "mlir::ModuleOp"> {
  let summary = "Check the contract of the phase kernels";
  let description = [{
    Programs hold only launches, GEMMs, collectives and views.
  }];
}

#endif // TESSERA_PASSES_KERNELS_PASSES_TD
