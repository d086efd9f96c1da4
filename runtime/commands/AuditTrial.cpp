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

/// One of the two models, with the nodes of its sets.
struct Subject {
  std::string name;
  AuditSide side;
  std::span<const int32_t> train, test;
  Purpose seed, noise;

  const GraphFile &whole() const { return side.graph.file(); }
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
  /// Trains the model of \p side on a subgraph: see SubgraphBatches.
  static void trainOn(const AuditSide &side, const EdgeSource &edges,
                      std::span<const int32_t> nodes);
  ModelAnswers trainAndAsk(const Subject &subject, bool withEdges);
  ModelAnswers askTarget();
  ModelAnswers askAll(const Subject &subject, bool withEdges);
  MemberAnswers ask(AuditQuery query, const Subject &subject,
                    const Defense *defense, uint64_t noiseSeed, bool withEdges);
  std::vector<int32_t> drawShadow(int64_t number) const;
  AttackScores attackByLikelihood(const MemberAnswers &asked);
  QueryTrial attack(size_t query, const ModelAnswers &ofTarget,
                    const ModelAnswers &ofShadow);
  AttackScores trainAndScore(const MemberAnswers &learnt,
                             const MemberAnswers &asked) {
    setup.attack.train(learnt, seedFor(split.seed, Purpose::attack));
    return setup.attack.score(asked);
  }

  Subject target() const {
    return {"target",         setup.target,    split.targetTrain,
            split.targetTest, Purpose::target, Purpose::targetNoise};
  }
  Subject shadow() const {
    return {"shadow",         setup.shadow,    split.shadowTrain,
            split.shadowTest, Purpose::shadow, Purpose::shadowNoise};
  }

  const AuditSetup &setup;
  const AuditSplit &split;
  const std::vector<AuditQuery> &queries;
  const std::vector<Defense> &defenses;
};

} // namespace

/// What the model of \p side answers about \p nodes with \p edges among them.
static Posteriors askAbout(const AuditSide &side, const char *program,
                           const EdgeSource &edges,
                           std::span<const int32_t> nodes) {
  std::vector<float> logits =
      side.model.predict(program, [&](const tessera_context &context) {
        side.graph.load(context, edges, nodes);
      });
  return softmax(logits, std::ssize(nodes), side.model.manifest.model.classes);
}

/// \p edges as NSD leaves them.
static std::unique_ptr<EdgeSource> sampled(const EdgeSource &edges,
                                           const Defense &defense,
                                           uint64_t seed, uint64_t query) {
  return std::make_unique<SampledEdges>(edges, defense.neighbors, seed, query);
}

MemberAnswers TrialRun::ask(AuditQuery query, const Subject &subject,
                            const Defense *defense, uint64_t noiseSeed,
                            bool withEdges) {
  const AuditSide &side = subject.side;
  const GraphFile &whole = subject.whole();
  NoEdges none(whole);
  const EdgeSource &given =
      withEdges ? static_cast<const EdgeSource &>(whole) : none;
  // Each graph that is asked has one draw of its own, for all its nodes.
  auto answer = [&](const char *program, const EdgeSource &edges,
                    std::span<const int32_t> ofGraph, uint64_t number) {
    if (!defense)
      return askAbout(side, program, edges, ofGraph);
    return askAbout(side, program, *sampled(edges, *defense, noiseSeed, number),
                    ofGraph);
  };
  MemberAnswers answers;
  if (query != AuditQuery::subgraphs) {
    Posteriors all =
        answer(slotNames::predictWhole, given, side.graph.allNodes(), 0);
    answers.members = selectRows(all, subject.train);
    answers.nonMembers = selectRows(all, subject.test);
  }
  if (query != AuditQuery::matched) {
    InducedEdges edges(given, subject.train);
    answers.members = answer("predict", edges, subject.train, 1);
  }
  if (query == AuditQuery::subgraphs) {
    InducedEdges edges(given, subject.test);
    answers.nonMembers = answer(slotNames::predictTest, edges, subject.test, 2);
  }
  return answers;
}

void TrialRun::trainOn(const AuditSide &side, const EdgeSource &edges,
                       std::span<const int32_t> nodes) {
  AuditModel &model = side.model;
  SubgraphBatches batches(side.graph, edges, nodes, model.manifest,
                          model.parameterSeed());
  model.train(batches, model.manifest.training.steps);
}

ModelAnswers TrialRun::trainAndAsk(const Subject &subject, bool withEdges) {
  setup.onStage("training the " + subject.name +
                (withEdges ? "" : " without edges"));
  const AuditSide &side = subject.side;
  NoEdges none(subject.whole());
  InducedEdges edges(
      withEdges ? static_cast<const EdgeSource &>(subject.whole()) : none,
      subject.train);
  side.model.initialize(seedFor(split.seed, subject.seed));
  trainOn(side, edges, subject.train);

  ModelAnswers answers = askAll(subject, withEdges);
  // Training accuracy is that on the graph of the training, which every query
  // but MATCHED asks members on.
  answers.accuracy.train =
      accuracy(askAbout(side, "predict", edges, subject.train),
               side.graph.labelsOf(subject.train));
  return answers;
}

/// Of members and non-members as \p answers has them.
static ModelAccuracy accuracyOf(const MemberAnswers &answers,
                                const Subject &subject) {
  const AuditGraph &graph = subject.side.graph;
  return {accuracy(answers.members, graph.labelsOf(subject.train)),
          accuracy(answers.nonMembers, graph.labelsOf(subject.test))};
}

ModelAnswers TrialRun::askAll(const Subject &subject, bool withEdges) {
  setup.onStage("asking the " + subject.name);
  ModelAnswers answers;
  uint64_t noiseSeed = seedFor(split.seed, subject.noise);
  for (AuditQuery query : queries) {
    ModelAnswers::OfQuery &of = answers.queries.emplace_back();
    of.plain = ask(query, subject, nullptr, noiseSeed, withEdges);
    for (const Defense &defense : defenses)
      of.sampled.push_back(
          withEdges && defense.kind == DefenseKind::nsd
              ? ask(query, subject, &defense, noiseSeed, withEdges)
              : MemberAnswers());
  }
  answers.accuracy = accuracyOf(answers.queries.front().plain, subject);
  return answers;
}

/// What the target answers, where it is trained already or after it is.
ModelAnswers TrialRun::askTarget() {
  Subject subject = target();
  const ExistingTarget &existing = setup.existing;
  if (!existing.isThere())
    return trainAndAsk(subject, /*withEdges=*/true);
  if (!existing.posteriors) {
    subject.side.model.load(existing.weights);
    return askAll(subject, /*withEdges=*/true);
  }
  ModelAnswers answers;
  ModelAnswers::OfQuery &of = answers.queries.emplace_back();
  of.plain = {selectRows(*existing.posteriors, subject.train),
              selectRows(*existing.posteriors, subject.test)};
  of.sampled.resize(defenses.size());
  answers.accuracy = accuracyOf(of.plain, subject);
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

/// \p posteriors with what is known of \p nodes in \p edges, the graph that
/// answered: all of \p graph, or a part whose nodes these are.
static Answers described(const AuditGraph &graph, const Posteriors &posteriors,
                         const EdgeSource &edges,
                         std::span<const int32_t> nodes) {
  bool isWhole = &edges == &graph.file();
  std::vector<int32_t> labels = graph.labelsOf(nodes);
  Answers answers{posteriors, labels, inDegrees(edges), {}};
  answers.homophily = nodeHomophily(edges, isWhole ? graph.labels() : labels);
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

/// What \p answers of \p subject were about in \p query: members, then others.
static std::pair<Answers, Answers> described(AuditQuery query,
                                             const MemberAnswers &answers,
                                             const Subject &subject) {
  const GraphFile &whole = subject.whole();
  const AuditGraph &graph = subject.side.graph;
  InducedEdges ofMembers(whole, subject.train), ofOthers(whole, subject.test);
  bool isMatched = query == AuditQuery::matched;
  bool areApart = query == AuditQuery::subgraphs;
  return {
      described(graph, answers.members,
                isMatched ? static_cast<const EdgeSource &>(whole) : ofMembers,
                subject.train),
      described(graph, answers.nonMembers,
                areApart ? static_cast<const EdgeSource &>(ofOthers) : whole,
                subject.test)};
}

QueryTrial TrialRun::attack(size_t query, const ModelAnswers &ofTarget,
                            const ModelAnswers &ofShadow) {
  QueryTrial trial;
  const ModelAnswers::OfQuery &asked = ofTarget.queries[query];
  const ModelAnswers::OfQuery &learnt = ofShadow.queries[query];
  std::vector<int32_t> otherLabels =
      setup.target.graph.labelsOf(split.targetTest);
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

  auto [members, nonMembers] = described(queries[query], asked.plain, target());
  auto [shadowMembers, shadowOthers] =
      described(queries[query], learnt.plain, shadow());
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
      byClass[setup.target.graph.labels()[node]].push_back(node);
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

AttackScores TrialRun::attackByLikelihood(const MemberAnswers &asked) {
  const AuditSide &side = setup.shadow;
  std::vector<int32_t> audited = split.targetTrain;
  audited.insert(audited.end(), split.targetTest.begin(),
                 split.targetTest.end());
  std::vector<int32_t> labels = side.graph.labelsOf(audited);
  LiraShadows shadows;
  shadows.shadows = setup.settings.liraShadows;
  shadows.nodes = std::ssize(audited);
  const GraphFile &whole = side.graph.file();
  for (int64_t i = 0; i < shadows.shadows; ++i) {
    setup.onStage("training shadow " + std::to_string(i + 1) + " of " +
                  std::to_string(shadows.shadows));
    std::vector<int32_t> nodes = drawShadow(i);
    InducedEdges edges(whole, nodes);
    side.model.initialize(seedFor(split.seed, Purpose::shadows) +
                          uint64_t(i) * (uint64_t(1) << 32));
    trainOn(side, edges, nodes);
    Posteriors answers = selectRows(
        askAbout(side, slotNames::predictWhole, whole, side.graph.allNodes()),
        audited);
    std::vector<double> confidence = logitConfidences(answers, labels);
    shadows.confidence.insert(shadows.confidence.end(), confidence.begin(),
                              confidence.end());
    for (int32_t node : audited)
      shadows.isMember.push_back(
          std::binary_search(nodes.begin(), nodes.end(), node));
  }
  std::vector<double> observed =
      logitConfidences(asked.members, side.graph.labelsOf(split.targetTrain));
  std::vector<double> others =
      logitConfidences(asked.nonMembers, side.graph.labelsOf(split.targetTest));
  observed.insert(observed.end(), others.begin(), others.end());
  std::vector<double> scores = liraScores(shadows, observed);
  auto border = scores.begin() + std::ssize(split.targetTrain);
  return {{scores.begin(), border}, {border, scores.end()}};
}

Trial TrialRun::run() {
  ModelAnswers ofTarget = askTarget();
  ModelAnswers ofShadow = trainAndAsk(shadow(), /*withEdges=*/true);
  Trial trial;
  trial.run = {.seed = split.seed,
               .split = splitHash(std::span(&split, 1)),
               .target = ofTarget.accuracy,
               .shadow = ofShadow.accuracy};
  for (size_t query = 0; query < queries.size(); ++query)
    trial.queries.push_back(attack(query, ofTarget, ofShadow));
  if (setup.settings.liraShadows > 0)
    trial.queries.front().lira =
        attackByLikelihood(ofTarget.queries.front().plain);
  if (!setup.settings.withoutEdges || setup.existing.isThere())
    return trial;
  ModelAnswers alone = trainAndAsk(target(), /*withEdges=*/false);
  ModelAnswers shadowAlone = trainAndAsk(shadow(), /*withEdges=*/false);
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
