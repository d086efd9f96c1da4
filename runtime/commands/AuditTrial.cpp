//===- AuditTrial.cpp - One target, its shadow and its attacks ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditTrial.h"
#include "runtime/audit/Draws.h"
#include "runtime/audit/Lira.h"
#include "runtime/audit/Subgraph.h"
#include "runtime/core/Error.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <chrono>
#include <map>

namespace tessera::runtime {

const char *queryName(AuditQuery query) {
  switch (query) {
  case AuditQuery::matched:
    return "MATCHED";
  case AuditQuery::reference:
    return "REFERENCE";
  case AuditQuery::subgraphs:
    return "SUBGRAPHS";
  }
  return "";
}

std::vector<AuditQuery> queriesOf(const AuditSettings &settings) {
  if (settings.setting == "tsts")
    return {AuditQuery::subgraphs};
  // LiRA compares answers that models give on one graph.
  if (settings.liraShadows > 0)
    return {AuditQuery::matched};
  if (settings.query == "reference")
    return {AuditQuery::reference, AuditQuery::matched};
  return {AuditQuery::matched, AuditQuery::reference};
}

std::vector<Defense> defensesOf(const AuditSettings &settings) {
  static const std::map<std::string, DefenseKind> kinds = {
      {"nsd", DefenseKind::nsd},
      {"lbp", DefenseKind::lbp},
      {"vanpd", DefenseKind::vanpd},
      {"rounding", DefenseKind::rounding},
      {"temperature", DefenseKind::temperature},
      {"label_only", DefenseKind::labelOnly}};
  std::vector<Defense> defenses;
  for (const AuditDefense &given : settings.defenses) {
    auto kind = kinds.find(given.kind);
    if (kind == kinds.end())
      fatal("the embedded manifest has a defense '%s' that this runtime does "
            "not know: compile the specification again",
            given.kind.c_str());
    defenses.push_back({.kind = kind->second,
                        .neighbors = given.neighbors,
                        .bins = given.bins,
                        .beta = given.beta,
                        .digits = given.digits,
                        .temperature = given.temperature});
  }
  return defenses;
}

namespace {

/// What a trial draws with: models and noise have seeds of their own.
enum class Purpose : uint64_t {
  target,
  shadow,
  attack,
  targetNoise,
  shadowNoise,
  shadows
};

uint64_t seedFor(uint64_t seed, Purpose purpose) {
  return seed * 8 + static_cast<uint64_t>(purpose);
}

/// The nodes of one of the two models.
struct Nodes {
  std::span<const int32_t> train, test;
};

/// What a model answers: by query and, for each, undefended and then by those
/// of the defenses that change the graph.
struct ModelAnswers {
  struct OfQuery {
    MemberAnswers plain;
    std::vector<MemberAnswers> sampled; ///< by defense; empty for others
  };
  std::vector<OfQuery> queries;
  ModelAccuracy accuracy;
};

class TrialRun {
public:
  TrialRun(const AuditSetup &setup, const AuditSplit &split)
      : setup(setup), split(split), queries(setup.queries),
        defenses(setup.defenses) {}

  Trial run();

private:
  /// Trains the model on a subgraph: see SubgraphBatches.
  void trainOn(const EdgeSource &edges, std::span<const int32_t> nodes);
  ModelAnswers trainAndAsk(const std::string &name, Nodes nodes, Purpose seed,
                           Purpose noise, bool withEdges);
  ModelAnswers askTarget();
  ModelAnswers askAll(const std::string &name, Nodes nodes, Purpose noise,
                      bool withEdges);
  MemberAnswers ask(AuditQuery query, Nodes nodes, const Defense *defense,
                    uint64_t noiseSeed, bool withEdges);
  Posteriors askAbout(const char *program, const EdgeSource &edges,
                      std::span<const int32_t> nodes);
  std::vector<int32_t> drawShadow(int64_t number) const;
  AttackScores attackByLikelihood(const MemberAnswers &target);
  QueryTrial attack(size_t query, const ModelAnswers &target,
                    const ModelAnswers &shadow);
  /// With what is known of \p nodes in \p edges, the graph that answered.
  Answers described(const Posteriors &posteriors, const EdgeSource &edges,
                    std::span<const int32_t> nodes) const;
  /// What \p answers were about in \p query: members, then others.
  std::pair<Answers, Answers>
  described(AuditQuery query, const MemberAnswers &answers, Nodes nodes) const;
  AttackScores trainAndScore(const MemberAnswers &shadow,
                             const MemberAnswers &target) {
    setup.attack.train(shadow, seedFor(split.seed, Purpose::attack));
    return setup.attack.score(target);
  }

  Nodes targetNodes() const { return {split.targetTrain, split.targetTest}; }
  Nodes shadowNodes() const { return {split.shadowTrain, split.shadowTest}; }

  const AuditSetup &setup;
  const AuditSplit &split;
  const std::vector<AuditQuery> &queries;
  const std::vector<Defense> &defenses;
};

} // namespace

Posteriors TrialRun::askAbout(const char *program, const EdgeSource &edges,
                              std::span<const int32_t> nodes) {
  std::vector<float> logits =
      setup.target.predict(program, [&](const tessera_context &context) {
        setup.graph.load(context, edges, nodes);
      });
  return softmax(logits, std::ssize(nodes),
                 setup.target.manifest.model.classes);
}

/// \p edges as NSD leaves them.
static std::unique_ptr<EdgeSource> sampled(const EdgeSource &edges,
                                           const Defense &defense,
                                           uint64_t seed, uint64_t query) {
  return std::make_unique<SampledEdges>(edges, defense.neighbors, seed, query);
}

MemberAnswers TrialRun::ask(AuditQuery query, Nodes nodes,
                            const Defense *defense, uint64_t noiseSeed,
                            bool withEdges) {
  const GraphFile &whole = setup.graph.file();
  NoEdges none(whole);
  const EdgeSource &given =
      withEdges ? static_cast<const EdgeSource &>(whole) : none;
  // Each graph that is asked has one draw of its own, for all its nodes.
  auto answer = [&](const char *program, const EdgeSource &edges,
                    std::span<const int32_t> ofGraph, uint64_t number) {
    if (!defense)
      return askAbout(program, edges, ofGraph);
    return askAbout(program, *sampled(edges, *defense, noiseSeed, number),
                    ofGraph);
  };
  MemberAnswers answers;
  if (query != AuditQuery::subgraphs) {
    Posteriors all =
        answer(slotNames::predictWhole, given, setup.graph.allNodes(), 0);
    answers.members = selectRows(all, nodes.train);
    answers.nonMembers = selectRows(all, nodes.test);
  }
  if (query != AuditQuery::matched) {
    InducedEdges edges(given, nodes.train);
    answers.members = answer("predict", edges, nodes.train, 1);
  }
  if (query == AuditQuery::subgraphs) {
    InducedEdges edges(given, nodes.test);
    answers.nonMembers = answer(slotNames::predictTest, edges, nodes.test, 2);
  }
  return answers;
}

void TrialRun::trainOn(const EdgeSource &edges,
                       std::span<const int32_t> nodes) {
  AuditModel &model = setup.target;
  SubgraphBatches batches(setup.graph, edges, nodes, model.manifest,
                          model.parameterSeed());
  model.train(batches, model.manifest.training.steps);
}

ModelAnswers TrialRun::trainAndAsk(const std::string &name, Nodes nodes,
                                   Purpose seed, Purpose noise,
                                   bool withEdges) {
  setup.onStage("training the " + name + (withEdges ? "" : " without edges"));
  const GraphFile &whole = setup.graph.file();
  NoEdges none(whole);
  InducedEdges edges(withEdges ? static_cast<const EdgeSource &>(whole) : none,
                     nodes.train);
  setup.target.initialize(seedFor(split.seed, seed));
  trainOn(edges, nodes.train);

  ModelAnswers answers = askAll(name, nodes, noise, withEdges);
  // Training accuracy is that on the graph of the training, which every query
  // but MATCHED asks members on.
  answers.accuracy.train = accuracy(askAbout("predict", edges, nodes.train),
                                    setup.graph.labelsOf(nodes.train));
  return answers;
}

ModelAnswers TrialRun::askAll(const std::string &name, Nodes nodes,
                              Purpose noise, bool withEdges) {
  setup.onStage("asking the " + name);
  ModelAnswers answers;
  uint64_t noiseSeed = seedFor(split.seed, noise);
  for (AuditQuery query : queries) {
    ModelAnswers::OfQuery &of = answers.queries.emplace_back();
    of.plain = ask(query, nodes, nullptr, noiseSeed, withEdges);
    for (const Defense &defense : defenses)
      of.sampled.push_back(
          withEdges && defense.kind == DefenseKind::nsd
              ? ask(query, nodes, &defense, noiseSeed, withEdges)
              : MemberAnswers());
  }
  answers.accuracy.train = accuracy(answers.queries.front().plain.members,
                                    setup.graph.labelsOf(nodes.train));
  answers.accuracy.test = accuracy(answers.queries.front().plain.nonMembers,
                                   setup.graph.labelsOf(nodes.test));
  return answers;
}

/// What the target answers, where it is trained already or after it is.
ModelAnswers TrialRun::askTarget() {
  Nodes nodes = targetNodes();
  const ExistingTarget &existing = setup.existing;
  if (!existing.isThere())
    return trainAndAsk("target", nodes, Purpose::target, Purpose::targetNoise,
                       /*withEdges=*/true);
  if (!existing.posteriors) {
    setup.target.load(existing.weights);
    return askAll("target", nodes, Purpose::targetNoise, /*withEdges=*/true);
  }
  ModelAnswers answers;
  ModelAnswers::OfQuery &of = answers.queries.emplace_back();
  of.plain = {selectRows(*existing.posteriors, nodes.train),
              selectRows(*existing.posteriors, nodes.test)};
  of.sampled.resize(defenses.size());
  answers.accuracy = {
      accuracy(of.plain.members, setup.graph.labelsOf(nodes.train)),
      accuracy(of.plain.nonMembers, setup.graph.labelsOf(nodes.test))};
  return answers;
}

/// What \p defense makes of \p answers of query number \p query.
static MemberAnswers defended(const Defense &defense,
                              const ModelAnswers::OfQuery &answers,
                              size_t index, uint64_t seed, uint64_t query) {
  if (defense.kind == DefenseKind::nsd)
    return answers.sampled[index];
  return {defend(defense, answers.plain.members, seed, 2 * query),
          defend(defense, answers.plain.nonMembers, seed, 2 * query + 1)};
}

Answers TrialRun::described(const Posteriors &posteriors,
                            const EdgeSource &edges,
                            std::span<const int32_t> nodes) const {
  bool isWhole = &edges == &setup.graph.file();
  std::vector<int32_t> labels = setup.graph.labelsOf(nodes);
  Answers answers{posteriors, labels, inDegrees(edges), {}};
  answers.homophily =
      nodeHomophily(edges, isWhole ? setup.graph.labels() : labels);
  if (!isWhole)
    return answers;
  std::vector<int64_t> degrees;
  std::vector<double> shares;
  for (int32_t node : nodes) {
    degrees.push_back(answers.degrees[node]);
    shares.push_back(answers.homophily[node]);
  }
  answers.degrees = std::move(degrees);
  answers.homophily = std::move(shares);
  return answers;
}

std::pair<Answers, Answers> TrialRun::described(AuditQuery query,
                                                const MemberAnswers &answers,
                                                Nodes nodes) const {
  const GraphFile &whole = setup.graph.file();
  InducedEdges ofMembers(whole, nodes.train), ofOthers(whole, nodes.test);
  bool isMatched = query == AuditQuery::matched;
  bool areApart = query == AuditQuery::subgraphs;
  return {
      described(answers.members,
                isMatched ? static_cast<const EdgeSource &>(whole) : ofMembers,
                nodes.train),
      described(answers.nonMembers,
                areApart ? static_cast<const EdgeSource &>(ofOthers) : whole,
                nodes.test)};
}

QueryTrial TrialRun::attack(size_t query, const ModelAnswers &target,
                            const ModelAnswers &shadow) {
  QueryTrial trial;
  const ModelAnswers::OfQuery &asked = target.queries[query];
  const ModelAnswers::OfQuery &learnt = shadow.queries[query];
  Nodes mine = targetNodes(), others = shadowNodes();
  std::vector<int32_t> otherLabels = setup.graph.labelsOf(mine.test);
  uint64_t targetSeed = seedFor(split.seed, Purpose::targetNoise);
  uint64_t shadowSeed = seedFor(split.seed, Purpose::shadowNoise);

  std::vector<MemberAnswers> answers, lessons;
  for (size_t i = 0; i < defenses.size(); ++i) {
    answers.push_back(defended(defenses[i], asked, i, targetSeed, query));
    lessons.push_back(defended(defenses[i], learnt, i, shadowSeed, query));
  }

  setup.onStage(std::string("attacking, ") + queryName(queries[query]));
  trial.attack = trainAndScore(learnt.plain, asked.plain);
  // An attacker who knows of no defense has learnt from undefended answers.
  trial.defenses.resize(defenses.size());
  for (size_t i = 0; i < defenses.size(); ++i)
    trial.defenses[i].fixed = setup.attack.score(answers[i]);
  for (size_t i = 0; i < defenses.size(); ++i) {
    setup.onStage("attacking " + describe(defenses[i]) + ", " +
                  queryName(queries[query]));
    QueryTrial::Defended &result = trial.defenses[i];
    result.adaptive = trainAndScore(lessons[i], answers[i]);
    result.labelLoss =
        labelLoss(asked.plain.nonMembers, answers[i].nonMembers, otherLabels);
    result.distortion =
        confidenceDistortion(asked.plain.nonMembers, answers[i].nonMembers);
  }

  auto [members, nonMembers] = described(queries[query], asked.plain, mine);
  auto [shadowMembers, shadowOthers] =
      described(queries[query], learnt.plain, others);
  trial.answers = {std::move(members), std::move(nonMembers),
                   std::move(shadowMembers), std::move(shadowOthers)};
  return trial;
}

/// The training nodes of LiRA's shadow number \p number: as many of each class
/// as the target's, of all nodes of the trial.
std::vector<int32_t> TrialRun::drawShadow(int64_t number) const {
  std::map<int32_t, std::vector<int32_t>> byClass;
  for (const std::vector<int32_t> *nodes :
       {&split.targetTrain, &split.targetTest, &split.shadowTrain,
        &split.shadowTest})
    for (int32_t node : *nodes)
      byClass[setup.graph.labels()[node]].push_back(node);
  Draws draws(split.seed, Draw::shadows, 0, number);
  auto wanted = static_cast<size_t>(setup.settings.trainNodesPerClass);
  std::vector<int32_t> chosen;
  for (auto &[label, nodes] : byClass) {
    std::sort(nodes.begin(), nodes.end());
    size_t count = std::min(wanted, nodes.size());
    draws.shuffle(std::span(nodes), count);
    chosen.insert(chosen.end(), nodes.begin(), nodes.begin() + count);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

AttackScores TrialRun::attackByLikelihood(const MemberAnswers &target) {
  std::vector<int32_t> audited = split.targetTrain;
  audited.insert(audited.end(), split.targetTest.begin(),
                 split.targetTest.end());
  std::vector<int32_t> labels = setup.graph.labelsOf(audited);
  LiraShadows shadows;
  shadows.shadows = setup.settings.liraShadows;
  shadows.nodes = std::ssize(audited);
  const GraphFile &whole = setup.graph.file();
  for (int64_t i = 0; i < shadows.shadows; ++i) {
    setup.onStage("training shadow " + std::to_string(i + 1) + " of " +
                  std::to_string(shadows.shadows));
    std::vector<int32_t> nodes = drawShadow(i);
    InducedEdges edges(whole, nodes);
    setup.target.initialize(seedFor(split.seed, Purpose::shadows) +
                            uint64_t(i) * (uint64_t(1) << 32));
    trainOn(edges, nodes);
    Posteriors answers = selectRows(
        askAbout(slotNames::predictWhole, whole, setup.graph.allNodes()),
        audited);
    std::vector<double> confidence = logitConfidences(answers, labels);
    shadows.confidence.insert(shadows.confidence.end(), confidence.begin(),
                              confidence.end());
    for (int32_t node : audited)
      shadows.isMember.push_back(
          std::binary_search(nodes.begin(), nodes.end(), node));
  }
  std::vector<double> observed =
      logitConfidences(target.members, setup.graph.labelsOf(split.targetTrain));
  std::vector<double> others = logitConfidences(
      target.nonMembers, setup.graph.labelsOf(split.targetTest));
  observed.insert(observed.end(), others.begin(), others.end());
  std::vector<double> scores = liraScores(shadows, observed);
  auto border = scores.begin() + std::ssize(split.targetTrain);
  return {{scores.begin(), border}, {border, scores.end()}};
}

Trial TrialRun::run() {
  ModelAnswers target = askTarget();
  ModelAnswers shadow = trainAndAsk("shadow", shadowNodes(), Purpose::shadow,
                                    Purpose::shadowNoise, /*withEdges=*/true);
  Trial trial;
  trial.run = {.seed = split.seed,
               .split = splitHash(std::span(&split, 1)),
               .target = target.accuracy,
               .shadow = shadow.accuracy};
  for (size_t query = 0; query < queries.size(); ++query)
    trial.queries.push_back(attack(query, target, shadow));
  if (setup.settings.liraShadows > 0)
    trial.queries.front().lira =
        attackByLikelihood(target.queries.front().plain);
  if (!setup.settings.withoutEdges || setup.existing.isThere())
    return trial;
  ModelAnswers alone = trainAndAsk("target", targetNodes(), Purpose::target,
                                   Purpose::targetNoise, /*withEdges=*/false);
  ModelAnswers shadowAlone =
      trainAndAsk("shadow", shadowNodes(), Purpose::shadow,
                  Purpose::shadowNoise, /*withEdges=*/false);
  setup.onStage("attacking without edges");
  trial.withoutEdges = {alone.accuracy,
                        trainAndScore(shadowAlone.queries.front().plain,
                                      alone.queries.front().plain)};
  return trial;
}

Trial runTrial(const AuditSetup &setup, const AuditSplit &split) {
  auto begin = std::chrono::steady_clock::now();
  Trial trial = TrialRun(setup, split).run();
  std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - begin;
  trial.seconds = taken.count();
  return trial;
}

} // namespace tessera::runtime
