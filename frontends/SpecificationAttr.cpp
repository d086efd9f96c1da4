//===- SpecificationAttr.cpp - The module's attribute `tessera.spec` ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/Spec.h"
#include "frontends/ModelBuilder.h"
#include "frontends/ModuleWriter.h"

using namespace mlir;
using namespace tessera;

namespace {

/// A dictionary attribute under construction.
class Entries {
public:
  explicit Entries(MLIRContext &context) : builder(&context) {}

  void integer(StringRef key, int64_t value) {
    add(key, builder.getI64IntegerAttr(value));
  }
  void real(StringRef key, double value) {
    add(key, builder.getF64FloatAttr(value));
  }
  void text(StringRef key, StringRef value) {
    add(key, builder.getStringAttr(value));
  }
  void boolean(StringRef key, bool value) {
    add(key, builder.getBoolAttr(value));
  }
  void dictionary(StringRef key, Entries &&value) { add(key, value.get()); }
  void dictionary(StringRef key, DictionaryAttr value) { add(key, value); }
  DictionaryAttr get() { return builder.getDictionaryAttr(entries); }

private:
  void add(StringRef key, Attribute value) {
    entries.push_back(builder.getNamedAttr(key, value));
  }

  Builder builder;
  SmallVector<NamedAttribute> entries;
};

} // namespace

static Entries modelEntries(const spec::Specification &message,
                            MLIRContext &context) {
  Entries model(context);
  if (message.has_transformer()) {
    const spec::Transformer &transformer = message.transformer();
    model.text("kind", "transformer");
    model.text("family", transformer.names() == spec::Transformer::BLOOM
                             ? "bloom"
                             : "gpt2");
    model.integer("vocabulary", transformer.vocabulary());
    model.integer("sequence", transformer.sequence_length());
    return model;
  }
  const spec::Gnn &gnn = message.gnn();
  model.text("kind", "gnn");
  model.text("family", "gcn");
  model.integer("nodes", gnn.nodes());
  model.integer("edges", gnn.edges());
  model.integer("features", gnn.features());
  model.integer("classes", gnn.classes());
  model.boolean("self_loops", gnn.self_loops());
  model.text("normalization", gnn.normalization() == spec::Gnn::SYMMETRIC
                                  ? "symmetric"
                                  : "none");
  return model;
}

static StringRef typeName(spec::Precision::Type type) {
  switch (type) {
  case spec::Precision::BF16:
    return "bf16";
  case spec::Precision::FP16:
    return "f16";
  default:
    return "f32";
  }
}

static Entries precisionEntries(const spec::Precision &given,
                                MLIRContext &context) {
  Entries precision(context);
  precision.text("compute", typeName(given.compute()));
  precision.text("gradients", typeName(given.gradients()));
  if (given.compute() != spec::Precision::FP16)
    return precision;
  Entries scale(context);
  scale.real("initial", given.loss_scale().initial());
  scale.integer("window", given.loss_scale().window());
  scale.integer("hysteresis", given.loss_scale().hysteresis());
  scale.real("minimum", given.loss_scale().minimum());
  precision.dictionary("loss_scale", std::move(scale));
  return precision;
}

static StringRef recomputeName(spec::Training::Recompute recompute) {
  switch (recompute) {
  case spec::Training::NONE:
    return "none";
  case spec::Training::LAYER:
    return "layer";
  case spec::Training::AUTO:
    return "auto";
  }
  llvm_unreachable("the specification has no other ways to recompute");
}

static Entries trainingEntries(const Specification &specification,
                               MLIRContext &context) {
  const spec::Training &given = specification.message.training();
  const spec::Parallel &parallel = specification.message.parallel();
  Entries optimizer(context);
  optimizer.text("kind", "adamw");
  optimizer.real("lr", given.optimizer().lr());
  optimizer.real("beta1", given.optimizer().beta1());
  optimizer.real("beta2", given.optimizer().beta2());
  optimizer.real("eps", given.optimizer().eps());
  optimizer.real("weight_decay", given.optimizer().weight_decay());
  optimizer.real("clip", given.clip());

  Entries schedule(context);
  schedule.text("kind", given.schedule().kind() == spec::Schedule::COSINE
                            ? "cosine"
                            : "constant");
  schedule.integer("warmup_steps", given.schedule().warmup_steps());
  schedule.integer("decay_steps", given.schedule().decay_steps());
  schedule.real("min_lr", given.schedule().min_lr());
  if (given.schedule().has_warmup_samples() ||
      given.schedule().has_decay_samples()) {
    schedule.integer("warmup_samples", given.schedule().warmup_samples());
    schedule.integer("decay_samples", given.schedule().decay_samples());
  }

  Entries training(context);
  training.integer("world", parallel.world());
  training.integer("stage", parallel.zero_stage());
  training.integer("prefetch", parallel.prefetch());
  training.integer("bucket_bytes", parallel.bucket_bytes());
  training.integer("persistence_threshold", parallel.persistence_threshold());
  training.integer("gather_bytes", parallel.gather_bytes());
  training.integer("prefetch_bytes", parallel.prefetch_bytes());
  if (parallel.has_shard_ranks())
    training.integer("shard_ranks", parallel.shard_ranks());
  if (parallel.has_secondary_ranks())
    training.integer("secondary_ranks", parallel.secondary_ranks());
  if (parallel.quantized_gathers())
    training.boolean("quantized_gathers", true);
  if (parallel.offload() == spec::Parallel::OPTIMIZER)
    training.text("offload", "optimizer");
  training.integer("micro_batch", given.micro_batch());
  training.integer("accumulation", specification.accumulation);
  training.integer("global_batch", given.global_batch());
  training.integer("seed", given.seed());
  training.integer("steps", given.steps());
  training.dictionary("precision",
                      precisionEntries(given.precision(), context));
  training.text("non_finite",
                given.non_finite() == spec::Training::SKIP ? "skip" : "stop");
  training.integer("max_skips", given.max_skips());
  training.text("recompute", recomputeName(given.recompute()));
  if (specification.memoryLimit)
    training.integer("memory_limit", *specification.memoryLimit);
  if (given.has_batch_ramp()) {
    Entries ramp(context);
    ramp.integer("start", given.batch_ramp().start());
    ramp.integer("increment", given.batch_ramp().increment());
    ramp.integer("samples", given.batch_ramp().samples());
    training.dictionary("batch_ramp", std::move(ramp));
  }
  training.dictionary("optimizer", std::move(optimizer));
  training.dictionary("schedule", std::move(schedule));
  return training;
}

DictionaryAttr tessera::specificationAttr(const Specification &specification,
                                          MLIRContext &context) {
  const spec::Specification &message = specification.message;
  Entries target(context);
  bool hasGpu = message.target().has_cuda();
  target.text("kind", hasGpu ? "cuda" : "cpu");
  if (hasGpu) {
    target.text("arch", message.target().cuda().arch());
    target.boolean("gelu_epilogue", message.target().cuda().gelu_epilogue());
  }
  // The processors of a machine with GPUs may be any; they compute nothing.
  target.text("cpu", hasGpu ? "x86-64" : message.target().cpu().name());
  target.integer("threads", message.target().cpu().threads());

  Entries tied(context);
  if (message.has_transformer() && message.transformer().tied_embeddings())
    tied.text("lm_head.weight",
              message.transformer().names() == spec::Transformer::BLOOM
                  ? "word_embeddings.weight"
                  : "wte.weight");

  Entries all(context);
  all.text("name", message.name());
  all.dictionary("model", modelEntries(message, context));
  all.dictionary("training", trainingEntries(specification, context));
  all.dictionary("target", std::move(target));
  all.dictionary("tied", std::move(tied));
  all.dictionary("fingerprint", fingerprintAttr(message, context));
  return all.get();
}

namespace {

enum class Kind { Dictionary, Integer, Real, Text, Boolean };

/// What the entry \p path must be; numbers from \p low to \p high.
struct Entry {
  StringLiteral path;
  Kind kind;
  bool isRequired = false;
  double low = 0, high = 9e18;
};

} // namespace

static constexpr Entry knownEntries[] = {
    {"name", Kind::Text, true},
    {"tied", Kind::Dictionary},
    {"model", Kind::Dictionary, true},
    {"model.kind", Kind::Text, true},
    {"model.family", Kind::Text},
    {"model.vocabulary", Kind::Integer},
    {"model.sequence", Kind::Integer},
    {"model.nodes", Kind::Integer},
    {"model.edges", Kind::Integer},
    {"model.features", Kind::Integer},
    {"model.classes", Kind::Integer},
    {"model.self_loops", Kind::Boolean},
    {"model.normalization", Kind::Text},
    {"target", Kind::Dictionary},
    {"target.kind", Kind::Text},
    {"target.cpu", Kind::Text},
    {"target.arch", Kind::Text},
    {"target.gelu_epilogue", Kind::Boolean},
    {"target.threads", Kind::Integer, false, 0, 4096},
    {"training", Kind::Dictionary, true},
    {"training.world", Kind::Integer, true, 1, 65536},
    {"training.stage", Kind::Integer, true, 0, 3},
    {"training.shard_ranks", Kind::Integer, false, 1, 65536},
    {"training.secondary_ranks", Kind::Integer, false, 1, 65536},
    {"training.prefetch", Kind::Integer},
    {"training.bucket_bytes", Kind::Integer},
    {"training.persistence_threshold", Kind::Integer},
    {"training.gather_bytes", Kind::Integer},
    {"training.prefetch_bytes", Kind::Integer},
    {"training.quantized_gathers", Kind::Boolean},
    {"training.offload", Kind::Text},
    {"training.micro_batch", Kind::Integer, false, 1},
    {"training.accumulation", Kind::Integer, false, 1},
    {"training.global_batch", Kind::Integer, false, 1},
    {"training.seed", Kind::Integer, false, -9.3e18, 9.3e18},
    {"training.steps", Kind::Integer},
    {"training.non_finite", Kind::Text},
    {"training.max_skips", Kind::Integer},
    {"training.recompute", Kind::Text},
    {"training.recomputed", Kind::Dictionary},
    {"training.recomputed.segments", Kind::Integer},
    {"training.recomputed.whole", Kind::Integer},
    {"training.recomputed.cheap", Kind::Integer},
    {"training.memory_limit", Kind::Integer},
    {"training.precision", Kind::Dictionary},
    {"training.precision.compute", Kind::Text},
    {"training.precision.gradients", Kind::Text},
    {"training.precision.loss_scale", Kind::Dictionary},
    {"training.precision.loss_scale.initial", Kind::Real},
    {"training.precision.loss_scale.minimum", Kind::Real},
    {"training.precision.loss_scale.window", Kind::Integer},
    {"training.precision.loss_scale.hysteresis", Kind::Integer},
    {"training.batch_ramp", Kind::Dictionary},
    {"training.batch_ramp.start", Kind::Integer, false, 1},
    {"training.batch_ramp.increment", Kind::Integer, false, 1},
    {"training.batch_ramp.samples", Kind::Integer},
    {"training.optimizer", Kind::Dictionary, true},
    {"training.optimizer.kind", Kind::Text},
    {"training.optimizer.lr", Kind::Real, true},
    {"training.optimizer.beta1", Kind::Real, true, 0, 1},
    {"training.optimizer.beta2", Kind::Real, true, 0, 1},
    {"training.optimizer.eps", Kind::Real, true},
    {"training.optimizer.weight_decay", Kind::Real, true},
    {"training.optimizer.clip", Kind::Real, true},
    {"training.schedule", Kind::Dictionary},
    {"training.schedule.kind", Kind::Text},
    {"training.schedule.warmup_steps", Kind::Integer},
    {"training.schedule.decay_steps", Kind::Integer},
    {"training.schedule.min_lr", Kind::Real},
    {"training.schedule.warmup_samples", Kind::Integer},
    {"training.schedule.decay_samples", Kind::Integer},
};

static StringRef nameOf(Kind kind) {
  switch (kind) {
  case Kind::Dictionary:
    return "a dictionary";
  case Kind::Integer:
    return "an i64";
  case Kind::Real:
    return "an f64";
  case Kind::Text:
    return "a text";
  case Kind::Boolean:
    return "true or false";
  }
  llvm_unreachable("all kinds are named");
}

static bool isOfKind(Attribute value, const Entry &entry) {
  switch (entry.kind) {
  case Kind::Dictionary:
    return isa<DictionaryAttr>(value);
  case Kind::Integer: {
    auto number = dyn_cast<IntegerAttr>(value);
    return number && number.getType().isSignlessInteger(64) &&
           number.getInt() >= entry.low && number.getInt() <= entry.high;
  }
  case Kind::Real: {
    auto number = dyn_cast<FloatAttr>(value);
    return number && number.getType().isF64() &&
           number.getValueAsDouble() >= entry.low &&
           number.getValueAsDouble() <= entry.high;
  }
  case Kind::Text:
    return isa<StringAttr>(value);
  case Kind::Boolean:
    return isa<BoolAttr>(value);
  }
  llvm_unreachable("all kinds are read");
}

LogicalResult tessera::verifySpecificationAttr(ModuleOp module) {
  Attribute attribute = module->getAttr(specificationAttrName);
  if (!isa_and_present<DictionaryAttr>(attribute))
    return module.emitError("has no dictionary ")
           << specificationAttrName
           << ", which carries the specification: give a module as "
              "--compile-to or --dump-phases-to writes it";
  for (const Entry &entry : knownEntries) {
    Attribute value = getSpec(module, entry.path);
    if (!value && !entry.isRequired)
      continue;
    if (value && isOfKind(value, entry))
      continue;
    InFlightDiagnostic diagnostic = module.emitError()
                                    << specificationAttrName << " has ";
    if (value)
      diagnostic << value << " as " << entry.path;
    else
      diagnostic << "no " << entry.path;
    diagnostic << ": " << nameOf(entry.kind);
    if (entry.kind == Kind::Integer || entry.kind == Kind::Real) {
      std::string bounds;
      llvm::raw_string_ostream(bounds)
          << llvm::format(" from %g to %g", entry.low, entry.high);
      diagnostic << bounds;
    }
    return diagnostic << " is wanted";
  }
  return success();
}
