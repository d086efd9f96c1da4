//===- Manifest.cpp - The manifest as data --------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Manifest.h"
#include "runtime/core/Error.h"
#include "runtime/files/JsonCursor.h"
#include <cinttypes>
#include <climits>

namespace tessera::runtime {

using json = JsonCursor::Json;

/// Values of a manifest stand half as deep within one another.
static constexpr int maxDepth = 16;

static int64_t product(const std::vector<int64_t> &shape) {
  int64_t elements = 1;
  for (int64_t extent : shape)
    elements *= extent;
  return elements;
}

int64_t GroupTensor::elements() const { return product(shape); }
int64_t Slot::elements() const { return product(shape); }

int64_t Slot::bytes() const {
  if (type == "i32" || type == "i64")
    return elements() * (type == "i32" ? 4 : 8);
  return elements() * sizeOf(parseElementType(type));
}

const State *Program::state(const std::string &wanted, int group) const {
  for (const State &state : states)
    if (state.name == wanted && state.group == group)
      return &state;
  return nullptr;
}

static const Slot *find(const std::vector<Slot> &slots,
                        const std::string &name) {
  for (const Slot &slot : slots)
    if (slot.name == name)
      return &slot;
  return nullptr;
}

const Slot *Program::input(const std::string &name) const {
  return find(inputs, name);
}

const Slot *Program::output(const std::string &name) const {
  return find(outputs, name);
}

int64_t Manifest::parameterCount() const {
  int64_t count = 0;
  for (const Parameter &parameter : parameters)
    count += parameter.elements();
  return count;
}

std::vector<const GroupTensor *> Manifest::parts() const {
  std::vector<const GroupTensor *> all;
  for (const Parameter &parameter : parameters)
    for (const GroupTensor &part : parameter.parts)
      all.push_back(&part);
  return all;
}

const Program &Manifest::program(const std::string &wanted) const {
  auto found = programs.find(wanted);
  if (found == programs.end())
    fatal("this executable has no program '%s': compile the specification "
          "again with this version of tessera",
          wanted.c_str());
  return found->second;
}

/// A number that this runtime keeps in 32 bits.
static int narrow(int64_t number) {
  if (number < INT_MIN || number > INT_MAX)
    fatal("the embedded manifest has the number %" PRId64
          ", which this runtime keeps in 32 bits: compile the specification "
          "again with this version of tessera",
          number);
  return static_cast<int>(number);
}

static Model parseModel(const json &j) {
  Model model;
  model.kind = j.at("kind");
  model.family = j.value("family", "");
  model.vocabulary = j.value("vocabulary", int64_t(0));
  model.sequence = j.value("sequence", int64_t(0));
  model.nodes = j.value("nodes", int64_t(0));
  model.edges = j.value("edges", int64_t(0));
  model.features = j.value("features", int64_t(0));
  model.classes = j.value("classes", int64_t(0));
  model.featureEntries = j.value("feature_entries", int64_t(0));
  model.normalizeFeatures = j.value("normalize_features", false);
  model.selfLoops = j.value("self_loops", true);
  model.normalization = j.value("normalization", "symmetric");
  if (auto rotary = j.find("rotary"); rotary != j.end())
    model.rotary = {rotary->at("frequencies").get<std::vector<double>>(),
                    rotary->at("factor")};
  return model;
}

/// The numbers and truths of \p optimizer, and what it says of groups.
static std::string describeSettings(const json &optimizer) {
  std::string text;
  auto add = [&](const std::string &entry) {
    text += (text.empty() ? "" : ", ") + entry;
  };
  for (const auto &[name, value] : optimizer.items()) {
    char number[32];
    if (value.is_number()) {
      snprintf(number, sizeof number, "%g", value.get<double>());
      add(name + " " + number);
    } else if (value.is_boolean() && value.get<bool>()) {
      add(name);
    } else if (value.is_array()) {
      snprintf(number, sizeof number, "%zu", value.size());
      add(name + " " + number);
    }
  }
  return text;
}

/// What the optimizer declares.
static void parseOptimizer(const json &j, Optimizer &optimizer) {
  optimizer.kind = j.at("kind");
  for (const json &state : j.at("states"))
    optimizer.states.push_back({state.at("name"), state.at("saved_as")});
  for (const json &scalar : j.at("scalars")) {
    using Kind = OptimizerScalar::Kind;
    std::string kind = scalar.at("kind");
    if (kind == "learning_rate")
      optimizer.scalars.push_back({Kind::LearningRate});
    else if (kind == "correction")
      optimizer.scalars.push_back({Kind::Correction, scalar.at("base")});
    else if (kind == "step")
      optimizer.scalars.push_back({Kind::Step});
    else
      fatal("the embedded manifest names an unknown number of a step '%s'",
            kind.c_str());
  }
}

static Training parseTraining(const json &j) {
  Training training;
  training.world = narrow(j.at("world"));
  training.stage = narrow(j.at("stage"));
  training.shardRanks = narrow(j.value("shard_ranks", int64_t(training.world)));
  training.microBatch = j.value("micro_batch", int64_t(1));
  training.accumulation = j.value("accumulation", int64_t(1));
  training.globalBatch = j.value("global_batch", int64_t(1));
  training.seed = j.value("seed", uint64_t(1));
  training.steps = j.value("steps", int64_t(0));
  if (j.value("non_finite", "stop") == "skip")
    training.maxSkips = j.value("max_skips", int64_t(10));
  const json &optimizer = j.at("optimizer");
  training.optimizer.lr = optimizer.at("lr");
  training.optimizer.settings = describeSettings(optimizer);
  json precision = j.value("precision", json::object());
  if (auto scale = precision.find("loss_scale"); scale != precision.end()) {
    training.lossScaling.initial = scale->at("initial");
    training.lossScaling.minimum = scale->at("minimum");
    training.lossScaling.window = scale->at("window");
    training.lossScaling.hysteresis = scale->at("hysteresis");
  }
  if (auto schedule = j.find("schedule"); schedule != j.end()) {
    training.schedule.kind = schedule->value("kind", "constant");
    training.schedule.warmupSteps = schedule->value("warmup_steps", int64_t(0));
    training.schedule.decaySteps = schedule->value("decay_steps", int64_t(0));
    training.schedule.minLr = schedule->value("min_lr", 0.0);
    training.schedule.countsSamples = schedule->contains("warmup_samples");
    training.schedule.warmupSamples =
        schedule->value("warmup_samples", int64_t(0));
    training.schedule.decaySamples =
        schedule->value("decay_samples", int64_t(0));
  }
  if (auto ramp = j.find("batch_ramp"); ramp != j.end())
    training.ramp = {ramp->at("start"), ramp->at("increment"),
                     ramp->at("samples")};
  if (auto sampling = j.find("sampling"); sampling != j.end())
    training.sampling = {sampling->at("fan_out").get<std::vector<int64_t>>(),
                         sampling->at("batch"), sampling->at("replace")};
  if (auto recomputed = j.find("recomputed"); recomputed != j.end())
    training.recomputed = {recomputed->at("segments"), recomputed->at("whole"),
                           recomputed->at("cheap")};
  return training;
}

/// What files of weights hold of \p parameter.
static std::vector<GroupTensor> parseParts(const json &j,
                                           const GroupTensor &parameter) {
  auto entries = j.find("parts");
  if (entries == j.end())
    return {parameter};
  std::vector<GroupTensor> parts;
  int64_t rows = 0, offset = parameter.offset;
  for (const json &entry : *entries) {
    GroupTensor &part = parts.emplace_back(parameter);
    part.name = entry.at("name");
    part.shape.at(0) = entry.at("rows");
    if (part.blocks) {
      part.blocks->first = rows;
    } else {
      part.offset = offset;
      offset += part.elements();
    }
    rows += part.shape[0];
  }
  if (rows != parameter.shape.at(0))
    fatal("the embedded manifest has parts of '%s' with %" PRId64
          " rows in all, and it has %" PRId64,
          parameter.name.c_str(), rows, parameter.shape[0]);
  return parts;
}

static WeightBlocks parseBlocks(const json &j, const GroupTensor &matrix) {
  WeightBlocks blocks;
  blocks.along = j.at("along");
  blocks.elements = j.at("elements");
  blocks.columns = j.at("columns");
  blocks.together = j.at("together");
  blocks.offset = j.at("offset");
  blocks.group = j.at("group");
  blocks.tileBytes = j.at("tile_bytes");
  bool isSound = matrix.shape.size() == 2 && blocks.along >= 0 &&
                 blocks.along <= 1 && blocks.elements > 0 &&
                 blocks.columns > 0 && blocks.together > 0 &&
                 blocks.elements % blocks.together == 0 && blocks.group > 0 &&
                 blocks.tileBytes > 0;
  if (!isSound)
    fatal("the embedded manifest describes blocks of '%s' that cannot be",
          matrix.name.c_str());
  return blocks;
}

static Parameter parseParameter(const json &j) {
  Parameter parameter;
  parameter.name = j.at("name");
  parameter.shape = j.at("shape").get<std::vector<int64_t>>();
  parameter.decay = j.at("decay");
  parameter.packed = j.value("packed", "");
  const json &init = j.at("init");
  parameter.init = init.at("kind");
  const char *key = parameter.init == "normal"    ? "std"
                    : parameter.init == "uniform" ? "bound"
                                                  : "value";
  parameter.initValue = init.at(key);
  parameter.group = narrow(j.at("group"));
  parameter.offset = j.at("offset");
  if (auto blocks = j.find("blocks"); blocks != j.end())
    parameter.blocks = parseBlocks(*blocks, parameter);
  parameter.parts = parseParts(j, parameter);
  return parameter;
}

static Gemm parseGemm(const json &j) {
  Gemm gemm;
  gemm.id = narrow(j.at("id"));
  gemm.m = j.at("m");
  gemm.n = j.at("n");
  gemm.k = j.at("k");
  gemm.transposeA = j.value("transpose_a", false);
  gemm.transposeB = j.value("transpose_b", false);
  gemm.lda = j.at("lda");
  gemm.ldb = j.at("ldb");
  gemm.ldc = j.at("ldc");
  gemm.type = parseElementType(j.value("type", "f32"));
  gemm.resultType = parseElementType(j.value("result_type", "f32"));
  gemm.bias = j.value("bias", false);
  gemm.accumulate = j.value("accumulate", false);
  gemm.epilogue = j.value("epilogue", "none");
  if (auto counted = j.find("counted"); counted != j.end()) {
    gemm.counted =
        *counted == "rows" ? Gemm::Counted::Rows : Gemm::Counted::Inner;
    gemm.room = j.at("room");
    if (gemm.room <= 0)
      fatal("the embedded manifest counts GEMM %d by %lld parts", gemm.id,
            static_cast<long long>(gemm.room));
  }
  gemm.scratch = j.value("scratch", int64_t(0));
  gemm.local = j.value("local", false);
  return gemm;
}

static Slot parseSlot(const json &j) {
  Slot slot;
  slot.name = j.at("name");
  slot.type = j.at("type");
  slot.shape = j.at("shape").get<std::vector<int64_t>>();
  slot.offset = j.at("offset");
  slot.when = j.value("when", "begin");
  slot.isUnread = j.value("unread", false);
  return slot;
}

/// Keys and values of a layer, of no group.
static constexpr const char *cacheState = "cache";

static State parseState(const json &j, const Optimizer &optimizer) {
  State state;
  state.name = j.at("state");
  bool known = state.name == parameterState || state.name == gradientState ||
               state.name == masterState || state.name == cacheState;
  for (const OptimizerState &own : optimizer.states)
    known = known || state.name == own.name;
  if (!known)
    fatal("the embedded manifest names an unknown state '%s'",
          state.name.c_str());
  state.group = narrow(j.at("group"));
  state.offset = j.at("offset");
  state.elements = j.at("elements");
  state.type = parseElementType(j.value("type", "f32"));
  state.sharded = j.at("sharded");
  if (state.name == cacheState)
    state.shape = j.at("shape").get<std::vector<int64_t>>();
  return state;
}

static Collective parseCollective(const json &j) {
  Collective collective;
  collective.id = narrow(j.at("id"));
  std::string kind = j.at("kind");
  if (kind == "all_gather")
    collective.kind = CollectiveKind::AllGather;
  else if (kind == "reduce_scatter")
    collective.kind = CollectiveKind::ReduceScatter;
  else if (kind == "all_reduce")
    collective.kind = CollectiveKind::AllReduce;
  else
    fatal("the embedded manifest names an unknown collective '%s'",
          kind.c_str());
  collective.group = narrow(j.value("group", int64_t(-1)));
  collective.elements = j.at("elements");
  collective.ranks = narrow(j.value("ranks", int64_t(0)));
  collective.step = narrow(j.value("step", int64_t(1)));
  collective.stride = j.value("stride", int64_t(0));
  std::string type = j.value("type", "f32");
  collective.type = parseElementType(type);
  collective.destinationType =
      parseElementType(j.value("destination_type", type));
  collective.source = j.at("source");
  collective.destination = j.at("destination");
  collective.inPlace = j.value("in_place", false);
  collective.accumulate = j.value("accumulate", false);
  collective.bytes = j.value("bytes", int64_t(0));
  collective.times = j.value("times", int64_t(1));
  if (collective.destinationType != collective.type &&
      (collective.kind != CollectiveKind::ReduceScatter || collective.inPlace ||
       collective.type == ElementType::F64 ||
       collective.destinationType == ElementType::F64))
    fatal("the embedded manifest gives collective %d a destination of another "
          "type than its source, which only a reduce_scatter out of place "
          "may have, and not from or to f64",
          collective.id);
  if (collective.type == ElementType::I8 &&
      collective.kind != CollectiveKind::AllGather)
    fatal("the embedded manifest sums bytes in collective %d, which only an "
          "all_gather may have",
          collective.id);
  return collective;
}

static Program parseProgram(const std::string &name, const json &j,
                            const Optimizer &optimizer) {
  Program program;
  program.name = name;
  program.world = narrow(j.value("world", int64_t(1)));
  program.stage = narrow(j.value("stage", int64_t(0)));
  program.within = j.value("within", "");
  program.arenaBytes = j.at("arena_bytes");
  program.alignment = j.value("alignment", int64_t(64));
  if (auto offload = j.find("offload"); offload != j.end()) {
    program.offloadOffset = offload->at("offset");
    program.offloadBytes = offload->at("bytes");
  }
  for (const char *category : {"parameters", "gradients", "optimizer",
                               "activations", "communication", "workspace"})
    program.memory.emplace_back(category,
                                j.contains("memory")
                                    ? j.at("memory").value(category, int64_t(0))
                                    : int64_t(0));
  for (const json &state : j.value("states", json::array()))
    program.states.push_back(parseState(state, optimizer));
  for (const json &input : j.value("inputs", json::array()))
    program.inputs.push_back(parseSlot(input));
  for (const json &output : j.value("outputs", json::array()))
    program.outputs.push_back(parseSlot(output));
  for (const json &collective : j.value("collectives", json::array()))
    program.collectives.push_back(parseCollective(collective));
  program.flops = j.value("flops", int64_t(0));
  return program;
}

static AuditSettings parseAudit(const json &j) {
  AuditSettings audit;
  audit.setting = j.at("setting");
  if (audit.setting == "documents")
    return audit;
  audit.query = j.at("query");
  audit.nodes = j.at("nodes");
  audit.edges = j.at("edges");
  audit.trainNodesPerClass = j.at("train_nodes_per_class");
  audit.testNodes = j.at("test_nodes");
  audit.testNodesPerClass = j.value("test_nodes_per_class", int64_t(0));
  const json &attack = j.at("attack");
  audit.attackEpochs = attack.at("epochs");
  audit.attackBatch = attack.at("batch");
  audit.attackInput = attack.at("input");
  audit.topK = attack.at("top_k");
  audit.standardize = attack.at("standardize");
  audit.liraShadows = attack.at("lira_shadows");
  for (const json &defense : j.at("defenses"))
    audit.defenses.push_back(
        {defense.at("kind"), defense.value("neighbors", int64_t(0)),
         defense.value("bins", int64_t(0)), defense.value("digits", int64_t(0)),
         defense.value("beta", 0.0), defense.value("temperature", 0.0)});
  audit.withoutEdges = j.at("without_edges");
  if (auto shadow = j.find("shadow"); shadow != j.end())
    audit.shadow = {shadow->at("nodes"), shadow->at("edges"),
                    shadow->at("train_nodes_per_class"),
                    shadow->at("test_nodes"),
                    shadow->value("test_nodes_per_class", int64_t(0))};
  return audit;
}

static ConfigField parseConfigField(const json &j) {
  ConfigField field;
  field.names = j.at("names").get<std::vector<std::string>>();
  field.value = j.at("value").dump();
  for (const json &other : j.value("others", json::array()))
    field.others.push_back(other.dump());
  field.decides = j.at("decides");
  field.isNullable = j.value("nullable", false);
  field.isWritten = j.value("written", true);
  return field;
}

/// Sees to it that collectives have the numbers of their places among those of
/// their arena's program. That one gets those of programs within it, too, as
/// there is one communicator for an arena.
static void numberCollectives(Manifest &manifest) {
  for (auto &[name, program] : manifest.programs) {
    const std::string &within = program.within;
    Program &host = within.empty() ? program : manifest.programs.at(within);
    size_t first = within.empty() ? 0 : host.collectives.size();
    for (size_t i = 0; i < program.collectives.size(); ++i)
      if (program.collectives[i].id != static_cast<int>(first + i))
        fatal("the embedded manifest lists collective %d of program '%s' at "
              "place %zu",
              program.collectives[i].id, name.c_str(), first + i);
    if (!within.empty())
      host.collectives.insert(host.collectives.end(),
                              program.collectives.begin(),
                              program.collectives.end());
  }
}

static Manifest convert(const json &j) {
  if (j.at("tessera") != 1)
    fatal("the embedded manifest has a version other than 1: link the object "
          "with the runtime of the tessera that compiled it");
  Manifest manifest;
  manifest.name = j.at("name");
  if (auto audit = j.find("audit"); audit != j.end())
    manifest.audit = parseAudit(*audit);
  manifest.model = parseModel(j.at("model"));
  manifest.training = parseTraining(j.at("training"));
  parseOptimizer(j.at("optimizer"), manifest.training.optimizer);
  if (auto target = j.find("target"); target != j.end()) {
    manifest.cpu = target->value("cpu", "");
    manifest.threads = narrow(target->value("threads", int64_t(0)));
    manifest.maxThreads =
        narrow(target->value("max_threads", int64_t(manifest.maxThreads)));
  }
  if (auto settings = j.find("fingerprint"); settings != j.end())
    manifest.fingerprint = settings->get<std::map<std::string, std::string>>();
  for (const json &field : j.value("config", json::array()))
    manifest.config.push_back(parseConfigField(field));
  for (const json &parameter : j.at("parameters"))
    manifest.parameters.push_back(parseParameter(parameter));
  if (auto tied = j.find("tied"); tied != j.end())
    for (const auto &[name, target] : tied->items())
      manifest.tied[name] = target;
  for (const json &group : j.at("groups"))
    manifest.groups.push_back(
        {group.at("name"), group.at("elements"), group.at("padded"),
         group.at("class_ends").get<std::vector<int64_t>>()});
  for (const json &gemm : j.value("gemms", json::array()))
    manifest.gemms.push_back(parseGemm(gemm));
  if (auto device = j.find("device"); device != j.end()) {
    manifest.device = device->at("kind");
    manifest.architectures =
        device->at("architectures").get<std::vector<std::string>>();
  }
  for (const json &kernel : j.value("kernels", json::array()))
    manifest.kernels.push_back({kernel.at("name"), narrow(kernel.at("blocks")),
                                narrow(kernel.at("threads"))});
  for (const auto &[name, program] : j.at("programs").items())
    manifest.programs[name] =
        parseProgram(name, program, manifest.training.optimizer);
  for (auto &[name, program] : manifest.programs)
    for (Collective &collective : program.collectives)
      if (collective.group >= 0)
        collective.groupName = manifest.groups.at(collective.group).name;
  numberCollectives(manifest);
  return manifest;
}

Manifest parseManifest(const char *text, const tessera_entry *entries) {
  auto refuse = [](const char *reason) {
    fatal("the embedded manifest is damaged (%s): compile the specification "
          "again",
          reason);
  };
  try {
    Manifest manifest = convert(JsonCursor::parse(text, maxDepth));
    manifest.entries = entries;
    return manifest;
  } catch (const json::exception &error) {
    refuse(error.what());
  } catch (const JsonCursor::Refusal &refusal) {
    refuse(refusal.what());
  }
  return {};
}

} // namespace tessera::runtime
