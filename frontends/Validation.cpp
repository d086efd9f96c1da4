//===- Validation.cpp - The checks of a specification ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Validation.h"
#include "frontends/ByteSize.h"
#include "frontends/Fields.h"
#include "runtime/data/Adjacency.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/TargetParser/X86TargetParser.h"

#include <cmath>
#include <limits>

using namespace tessera;

namespace {

enum class Need { Optional, Required };
enum class Low { Closed, Open };

/// What one numeric field may be.
struct Limit {
  const char *path;
  Need need;
  double low;
  Low lowEnd;
  double high;
};

constexpr double infinite = std::numeric_limits<double>::max();

} // namespace

// The upper limits keep every byte count of a plan within 63 bits.
static const Limit transformerLimits[] = {
    {"transformer.vocabulary", Need::Required, 1, Low::Closed, 16777216},
    {"transformer.layers", Need::Required, 1, Low::Closed, 1000},
    {"transformer.hidden", Need::Required, 1, Low::Closed, 131072},
    {"transformer.heads", Need::Required, 1, Low::Closed, 131072},
    {"transformer.sequence_length", Need::Required, 1, Low::Closed, 16777216},
    {"transformer.position_capacity", Need::Optional, 1, Low::Closed, 16777216},
    {"transformer.feed_forward", Need::Optional, 1, Low::Closed, 524288},
    {"transformer.layer_norm.eps", Need::Optional, 0, Low::Open, 1},
    {"transformer.initialization.std", Need::Optional, 0, Low::Open, 10},
};
static const Limit gnnLimits[] = {
    {"gnn.layers", Need::Required, 1, Low::Closed, 100},
    {"gnn.hidden", Need::Optional, 1, Low::Closed, 131072},
    {"gnn.heads", Need::Optional, 1, Low::Closed, 131072},
    {"gnn.nodes", Need::Optional, 1, Low::Closed, 2147483647},
    {"gnn.edges", Need::Optional, 0, Low::Closed, 2147483647},
    {"gnn.features", Need::Optional, 1, Low::Closed, 131072},
    {"gnn.classes", Need::Optional, 1, Low::Closed, 131072},
};
static const Limit commonLimits[] = {
    {"training.global_batch", Need::Optional, 1, Low::Closed, 16777216},
    {"training.micro_batch", Need::Optional, 1, Low::Closed, 16777216},
    {"training.steps", Need::Required, 1, Low::Closed, 1e12},
    {"training.seed", Need::Optional, 0, Low::Closed, 9007199254740992},
    {"training.clip", Need::Optional, 0, Low::Closed, infinite},
    {"training.l2_penalty", Need::Optional, 0, Low::Closed, 1e6},
    {"training.precision.loss_scale.initial", Need::Optional, 1, Low::Closed,
     1.7e38},
    {"training.precision.loss_scale.window", Need::Optional, 1, Low::Closed,
     1e12},
    {"training.precision.loss_scale.hysteresis", Need::Optional, 1, Low::Closed,
     1e6},
    {"training.precision.loss_scale.minimum", Need::Optional, 1, Low::Closed,
     1.7e38},
    {"training.max_skips", Need::Optional, 1, Low::Closed, 1e12},
    {"training.optimizer.lr", Need::Required, 0, Low::Closed, 1e6},
    {"training.optimizer.beta1", Need::Optional, 0, Low::Closed, 0.999999},
    {"training.optimizer.beta2", Need::Optional, 0, Low::Closed, 0.999999},
    {"training.optimizer.eps", Need::Optional, 0, Low::Open, 1},
    {"training.optimizer.weight_decay", Need::Optional, 0, Low::Closed, 1e6},
    {"training.schedule.warmup_steps", Need::Optional, 0, Low::Closed, 1e12},
    {"training.schedule.decay_steps", Need::Optional, 1, Low::Closed, 1e12},
    {"training.schedule.min_lr", Need::Optional, 0, Low::Closed, 1e6},
    {"training.schedule.warmup_samples", Need::Optional, 0, Low::Closed, 1e15},
    {"training.schedule.decay_samples", Need::Optional, 1, Low::Closed, 1e15},
    {"training.batch_ramp.start", Need::Optional, 1, Low::Closed, 16777216},
    {"training.batch_ramp.increment", Need::Optional, 1, Low::Closed, 16777216},
    {"training.batch_ramp.samples", Need::Optional, 1, Low::Closed, 1e15},
    {"parallel.world", Need::Optional, 1, Low::Closed, 65536},
    {"parallel.zero_stage", Need::Optional, 0, Low::Closed, 3},
    {"parallel.prefetch", Need::Optional, 0, Low::Closed, 1000},
    {"parallel.bucket_bytes", Need::Optional, 0, Low::Closed, 1e12},
    {"parallel.persistence_threshold", Need::Optional, 0, Low::Closed, 1e12},
    {"parallel.gather_bytes", Need::Optional, 0, Low::Closed, 1e12},
    {"parallel.shard_ranks", Need::Optional, 2, Low::Closed, 65536},
    {"parallel.secondary_ranks", Need::Optional, 2, Low::Closed, 65536},
    {"parallel.prefetch_bytes", Need::Optional, 0, Low::Closed, 1e12},
    {"target.cpu.threads", Need::Optional, 0, Low::Closed, 4096},
    {"machine.cores", Need::Optional, 1, Low::Closed, 4096},
    {"machine.ranks_per_node", Need::Optional, 1, Low::Closed, 65536},
    {"machine.fp32_gflops", Need::Optional, 0, Low::Open, 1e9},
    {"machine.bf16_gflops", Need::Optional, 0, Low::Open, 1e9},
    {"machine.fp32_product_gflops", Need::Optional, 0, Low::Open, 1e9},
    {"machine.bf16_product_gflops", Need::Optional, 0, Low::Open, 1e9},
    {"machine.memory_gbytes", Need::Optional, 0, Low::Open, 1e9},
    {"machine.cache_gbytes", Need::Optional, 0, Low::Open, 1e9},
    {"machine.cache_mib", Need::Optional, 0, Low::Closed, 1e9},
    {"machine.launch_us", Need::Optional, 0, Low::Closed, 1e6},
    {"machine.inside.latency_us", Need::Optional, 0, Low::Closed, 1e6},
    {"machine.inside.gbytes", Need::Optional, 0, Low::Open, 1e9},
    {"machine.between.latency_us", Need::Optional, 0, Low::Closed, 1e6},
    {"machine.between.gbytes", Need::Optional, 0, Low::Open, 1e9},
};

namespace {

class Validator {
public:
  Validator(const spec::Specification &message, bool complete,
            Diagnostics &diagnostics)
      : message(message), complete(complete), diagnostics(diagnostics) {}

  void run();

private:
  void checkLimits(llvm::ArrayRef<Limit> limits);
  void require(llvm::StringRef path, const llvm::Twine &remedy);
  void checkTransformer();
  void checkGnn();
  void checkBatches();
  void checkRamp(int64_t unit);
  void checkMemory();
  void checkSchedule();
  void checkPrecision();
  void checkParallel();
  void checkCpu();
  void checkCuda();

  bool given(llvm::StringRef path) const {
    return fieldAt(message, path).given();
  }
  /// Whether all of \p paths are within their own limits, so that relations
  /// between them make sense.
  bool sound(std::initializer_list<llvm::StringRef> paths) const {
    return llvm::all_of(paths, [&](llvm::StringRef path) {
      return given(path) && !llvm::is_contained(refused, path);
    });
  }

  const spec::Specification &message;
  bool complete;
  Diagnostics &diagnostics;
  llvm::SmallVector<std::string> refused;
};

} // namespace

/// \p value as a person writes it: "1048576", "1e-05".
static std::string numberText(double value) {
  if (std::abs(value) < 1e15 && value == std::trunc(value))
    return std::to_string(static_cast<int64_t>(value));
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

void Validator::require(llvm::StringRef path, const llvm::Twine &remedy) {
  if (complete && !given(path))
    diagnostics.error(path, "`" + path + "` is missing", remedy);
}

void Validator::checkLimits(llvm::ArrayRef<Limit> limits) {
  for (const Limit &limit : limits) {
    FieldRef ref = fieldAt(message, limit.path);
    if (!ref.given()) {
      if (limit.need == Need::Required)
        require(limit.path, expectedValue(ref.field));
      continue;
    }
    double value = ref.number();
    bool above =
        limit.lowEnd == Low::Open ? value > limit.low : value >= limit.low;
    // Written so that a NaN is refused.
    if (above && value <= limit.high)
      continue;
    refused.push_back(limit.path);
    std::string remedy = "give a ";
    remedy += ref.field->cpp_type() ==
                      google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE
                  ? "number "
                  : "whole number ";
    if (limit.lowEnd == Low::Open)
      remedy += "above " + numberText(limit.low);
    else
      remedy += (limit.high == infinite ? "not below " : "from ") +
                numberText(limit.low);
    if (limit.high != infinite)
      remedy += (limit.lowEnd == Low::Open ? " and up to " : " to ") +
                numberText(limit.high);
    diagnostics.error(limit.path,
                      "`" + llvm::Twine(limit.path) + "` cannot be " +
                          numberText(value),
                      remedy);
  }
}

/// The divisors of \p whole next to \p near, "4 or 8".
static std::string nearestDivisors(int64_t whole, int64_t near) {
  int64_t below = 0, above = 0;
  for (int64_t candidate = std::min(near, whole); candidate >= 1 && !below;
       --candidate)
    if (whole % candidate == 0)
      below = candidate;
  for (int64_t candidate = near; candidate <= whole && !above; ++candidate)
    if (whole % candidate == 0)
      above = candidate;
  return above ? std::to_string(below) + " or " + std::to_string(above)
               : std::to_string(below);
}

/// The multiples of \p unit next to \p number, which is none: "4 or 8".
static std::string multiplesNear(int64_t number, int64_t unit) {
  int64_t below = number / unit * unit;
  return (below ? std::to_string(below) + " or " : std::string()) +
         std::to_string(below + unit);
}

void Validator::checkTransformer() {
  require("transformer.names", "give names: BLOOM or names: GPT2");
  checkLimits(transformerLimits);
  require("transformer.positions",
          "give positions: ALIBI or positions: LEARNED");
  const spec::Transformer &model = message.transformer();

  if (sound({"transformer.hidden", "transformer.heads"}) &&
      model.hidden() % model.heads() != 0)
    diagnostics.error("transformer.heads",
                      "`transformer.hidden` (" + llvm::Twine(model.hidden()) +
                          ") is not divisible by `transformer.heads` (" +
                          llvm::Twine(model.heads()) + ")",
                      "take " + nearestDivisors(model.hidden(), model.heads()) +
                          " heads, or a hidden that is a multiple of " +
                          llvm::Twine(model.heads()));
  bool learned = model.positions() == spec::Transformer::LEARNED;
  if (given("transformer.position_capacity")) {
    if (given("transformer.positions") && !learned)
      diagnostics.error("transformer.position_capacity",
                        "`transformer.position_capacity` is for learned "
                        "positions",
                        "remove it, or give positions: LEARNED");
    else if (sound({"transformer.position_capacity",
                    "transformer.sequence_length"}) &&
             model.position_capacity() < model.sequence_length())
      diagnostics.error("transformer.position_capacity",
                        "`transformer.position_capacity` (" +
                            llvm::Twine(model.position_capacity()) +
                            ") is below `transformer.sequence_length` (" +
                            llvm::Twine(model.sequence_length()) + ")",
                        "give at least the sequence length");
  }
  if (!given("transformer.names"))
    return;
  bool bloom = model.names() == spec::Transformer::BLOOM;
  if (bloom && learned && given("transformer.positions"))
    diagnostics.error("transformer.positions",
                      "BLOOM has no name for learned positions",
                      "give positions: ALIBI, or names: GPT2");
  if (!bloom && model.embedding_norm())
    diagnostics.error("transformer.embedding_norm",
                      "GPT-2 has no name for an embedding norm",
                      "give embedding_norm: false, or names: BLOOM");
}

/// Refuses a graph in which no node has a neighbour, not even itself.
static void checkEdges(const spec::Gnn &model, Diagnostics &diagnostics) {
  if (model.edges() == 0 && !model.self_loops())
    diagnostics.error(model.has_graph() ? "gnn.graph" : "gnn.edges",
                      "the graph has no edges and gets no self-loops",
                      "give self_loops: true, or a graph with edges");
}

void Validator::checkGnn() {
  checkLimits(gnnLimits);
  const spec::Gnn &model = message.gnn();
  if (model.layers() > 1)
    require("gnn.hidden", "give the width of the layers between");
  if (sound({"gnn.heads"}) && model.heads() != 1)
    diagnostics.error("gnn.heads", "a GCN layer has no attention heads",
                      "give heads: 1 or leave it out");
  if (given("gnn.dropout") && !(model.dropout() == 0))
    diagnostics.error("gnn.dropout", "dropout is not supported",
                      "give dropout: 0 or leave it out");
  for (const char *path :
       {"training.global_batch", "training.micro_batch", "training.batch_ramp",
        "training.schedule.warmup_samples", "training.schedule.decay_samples"})
    if (given(path))
      diagnostics.error(path, "`" + llvm::Twine(path) + "` is for transformers",
                        "remove it: each step takes the whole graph");

  static const char *const counts[] = {"gnn.nodes", "gnn.edges", "gnn.features",
                                       "gnn.classes"};
  // A graph file tells the counts: see resolveGraph.
  if (given("gnn.graph"))
    return;
  for (const char *path : counts)
    require(path, "give a whole number, or `gnn.graph` with a file that "
                  "tells it");
  if (sound({"gnn.nodes", "gnn.edges"}) &&
      model.nodes() + model.edges() > std::numeric_limits<int32_t>::max())
    diagnostics.error("gnn.edges",
                      "the graph has more than 2147483647 nodes and edges",
                      "indices are 32-bit: take a smaller graph");
  if (sound({"gnn.edges"}))
    checkEdges(model, diagnostics);
}

void Validator::checkBatches() {
  if (!message.has_transformer())
    return;
  require("training.global_batch", "give the samples of one step");
  if (!sound({"training.global_batch"}) ||
      llvm::is_contained(refused, "parallel.world") ||
      llvm::is_contained(refused, "training.micro_batch"))
    return;
  int64_t global = message.training().global_batch();
  int64_t world = message.parallel().world();
  bool hasMicro = given("training.micro_batch");
  int64_t micro = hasMicro ? message.training().micro_batch() : 1;
  if (global % (micro * world) != 0) {
    int64_t unit = micro * world;
    std::string product =
        hasMicro
            ? "`training.micro_batch` * `parallel.world` (" +
                  std::to_string(micro) + " * " + std::to_string(world) + ")"
            : "`parallel.world` (" + std::to_string(world) + ")";
    diagnostics.error("training.global_batch",
                      "`training.global_batch` (" + llvm::Twine(global) +
                          ") is not divisible by " + product,
                      "give a global batch of " + multiplesNear(global, unit) +
                          (hasMicro ? ", or a smaller micro batch" : ""));
    return;
  }
  if (!hasMicro)
    micro = global / world;
  if (message.training().has_batch_ramp())
    checkRamp(micro * world);
  if (sound({"transformer.sequence_length"}) &&
      micro * message.transformer().sequence_length() > 16777216)
    diagnostics.error(
        hasMicro ? "training.micro_batch" : "training.global_batch",
        "a micro-batch of " + llvm::Twine(micro) + " samples has " +
            llvm::Twine(micro * message.transformer().sequence_length()) +
            " tokens",
        "give a `training.micro_batch` of at most " +
            llvm::Twine(std::max<int64_t>(
                1, 16777216 / message.transformer().sequence_length())));
}

/// Each batch of a ramp must be whole micro-batches, \p unit samples.
void Validator::checkRamp(int64_t unit) {
  const spec::Training &training = message.training();
  const spec::BatchRamp &ramp = training.batch_ramp();
  for (const char *path :
       {"training.batch_ramp.start", "training.batch_ramp.increment",
        "training.batch_ramp.samples"})
    require(path, "give start, increment and samples");
  if (training.l2_penalty() != 0)
    diagnostics.error("training.l2_penalty",
                      "`training.l2_penalty` is for batches of one size, not "
                      "with `training.batch_ramp`",
                      "give `training.optimizer.weight_decay` instead");
  if (!sound({"training.batch_ramp.start", "training.batch_ramp.increment"}))
    return;
  for (auto [path, samples] :
       {std::pair("training.batch_ramp.start", ramp.start()),
        {"training.batch_ramp.increment", ramp.increment()}})
    if (samples % unit != 0) {
      diagnostics.error(path,
                        "`" + llvm::Twine(path) + "` (" + llvm::Twine(samples) +
                            ") is not divisible by `training.micro_batch` * "
                            "`parallel.world` (" +
                            llvm::Twine(unit / message.parallel().world()) +
                            " * " + llvm::Twine(message.parallel().world()) +
                            ")",
                        "give " + multiplesNear(samples, unit) +
                            ", or a smaller " + "`training.micro_batch`");
      return;
    }
  int64_t global = training.global_batch();
  if (ramp.start() >= global)
    diagnostics.error("training.batch_ramp.start",
                      "`training.batch_ramp.start` (" +
                          llvm::Twine(ramp.start()) +
                          ") is not below `training.global_batch` (" +
                          llvm::Twine(global) + ")",
                      "give a smaller start, or no ramp");
  else if ((global - ramp.start()) % ramp.increment() != 0)
    diagnostics.error(
        "training.batch_ramp.increment",
        "steps of " + llvm::Twine(ramp.increment()) + " do not lead from " +
            llvm::Twine(ramp.start()) + " to `training.global_batch` (" +
            llvm::Twine(global) + ")",
        "give an increment that divides " + llvm::Twine(global - ramp.start()));
}

void Validator::checkMemory() {
  const spec::Training &training = message.training();
  const char *example = "give a number and a unit, such as \"24GB\" or "
                        "\"512MiB\"";
  if (training.has_memory_limit()) {
    if (!parseByteSize(training.memory_limit()))
      diagnostics.error("training.memory_limit",
                        "`training.memory_limit` cannot be `" +
                            training.memory_limit() + "`",
                        example);
  } else if (training.recompute() == spec::Training::AUTO) {
    diagnostics.error("training.recompute",
                      "`training.recompute` is AUTO, but "
                      "`training.memory_limit` is missing",
                      example);
  }
}

void Validator::checkSchedule() {
  const spec::Training &training = message.training();
  const spec::Schedule &schedule = training.schedule();
  bool bySamples = given("training.schedule.warmup_samples") ||
                   given("training.schedule.decay_samples");
  for (const char *path :
       {"training.schedule.warmup_steps", "training.schedule.decay_steps"})
    if (bySamples && given(path)) {
      diagnostics.error(path,
                        "the schedule counts both in steps and in samples",
                        "give all of it in samples, or in steps");
      return;
    }
  if (schedule.kind() != spec::Schedule::COSINE)
    return;
  std::string unit = bySamples ? "samples" : "steps";
  std::string warmupPath = "training.schedule.warmup_" + unit,
              decayPath = "training.schedule.decay_" + unit;
  if (bySamples)
    require(decayPath, "give the sample at which the cosine ends");
  // Steps have a default.
  bool hasDecay = given(decayPath);
  std::string lengthPath = hasDecay || bySamples ? decayPath : "training.steps";
  auto count = [&](llvm::StringRef path) {
    return static_cast<int64_t>(fieldAt(message, path).number());
  };
  if (sound({lengthPath, warmupPath}) && count(warmupPath) >= count(lengthPath))
    diagnostics.error(warmupPath,
                      "the warmup (" + llvm::Twine(count(warmupPath)) + " " +
                          unit + ") does not end before the decay (" +
                          unit.substr(0, unit.size() - 1) + " " +
                          llvm::Twine(count(lengthPath)) + ")",
                      "give a smaller `" + warmupPath + "` or a larger `" +
                          decayPath + "`");
  if (sound({"training.schedule.min_lr", "training.optimizer.lr"}) &&
      schedule.min_lr() > training.optimizer().lr())
    diagnostics.error("training.schedule.min_lr",
                      "`training.schedule.min_lr` (" +
                          numberText(schedule.min_lr()) +
                          ") is above `training.optimizer.lr` (" +
                          numberText(training.optimizer().lr()) + ")",
                      "give a smaller `training.schedule.min_lr`");
}

void Validator::checkPrecision() {
  const spec::Precision &precision = message.training().precision();
  std::string compute = spec::Precision::Type_Name(precision.compute());
  if (message.has_gnn() && precision.compute() != spec::Precision::FP32)
    diagnostics.error("training.precision.compute",
                      "a graph's model computes in FP32, not in " + compute,
                      "give FP32 or leave it out");
  if (precision.gradients() != spec::Precision::FP32 &&
      precision.gradients() != precision.compute())
    diagnostics.error("training.precision.gradients",
                      "gradients in " +
                          spec::Precision::Type_Name(precision.gradients()) +
                          " do not go with computing in " + compute,
                      "give FP32 or the type of `training.precision.compute`");
  if (precision.has_loss_scale() &&
      precision.compute() != spec::Precision::FP16)
    diagnostics.error("training.precision.loss_scale",
                      "only FP16 scales the loss, and `compute` is " + compute,
                      "remove it, or give compute: FP16");
  if (sound({"training.precision.loss_scale.initial",
             "training.precision.loss_scale.minimum"}) &&
      precision.loss_scale().initial() < precision.loss_scale().minimum())
    diagnostics.error("training.precision.loss_scale.initial",
                      "the loss scale starts below its minimum " +
                          numberText(precision.loss_scale().minimum()),
                      "give a larger `initial`, or a smaller `minimum`");
}

void Validator::checkParallel() {
  const spec::Parallel &parallel = message.parallel();
  // Each must divide the ranks that are partitioned over above it.
  auto checkDivisor = [&](llvm::StringRef path, int64_t part,
                          llvm::StringRef wholePath, int64_t whole,
                          llvm::StringRef without) {
    if (!sound({path}) || llvm::is_contained(refused, wholePath) ||
        whole % part == 0)
      return;
    std::string choices = nearestDivisors(whole, part);
    llvm::StringRef better = choices;
    better.consume_front("1 or ");
    std::string remedy =
        better == "1" ? "leave" : ("take " + better + ", or leave").str();
    diagnostics.error(path,
                      "`" + wholePath + "` (" + llvm::Twine(whole) +
                          ") is not divisible by `" + path + "` (" +
                          llvm::Twine(part) + ")",
                      remedy + " it out to " + without);
  };
  checkDivisor("parallel.shard_ranks", parallel.shard_ranks(), "parallel.world",
               parallel.world(), "partition over all ranks");
  bool grid = given("parallel.shard_ranks");
  checkDivisor("parallel.secondary_ranks", parallel.secondary_ranks(),
               grid ? "parallel.shard_ranks" : "parallel.world",
               grid ? parallel.shard_ranks() : parallel.world(),
               "gather from all ranks each time");
  if (parallel.quantized_gathers() &&
      !llvm::is_contained(refused, "parallel.zero_stage") &&
      !llvm::is_contained(refused, "parallel.world") &&
      (parallel.zero_stage() < 3 || parallel.world() < 2))
    diagnostics.error("parallel.quantized_gathers",
                      "`parallel.quantized_gathers` has nothing to quantize: "
                      "stage " +
                          llvm::Twine(parallel.zero_stage()) + " on " +
                          llvm::Twine(parallel.world()) +
                          (parallel.world() == 1 ? " rank" : " ranks") +
                          " gathers no parameters before their use",
                      "give `parallel.zero_stage` 3 and a `parallel.world` of "
                      "at least 2, or leave it out");
  if (sound({"parallel.bucket_bytes", "parallel.gather_bytes"}) &&
      parallel.bucket_bytes() &&
      parallel.gather_bytes() > parallel.bucket_bytes())
    diagnostics.error("parallel.gather_bytes",
                      "groups of `parallel.gather_bytes` (" +
                          llvm::Twine(parallel.gather_bytes()) +
                          ") would not fit `parallel.bucket_bytes` (" +
                          llvm::Twine(parallel.bucket_bytes()) +
                          "): a group's gradients are one bucket",
                      "give at most " + llvm::Twine(parallel.bucket_bytes()) +
                          ", or a larger `parallel.bucket_bytes`");
}

/// The architectures that CUDA 13 knows, from the first with 16-bit tensor
/// cores for bf16 on.
static const char *const cudaArchitectures[] = {
    "sm_80",   "sm_86",  "sm_87",   "sm_88",  "sm_89",   "sm_90",
    "sm_90a",  "sm_100", "sm_100a", "sm_103", "sm_103a", "sm_110",
    "sm_110a", "sm_120", "sm_120a", "sm_121", "sm_121a"};

/// Columns of a head whose attention fits a GPU's shared memory and registers.
static constexpr int64_t mostHeadColumns = 256;

void Validator::checkCuda() {
  if (!message.target().has_cuda())
    return;
  if (message.parallel().offload() != spec::Parallel::NONE)
    diagnostics.error("parallel.offload",
                      "states in a file are for processors alone",
                      "leave it out, or `target.cuda`");
  const spec::Transformer &model = message.transformer();
  if (message.has_transformer() &&
      sound({"transformer.hidden", "transformer.heads"}) &&
      model.hidden() / model.heads() > mostHeadColumns)
    diagnostics.error(
        "transformer.heads",
        "heads have " + llvm::Twine(model.hidden() / model.heads()) +
            " columns, and on GPUs at most " + llvm::Twine(mostHeadColumns),
        "give more heads");
  if (message.parallel().world() > 1 &&
      message.training().precision().gradients() != spec::Precision::FP32)
    diagnostics.error("training.precision.gradients",
                      "several GPUs sum gradients in FP32: NCCL would round "
                      "each partial sum of 16-bit ones",
                      "leave it out, or give FP32");
  std::vector<std::string> known(std::begin(cudaArchitectures),
                                 std::end(cudaArchitectures));
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(message.target().cuda().arch()).split(parts, ',');
  for (llvm::StringRef part : parts) {
    part = part.trim();
    if (llvm::is_contained(known, part))
      continue;
    std::string near = nearestName(part, known);
    diagnostics.error("target.cuda.arch",
                      "no architecture is named `" + part + "`",
                      near.empty() ? "give some of " + llvm::join(known, ", ")
                                   : "did you mean `" + near + "`?");
  }
}

void Validator::checkCpu() {
  if (message.target().has_cuda())
    return;
  const std::string &name = message.target().cpu().name();
  if (name == "native")
    return;
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  llvm::SmallVector<llvm::StringRef> known;
  if (triple.isX86())
    llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
  else if (triple.isAArch64())
    llvm::AArch64::fillValidCPUArchList(known);
  if (llvm::is_contained(known, name))
    return;
  std::vector<std::string> names(known.begin(), known.end());
  std::string near = nearestName(name, names);
  diagnostics.error(
      "target.cpu.name",
      "LLVM knows no " + triple.getArchName() + " CPU `" + name + "`",
      near.empty() ? "give \"native\" or a name that `clang -mcpu=help` lists"
                   : "did you mean `" + near + "`?");
}

void Validator::run() {
  if (complete && !message.has_transformer() && !message.has_gnn())
    diagnostics.error("", "the specification has no model",
                      "add `transformer { ... }` or `gnn { ... }`");
  if (message.has_transformer())
    checkTransformer();
  if (message.has_gnn())
    checkGnn();
  checkLimits(commonLimits);
  checkBatches();
  checkMemory();
  checkSchedule();
  checkPrecision();
  checkParallel();
  checkCpu();
  checkCuda();
}

void tessera::validate(const spec::Specification &message, bool complete,
                       Diagnostics &diagnostics) {
  Validator(message, complete, diagnostics).run();
}

void tessera::resolveGraph(spec::Specification &message, llvm::StringRef base,
                           Diagnostics &diagnostics) {
  spec::Gnn &model = *message.mutable_gnn();
  llvm::SmallString<256> path(model.graph());
  if (llvm::sys::path::is_relative(path)) {
    path = base;
    llvm::sys::path::append(path, model.graph());
  }
  const char *remedy = "give another file, or nodes, edges, features and "
                       "classes";
  std::string error;
  std::unique_ptr<runtime::GraphFile> file =
      runtime::GraphFile::open(path.str().str(), error);
  if (file)
    error = file->trainingError();
  runtime::NodeWeights weights;
  if (error.empty())
    runtime::weighNodes(
        *file,
        {.selfLoops = model.self_loops(),
         .symmetric = model.normalization() == spec::Gnn::SYMMETRIC},
        weights, error);
  if (!error.empty())
    return diagnostics.error("gnn.graph", error, remedy);
  std::string unused = file->unusedTensors();
  if (!unused.empty())
    diagnostics.warning("gnn.graph", unused);

  const runtime::GraphShape &shape = file->shape();
  auto resolved = [&](const char *name, int64_t count, bool mayExceed) {
    FieldRef field = fieldAt(message, name);
    auto given = static_cast<int64_t>(field.number());
    if (!field.given())
      return count;
    if (given < count || (given > count && !mayExceed))
      diagnostics.error(name,
                        "`" + llvm::Twine(name) + "` is " + llvm::Twine(given) +
                            ", but `gnn.graph` has " + llvm::Twine(count),
                        "leave it out, or give " + llvm::Twine(count) +
                            (mayExceed ? " or more" : ""));
    return given;
  };
  model.set_nodes(resolved("gnn.nodes", shape.nodes, false));
  model.set_edges(resolved("gnn.edges", shape.edges, false));
  // Not all columns of sparse features need be used, nor all classes be seen.
  model.set_features(
      resolved("gnn.features", shape.features, file->hasSparseFeatures()));
  model.set_classes(resolved("gnn.classes", shape.classes, true));
  checkEdges(model, diagnostics);
}

Specification tessera::resolve(const spec::Specification &given,
                               llvm::StringRef path) {
  Specification result;
  result.message = given;
  spec::Specification &message = result.message;
  if (!message.has_name())
    message.set_name(llvm::sys::path::stem(path).str());
  // Manifests and reports are UTF-8, paths may be anything.
  if (!llvm::json::isUTF8(message.name()))
    message.set_name(llvm::json::fixUTF8(message.name()));
  int64_t world = message.parallel().world();
  spec::Training &training = *message.mutable_training();
  if (message.has_transformer()) {
    spec::Transformer &model = *message.mutable_transformer();
    if (!model.has_feed_forward())
      model.set_feed_forward(4 * model.hidden());
    if (model.positions() == spec::Transformer::LEARNED &&
        !model.has_position_capacity())
      model.set_position_capacity(model.sequence_length());
    if (!training.has_micro_batch())
      training.set_micro_batch(training.global_batch() / world);
  } else {
    // Each rank computes the whole graph, for its share of the labels.
    training.set_micro_batch(1);
    training.set_global_batch(world);
  }
  if (training.has_memory_limit())
    result.memoryLimit = parseByteSize(training.memory_limit());
  result.accumulation =
      training.global_batch() / (training.micro_batch() * world);
  if (!training.schedule().has_decay_steps())
    training.mutable_schedule()->set_decay_steps(training.steps());
  return result;
}
