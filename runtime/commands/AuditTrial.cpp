//===- AuditTrial.cpp - One target, its shadow and its attacks ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditTrial.h"
#include "runtime/audit/Subgraph.h"
#include "runtime/core/Error.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
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
  shadowNoise
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
struct Answers {
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
      : setup(setup), split(split), queries(queriesOf(setup.settings)),
        defenses(defensesOf(setup.settings)) {}

  Trial run();

private:
  Answers trainAndAsk(const std::string &name, Nodes nodes, Purpose seed,
                      Purpose noise, bool withEdges);
  MemberAnswers ask(AuditQuery query, Nodes nodes, const Defense *defense,
                    uint64_t noiseSeed, bool withEdges);
  Posteriors askAbout(const char *program, const EdgeSource &edges,
                      std::span<const int32_t> nodes);
  QueryTrial attack(size_t query, const Answers &target, const Answers &shadow);
  NodeKeys degreesOf(AuditQuery query, Nodes nodes) const;
  NodeKeys homophiliesOf(AuditQuery query, Nodes nodes) const;
  AttackScores trainAndScore(const MemberAnswers &shadow,
                             const MemberAnswers &target) {
    setup.attack.train(shadow, seedFor(split.seed, Purpose::attack));
    return setup.attack.score(target);
  }

  Nodes targetNodes() const { return {split.targetTrain, split.targetTest}; }
  Nodes shadowNodes() const { return {split.shadowTrain, split.shadowTest}; }

  const AuditSetup &setup;
  const AuditSplit &split;
  std::vector<AuditQuery> queries;
  std::vector<Defense> defenses;
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

Answers TrialRun::trainAndAsk(const std::string &name, Nodes nodes,
                              Purpose seed, Purpose noise, bool withEdges) {
  setup.onStage("training the " + name + (withEdges ? "" : " without edges"));
  const GraphFile &whole = setup.graph.file();
  NoEdges none(whole);
  InducedEdges edges(withEdges ? static_cast<const EdgeSource &>(whole) : none,
                     nodes.train);
  setup.target.initialize(seedFor(split.seed, seed));
  SubgraphBatches batches(setup.graph, edges, nodes.train);
  setup.target.train(batches, setup.target.manifest.training.steps);

  setup.onStage("asking the " + name);
  Answers answers;
  uint64_t noiseSeed = seedFor(split.seed, noise);
  for (AuditQuery query : queries) {
    Answers::OfQuery &of = answers.queries.emplace_back();
    of.plain = ask(query, nodes, nullptr, noiseSeed, withEdges);
    for (const Defense &defense : defenses)
      of.sampled.push_back(
          withEdges && defense.kind == DefenseKind::nsd
              ? ask(query, nodes, &defense, noiseSeed, withEdges)
              : MemberAnswers());
  }
  // Training accuracy is that on the graph of the training, which every query
  // but MATCHED asks members on.
  InducedEdges own(withEdges ? static_cast<const EdgeSource &>(whole) : none,
                   nodes.train);
  answers.accuracy.train = accuracy(askAbout("predict", own, nodes.train),
                                    setup.graph.labelsOf(nodes.train));
  answers.accuracy.test = accuracy(answers.queries.front().plain.nonMembers,
                                   setup.graph.labelsOf(nodes.test));
  return answers;
}

/// What \p defense makes of \p answers of query number \p query.
static MemberAnswers defended(const Defense &defense,
                              const Answers::OfQuery &answers, size_t index,
                              uint64_t seed, uint64_t query) {
  if (defense.kind == DefenseKind::nsd)
    return answers.sampled[index];
  return {defend(defense, answers.plain.members, seed, 2 * query),
          defend(defense, answers.plain.nonMembers, seed, 2 * query + 1)};
}

/// The classes of \p nodes, or what \p keys has for each.
template <typename Key>
static std::vector<int64_t> keysOf(std::span<const int32_t> nodes,
                                   const std::vector<Key> &keys) {
  std::vector<int64_t> of;
  for (int32_t node : nodes)
    of.push_back(static_cast<int64_t>(keys[node]));
  return of;
}

NodeKeys TrialRun::degreesOf(AuditQuery query, Nodes nodes) const {
  const GraphFile &whole = setup.graph.file();
  std::vector<int64_t> degrees = inDegrees(whole);
  NodeKeys keys{keysOf(nodes.train, degrees), keysOf(nodes.test, degrees)};
  if (query != AuditQuery::matched)
    keys.members = inDegrees(InducedEdges(whole, nodes.train));
  if (query == AuditQuery::subgraphs)
    keys.nonMembers = inDegrees(InducedEdges(whole, nodes.test));
  return keys;
}

NodeKeys TrialRun::homophiliesOf(AuditQuery query, Nodes nodes) const {
  const GraphFile &whole = setup.graph.file();
  auto groups = [&](const EdgeSource &edges, std::span<const int32_t> labels) {
    std::vector<int64_t> of;
    for (double share : homophily(edges, labels))
      of.push_back(homophilyGroup(share));
    return of;
  };
  std::vector<int64_t> all = groups(whole, setup.graph.labels());
  NodeKeys keys{keysOf(nodes.train, all), keysOf(nodes.test, all)};
  if (query != AuditQuery::matched)
    keys.members = groups(InducedEdges(whole, nodes.train),
                          setup.graph.labelsOf(nodes.train));
  if (query == AuditQuery::subgraphs)
    keys.nonMembers = groups(InducedEdges(whole, nodes.test),
                             setup.graph.labelsOf(nodes.test));
  return keys;
}

QueryTrial TrialRun::attack(size_t query, const Answers &target,
                            const Answers &shadow) {
  QueryTrial trial;
  const Answers::OfQuery &asked = target.queries[query];
  const Answers::OfQuery &learnt = shadow.queries[query];
  Nodes mine = targetNodes(), others = shadowNodes();
  std::vector<int32_t> memberLabels = setup.graph.labelsOf(mine.train);
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

  std::vector<int32_t> shadowMembers = setup.graph.labelsOf(others.train);
  std::vector<int32_t> shadowOthers = setup.graph.labelsOf(others.test);
  for (ScoreAttack kind : scoreAttacks) {
    trial.untrained.push_back(
        {attackScores(kind, asked.plain.members, memberLabels),
         attackScores(kind, asked.plain.nonMembers, otherLabels)});
    AttackScores ofShadow = {
        attackScores(kind, learnt.plain.members, shadowMembers),
        attackScores(kind, learnt.plain.nonMembers, shadowOthers)};
    trial.thresholds.push_back(ofShadow.ranked().bestThreshold());
  }

  const std::vector<int32_t> &labels = setup.graph.labels();
  trial.classes = {keysOf(mine.train, labels), keysOf(mine.test, labels)};
  NodeKeys shadowClasses = {keysOf(others.train, labels),
                            keysOf(others.test, labels)};
  trial.byClass = {classScores(shadowClasses.members, shadowClasses.nonMembers,
                               trial.classes.members),
                   classScores(shadowClasses.members, shadowClasses.nonMembers,
                               trial.classes.nonMembers)};
  NodeKeys degrees = degreesOf(queries[query], mine);
  NodeKeys shadowDegrees = degreesOf(queries[query], others);
  trial.byDegree = {degreeScores(shadowDegrees.members,
                                 shadowDegrees.nonMembers, degrees.members),
                    degreeScores(shadowDegrees.members,
                                 shadowDegrees.nonMembers, degrees.nonMembers)};
  for (std::vector<int64_t> *keys : {&degrees.members, &degrees.nonMembers})
    for (int64_t &degree : *keys)
      degree = degreeGroup(degree);
  trial.degrees = std::move(degrees);
  trial.homophilies = homophiliesOf(queries[query], mine);
  return trial;
}

Trial TrialRun::run() {
  Answers target = trainAndAsk("target", targetNodes(), Purpose::target,
                               Purpose::targetNoise, /*withEdges=*/true);
  Answers shadow = trainAndAsk("shadow", shadowNodes(), Purpose::shadow,
                               Purpose::shadowNoise, /*withEdges=*/true);
  Trial trial;
  trial.run = {.seed = split.seed,
               .split = splitHash(std::span(&split, 1)),
               .target = target.accuracy,
               .shadow = shadow.accuracy};
  for (size_t query = 0; query < queries.size(); ++query)
    trial.queries.push_back(attack(query, target, shadow));
  if (!setup.settings.withoutEdges)
    return trial;
  Answers alone = trainAndAsk("target", targetNodes(), Purpose::target,
                              Purpose::targetNoise, /*withEdges=*/false);
  Answers shadowAlone = trainAndAsk("shadow", shadowNodes(), Purpose::shadow,
                                    Purpose::shadowNoise, /*withEdges=*/false);
  setup.onStage("attacking without edges");
  trial.withoutEdges = {alone.accuracy,
                        trainAndScore(shadowAlone.queries.front().plain,
                                      alone.queries.front().plain)};
  return trial;
}

Trial runTrial(const AuditSetup &setup, const AuditSplit &split) {
  return TrialRun(setup, split).run();
}

} // namespace tessera::runtime
