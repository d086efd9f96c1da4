//===- SpecificationJson.cpp - The manifest's part of a specification -----===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/SpecificationJson.h"
#include "dialects/plan/Plan.h"
#include "dialects/spec/Spec.h"

using namespace mlir;
using namespace tessera;

namespace {

class SpecificationWriter {
public:
  SpecificationWriter(ModuleOp module, llvm::json::OStream &json)
      : module(module), specification(spec::getSpecification(module)),
        training(specification.getTraining()),
        parallel(specification.getParallel()), json(json) {}

  void write() {
    if (spec::AuditAttr audit = spec::getAudit(module))
      json.attributeObject("audit", [&] { writeAudit(audit); });
    if (ArrayAttr config = specification.getConfig())
      writeValue("config", config);
    if (!specification.getFingerprint().empty())
      writeValue("fingerprint", specification.getFingerprint());
    json.attributeObject("model", [&] { writeModel(); });
    json.attribute("name", specification.getName().getValue());
    json.attributeObject("target", [&] { writeTarget(); });
    writeValue("tied", specification.getTied());
    json.attributeObject("training", [&] { writeTraining(); });
  }

private:
  /// A text, a number, a dictionary of these, or a list of dictionaries or of
  /// texts.
  void writeValue(StringRef key, Attribute value) {
    auto writeEntries = [&](DictionaryAttr dictionary) {
      for (NamedAttribute entry : dictionary)
        writeValue(entry.getName(), entry.getValue());
    };
    if (auto dictionary = dyn_cast<DictionaryAttr>(value))
      json.attributeObject(key, [&] { writeEntries(dictionary); });
    else if (auto list = dyn_cast<ArrayAttr>(value))
      json.attributeArray(key, [&] {
        for (Attribute entry : list)
          if (auto dictionary = dyn_cast<DictionaryAttr>(entry))
            json.object([&] { writeEntries(dictionary); });
          else
            json.value(cast<StringAttr>(entry).getValue());
      });
    else if (auto text = dyn_cast<StringAttr>(value))
      json.attribute(key, text.getValue());
    else if (isa<UnitAttr>(value))
      json.attribute(key, nullptr);
    else if (auto boolean = dyn_cast<BoolAttr>(value))
      json.attribute(key, boolean.getValue());
    else if (auto number = dyn_cast<IntegerAttr>(value))
      json.attribute(key, number.getInt());
    else
      json.attribute(key, cast<FloatAttr>(value).getValueAsDouble());
  }

  void writeOptional(StringRef key, std::optional<int64_t> number) {
    if (number)
      json.attribute(key, *number);
  }

  void writeAudit(spec::AuditAttr audit) {
    json.attribute("setting", spec::stringifyAuditSetting(audit.getSetting()));
    if (audit.getSetting() == spec::AuditSetting::Documents)
      return;
    spec::AttackAttr attack = audit.getAttack();
    json.attributeObject("attack", [&] {
      json.attribute("batch", attack.getBatch());
      json.attribute("epochs", attack.getEpochs());
      json.attribute("input", spec::stringifyAttackInput(attack.getInput()));
      json.attribute("lira_shadows", attack.getLiraShadows());
      json.attribute("standardize", attack.getStandardize());
      json.attribute("top_k", attack.getTopK());
    });
    json.attributeArray("defenses", [&] {
      for (auto defense : audit.getDefenses().getAsRange<spec::DefenseAttr>())
        json.object([&] { writeDefense(defense); });
    });
    writeOptional("edges", audit.getEdges());
    writeOptional("nodes", audit.getNodes());
    json.attribute("query", spec::stringifyAuditQuery(audit.getQuery()));
    if (spec::ShadowAttr shadow = audit.getShadow())
      json.attributeObject("shadow", [&] {
        json.attribute("edges", shadow.getEdges());
        json.attribute("nodes", shadow.getNodes());
        json.attribute("test_nodes", shadow.getTestNodes());
        writeOptional("test_nodes_per_class", shadow.getTestNodesPerClass());
        json.attribute("train_nodes_per_class", shadow.getTrainNodesPerClass());
      });
    writeOptional("test_nodes", audit.getTestNodes());
    writeOptional("test_nodes_per_class", audit.getTestNodesPerClass());
    writeOptional("train_nodes_per_class", audit.getTrainNodesPerClass());
    json.attribute("without_edges", audit.getWithoutEdges());
  }

  void writeDefense(spec::DefenseAttr defense) {
    writeOptional("bins", defense.getBins());
    if (defense.getBeta())
      json.attribute("beta", static_cast<double>(*defense.getBeta()));
    writeOptional("digits", defense.getDigits());
    json.attribute("kind", spec::stringifyDefenseKind(defense.getKind()));
    writeOptional("neighbors", defense.getNeighbors());
    if (defense.getTemperature())
      json.attribute("temperature",
                     static_cast<double>(*defense.getTemperature()));
  }

  void writeModel() {
    if (auto model =
            dyn_cast<spec::TransformerAttr>(specification.getModel())) {
      json.attribute("family", model.getNames().getValue());
      json.attribute("kind", model.getMnemonic());
      if (DenseF64ArrayAttr frequencies = model.getFrequencies())
        json.attributeObject("rotary", [&] {
          json.attribute("factor",
                         static_cast<double>(model.getRotaryFactor()));
          json.attributeArray("frequencies", [&] {
            for (double frequency : frequencies.asArrayRef())
              json.value(frequency);
          });
        });
      json.attribute("sequence", model.getSequenceLength());
      json.attribute("vocabulary", model.getVocabulary());
      return;
    }
    auto model = cast<spec::GnnAttr>(specification.getModel());
    json.attribute("classes", model.getClasses());
    json.attribute("edges", model.getEdges());
    json.attribute("family", model.getLayer().getValue());
    if (model.getFeatureEntries())
      json.attribute("feature_entries", model.getFeatureEntries());
    json.attribute("features", model.getFeatures());
    json.attribute("kind", model.getMnemonic());
    json.attribute("nodes", model.getNodes());
    json.attribute("normalization",
                   spec::stringifyNormalization(model.getNormalization()));
    if (model.getNormalizeFeatures())
      json.attribute("normalize_features", true);
    json.attribute("self_loops", model.getSelfLoops());
  }

  /// With the threads that the plan's scratch memory is for.
  void writeTarget() {
    spec::TargetAttrInterface target = specification.getTarget();
    Builder builder(module.getContext());
    NamedAttrList fields(target.getOwnFields());
    fields.set("cpu", builder.getStringAttr(target.getHostCpu()));
    fields.set("kind", builder.getStringAttr(target.getTargetName()));
    fields.set("threads", builder.getI64IntegerAttr(target.getHostThreads()));
    for (NamedAttribute field : fields.getDictionary(module.getContext()))
      writeValue(field.getName(), field.getValue());
    int64_t threads = 0;
    module.walk(
        [&](plan::ScratchOp scratch) { threads = scratch.getThreads(); });
    if (threads)
      json.attribute("max_threads", threads);
  }

  void writeTraining() {
    json.attribute("accumulation", specification.getAccumulation());
    if (spec::BatchRampAttr ramp = training.getBatchRamp())
      json.attributeObject("batch_ramp", [&] {
        json.attribute("increment", ramp.getIncrement());
        json.attribute("samples", ramp.getSamples());
        json.attribute("start", ramp.getStart());
      });
    json.attribute("bucket_bytes", parallel.getBucketBytes());
    json.attribute("gather_bytes", parallel.getGatherBytes());
    json.attribute("global_batch", training.getGlobalBatch());
    json.attribute("max_skips", training.getMaxSkips());
    writeOptional("memory_limit", training.getMemoryLimit());
    json.attribute("micro_batch", training.getMicroBatch());
    json.attribute("non_finite",
                   spec::stringifyNonFinite(training.getNonFinite()));
    if (parallel.getOffload() != spec::Offload::None)
      json.attribute("offload", spec::stringifyOffload(parallel.getOffload()));
    writeOptimizer();
    json.attribute("persistence_threshold", parallel.getPersistenceThreshold());
    json.attributeObject("precision", [&] { writePrecision(); });
    json.attribute("prefetch", parallel.getPrefetch());
    json.attribute("prefetch_bytes", parallel.getPrefetchBytes());
    if (parallel.getQuantizedGathers())
      json.attribute("quantized_gathers", true);
    json.attribute("recompute",
                   spec::stringifyRecompute(training.getRecompute()));
    if (spec::RecomputedAttr recomputed = spec::getRecomputed(module))
      json.attributeObject("recomputed", [&] {
        json.attribute("cheap", recomputed.getCheap());
        json.attribute("segments", recomputed.getSegments());
        json.attribute("whole", recomputed.getWhole());
      });
    if (spec::SamplingAttr sampling = training.getSampling())
      json.attributeObject("sampling", [&] {
        json.attribute("batch", sampling.getBatch());
        json.attributeArray("fan_out", [&] {
          for (int64_t edges : sampling.getFanOut().asArrayRef())
            json.value(edges);
        });
        json.attribute("replace", sampling.getReplace());
      });
    json.attributeObject("schedule", [&] { writeSchedule(); });
    writeOptional("secondary_ranks", parallel.getSecondaryRanks());
    json.attribute("seed", training.getSeed());
    writeOptional("shard_ranks", parallel.getShardRanks());
    json.attribute("stage", parallel.getZeroStage());
    json.attribute("steps", training.getSteps());
    json.attribute("world", parallel.getWorld());
  }

  void writeOptimizer() {
    NamedAttrList entries(cast<DictionaryAttr>(training.getOptimizer()));
    auto kind =
        dyn_cast<optimizer::OptimizerAttrInterface>(entries.get("kind"));
    if (kind)
      entries.set("kind", StringAttr::get(module.getContext(), kind.getName()));
    entries.set(
        "clip",
        Builder(module.getContext()).getF64FloatAttr(training.getClip()));
    writeValue("optimizer", entries.getDictionary(module.getContext()));
  }

  void writePrecision() {
    spec::PrecisionAttr precision = training.getPrecision();
    json.attribute("compute", spec::getTypeName(precision.getCompute()));
    json.attribute("gradients", spec::getTypeName(precision.getGradients()));
    if (spec::LossScaleAttr scale = precision.getLossScale())
      json.attributeObject("loss_scale", [&] {
        json.attribute("hysteresis", scale.getHysteresis());
        json.attribute("initial", static_cast<double>(scale.getInitial()));
        json.attribute("minimum", static_cast<double>(scale.getMinimum()));
        json.attribute("window", scale.getWindow());
      });
  }

  void writeSchedule() {
    spec::ScheduleAttr schedule = training.getSchedule();
    if (schedule.countsSamples())
      json.attribute("decay_samples", schedule.getDecaySamples().value_or(0));
    json.attribute("decay_steps",
                   schedule.getDecaySteps().value_or(training.getSteps()));
    json.attribute("kind", spec::stringifyScheduleKind(schedule.getKind()));
    json.attribute("min_lr", static_cast<double>(schedule.getMinLr()));
    if (schedule.countsSamples())
      json.attribute("warmup_samples", schedule.getWarmupSamples().value_or(0));
    json.attribute("warmup_steps", schedule.getWarmupSteps());
  }

  ModuleOp module;
  spec::SpecificationAttr specification;
  spec::TrainingAttr training;
  spec::ParallelAttr parallel;
  llvm::json::OStream &json;
};

} // namespace

void tessera::writeSpecification(ModuleOp module, llvm::json::OStream &json) {
  if (spec::getSpecification(module))
    SpecificationWriter(module, json).write();
}
