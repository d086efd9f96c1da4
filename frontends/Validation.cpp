//===- Validation.cpp - The checks of a specification ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Validation.h"
#include "dialects/spec/Limits.h"
#include "frontends/ByteSize.h"
#include "frontends/Fields.h"
#include "runtime/data/Adjacency.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

#include <cmath>
#include <limits>

using namespace tessera;

namespace {

class Validator {
public:
  Validator(const spec::Specification &message, bool complete,
            Diagnostics &diagnostics)
      : message(message), complete(complete), diagnostics(diagnostics) {}

  void run();

private:
  /// Checks the numbers of the messages \p groups.
  void checkLimits(llvm::ArrayRef<llvm::StringRef> groups);
  void require(llvm::StringRef path, const llvm::Twine &remedy);
  void checkTransformer();
  void checkGnn();
  void checkBatches();
  void checkRamp(int64_t unit);
  void checkMemory();
  void checkSchedule();
  void checkPrecision();
  void checkParallel();

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

void Validator::require(llvm::StringRef path, const llvm::Twine &remedy) {
  if (complete && !given(path))
    diagnostics.error(path, "`" + path + "` is missing", remedy);
}

void Validator::checkLimits(llvm::ArrayRef<llvm::StringRef> groups) {
  for (const spec::Limit &limit : spec::getLimits()) {
    if (!llvm::is_contained(groups, limit.path.split('.').first))
      continue;
    FieldRef ref = fieldAt(message, limit.path);
    if (!ref.given()) {
      if (limit.need == spec::Limit::Need::Required)
        require(limit.path, expectedValue(ref.field));
      continue;
    }
    double value = ref.number();
    if (limit.allows(value))
      continue;
    refused.push_back(limit.path.str());
    bool isWhole = ref.field->cpp_type() !=
                   google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE;
    diagnostics.error(limit.path,
                      "`" + llvm::Twine(limit.path) + "` cannot be " +
                          spec::getNumberText(value),
                      limit.getRemedy(isWhole));
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
  checkLimits({"transformer"});
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
  checkLimits({"gnn"});
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
                          spec::getNumberText(schedule.min_lr()) +
                          ") is above `training.optimizer.lr` (" +
                          spec::getNumberText(training.optimizer().lr()) + ")",
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
                          spec::getNumberText(precision.loss_scale().minimum()),
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

void Validator::run() {
  if (complete && !message.has_transformer() && !message.has_gnn())
    diagnostics.error("", "the specification has no model",
                      "add `transformer { ... }` or `gnn { ... }`");
  if (message.has_transformer())
    checkTransformer();
  if (message.has_gnn())
    checkGnn();
  checkLimits({"training", "parallel", "target", "machine"});
  checkBatches();
  checkMemory();
  checkSchedule();
  checkPrecision();
  checkParallel();
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
