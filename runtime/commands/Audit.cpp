//===- Audit.cpp - The command audit --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/PosteriorsFile.h"
#include "runtime/comm/Launcher.h"
#include "runtime/commands/AllCommands.h"
#include "runtime/commands/AuditDocuments.h"
#include "runtime/commands/AuditRanks.h"
#include "runtime/commands/AuditSummary.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/core/Threads.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/Output.h"
#include "runtime/files/Sha256.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <memory>
#include <unistd.h>

namespace tessera::runtime {
namespace {

/// What the command's own options say.
struct {
  int64_t seeds = 0; ///< 0: not given
  std::string splits, report, target, posteriors, shadowData;
  DocumentPaths documents;
} given;

constexpr int64_t defaultSeeds = 5;

void storeSeeds(Options &, const std::string &text) {
  given.seeds = readInteger("--seeds", text, 1);
}
void storeSplits(Options &, const std::string &text) { given.splits = text; }
void storeReport(Options &, const std::string &text) { given.report = text; }
void storeShadowData(Options &, const std::string &text) {
  given.shadowData = text;
}
void storeTarget(Options &, const std::string &text) { given.target = text; }
void storePosteriors(Options &, const std::string &text) {
  given.posteriors = text;
}
void storeMembers(Options &, const std::string &text) {
  given.documents.members = text;
}
void storeNonMembers(Options &, const std::string &text) {
  given.documents.nonMembers = text;
}
void storeReference(Options &, const std::string &text) {
  given.documents.reference = text;
}

void checkAudit(const Options &options) {
  if (!given.splits.empty() && options.seed)
    refuseCommandLine("%s", "--seed is of splits that are drawn, and --splits "
                            "gives them: leave one of them out");
  if (!given.target.empty() && !given.posteriors.empty())
    refuseCommandLine("%s", "--target and --posteriors are both of a target "
                            "that is there: leave one of them out");
  if (!given.splits.empty() &&
      (!given.target.empty() || !given.posteriors.empty()))
    refuseCommandLine("%s", "--splits says what the target is trained on, and "
                            "it is trained already: its members are those of "
                            "the graph's train_mask; leave --splits out");
}

/// The model of this executable called \p name, beside the target; null where
/// there is none.
const Manifest *findModel(const char *name) {
  static std::map<std::string, Manifest> models;
  if (models.empty() && tessera_models)
    for (const tessera_model *model = tessera_models; model->name; ++model)
      models.emplace(model->name,
                     parseManifest(model->manifest, model->entries));
  auto model = models.find(name);
  return model == models.end() ? nullptr : &model->second;
}

/// The hash of all that was compiled.
std::string specificationHash() {
  std::string text = tessera_manifest;
  if (tessera_models)
    for (const tessera_model *model = tessera_models; model->name; ++model)
      text += model->manifest;
  return sha256(text);
}

/// Of AuditSettings, or of a shadow's graph.
template <typename Sets> SplitSizes sizesOf(const Sets &sets) {
  SplitSizes sizes;
  sizes.trainPerClass = sets.trainNodesPerClass;
  if (sets.testNodesPerClass)
    sizes.testPerClass = sets.testNodesPerClass;
  else
    sizes.test = sets.testNodes;
  return sizes;
}

std::vector<AuditSplit> splitsOf(const AuditSide &target,
                                 const AuditSide &shadow,
                                 const AuditSettings &settings, uint64_t seed,
                                 const std::vector<int32_t> &members) {
  SplitRules rules;
  rules.labels = target.graph.labels();
  rules.classes = target.model.manifest.model.classes;
  rules.sizes = sizesOf(settings);
  if (settings.shadow) {
    rules.shadowLabels = shadow.graph.labels();
    rules.shadowClasses = shadow.model.manifest.model.classes;
    rules.shadowSizes = sizesOf(*settings.shadow);
  }
  std::string error;
  if (given.splits.empty()) {
    int64_t count = given.seeds ? given.seeds : defaultSeeds;
    std::vector<AuditSplit> splits(count);
    for (int64_t i = 0; i < count; ++i)
      if (!drawSplit(rules, seed + i, members, splits[i], error))
        fatal("%s", error.c_str());
    return splits;
  }
  SplitsFile file;
  if (!readSplits(given.splits, rules, file, error))
    fatal("%s", error.c_str());
  if (given.seeds > std::ssize(file.splits))
    fatal("--seeds asks for %" PRId64 " splits, and '%s' has %zu", given.seeds,
          given.splits.c_str(), file.splits.size());
  if (given.seeds)
    file.splits.resize(given.seeds);
  return file.splits;
}

std::string hashOf(const std::string &path) {
  std::string error;
  std::string hash = fileSha256(path, "the graph ", error);
  if (!error.empty())
    fatal("%s", error.c_str());
  return hash;
}

/// A line of what rank 0 does now, which the next one takes the place of.
class Status {
public:
  explicit Status(int64_t trials) : trials(trials) {}

  void begin(int64_t number) { trial = number; }
  void show(const std::string &stage) const {
    if (isShown())
      fprintf(stderr, "\r\033[K%" PRId64 " of %" PRId64 ": %s", trial + 1,
              trials, stage.c_str());
  }
  /// Trial \p number, of this rank or another, is \p done.
  void end(int64_t number, const Trial &done,
           const std::vector<AuditQuery> &queries) const {
    if (isShown())
      fprintf(stderr, "\r\033[K");
    printf("%3" PRId64 " of %" PRId64 "  seed %-6" PRIu64
           " target %.3f/%.3f  shadow %.3f/%.3f",
           number + 1, trials, done.run.seed, done.run.target.train,
           done.run.target.test, done.run.shadow.train, done.run.shadow.test);
    for (size_t i = 0; i < queries.size(); ++i)
      printf("  %s %.3f", queryName(queries[i]),
             done.queries[i].attack.ranked().metrics({}, {})[Metric::Auroc]);
    printf("  %.1f s\n", done.seconds);
    fflush(stdout);
  }

private:
  static bool isShown() { return speaks() && isatty(STDERR_FILENO); }

  int64_t trials, trial = 0;
};

/// Exits the process where an option that is of the other kind of audits is
/// given, or one of this kind is missing.
void requireOptions(bool ofDocuments, const Options &options) {
  struct Row {
    const char *name;
    bool isGiven, isOfDocuments, isNeeded;
  };
  const Row rows[] = {
      {"--data", !options.data.empty(), false, true},
      {"--seeds", given.seeds != 0, false, false},
      {"--splits", !given.splits.empty(), false, false},
      {"--shadow-data", !given.shadowData.empty(), false, false},
      {"--target", !given.target.empty(), false, false},
      {"--posteriors", !given.posteriors.empty(), false, false},
      {"--members", !given.documents.members.empty(), true, true},
      {"--non-members", !given.documents.nonMembers.empty(), true, true},
      {"--init", !options.init.empty(), true, true},
      {"--reference", !given.documents.reference.empty(), true, false}};
  for (const Row &row : rows) {
    if (row.isGiven && row.isOfDocuments != ofDocuments)
      refuseCommandLine("%s is for audits of %s, and this executable audits "
                        "what a model leaks of %s: leave it out",
                        row.name, ofDocuments ? "graphs" : "texts",
                        ofDocuments ? "documents" : "nodes");
    if (!row.isGiven && row.isNeeded && row.isOfDocuments == ofDocuments)
      refuseCommandLine("'audit' needs %s: see '%s audit --help'", row.name,
                        executableName());
  }
}

/// The target that the command line names; exits the process where this
/// executable cannot ask it.
ExistingTarget readTarget(const AuditGraph &graph, const Manifest &manifest) {
  ExistingTarget target;
  target.weights = given.target;
  if (!given.posteriors.empty()) {
    std::string error;
    Posteriors posteriors;
    if (!readPosteriors(given.posteriors, graph.file().shape().nodes,
                        manifest.model.classes, posteriors, error))
      fatal("%s", error.c_str());
    target.posteriors = std::move(posteriors);
  }
  if (target.isThere() && manifest.audit->setting != "tstf")
    fatal("a target that is trained already is asked on the whole graph: "
          "compile the audit with --set audit.setting=TSTF");
  return target;
}

/// Exits the process where the attack has no room for what is asked about
/// \p members.
void requireRoom(const Manifest &attack, const AuditSettings &settings,
                 size_t members) {
  const Slot *slot =
      attack.program(slotNames::predictAll).input(slotNames::features);
  int64_t rows = slot ? slot->shape.front() : 0;
  int64_t most = rows - settings.testNodes;
  if (static_cast<int64_t>(members) > most)
    fatal("the graph's train_mask has %zu members, the audit was compiled for "
          "at most %" PRId64 ": raise audit.train_nodes_per_class",
          members, most);
}

/// Trains and attacks models of a graph, and fills in \p report on rank 0.
void auditGraph(const Manifest &manifest, const Options &options,
                Communicator &ranks, AuditReport &report) {
  const AuditSettings &settings = *manifest.audit;
  const Manifest *attackManifest = findModel("attack");
  if (!attackManifest)
    fatal("this executable has no model 'attack': compile the specification "
          "again");
  // Where it is no other, the shadow is the target on other nodes.
  const Manifest *other = findModel("shadow");
  if (settings.shadow.has_value() != !given.shadowData.empty())
    fatal("%s", settings.shadow
                    ? "the shadow was compiled for a graph of its own: give it "
                      "by --shadow-data"
                    : "--shadow-data is for a shadow with a graph of its own, "
                      "and this one learns from that of --data: compile it "
                      "with audit.shadow.gnn.graph, or leave it out");
  AuditGraph graph(manifest, settings.nodes, settings.edges, options.data);
  std::optional<AuditGraph> otherGraph;
  if (settings.shadow)
    otherGraph.emplace(*other, settings.shadow->nodes, settings.shadow->edges,
                       given.shadowData);
  else if (other)
    otherGraph.emplace(*other, settings.nodes, settings.edges, options.data);
  ExistingTarget existing = readTarget(graph, manifest);
  std::vector<int32_t> members;
  if (existing.isThere())
    members = graph.file().split("train");
  requireRoom(*attackManifest, settings, members.size());
  // To ask the target elsewhere than on the whole graph takes its training.
  std::vector<AuditQuery> queries = queriesOf(settings);
  std::vector<Defense> defenses = defensesOf(settings);
  if (existing.isThere())
    queries = {AuditQuery::Matched};
  bool hasNsd = existing.posteriors &&
                std::erase_if(defenses, [](const Defense &defense) {
                  return defense.kind == DefenseKind::Nsd;
                }) > 0;
  if (hasNsd)
    warning("NSD is left out: it changes the graph that a model is asked on, "
            "and '%s' has answers alone",
            given.posteriors.c_str());

  std::vector<const Manifest *> manifests = {&manifest, attackManifest};
  if (other)
    manifests.push_back(other);
  AuditArena arena(manifests, ranks.localRank(), ranks.localSize());
  int threads = ranks.size() > 1 ? shareThreads(manifest, ranks)
                                 : runThreads(manifest, 1);
  AuditModel target(manifest, arena, threads);
  // Its steps are too short for several threads.
  AuditModel attackModel(*attackManifest, arena, 1);
  std::optional<AuditModel> shadow;
  if (other)
    shadow.emplace(*other, arena, threads).onStep = [&] { ranks.look(); };
  target.onStep = attackModel.onStep = [&] { ranks.look(); };
  ShadowAttack attack(attackModel, settings);
  AuditSide ofTarget{target, graph};
  AuditSide ofShadow{shadow ? *shadow : target,
                     otherGraph ? *otherGraph : graph};
  std::vector<AuditSplit> splits =
      splitsOf(ofTarget, ofShadow, settings, report.bootstrap.seed, members);

  const GraphShape &shape = graph.file().shape();
  if (ranks.isRoot()) {
    printf("%s: audit of %s, %s\n", manifest.name.c_str(),
           manifest.model.family.c_str(),
           settings.setting == "tsts" ? "TSTS" : "TSTF");
    printf("  graph        %s (%s nodes, %s edges, %" PRId64 " classes)\n",
           options.data.c_str(), countText(shape.nodes).c_str(),
           countText(shape.edges).c_str(), manifest.model.classes);
    if (other)
      printf("  shadow       %s%s%s\n", other->model.family.c_str(),
             settings.shadow ? ", on " : "", given.shadowData.c_str());
    printf("  members      %zu nodes; non-members %zu\n",
           splits.front().targetTrain.size(), splits.front().targetTest.size());
    printf("  memory       %s, of all models in turn\n",
           byteText(double(arena.bytes())).c_str());
    if (ranks.size() > 1)
      printf("  ranks        %d, which share the trials\n", ranks.size());
    printf("\n");
    fflush(stdout);
  }

  Status status(std::ssize(splits));
  AuditSetup setup{
      ofTarget, ofShadow,
      settings, queries,
      defenses, existing,
      attack,   [&](const std::string &stage) { status.show(stage); }};
  std::vector<Trial> trials;
  auto keep = [&](Trial trial) {
    status.end(std::ssize(trials), trial, queries);
    trials.push_back(std::move(trial));
  };
  shareTrials(
      ranks, setup, splits, [&](int64_t number) { status.begin(number); },
      keep);
  if (!ranks.isRoot())
    return;

  // The other ranks of this node are done, and attacks have had one thread.
  setThreads(std::min(threads * ranks.localSize(), allowedCores()));
  report.setting = settings.setting == "tsts" ? "TSTS" : "TSTF";
  report.data = options.data;
  report.graphHash = hashOf(options.data);
  if (settings.shadow) {
    report.shadowData = given.shadowData;
    report.shadowGraphHash = hashOf(given.shadowData);
  }
  report.splitsHash = splitHash(splits);
  report.members = std::ssize(splits.front().targetTrain);
  report.nonMembers = std::ssize(splits.front().targetTest);
  report.threatModel =
      describe({.setting = report.setting,
                .query = queryName(queries.front()),
                .attack = "SHADOW_MLP",
                .input = settings.attackInput,
                .shadow = other ? other->model.family : "",
                .hasShadowGraph = settings.shadow.has_value()});
  for (const Trial &trial : trials)
    report.runs.push_back(trial.run);
  for (size_t i = 0; i < queries.size(); ++i)
    report.queries.push_back(summarizeQuery(trials, i, queries[i], defenses,
                                            !settings.shadow.has_value(),
                                            report.bootstrap));
  if (settings.withoutEdges && !existing.isThere()) {
    AblationResult &ablation = report.ablations.emplace_back();
    ablation.name = "NO_EDGES";
    std::vector<AttackScores> scores;
    for (const Trial &trial : trials) {
      ablation.targets.push_back(trial.withoutEdges->target);
      scores.push_back(trial.withoutEdges->attack);
    }
    ablation.attack = summarize("SHADOW_MLP", scores, report.bootstrap);
  }
}

/// Whether ranks that a launcher has started share trials.
bool isSharedByRanks(const Manifest &manifest) {
  return manifest.audit && manifest.audit->setting != "documents";
}

int runAudit(const Manifest &manifest, const Options &options) {
  if (!manifest.audit)
    fatal("this executable audits nothing: its specification has no `audit "
          "{ ... }`");
  bool ofDocuments = manifest.audit->setting == "documents";
  requireOptions(ofDocuments, options);
  // Of documents rank 0 alone is here.
  Started started = readLauncher();
  bool isShared = isSharedByRanks(manifest) && !options.allowUnlaunched;
  Communicator &ranks = meetRanks(isShared ? started.size : 1);
  ReportFiles files;
  std::string error;
  if (!given.report.empty() && ranks.isRoot() &&
      !files.open(given.report, error))
    fatal("%s", error.c_str());
  OutputFile table;
  bool hasTable = ofDocuments && !given.report.empty();
  if (hasTable && !table.open(given.report + "/documents.csv", 0))
    fatal("%s", table.error().c_str());
  AuditReport report;
  report.model = manifest.name;
  report.specificationHash = specificationHash();
  report.bootstrap.seed = options.seed.value_or(manifest.training.seed);
  if (ofDocuments) {
    report.setting = "DOCUMENTS";
    report.what = "documents";
    report.data = given.documents.members;
    ThreatModel threat;
    threat.setting = report.setting;
    report.threatModel = describe(threat);
    std::string rows =
        auditDocuments(manifest, options, given.documents, report);
    if (hasTable &&
        !(table.write(rows.data(), std::ssize(rows)) && table.commit()))
      fatal("%s", table.error().c_str());
  } else {
    auditGraph(manifest, options, ranks, report);
  }
  if (!ranks.isRoot())
    return 0;
  printf("\n%s", reportTable(report).c_str());
  if (!given.report.empty() && !files.write(report, error))
    fatal("%s", error.c_str());
  return 0;
}

constexpr Option graphOption = {"--data", "GRAPH", "the graph (safetensors)",
                                keepText<&Options::data>};
constexpr Option options[] = {
    graphOption,
    {"--seeds", "N",
     "trials, each with splits and models of its own "
     "(default: 5, or all of --splits)",
     storeSeeds},
    {"--seed", "S",
     "of the first trial; the others' follow (default: the "
     "specification's)",
     storeSeed},
    {"--splits", "FILE", "take the nodes of each trial from a JSON file",
     storeSplits},
    {"--shadow-data", "GRAPH",
     "the graph of a shadow that was compiled for one of its own",
     storeShadowData},
    {"--target", "W",
     "audit a model that is there, by its weights (safetensors, or a "
     "checkpoint's folder): its members are the graph's train_mask",
     storeTarget},
    {"--posteriors", "P",
     "the same by its answers for all nodes (safetensors with \"posteriors\" "
     "or \"logits\")",
     storePosteriors},
    {"--members", "PATH",
     "texts: documents that the model was trained on, a folder of files or "
     "lines of JSON with \"text\" or \"tokens\"",
     storeMembers},
    {"--non-members", "PATH",
     "texts: documents of the same kind that it was "
     "not trained on",
     storeNonMembers},
    initOption,
    {"--reference", "W", "texts: weights of a model that has seen neither",
     storeReference},
    {"--report", "DIR", "write report.json, report.csv and report.html",
     storeReport}};

} // namespace

const Command auditCommand = {
    .name = "audit",
    .summary = "tell what the model leaks of what it was trained on",
    .options = options,
    .run = runAudit,
    .check = checkAudit,
    .isShared = isSharedByRanks,
    .runsPrograms = true,
    .usesThreads = true};

} // namespace tessera::runtime
