//===- SpecAttrs.td - The specification as attributes ------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_SPEC_SPECATTRS_TD
#define TESSERA_DIALECTS_SPEC_SPECATTRS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Spec_Dialect : Dialect {
  let name = "spec";
  let cppNamespace = "::tessera::spec";
  let summary = "What a user says of a model and its training";
  let description = [{
    A module carries its specification as the attribute `spec.specification`, so
    that a dumped module holds all that compiling on takes. Fields have the
    names, groups, ranges and defaults that they have in frontends/spec.proto;
    values that follow from others (batches, the decay's end, a graph's shape)
    are resolved. See docs/rationale-spec.md.

    The machine that times are predicted for is apart, as `spec.machine`: nothing
    that runs depends on it, and executables have none of it.

    What a compilation adds is apart from what was specified: `spec.recomputed`
    says what of the forward pass the step recomputes.

    ```mlir test/dialects/spec/attributes.mlir#specification
    module attributes {spec.specification = #spec.specification<
        name = "tiny",
        model = #spec.transformer<names = "bloom", vocabulary = 256, hidden = 64,
                                  heads = 4, sequence_length = 32>,
        training = <global_batch = 8, micro_batch = 4, steps = 10,
                    optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9,
                                 beta2 = 0.999, eps = 1.0e-8,
                                 weight_decay = 0.0}>,
        parallel = <world = 2, zero_stage = 3>,
        target = #spec.cpu<threads = 4>>} {
    }
    ```
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let dependentDialects = ["::tessera::optimizer::OptimizerDialect"];
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

/// A whole number. One without a default must be given: the verifier says so, by
/// the field's path.
class Spec_Int<string default = "::tessera::spec::missingValue">
    : AttrParameter<"int64_t", "a whole number"> {
  let defaultValue = default;
}
/// A whole number that a specification may leave out.
def Spec_OptionalInt : OptionalParameter<"std::optional<int64_t>">;

/// A finite number.
class Spec_Real<string default = "">
    : AttrParameter<"::tessera::spec::Real", "a finite number"> {
  let defaultValue =
      !if(!empty(default), "", "::tessera::spec::Real(" # default # ")");
}

/// The same for a finite number, a truth value and a text.
def Spec_OptionalReal : OptionalParameter<"std::optional<::tessera::spec::Real>">;
def Spec_OptionalBool : OptionalParameter<"::mlir::BoolAttr">;
def Spec_OptionalText : OptionalParameter<"::mlir::StringAttr">;

class Spec_Bool<string default> : DefaultValuedParameter<"bool", default>;

/// Text; must be given where it has no default.
class Spec_Text<string default = "">
    : AttrParameter<"::mlir::StringAttr", "a text"> {
  let defaultValue = !if(!empty(default), "",
      "::mlir::StringAttr::get($_ctxt, \"" # default # "\")");
}

/// One of an enumeration's cases, the one named `default` by default.
class Spec_Case<EnumInfo info, string default>
    : DefaultValuedParameter<info.cppNamespace # "::" # info.className,
                             info.className # "::" # default>;

/// A group of fields, all at their defaults where it is left out.
class Spec_Group<string type>
    : DefaultValuedParameter<type, type # "::get($_ctxt)">;

/// A dictionary, empty where it is left out.
def Spec_Dictionary
    : DefaultValuedParameter<"::mlir::DictionaryAttr",
                             "::mlir::DictionaryAttr::get($_ctxt)">;

//===----------------------------------------------------------------------===//
// Enumerations
//===----------------------------------------------------------------------===//

class Spec_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::tessera::spec";
  let genSpecializedAttr = 0;
}

def Spec_Normalization : Spec_Enum<"Normalization", "weights of a graph's edges", [
  I32EnumAttrCase<"Symmetric", 0, "symmetric">,
  I32EnumAttrCase<"None", 1, "none">, I32EnumAttrCase<"Mean", 2, "mean">,
  I32EnumAttrCase<"Ones", 3, "ones">]>;

def Spec_NumberType : Spec_Enum<"NumberType", "type of numbers", [
  I32EnumAttrCase<"FP32", 0, "fp32">, I32EnumAttrCase<"BF16", 1, "bf16">,
  I32EnumAttrCase<"FP16", 2, "fp16">]>;

def Spec_Recompute : Spec_Enum<"Recompute", "what the backward pass recomputes", [
  I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Layer", 1, "layer">,
  I32EnumAttrCase<"Auto", 2, "auto">]>;

def Spec_NonFinite : Spec_Enum<"NonFinite", "what a step without a finite loss does", [
  I32EnumAttrCase<"Stop", 0, "stop">, I32EnumAttrCase<"Skip", 1, "skip">]>;

def Spec_ScheduleKind : Spec_Enum<"ScheduleKind", "how the learning rate goes", [
  I32EnumAttrCase<"Constant", 0, "constant">,
  I32EnumAttrCase<"Cosine", 1, "cosine">]>;

def Spec_Offload : Spec_Enum<"Offload", "which states lie in a file", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Optimizer", 1, "optimizer">]>;

def Spec_AuditSetting : Spec_Enum<"AuditSetting", "which graph is queried", [
  I32EnumAttrCase<"TSTF", 0, "tstf">, I32EnumAttrCase<"TSTS", 1, "tsts">,
  I32EnumAttrCase<"Documents", 2, "documents">]>;

def Spec_AuditQuery : Spec_Enum<"AuditQuery", "where members are queried", [
  I32EnumAttrCase<"Matched", 0, "matched">,
  I32EnumAttrCase<"Reference", 1, "reference">]>;

def Spec_AttackInput : Spec_Enum<"AttackInput", "what an attack reads", [
  I32EnumAttrCase<"Posteriors", 0, "posteriors">,
  I32EnumAttrCase<"Sorted", 1, "sorted">, I32EnumAttrCase<"TopK", 2, "top_k">,
  I32EnumAttrCase<"LabelOnly", 3, "label_only">]>;

def Spec_DefenseKind : Spec_Enum<"DefenseKind", "what is done to predictions", [
  I32EnumAttrCase<"NSD", 0, "nsd">, I32EnumAttrCase<"LBP", 1, "lbp">,
  I32EnumAttrCase<"VanPD", 2, "vanpd">,
  I32EnumAttrCase<"Rounding", 3, "rounding">,
  I32EnumAttrCase<"Temperature", 4, "temperature">,
  I32EnumAttrCase<"LabelOnly", 5, "label_only">]>;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

class Spec_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Spec_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
  let genVerifyDecl = 1;
}

/// An attribute with fields that must be given.
class Spec_Struct<string name, string attrMnemonic, list<Trait> traits = []>
    : Spec_Attr<name, attrMnemonic, traits> {
  let assemblyFormat = "`<` struct(params) `>`";
}

/// An attribute whose fields may all be left out: `get(context)` has each at
/// its default.
class Spec_Defaults<string name, string attrMnemonic, dag fields,
                    list<Trait> traits = []>
    : Spec_Attr<name, attrMnemonic, traits> {
  let parameters = fields;
  let assemblyFormat = "(`<` struct(params)^ `>`)?";
  let builders = [AttrBuilder<(ins),
      "return $_get($_ctxt, " #
      !interleave(!foreach(i, !range(!size(fields)),
          !getdagarg<AttrOrTypeParameter>(fields, i).defaultValue), ", ") #
      ");">];
}

def Spec_TransformerAttr : Spec_Struct<"Transformer", "transformer"> {
  let summary = "a Transformer";
  let description = [{
    `names` is the family, as spec.proto calls it in lower case. `head_dim` is
    there where it is not hidden / heads. With rotary
    positions, a pair of a head's columns is rotated by its number of
    `frequencies` from one position to the next, in radians, and sines and
    cosines are multiplied by `rotary_factor`.
  }];
  let parameters = (ins Spec_Text<>:$names, Spec_Int<>:$vocabulary,
      Spec_Int<>:$hidden, Spec_Int<>:$heads, Spec_OptionalInt:$head_dim,
      Spec_Int<>:$sequence_length,
      OptionalParameter<"::mlir::DenseF64ArrayAttr">:$frequencies,
      Spec_Real<"1.0">:$rotary_factor);
  let extraClassDeclaration = [{
    /// Of a head.
    int64_t getHeadColumns() const {
      return getHeadDim().value_or(getHidden() / getHeads());
    }
  }];
}

def Spec_GnnAttr : Spec_Struct<"Gnn", "gnn"> {
  let summary = "a graph neural network and the shape of its graph";
  let description = [{
    Edges are directed, as the file has them, before self-loops are added.
    `layer` is a layer's kind, as spec.proto calls it in lower case. There is
    room for `feature_entries` numbers of sparse features; 0: they are dense.
    Training learns from up to `train_nodes` nodes, which up to `train_edges`
    edges enter; 0: from any.
  }];
  let parameters = (ins Spec_Text<"gcn">:$layer, Spec_Bool<"true">:$self_loops,
      Spec_Case<Spec_Normalization, "Symmetric">:$normalization,
      Spec_Int<>:$nodes, Spec_Int<>:$edges, Spec_Int<>:$features,
      Spec_Int<>:$classes, Spec_Int<"0">:$feature_entries,
      Spec_Int<"0">:$train_nodes, Spec_Int<"0">:$train_edges,
      Spec_Bool<"false">:$normalize_features);
}

def Spec_LossScaleAttr : Spec_Defaults<"LossScale", "loss_scale",
    (ins Spec_Real<"65536.0">:$initial, Spec_Int<"1000">:$window,
         Spec_Int<"2">:$hysteresis, Spec_Real<"1.0">:$minimum)> {
  let summary = "how the scale of an fp16 loss is found";
}

def Spec_PrecisionAttr : Spec_Defaults<"Precision", "precision",
    (ins Spec_Case<Spec_NumberType, "FP32">:$compute,
         Spec_Case<Spec_NumberType, "FP32">:$gradients,
         OptionalParameter<"LossScaleAttr">:$loss_scale)> {
  let summary = "types of numbers";
  let description = "`loss_scale` is there just where `compute` is fp16.";
}

def Spec_ScheduleAttr : Spec_Defaults<"Schedule", "schedule",
    (ins Spec_Case<Spec_ScheduleKind, "Constant">:$kind,
         Spec_Int<"0">:$warmup_steps, Spec_OptionalInt:$decay_steps,
         Spec_Real<"0.0">:$min_lr, Spec_OptionalInt:$warmup_samples,
         Spec_OptionalInt:$decay_samples)> {
  let summary = "how the learning rate goes";
  let extraClassDeclaration = [{
    /// Whether it counts samples rather than steps.
    bool countsSamples() const {
      return getWarmupSamples() || getDecaySamples();
    }
  }];
}

def Spec_BatchRampAttr : Spec_Struct<"BatchRamp", "batch_ramp"> {
  let summary = "how the global batch grows";
  let parameters = (ins Spec_Int<>:$start, Spec_Int<>:$increment,
      Spec_Int<>:$samples);
}

def Spec_SamplingAttr : Spec_Struct<"Sampling", "sampling"> {
  let summary = "how neighbourhoods of a graph's nodes are sampled";
  let description = [{
    `fan_out` has a number for each layer, by hop from the seeds, -1 for all
    edges. `batch` is the training's micro-batch.
  }];
  let parameters =
      (ins AttrParameter<"::mlir::DenseI64ArrayAttr", "by hop">:$fan_out,
          Spec_Int<>:$batch, Spec_Bool<"false">:$replace);
}

def Spec_TrainingAttr : Spec_Struct<"Training", "training"> {
  let summary = "training";
  let description = [{
    `memory_limit` is in bytes. `optimizer` is a dictionary of `kind`, which
    names a row of the table of optimizers, its numbers, all of them given, and
    `groups`. Or `kind` is an optimizer itself, as of a dialect from outside.
  }];
  let parameters = (ins Spec_Int<>:$global_batch, Spec_Int<>:$micro_batch,
      Spec_Int<>:$steps, Spec_Int<"1">:$seed, Spec_Real<"0.0">:$clip,
      AttrParameter<"::mlir::Attribute", "the optimizer">:$optimizer,
      Spec_Group<"ScheduleAttr">:$schedule,
      Spec_Case<Spec_Recompute, "None">:$recompute,
      Spec_OptionalInt:$memory_limit,
      OptionalParameter<"BatchRampAttr">:$batch_ramp,
      Spec_Case<Spec_NonFinite, "Stop">:$non_finite, Spec_Int<"10">:$max_skips,
      OptionalParameter<"SamplingAttr">:$sampling,
      Spec_Group<"PrecisionAttr">:$precision);
}

def Spec_ParallelAttr : Spec_Defaults<"Parallel", "parallel",
    (ins Spec_Int<"1">:$world, Spec_Int<"0">:$zero_stage,
         Spec_Int<"1">:$prefetch, Spec_Int<"0">:$bucket_bytes,
         Spec_Int<"0">:$persistence_threshold, Spec_Int<"0">:$gather_bytes,
         Spec_Int<"0">:$prefetch_bytes, Spec_OptionalInt:$shard_ranks,
         Spec_OptionalInt:$secondary_ranks,
         Spec_Bool<"false">:$quantized_gathers,
         Spec_Case<Spec_Offload, "None">:$offload)> {
  let summary = "ranks and what is partitioned over them";
}

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

def Spec_TargetInterface : AttrInterface<"TargetAttrInterface"> {
  let cppNamespace = "::tessera::spec";
  let description = [{
    What a specification says of its target. A target with fields of its own has
    an attribute of its own; one without is a `#spec.target`.
  }];
  let methods = [
    InterfaceMethod<"The name by which the target is registered.",
      "::llvm::StringRef", "getTargetName">,
    InterfaceMethod<"The CPU that code of the host is for, as LLVM names it.",
      "::llvm::StringRef", "getHostCpu", (ins), [{}], [{ return "native"; }]>,
    InterfaceMethod<"Threads per rank; 0: the cores divided among the ranks.",
      "int64_t", "getHostThreads", (ins), [{}], [{ return 0; }]>,
    InterfaceMethod<"Fields that this target alone has, for the manifest.",
      "::mlir::DictionaryAttr", "getOwnFields", (ins), [{}],
      [{ return ::mlir::DictionaryAttr::get($_attr.getContext()); }]>
  ];
}

class Spec_DeclareTarget<list<string> overridden>
    : DeclareAttrInterfaceMethods<Spec_TargetInterface, overridden>;

def Spec_CpuAttr : Spec_Defaults<"Cpu", "cpu",
    (ins Spec_Text<"native">:$name, Spec_Int<"0">:$threads),
    [Spec_DeclareTarget<["getTargetName", "getHostCpu", "getHostThreads"]>]> {
  let summary = "CPUs as the target";
}

def Spec_CudaAttr : Spec_Defaults<"Cuda", "cuda",
    (ins Spec_Text<"sm_90a">:$arch, Spec_Bool<"false">:$gelu_epilogue),
    [Spec_DeclareTarget<["getTargetName", "getHostCpu", "getOwnFields"]>]> {
  let summary = "NVIDIA GPUs as the target";
}

def Spec_PlainTargetAttr : Spec_Struct<"PlainTarget", "target",
    [Spec_DeclareTarget<["getTargetName"]>]> {
  let summary = "a target that has no fields";
  let parameters = (ins Spec_Text<>:$name);
  let assemblyFormat = "`<` $name `>`";
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

def Spec_SpecificationAttr : Spec_Struct<"Specification", "specification"> {
  let summary = "a specification";
  let description = [{
    `model` is a `#spec.transformer` or a `#spec.gnn`. `tied` names, for each
    name of a parameter in files that has no memory of its own, the one whose
    memory it shares. `fingerprint` has what determines the mathematics of a
    run: texts by the specification's paths. `config` is what a published
    Transformer's config.json says of the model, where there is one: for each
    field a dictionary of its `names`, of which the first is written, its `value`,
    `others` that mean the same, and whether it `decides` what the weights mean.
    `tokenizer` is the path of a file that becomes part of the executable.
  }];
  let parameters = (ins Spec_Text<>:$name,
      AttrParameter<"::mlir::Attribute", "the model">:$model,
      AttrParameter<"TrainingAttr", "training">:$training,
      Spec_Group<"ParallelAttr">:$parallel,
      DefaultValuedParameter<"::tessera::spec::TargetAttrInterface",
                             "CpuAttr::get($_ctxt)">:$target,
      Spec_Dictionary:$tied, Spec_Dictionary:$fingerprint,
      OptionalParameter<"::mlir::ArrayAttr">:$config,
      Spec_OptionalText:$tokenizer);
  let extraClassDeclaration = [{
    /// The module's attribute that holds it.
    static constexpr ::llvm::StringLiteral attributeName = "spec.specification";

    /// Micro-batches that a rank computes each step.
    int64_t getAccumulation() const {
      return getTraining().getGlobalBatch() /
             (getTraining().getMicroBatch() * getParallel().getWorld());
    }
  }];
}

//===----------------------------------------------------------------------===//
// Audits
//===----------------------------------------------------------------------===//

def Spec_DefenseAttr : Spec_Struct<"Defense", "defense"> {
  let summary = "what is done to predictions before an attacker sees them";
  let description = "A defense has just the numbers that it reads.";
  let parameters = (ins EnumParameter<Spec_DefenseKind>:$kind,
      Spec_OptionalInt:$neighbors, Spec_OptionalInt:$bins,
      Spec_OptionalReal:$beta, Spec_OptionalInt:$digits,
      Spec_OptionalReal:$temperature);
}

def Spec_AttackAttr : Spec_Defaults<"Attack", "attack",
    (ins Spec_Int<"100">:$epochs, Spec_Int<"32">:$batch,
         Spec_Case<Spec_AttackInput, "Posteriors">:$input,
         Spec_Int<"3">:$top_k, Spec_Bool<"false">:$standardize,
         Spec_Int<"0">:$lira_shadows)> {
  let summary = "how the model that tells members apart is trained";
  let description = "`lira_shadows`: of LiRA, 0 where it does not attack.";
}

def Spec_ShadowAttr : Spec_Struct<"Shadow", "shadow"> {
  let summary = "the graph of the attacker's model";
  let description = [{
    Of a shadow on a graph of its own: the graph's nodes and edges, and how many
    of them the shadow trains on and is tested on.
  }];
  let parameters = (ins Spec_Int<>:$nodes, Spec_Int<>:$edges,
      Spec_Int<>:$train_nodes_per_class, Spec_Int<>:$test_nodes,
      Spec_OptionalInt:$test_nodes_per_class);
}

def Spec_GenerationAttr : Spec_Struct<"Generation", "generation"> {
  let summary = "generation of text";
  let description = [{
    On the module of a model that generates and is not trained: its programs are
    `prefill`, which takes up to `chunk` tokens of a text, and `decode`, which
    takes one token each of up to `slots` texts of up to `length` tokens.

    ```mlir test/dialects/spec/attributes.mlir#generation
    #generation = #spec.generation<slots = 8, length = 1024, chunk = 128>
    ```
  }];
  let parameters = (ins Spec_Int<>:$slots, Spec_Int<>:$length,
      Spec_Int<>:$chunk);
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The module's attribute that holds it.
    static constexpr ::llvm::StringLiteral attributeName = "spec.generation";
  }];
}

def Spec_AuditAttr : Spec_Struct<"Audit", "audit"> {
  let summary = "an audit of membership";
  let description = [{
    On the module of the target, beside those of the models that the audit trains
    besides it. `nodes` and `edges` are those of the whole graph. A Transformer is
    asked about `documents`, where no other field counts.
  }];
  let parameters = (ins Spec_Case<Spec_AuditSetting, "TSTF">:$setting,
      Spec_Case<Spec_AuditQuery, "Matched">:$query, Spec_OptionalInt:$nodes,
      Spec_OptionalInt:$edges, Spec_OptionalInt:$train_nodes_per_class,
      Spec_OptionalInt:$test_nodes, Spec_OptionalInt:$test_nodes_per_class,
      Spec_Group<"AttackAttr">:$attack, OptionalParameter<"ShadowAttr">:$shadow,
      DefaultValuedParameter<"::mlir::ArrayAttr",
                             "::mlir::ArrayAttr::get($_ctxt, {})">:$defenses,
      Spec_Bool<"false">:$without_edges);
  let extraClassDeclaration = [{
    /// The module's attribute that holds it.
    static constexpr ::llvm::StringLiteral attributeName = "spec.audit";
  }];
}

def Spec_LinkAttr : Spec_Defaults<"Link", "link",
    (ins Spec_OptionalReal:$latency_us, Spec_OptionalReal:$gbytes,
         Spec_OptionalBool:$overlaps_compute)> {
  let summary = "how messages travel between ranks";
}

def Spec_MachineAttr : Spec_Defaults<"Machine", "machine",
    (ins Spec_OptionalText:$name, Spec_OptionalInt:$cores,
         Spec_OptionalInt:$ranks_per_node, Spec_OptionalReal:$fp32_gflops,
         Spec_OptionalReal:$bf16_gflops, Spec_OptionalReal:$fp32_gemm_gflops,
         Spec_OptionalReal:$bf16_gemm_gflops,
         Spec_OptionalReal:$memory_gbytes, Spec_OptionalReal:$cache_gbytes,
         Spec_OptionalReal:$cache_mib, Spec_OptionalReal:$launch_us,
         Spec_Group<"LinkAttr">:$intra_node, Spec_Group<"LinkAttr">:$inter_node)> {
  let summary = "what is known of the machine that times are predicted for";
  let description = [{
    What is not given, report/Machine.h derives from the rest or from the target.
  }];
  let extraClassDeclaration = [{
    /// The module's attribute that holds it.
    static constexpr ::llvm::StringLiteral attributeName = "spec.machine";
  }];
}

def Spec_RecomputedAttr : Spec_Struct<"Recomputed", "recomputed"> {
  let summary = "what of the forward pass a step recomputes";
  let description = [{
    Of `segments` segments, `whole` are recomputed, and of `cheap` others
    what is cheap. The pass `nn-recompute` writes it.
  }];
  let parameters = (ins Spec_Int<"0">:$segments, Spec_Int<"0">:$whole,
      Spec_Int<"0">:$cheap);
  let extraClassDeclaration = [{
    /// The module's attribute that holds it.
    static constexpr ::llvm::StringLiteral attributeName = "spec.recomputed";
  }];
}

#endif // TESSERA_DIALECTS_SPEC_SPECATTRS_TD
