//===- SpecVerifiers.cpp - What specifications must be --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Limits.h"
#include "dialects/spec/Spec.h"

#include <cmath>

using namespace mlir;
using namespace tessera::spec;

using EmitError = llvm::function_ref<InFlightDiagnostic()>;

namespace {

/// A number and the field that it is of. What was left out has none.
struct Number {
  Number(StringRef path, int64_t value)
      : path(path), value(static_cast<double>(value)), isWhole(true) {}
  Number(StringRef path, std::optional<int64_t> value)
      : path(path), isWhole(true) {
    if (value)
      this->value = static_cast<double>(*value);
  }
  Number(StringRef path, Real value)
      : path(path), value(static_cast<double>(value)), isWhole(false) {}
  Number(StringRef path, std::optional<Real> value)
      : path(path), isWhole(false) {
    if (value)
      this->value = static_cast<double>(*value);
  }

  StringRef path;
  std::optional<double> value;
  bool isWhole;
};

} // namespace

/// Checks each of \p numbers against its limit.
static LogicalResult check(EmitError emitError, ArrayRef<Number> numbers) {
  for (const Number &number : numbers) {
    const Limit &limit = getLimit(number.path);
    if (number.value == static_cast<double>(missingValue))
      return emitError() << "`" << number.path << "` is missing; "
                         << limit.getRemedy(number.isWhole);
    if (number.value && !limit.allows(*number.value))
      return emitError() << "`" << number.path << "` cannot be "
                         << getNumberText(*number.value) << "; "
                         << limit.getRemedy(number.isWhole);
  }
  return success();
}

LogicalResult
TransformerAttr::verify(EmitError emitError, StringAttr names,
                        int64_t vocabulary, int64_t hidden, int64_t heads,
                        std::optional<int64_t> headDim, int64_t sequenceLength,
                        DenseF64ArrayAttr frequencies, Real rotaryFactor) {
  for (double frequency :
       frequencies ? frequencies.asArrayRef() : llvm::ArrayRef<double>())
    if (!(frequency > 0 && std::isfinite(frequency)))
      return emitError() << "`frequencies` has " << frequency
                         << "; give finite numbers above 0";
  return check(emitError, {{"transformer.vocabulary", vocabulary},
                           {"transformer.hidden", hidden},
                           {"transformer.heads", heads},
                           {"transformer.head_dim", headDim},
                           {"transformer.sequence_length", sequenceLength}});
}

LogicalResult GnnAttr::verify(EmitError emitError, StringAttr layer,
                              bool selfLoops, Normalization normalization,
                              int64_t nodes, int64_t edges, int64_t features,
                              int64_t classes, int64_t featureEntries,
                              int64_t trainNodes, int64_t trainEdges,
                              bool normalizeFeatures) {
  return check(emitError, {{"gnn.nodes", nodes},
                           {"gnn.edges", edges},
                           {"gnn.features", features},
                           {"gnn.classes", classes},
                           {"gnn.feature_entries", featureEntries},
                           {"gnn.train_nodes", trainNodes},
                           {"gnn.train_edges", trainEdges}});
}

LogicalResult LossScaleAttr::verify(EmitError emitError, Real initial,
                                    int64_t window, int64_t hysteresis,
                                    Real minimum) {
  return check(emitError,
               {{"training.precision.loss_scale.initial", initial},
                {"training.precision.loss_scale.window", window},
                {"training.precision.loss_scale.hysteresis", hysteresis},
                {"training.precision.loss_scale.minimum", minimum}});
}

LogicalResult PrecisionAttr::verify(EmitError emitError, NumberType compute,
                                    NumberType gradients,
                                    LossScaleAttr lossScale) {
  if (static_cast<bool>(lossScale) != (compute == NumberType::FP16))
    return emitError() << "`training.precision.loss_scale` goes with fp16, and "
                          "`training.precision.compute` is "
                       << stringifyNumberType(compute);
  if (gradients != NumberType::FP32 && gradients != compute)
    return emitError() << "`training.precision.gradients` cannot be "
                       << stringifyNumberType(gradients)
                       << " where `training.precision.compute` is "
                       << stringifyNumberType(compute);
  return success();
}

LogicalResult ScheduleAttr::verify(EmitError emitError, ScheduleKind kind,
                                   int64_t warmupSteps,
                                   std::optional<int64_t> decaySteps,
                                   Real minLr,
                                   std::optional<int64_t> warmupSamples,
                                   std::optional<int64_t> decaySamples) {
  return check(emitError, {{"training.schedule.warmup_steps", warmupSteps},
                           {"training.schedule.decay_steps", decaySteps},
                           {"training.schedule.min_lr", minLr},
                           {"training.schedule.warmup_samples", warmupSamples},
                           {"training.schedule.decay_samples", decaySamples}});
}

LogicalResult BatchRampAttr::verify(EmitError emitError, int64_t start,
                                    int64_t increment, int64_t samples) {
  return check(emitError, {{"training.batch_ramp.start", start},
                           {"training.batch_ramp.increment", increment},
                           {"training.batch_ramp.samples", samples}});
}

/// Checks the dictionary of an optimizer: its numbers have limits of their own.
static LogicalResult checkOptimizer(EmitError emitError, Attribute optimizer) {
  if (auto entries = dyn_cast<DictionaryAttr>(optimizer))
    for (NamedAttribute entry : entries) {
      std::string path =
          ("training.optimizer." + entry.getName().getValue()).str();
      auto number = dyn_cast<FloatAttr>(entry.getValue());
      bool isLimited = llvm::any_of(
          getLimits(), [&](const Limit &limit) { return limit.path == path; });
      if (number && isLimited &&
          failed(check(emitError, {{path, Real(number.getValueAsDouble())}})))
        return failure();
    }
  return tessera::optimizer::readSettings(emitError, optimizer);
}

LogicalResult SamplingAttr::verify(EmitError emitError,
                                   DenseI64ArrayAttr fanOut, int64_t batch,
                                   bool) {
  if (!fanOut || fanOut.empty())
    return emitError() << "`training.sampling.fan_out` is missing; give a "
                          "number for each layer";
  for (int64_t edges : fanOut.asArrayRef())
    if (edges == 0 ||
        !getLimit("sampling.fan_out").allows(static_cast<double>(edges)))
      return emitError() << "`training.sampling.fan_out` cannot be " << edges
                         << "; give whole numbers from 1 to 2147483647, or -1 "
                            "for all edges";
  return check(emitError, {{"training.sampling.batch", batch}});
}

LogicalResult TrainingAttr::verify(EmitError emitError, int64_t globalBatch,
                                   int64_t microBatch, int64_t steps,
                                   int64_t seed, Real clip, Attribute optimizer,
                                   ScheduleAttr schedule, Recompute recompute,
                                   std::optional<int64_t> memoryLimit,
                                   BatchRampAttr batchRamp, NonFinite nonFinite,
                                   int64_t maxSkips, SamplingAttr sampling,
                                   PrecisionAttr precision) {
  if (memoryLimit && *memoryLimit < 0)
    return emitError() << "`training.memory_limit` cannot be " << *memoryLimit
                       << "; give a number of bytes";
  if (failed(checkOptimizer(emitError, optimizer)))
    return failure();
  return check(emitError, {{"training.global_batch", globalBatch},
                           {"training.micro_batch", microBatch},
                           {"training.steps", steps},
                           {"training.seed", seed},
                           {"training.clip", clip},
                           {"training.max_skips", maxSkips}});
}

LogicalResult ParallelAttr::verify(EmitError emitError, int64_t world,
                                   int64_t zeroStage, int64_t prefetch,
                                   int64_t bucketBytes,
                                   int64_t persistenceThreshold,
                                   int64_t gatherBytes, int64_t prefetchBytes,
                                   std::optional<int64_t> shardRanks,
                                   std::optional<int64_t> secondaryRanks,
                                   bool quantizedGathers, Offload offload) {
  return check(emitError,
               {{"parallel.world", world},
                {"parallel.zero_stage", zeroStage},
                {"parallel.prefetch", prefetch},
                {"parallel.bucket_bytes", bucketBytes},
                {"parallel.persistence_threshold", persistenceThreshold},
                {"parallel.gather_bytes", gatherBytes},
                {"parallel.prefetch_bytes", prefetchBytes},
                {"parallel.shard_ranks", shardRanks},
                {"parallel.secondary_ranks", secondaryRanks}});
}

LogicalResult CpuAttr::verify(EmitError emitError, StringAttr name,
                              int64_t threads) {
  return check(emitError, {{"target.cpu.threads", threads}});
}

LogicalResult CudaAttr::verify(EmitError, StringAttr, bool) {
  return success();
}

LogicalResult PlainTargetAttr::verify(EmitError, StringAttr) {
  return success();
}

/// Whether \p entry is a field of a config.json.
static bool isConfigField(Attribute entry) {
  auto field = dyn_cast<DictionaryAttr>(entry);
  auto areTexts = [](Attribute attribute) {
    auto list = dyn_cast_if_present<ArrayAttr>(attribute);
    return list && !list.empty() &&
           llvm::all_of(list, llvm::IsaPred<StringAttr>);
  };
  if (!field || !areTexts(field.get("names")) ||
      !field.getAs<BoolAttr>("decides") ||
      (field.contains("others") && !areTexts(field.get("others"))))
    return false;
  Attribute value = field.get("value");
  return isa_and_present<BoolAttr, IntegerAttr, FloatAttr, StringAttr>(value) ||
         areTexts(value);
}

LogicalResult SpecificationAttr::verify(EmitError emitError, StringAttr name,
                                        Attribute model, TrainingAttr training,
                                        ParallelAttr parallel,
                                        TargetAttrInterface target,
                                        DictionaryAttr tied,
                                        DictionaryAttr fingerprint,
                                        ArrayAttr config, StringAttr) {
  if (!isa<TransformerAttr, GnnAttr>(model))
    return emitError() << "the model is a #spec.transformer or a #spec.gnn, "
                          "not "
                       << model;
  if (SamplingAttr sampling = training.getSampling()) {
    if (!isa<GnnAttr>(model))
      return emitError() << "`training.sampling` is for graph neural networks";
    if (sampling.getBatch() != training.getMicroBatch())
      return emitError() << "`training.sampling.batch` (" << sampling.getBatch()
                         << ") is not `training.micro_batch` ("
                         << training.getMicroBatch() << ")";
  }
  int64_t atOnce = training.getMicroBatch() * parallel.getWorld();
  if (training.getGlobalBatch() % atOnce != 0)
    return emitError() << "`training.global_batch` ("
                       << training.getGlobalBatch()
                       << ") is not divisible by `training.micro_batch` * "
                          "`parallel.world` ("
                       << training.getMicroBatch() << " * "
                       << parallel.getWorld() << ")";
  for (auto [field, entries] :
       {std::pair("tied", tied), {"fingerprint", fingerprint}})
    for (NamedAttribute entry : entries)
      if (!isa<StringAttr>(entry.getValue()))
        return emitError() << "`" << field << "` has no text for "
                           << entry.getName();
  for (Attribute entry : config ? config.getValue() : ArrayRef<Attribute>())
    if (!isConfigField(entry))
      return emitError() << "`config` has an entry without names, value and "
                            "decides: "
                         << entry;
  return success();
}

LogicalResult DefenseAttr::verify(EmitError emitError, DefenseKind kind,
                                  std::optional<int64_t> neighbors,
                                  std::optional<int64_t> bins,
                                  std::optional<Real> beta,
                                  std::optional<int64_t> digits,
                                  std::optional<Real> temperature) {
  const std::pair<StringRef, bool> given[] = {
      {"neighbors", neighbors.has_value()},
      {"bins", bins.has_value()},
      {"beta", beta.has_value()},
      {"digits", digits.has_value()},
      {"temperature", temperature.has_value()}};
  for (auto [field, isGiven] : given)
    if (isGiven != readsField(kind, field))
      return emitError() << "a defense of kind " << stringifyDefenseKind(kind)
                         << (isGiven ? " has no `" : " needs `") << field
                         << "`";
  return check(emitError, {{"defense.neighbors", neighbors},
                           {"defense.bins", bins},
                           {"defense.beta", beta},
                           {"defense.digits", digits},
                           {"defense.temperature", temperature}});
}

LogicalResult AttackAttr::verify(EmitError emitError, int64_t epochs,
                                 int64_t batch, AttackInput, int64_t topK, bool,
                                 int64_t liraShadows) {
  if (liraShadows < 0 || liraShadows == 1 || liraShadows > 10000)
    return emitError() << "`audit.attack.shadows` cannot be " << liraShadows
                       << "; give 0, or 2 to 10000";
  return check(emitError, {{"audit.attack.epochs", epochs},
                           {"audit.attack.batch", batch},
                           {"audit.attack.top_k", topK}});
}

LogicalResult ShadowAttr::verify(EmitError emitError, int64_t nodes,
                                 int64_t edges, int64_t trainNodesPerClass,
                                 int64_t testNodes,
                                 std::optional<int64_t> testNodesPerClass) {
  return check(emitError,
               {{"gnn.nodes", nodes},
                {"gnn.edges", edges},
                {"audit.shadow.train_nodes_per_class", trainNodesPerClass},
                {"audit.shadow.test_nodes", testNodes},
                {"audit.shadow.test_nodes_per_class", testNodesPerClass}});
}

LogicalResult GenerationAttr::verify(EmitError emitError, int64_t slots,
                                     int64_t length, int64_t chunk) {
  for (auto [name, count] :
       {std::pair("slots", slots), std::pair("length", length),
        std::pair("chunk", chunk)})
    if (count < 1 || count > 16777216)
      return emitError() << "generation cannot have " << count << " " << name;
  return success();
}

LogicalResult AuditAttr::verify(EmitError emitError, AuditSetting setting,
                                AuditQuery, std::optional<int64_t> nodes,
                                std::optional<int64_t> edges,
                                std::optional<int64_t> trainNodesPerClass,
                                std::optional<int64_t> testNodes,
                                std::optional<int64_t> testNodesPerClass,
                                AttackAttr, ShadowAttr, ArrayAttr defenses,
                                bool) {
  for (Attribute defense : defenses)
    if (!isa<DefenseAttr>(defense))
      return emitError() << "the audit's defenses are #spec.defense, not "
                         << defense;
  bool isComplete = nodes && edges && trainNodesPerClass && testNodes;
  if (setting != AuditSetting::Documents && !isComplete)
    return emitError() << "an audit of a graph needs `nodes`, `edges`, "
                          "`train_nodes_per_class` and `test_nodes`";
  return check(emitError, {{"gnn.nodes", nodes},
                           {"gnn.edges", edges},
                           {"audit.train_nodes_per_class", trainNodesPerClass},
                           {"audit.test_nodes", testNodes},
                           {"audit.test_nodes_per_class", testNodesPerClass}});
}

/// Links are checked where it is known which one it is: in a machine.
LogicalResult LinkAttr::verify(EmitError, std::optional<Real>,
                               std::optional<Real>, BoolAttr) {
  return success();
}

LogicalResult MachineAttr::verify(
    EmitError emitError, StringAttr, std::optional<int64_t> cores,
    std::optional<int64_t> ranksPerNode, std::optional<Real> fp32,
    std::optional<Real> bf16, std::optional<Real> fp32Gemm,
    std::optional<Real> bf16Gemm, std::optional<Real> memory,
    std::optional<Real> cache, std::optional<Real> cacheMiB,
    std::optional<Real> launch, LinkAttr intraNode, LinkAttr interNode) {
  return check(emitError,
               {{"machine.cores", cores},
                {"machine.ranks_per_node", ranksPerNode},
                {"machine.fp32_gflops", fp32},
                {"machine.bf16_gflops", bf16},
                {"machine.fp32_gemm_gflops", fp32Gemm},
                {"machine.bf16_gemm_gflops", bf16Gemm},
                {"machine.memory_gbytes", memory},
                {"machine.cache_gbytes", cache},
                {"machine.cache_mib", cacheMiB},
                {"machine.launch_us", launch},
                {"machine.intra_node.latency_us", intraNode.getLatencyUs()},
                {"machine.intra_node.gbytes", intraNode.getGbytes()},
                {"machine.inter_node.latency_us", interNode.getLatencyUs()},
                {"machine.inter_node.gbytes", interNode.getGbytes()}});
}

LogicalResult RecomputedAttr::verify(EmitError emitError, int64_t segments,
                                     int64_t whole, int64_t cheap) {
  if (whole < 0 || cheap < 0 || segments < 0 || whole > segments ||
      cheap > segments - whole)
    return emitError() << "of " << segments << " segments " << whole
                       << " whole and " << cheap << " cheap ones cannot be "
                       << "recomputed";
  return success();
}
