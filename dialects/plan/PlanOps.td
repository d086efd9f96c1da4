//===- PlanOps.td - Operations of the plan dialect ---------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_PLAN_PLANOPS_TD
#define TESSERA_DIALECTS_PLAN_PLANOPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/optimizer/OptimizerInterface.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::tessera::plan";
  let summary = "What a step runs, and where in memory";
  let description = [{
    In the phase `kernels` the operations work on tensors: each result is a new
    value. In the phase `plan` they work on views of the arena's buffers:
    results have become operands. See docs/rationale-plan.md.

    A kernel is a `func.func` with the attribute `plan.kernel`, from tensors to
    tensors. Its result attribute `plan.inplace`, an array of argument numbers,
    says which arguments that result may overwrite; a result with the unit
    attribute `plan.accumulate` is added to its buffer, which persists over the
    micro-batches of a step and is cleared when the step begins. Its attributes
    `plan.iterations`, `plan.scratch` (bytes per thread) and `plan.flops` say
    how much there is to run.

    A kernel's last argument may hold a count, known when the program runs, and
    have the attribute `plan.counts_rows` = R (so many of the R rows of the results
    are wanted) or `plan.counts_sums` = R (so many of the R rows that are summed
    over there are). A target may compute all rows nevertheless.
  }];
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    /// The module that has the kernels of a device once they are built.
    static constexpr ::llvm::StringLiteral deviceModuleName = "device";
  }];
}

class Plan_Op<string mnemonic, list<Trait> traits = []>
    : Op<Plan_Dialect, mnemonic, traits>;

/// An operation that stands in a program alone.
class Plan_ProgramPart<string mnemonic, list<Trait> traits = []>
    : Plan_Op<mnemonic, !listconcat([HasParent<"ProgramOp">], traits)>;

def Plan_Tensor : StaticShapeTensorOf<[AnyFloat, I32, I64, I1, I8]>;
def Plan_Buffer : StaticShapeMemRefOf<[AnyFloat, I32, I64, I1, I8]>;
def Plan_Value : AnyTypeOf<[Plan_Tensor, Plan_Buffer]>;

def Plan_LaunchOp : Plan_Op<"launch", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "run a kernel";
  let description = [{
    On tensors the operands are the kernel's arguments and the results its
    results. On buffers the operands are the arguments followed by the results,
    and the attributes `plan.iterations` and `plan.scratch` are the kernel's.

    ```mlir test/dialects/plan/ops.mlir#launch
    %l = plan.launch @gelu(%m) : (tensor<16x16xf32>) -> tensor<16x16xf32>
    plan.launch @gelu(%yv, %w) : (memref<16x16xf32>, memref<16x16xf32>) -> ()
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<Plan_Value>:$inputs);
  let results = (outs Variadic<Plan_Tensor>:$outputs);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs)
  }];
}

def Plan_Epilogue : I32EnumAttr<"Epilogue", "what follows a GEMM in its call", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Gelu", 1, "gelu">,
  I32EnumAttrCase<"GeluSaved", 2, "gelu_saved">,
  I32EnumAttrCase<"GeluGrad", 3, "gelu_grad">]> {
  let cppNamespace = "::tessera::plan";
}

def Plan_Counted : I32EnumAttr<"Counted", "what of a GEMM a count bounds",
                               [I32EnumAttrCase<"Rows", 0, "rows">,
                                I32EnumAttrCase<"Inner", 1, "inner">]> {
  let cppNamespace = "::tessera::plan";
}

def Plan_GemmOp : Plan_Op<"gemm", [AttrSizedOperandSegments]> {
  let summary = "a GEMM of the target's library";
  let description = [{
    result = epilogue(op(a) · op(b) + bias + addend). The bias is one value
    per column. The addend shares the result's memory where its own value is not
    needed later. Factors and bias may have 16 bits, the result then 16 or 32;
    sums are taken in fp32. With `accumulate` the result is added to the
    result's buffer, which persists over the micro-batches of a step and is
    cleared when the step begins. On buffers the result is the operand `out`,
    and an addend is that same buffer's content.

    With `counted rows of R by` a count, known when the program runs, so many of R
    parts of the result's rows are wanted; with `counted inner` so many of R parts of
    the inner size are summed over, and the others add 0 if they are. A target may
    compute all of them.

    The epilogue `gelu` is nn.gelu. `gelu_saved` has a second result, the GELU's
    operand, and `gelu_grad` multiplies by the GELU's derivative at `aux`. On
    buffers `aux` is what the first writes and the second reads. A `local` one is
    a step of a kernel and runs on that kernel's thread alone.

    ```mlir test/dialects/plan/ops.mlir#gemm
    %c = plan.gemm %a, %b transpose_b bias %bias epilogue gelu
        : (tensor<128x64xf32>, tensor<256x64xf32>, tensor<256xf32>) -> tensor<128x256xf32>
    %y, %z = plan.gemm %a, %b transpose_b epilogue gelu_saved
        : (tensor<128x64xf32>, tensor<256x64xf32>) -> (tensor<128x256xf32>, tensor<128x256xf32>)
    %g = plan.gemm %a, %v aux %z epilogue gelu_grad
        : (tensor<128x64xf32>, tensor<64x256xf32>, tensor<128x256xf32>) -> tensor<128x256xf32>
    %w = plan.gemm %a, %u transpose_a counted inner of 128 by %n
        : (tensor<128x64xf32>, tensor<128x32xf32>, tensor<i32>) -> tensor<64x32xf32>
    ```
  }];
  let arguments = (ins Plan_Value:$a, Plan_Value:$b, Optional<Plan_Value>:$bias,
      Optional<Plan_Value>:$aux, Optional<Plan_Value>:$addend,
      Optional<Plan_Buffer>:$out, Optional<Plan_Value>:$count,
      UnitAttr:$transpose_a, UnitAttr:$transpose_b, UnitAttr:$accumulate,
      DefaultValuedAttr<Plan_Epilogue, "Epilogue::None">:$epilogue,
      OptionalAttr<Plan_Counted>:$counted, OptionalAttr<I64Attr>:$room,
      UnitAttr:$local);
  let results = (outs Variadic<Plan_Tensor>:$outputs);
  let assemblyFormat = [{
    $a `,` $b (`transpose_a` $transpose_a^)? (`transpose_b` $transpose_b^)?
    (`bias` $bias^)? (`aux` $aux^)? (`add` $addend^)? (`into` $out^)?
    (`accumulate` $accumulate^)? (`epilogue` $epilogue^)?
    (`counted` $counted^ `of` $room `by` $count)? (`local` $local^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// Sizes of the GEMM: m x k by k x n.
    int64_t getM() { return shape(getA(), getTransposeA()); }
    int64_t getK() { return shape(getA(), !getTransposeA()); }
    int64_t getN() { return shape(getB(), !getTransposeB()); }
    /// The result; null on buffers.
    ::mlir::Value getResult() {
      return getOutputs().empty() ? ::mlir::Value() : getOutputs().front();
    }
    /// The GELU's operand; null where it is not a second result.
    ::mlir::Value getSaved() {
      return getOutputs().size() < 2 ? ::mlir::Value() : getOutputs()[1];
    }
  private:
    static int64_t shape(::mlir::Value matrix, unsigned dim) {
      return ::llvm::cast<::mlir::ShapedType>(matrix.getType()).getDimSize(dim);
    }
  public:
  }];
  let hasVerifier = 1;
}

def Plan_RowLoopOp : Plan_Op<"row_loop", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a kernel that runs others on chunks of rows";
  let description = [{
    Runs the kernel `chunk` on `chunk_rows` rows at a time, and the kernel `rest`
    on those that are left of `rows`, so that what it passes from step to step
    stays in a thread's cache. The operands are the arguments of `chunk`; one
    whose argument has another size in dimension 0, `chunk_rows`, has `rows` there
    and is taken in slices. Results that have a row for each row come first. The
    others are sums over rows: `chunk` adds to a further argument of each and
    gives it back. The chunks are dealt to `parts` parts, in order and as evenly as
    can be; each sums its own from 0, one after the other, and its sums are one
    entry of dimension 0 of the results. So the bits of a sum depend on these
    numbers, and never on threads.

    ```mlir test/dialects/plan/ops.mlir#row-loop
    %h, %g = plan.row_loop @chunk, @rest(%x, %w) rows 200 by 64 parts 2
        : (tensor<200x8xf32>, tensor<16x8xf32>) -> (tensor<200x16xf32>, tensor<2x16x8xf32>)

    func.func private @chunk(%x: tensor<64x8xf32>, %w: tensor<16x8xf32>, %g: tensor<16x8xf32>)
        -> (tensor<64x16xf32>, tensor<16x8xf32>) attributes {plan.kernel} {
      %h = plan.gemm %x, %w transpose_b local : (tensor<64x8xf32>, tensor<16x8xf32>) -> tensor<64x16xf32>
      %d = plan.gemm %h, %x transpose_a local : (tensor<64x16xf32>, tensor<64x8xf32>) -> tensor<16x8xf32>
      %sum = plan.launch @add(%g, %d) : (tensor<16x8xf32>, tensor<16x8xf32>) -> tensor<16x8xf32>
      return %h, %sum : tensor<64x16xf32>, tensor<16x8xf32>
    }
    ```

    Constraints: there is a `rest` where `chunk_rows` does not divide `rows`; both
    are kernels made of launches and local GEMMs; each part has a chunk.
  }];
  let arguments = (ins FlatSymbolRefAttr:$chunk,
                       OptionalAttr<FlatSymbolRefAttr>:$rest,
                       Variadic<Plan_Tensor>:$inputs, I64Attr:$rows,
                       I64Attr:$chunk_rows, I64Attr:$parts);
  let results = (outs Variadic<Plan_Tensor>:$outputs);
  let assemblyFormat = [{
    $chunk (`,` $rest^)? `(` $inputs `)` `rows` $rows `by` $chunk_rows
    `parts` $parts attr-dict `:` functional-type($inputs, $outputs)
  }];
  let extraClassDeclaration = [{
    /// Chunks, with the rest.
    int64_t getChunks() {
      return ::llvm::divideCeil(getRows(), getChunkRows());
    }
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// The plan of a program
//===----------------------------------------------------------------------===//

def Plan_Category : I32EnumAttr<"Category", "what memory is used for", [
  I32EnumAttrCase<"Parameters", 0, "parameters">,
  I32EnumAttrCase<"Gradients", 1, "gradients">,
  I32EnumAttrCase<"Optimizer", 2, "optimizer">,
  I32EnumAttrCase<"Activations", 3, "activations">,
  I32EnumAttrCase<"Communication", 4, "communication">,
  I32EnumAttrCase<"Workspace", 5, "workspace">,
  I32EnumAttrCase<"Cache", 6, "cache">]> {
  let cppNamespace = "::tessera::plan";
}

def Plan_Space : I32EnumAttr<"Space", "where a buffer lies", [
  I32EnumAttrCase<"Arena", 0, "arena">,
  I32EnumAttrCase<"File", 1, "file">]> {
  let cppNamespace = "::tessera::plan";
}

def Plan_Collective : I32EnumAttr<"Collective", "kind of a collective", [
  I32EnumAttrCase<"AllGather", 0, "all_gather">,
  I32EnumAttrCase<"ReduceScatter", 1, "reduce_scatter">,
  I32EnumAttrCase<"AllReduce", 2, "all_reduce">]> {
  let cppNamespace = "::tessera::plan";
}

def Plan_Token : TypeDef<Plan_Dialect, "Token"> {
  let mnemonic = "token";
  let summary = "a collective that has been started";
}

def Plan_Bytes : MemRefRankOf<[I8], [1]>;

def Plan_ProgramOp : Plan_Op<"program", [
    Symbol, IsolatedFromAbove, NoTerminator, SingleBlock]> {
  let summary = "what one rank runs, and the arena that it runs in";
  let description = [{
    The body is straight-line: declarations of buffers and views, then the
    steps (`plan.launch`, `plan.gemm`, `plan.start`, `plan.wait`, `plan.fence`,
    `plan.clear`, `plan.copy`, `plan.fetch`, `plan.evict`), cut into entries by
    `plan.section`. A step's number is its place among the steps; lifetimes of
    buffers are given in these numbers. `memory` gives each category's bytes; they sum to `arena`.
    `flops` counts one step of training with all its micro-batches. With `shards`
    the ranks are a grid of replicas x shards: rank r is shard r mod `shards` of
    replica r div `shards`. With `secondary` it is also number r mod `secondary`
    of the ranks among which parameters are kept between gathers. `offload` is the
    size of the rank's file, where states lie that memory has no room for; it is
    no part of the arena.

    ```mlir test/dialects/plan/ops.mlir#program
    plan.program @sum world 2 stage 2 accumulation 1 arena 128
        memory {communication = 64 : i64, gradients = 64 : i64} flops 0 {
      %g = plan.buffer "gradient h.0" gradients at 0 persistent : memref<64xi8>
      %b = plan.buffer "bucket h.0" communication at 64 live [0, 2] : memref<64xi8>
      %gv = plan.view %g at 0 : memref<64xi8> -> memref<16xf32>
      %bv = plan.view %b at 0 : memref<64xi8> -> memref<32xbf16>
      plan.section "micro"
      %t = plan.start reduce_scatter @h.0 from %bv to %gv : memref<32xbf16>, memref<16xf32>
      plan.wait %t
      plan.fence %t
    }
    ```

    Constraints:
    - buffers are multiples of 64 bytes, aligned to 64 bytes, within the arena
      or the file;
    - what lies in the file is persistent, of category optimizer, begins at a
      page (4096 bytes), and no collective uses it;
    - two buffers that live at the same time do not overlap;
    - each use of a buffer lies in its lifetime; a collective uses its source
      from its start to its fence and its destination from its start to its
      wait;
    - steps work on views, views are of buffers, and a wait or fence is of a
      collective of the program;
    - each started collective has one wait and, later, one fence;
    - with several micro-batches, what starts in section "micro" ends there.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$world, I64Attr:$stage,
                       I64Attr:$accumulation, I64Attr:$arena_bytes,
                       DictionaryAttr:$memory, I64Attr:$flops,
                       OptionalAttr<I64Attr>:$shard_ranks,
                       OptionalAttr<I64Attr>:$secondary_ranks,
                       DefaultValuedAttr<I64Attr, "0">:$offload_bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `world` $world (`shards` $shard_ranks^)?
    (`secondary` $secondary_ranks^)? `stage` $stage `accumulation` $accumulation
    `arena` $arena_bytes (`offload` $offload_bytes^)? `memory` $memory
    `flops` $flops
    attr-dict-with-keyword $body
  }];
  let extraClassDeclaration = [{
    /// What runs, in order.
    ::llvm::SmallVector<::mlir::Operation *> getSteps();
    /// Bytes of a category.
    int64_t getMemory(Category category);
    /// Sets `memory`: bytes by category, in their order.
    void setMemory(::llvm::ArrayRef<int64_t> bytes);
    /// Ranks that states are partitioned over, and how often they are there.
    int64_t getShards() { return getShardRanks().value_or(getWorld()); }
    int64_t getReplicas() { return getWorld() / getShards(); }
    /// Ranks among which parameters are kept between gathers.
    int64_t getSecondary() { return getSecondaryRanks().value_or(1); }
    /// Where the file is mapped, in bytes from the arena's start: behind it, at
    /// a multiple of the largest page.
    int64_t getOffloadOffset();
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Plan_BufferOp : Plan_ProgramPart<"buffer", [Pure]> {
  let summary = "a piece of the arena and its lifetime";
  let description = [{
    The bytes [offset, offset + size) of the arena belong to the buffer from
    the first to the last step of `live`, or always where it is `persistent`.
    With `in file` they are bytes of the rank's file.

    ```mlir test/dialects/plan/ops.mlir#buffer
    %p = plan.buffer "parameter h.0" parameters at 0 persistent : memref<512xi8>
    %y = plan.buffer "y" activations at 3072 live [3, 4] : memref<1024xi8>
    %m = plan.buffer "moment1 h.0" optimizer in file at 0 persistent : memref<64xi8>
    ```
  }];
  let arguments = (ins StrAttr:$name, Plan_Category:$category, I64Attr:$offset,
                       UnitAttr:$persistent,
                       OptionalAttr<DenseI64ArrayAttr>:$live,
                       DefaultValuedAttr<Plan_Space, "Space::Arena">:$space);
  let results = (outs Plan_Bytes:$result);
  let assemblyFormat = [{
    $name $category (`in` $space^)? `at` $offset (`persistent` $persistent^)? (`live` $live^)?
    attr-dict `:` type($result)
  }];
  let extraClassDeclaration = [{
    int64_t getBytes() { return getResult().getType().getDimSize(0); }
    int64_t getFirst() { return getPersistent() ? 0 : (*getLive())[0]; }
    int64_t getLast() { return getPersistent() ? INT64_MAX : (*getLive())[1]; }
    bool isInFile() { return getSpace() == Space::File; }
    /// Where it begins when the program runs, in bytes from the arena's start.
    int64_t getPlace();
  }];
  let hasVerifier = 1;
}

def Plan_ViewOp : Plan_ProgramPart<"view", [Pure]> {
  let summary = "a typed part of a buffer";
  let description = [{
    The part begins at byte `offset`, on rank r at `offset` + r · `rank_stride`;
    on shard s of replica q of a grid at `offset` + s · `rank_stride` +
    q · `replica_stride`, and with the number among the secondary ranks times
    `secondary_stride` besides.

    ```mlir test/dialects/plan/ops.mlir#view
    %xv = plan.view %x at 0 : memref<1024xi8> -> memref<16x16xf32>
    %mine = plan.view %full at 0 rank_stride 512 : memref<1024xi8> -> memref<128xf32>
    ```

    Constraints: the part lies within the buffer on every rank; offset and
    stride are multiples of the element's size.
  }];
  let arguments = (ins Plan_Bytes:$buffer, I64Attr:$offset,
                       DefaultValuedAttr<I64Attr, "0">:$rank_stride,
                       DefaultValuedAttr<I64Attr, "0">:$replica_stride,
                       DefaultValuedAttr<I64Attr, "0">:$secondary_stride);
  let results = (outs Plan_Buffer:$result);
  let assemblyFormat = [{
    $buffer `at` $offset (`rank_stride` $rank_stride^)?
    (`replica_stride` $replica_stride^)?
    (`secondary_stride` $secondary_stride^)? attr-dict `:` type($buffer) `->`
    type($result)
  }];
  let extraClassDeclaration = [{
    /// Bytes of the part.
    int64_t getBytes();
    /// From the first rank's part to the end of the last one's.
    int64_t getSpan();
    /// Whether it lies elsewhere on other ranks.
    bool isRankDependent() {
      return getRankStride() || getReplicaStride() || getSecondaryStride();
    }
    BufferOp getBufferOp() { return getBuffer().getDefiningOp<BufferOp>(); }
  }];
  let hasVerifier = 1;
}

def Plan_SectionOp : Plan_ProgramPart<"section"> {
  let summary = "where an entry of the program begins";
  let description = [{
    The steps up to the next section are one function of the executable,
    `<program>.<section>`: "begin" once per step, "micro" once per micro-batch,
    "reduce" and "update" once per step; "run" where a program has one entry.
  }];
  let arguments = (ins StrAttr:$name);
  let assemblyFormat = "$name attr-dict";
  let extraClassDeclaration = [{
    /// Whether each micro-batch runs it.
    bool isOfMicroBatch() { return getName() == "micro"; }
    /// How often a step of training runs it.
    int64_t getTimes();
  }];
}

def Plan_InputOp : Plan_ProgramPart<"input"> {
  let summary = "what the runtime fills before an entry";
  let arguments = (ins StrAttr:$name, Plan_Buffer:$view, StrAttr:$when);
  let assemblyFormat = "$name $view `when` $when attr-dict `:` type($view)";
}

def Plan_OutputOp : Plan_ProgramPart<"output"> {
  let summary = "what the runtime reads when the program has run";
  let arguments = (ins StrAttr:$name, Plan_Buffer:$view);
  let assemblyFormat = "$name $view attr-dict `:` type($view)";
}

def Plan_StateOp : Plan_ProgramPart<"state"> {
  let summary = "a group's state that lasts from step to step";
  let description = [{
    ```mlir test/dialects/plan/ops.mlir#state
    plan.state parameter @h.0 %p sharded : memref<512xi8>
    plan.state gradient @h.0 %g sharded of bf16 : memref<512xi8>
    ```
    Elements are fp32 unless said otherwise.
  }];
  let arguments = (ins Optimizer_StateName:$state, FlatSymbolRefAttr:$group,
                       Plan_Bytes:$buffer, UnitAttr:$sharded,
                       OptionalAttr<TypeAttr>:$type);
  let assemblyFormat = [{
    custom<StateName>($state) $group $buffer (`sharded` $sharded^)?
    (`of` $type^)? attr-dict `:` type($buffer)
  }];
  let extraClassDeclaration = [{
    ::mlir::Type getElementType() {
      return getType() ? *getType()
                       : ::mlir::Float32Type::get(getContext());
    }
  }];
}

def Plan_ScratchOp : Plan_ProgramPart<"scratch"> {
  let summary = "the memory that one step at a time may use freely";
  let description = [{
    Its size is the most that a launch (scratch bytes per thread times
    `threads`) or a GEMM (what the library asks for) needs.
  }];
  let arguments = (ins Plan_Bytes:$buffer, I64Attr:$threads);
  let assemblyFormat = "$buffer `threads` $threads attr-dict `:` type($buffer)";
}

def Plan_ClearOp : Plan_ProgramPart<"clear"> {
  let summary = "fill with zero";
  let arguments = (ins Plan_Buffer:$view);
  let assemblyFormat = "$view attr-dict `:` type($view)";
}

def Plan_CopyOp : Plan_ProgramPart<"copy", [AllTypesMatch<["source", "destination"]>]> {
  let summary = "copy between views that do not overlap";
  let description = [{
    Stands where a value could not be computed in its place.
  }];
  let arguments = (ins Plan_Buffer:$source, Plan_Buffer:$destination);
  let assemblyFormat = [{
    $source `to` $destination attr-dict `:` type($source)
  }];
}

def Plan_FetchOp : Plan_ProgramPart<"fetch"> {
  let summary = "begin to read buffers of the file";
  let description = [{
    The buffers are used soon. Before it reads, it waits until what was evicted
    last is on the disk and out of memory, so that memory holds two sets of
    buffers at most: those in use and those on their way.

    ```mlir test/dialects/plan/ops.mlir#fetch
    plan.fetch %m : memref<64xi8>
    plan.evict %m : memref<64xi8>
    ```
  }];
  let arguments = (ins Variadic<Plan_Bytes>:$buffers);
  let assemblyFormat = "$buffers attr-dict `:` type($buffers)";
}

def Plan_EvictOp : Plan_ProgramPart<"evict"> {
  let summary = "begin to write buffers of the file and let go of their memory";
  let arguments = (ins Variadic<Plan_Bytes>:$buffers);
  let assemblyFormat = "$buffers attr-dict `:` type($buffers)";
}

def Plan_StartOp : Plan_ProgramPart<"start"> {
  let summary = "start a collective";
  let description = [{
    From here on peers may read the source, and the destination belongs to the
    collective. `in_place`: the source is this rank's part of the destination
    (all_gather), or the destination this rank's part of the source
    (reduce_scatter). `accumulate`: a reduce_scatter adds to its destination.

    ```mlir test/dialects/plan/ops.mlir#fence
    %t = plan.start all_gather @h.0 from %pv to %fv : memref<128xf32>, memref<256xf32>
    plan.wait %t
    plan.fence %t
    ```

    With `over` n `step` k it is among n ranks each: rank r and those that
    differ from it by multiples of k, in ranges of n · k.

    Constraints: the sizes agree with the number of ranks; f32, f64, bf16 or
    f16, the same on both sides, but that a reduce_scatter that is not in place
    may sum 16-bit numbers into f32.
  }];
  let arguments = (ins Plan_Collective:$kind,
                       OptionalAttr<FlatSymbolRefAttr>:$group,
                       Plan_Buffer:$source, Plan_Buffer:$destination,
                       UnitAttr:$in_place, UnitAttr:$accumulate,
                       OptionalAttr<I64Attr>:$ranks,
                       OptionalAttr<I64Attr>:$step);
  let results = (outs Plan_Token:$token);
  let assemblyFormat = [{
    $kind ($group^)? (`over` $ranks^ `step` $step)? `from` $source `to` $destination (`in_place` $in_place^)?
    (`accumulate` $accumulate^)? attr-dict `:` type($source) `,`
    type($destination)
  }];
  let extraClassDeclaration = [{
    /// Elements of the whole buffer.
    int64_t getElements();
    /// The ranks that it is among, in a world of \p world.
    int64_t getMembers(int64_t world) { return getRanks().value_or(world); }
    /// Bytes that one rank receives.
    int64_t getReceivedBytes(int64_t world);
  }];
}

def Plan_WaitOp : Plan_ProgramPart<"wait"> {
  let summary = "wait until a collective's destination is complete";
  let arguments = (ins Plan_Token:$token);
  let assemblyFormat = "$token attr-dict";
}

def Plan_FenceOp : Plan_ProgramPart<"fence"> {
  let summary = "wait until no peer reads a collective's source any more";
  let arguments = (ins Plan_Token:$token);
  let assemblyFormat = "$token attr-dict";
}

#endif // TESSERA_DIALECTS_PLAN_PLANOPS_TD
