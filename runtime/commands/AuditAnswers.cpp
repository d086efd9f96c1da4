//===- AuditAnswers.cpp - What a trial's models answer --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditAnswers.h"
#include "runtime/audit/Draws.h"
#include "runtime/audit/Lira.h"
#include "runtime/audit/Subgraph.h"
#include "runtime/core/Error.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <map>

namespace tessera::runtime {

const char *queryName(AuditQuery query) {
  switch (query) {
  case AuditQuery::Matched:
    return "MATCHED";
  case AuditQuery::Reference:
    return "REFERENCE";
  case AuditQuery::Subgraphs:
    return "SUBGRAPHS";
  }
  return "";
}

std::vector<AuditQuery> queriesOf(const AuditSettings &settings) {
  if (settings.setting == "tsts")
    return {AuditQuery::Subgraphs};
  // LiRA compares answers that models give on one graph.
  if (settings.liraShadows > 0)
    return {AuditQuery::Matched};
  if (settings.query == "reference")
    return {AuditQuery::Reference, AuditQuery::Matched};
  return {AuditQuery::Matched, AuditQuery::Reference};
}

std::vector<Defense> defensesOf(const AuditSettings &settings) {
  static const std::map<std::string, DefenseKind> kinds = {
      {"nsd", DefenseKind::Nsd},
      {"lbp", DefenseKind::Lbp},
      {"vanpd", DefenseKind::Vanpd},
      {"rounding", DefenseKind::Rounding},
      {"temperature", DefenseKind::Temperature},
      {"label_only", DefenseKind::LabelOnly}};
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

uint64_t seedFor(uint64_t seed, Purpose purpose) {
  return seed * 8 + static_cast<uint64_t>(purpose);
}

Subject targetOf(const AuditSetup &setup, const AuditSplit &split) {
  return {"target",         setup.target,    split.targetTrain,
          split.targetTest, Purpose::Target, Purpose::TargetNoise};
}

Subject shadowOf(const AuditSetup &setup, const AuditSplit &split) {
  return {"shadow",         setup.shadow,    split.shadowTrain,
          split.shadowTest, Purpose::Shadow, Purpose::ShadowNoise};
}

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

static MemberAnswers ask(AuditQuery query, const Subject &subject,
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
  if (query != AuditQuery::Subgraphs) {
    Posteriors all =
        answer(slotNames::predictWhole, given, side.graph.allNodes(), 0);
    answers.members = selectRows(all, subject.train);
    answers.nonMembers = selectRows(all, subject.test);
  }
  if (query != AuditQuery::Matched) {
    InducedEdges edges(given, subject.train);
    answers.members = answer("predict", edges, subject.train, 1);
  }
  if (query == AuditQuery::Subgraphs) {
    InducedEdges edges(given, subject.test);
    answers.nonMembers = answer(slotNames::predictTest, edges, subject.test, 2);
  }
  return answers;
}

/// Trains the model of \p side on a subgraph: see SubgraphBatches.
static void trainOn(const AuditSide &side, const EdgeSource &edges,
                    std::span<const int32_t> nodes) {
  AuditModel &model = side.model;
  SubgraphBatches batches(side.graph, edges, nodes, model.manifest,
                          model.parameterSeed());
  model.train(batches, model.manifest.training.steps);
}

/// Of members and non-members as \p answers has them.
static ModelAccuracy accuracyOf(const MemberAnswers &answers,
                                const Subject &subject) {
  const AuditGraph &graph = subject.side.graph;
  return {accuracy(answers.members, graph.labelsOf(subject.train)),
          accuracy(answers.nonMembers, graph.labelsOf(subject.test))};
}

static ModelAnswers askAll(const AuditSetup &setup, const Subject &subject,
                           uint64_t seed, bool withEdges) {
  setup.onStage("asking the " + subject.name);
  ModelAnswers answers;
  uint64_t noiseSeed = seedFor(seed, subject.noise);
  for (AuditQuery query : setup.queries) {
    ModelAnswers::OfQuery &of = answers.queries.emplace_back();
    of.plain = ask(query, subject, nullptr, noiseSeed, withEdges);
    for (const Defense &defense : setup.defenses)
      of.sampled.push_back(
          withEdges && defense.kind == DefenseKind::Nsd
              ? ask(query, subject, &defense, noiseSeed, withEdges)
              : MemberAnswers());
  }
  answers.accuracy = accuracyOf(answers.queries.front().plain, subject);
  return answers;
}

ModelAnswers trainAndAsk(const AuditSetup &setup, const Subject &subject,
                         uint64_t seed, bool withEdges) {
  setup.onStage("training the " + subject.name +
                (withEdges ? "" : " without edges"));
  const AuditSide &side = subject.side;
  NoEdges none(subject.whole());
  InducedEdges edges(
      withEdges ? static_cast<const EdgeSource &>(subject.whole()) : none,
      subject.train);
  side.model.initialize(seedFor(seed, subject.seed));
  trainOn(side, edges, subject.train);

  ModelAnswers answers = askAll(setup, subject, seed, withEdges);
  // Training accuracy is that on the graph of the training, which every query
  // but MATCHED asks members on.
  answers.accuracy.train =
      accuracy(askAbout(side, "predict", edges, subject.train),
               side.graph.labelsOf(subject.train));
  return answers;
}

ModelAnswers askTarget(const AuditSetup &setup, const AuditSplit &split) {
  Subject subject = targetOf(setup, split);
  const ExistingTarget &existing = setup.existing;
  if (!existing.isThere())
    return trainAndAsk(setup, subject, split.seed, /*withEdges=*/true);
  if (!existing.posteriors) {
    subject.side.model.load(existing.weights);
    return askAll(setup, subject, split.seed, /*withEdges=*/true);
  }
  ModelAnswers answers;
  ModelAnswers::OfQuery &of = answers.queries.emplace_back();
  of.plain = {selectRows(*existing.posteriors, subject.train),
              selectRows(*existing.posteriors, subject.test)};
  of.sampled.resize(setup.defenses.size());
  answers.accuracy = accuracyOf(of.plain, subject);
  return answers;
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

std::pair<Answers, Answers> described(AuditQuery query,
                                      const MemberAnswers &answers,
                                      const Subject &subject) {
  const GraphFile &whole = subject.whole();
  const AuditGraph &graph = subject.side.graph;
  InducedEdges ofMembers(whole, subject.train), ofOthers(whole, subject.test);
  bool isMatched = query == AuditQuery::Matched;
  bool areApart = query == AuditQuery::Subgraphs;
  return {
      described(graph, answers.members,
                isMatched ? static_cast<const EdgeSource &>(whole) : ofMembers,
                subject.train),
      described(graph, answers.nonMembers,
                areApart ? static_cast<const EdgeSource &>(ofOthers) : whole,
                subject.test)};
}

/// The training nodes of LiRA's shadow number \p number: as many of each class
/// as the target's, of all nodes of the trial.
static std::vector<int32_t>
drawShadow(const AuditSetup &setup, const AuditSplit &split, int64_t number) {
  std::map<int32_t, std::vector<int32_t>> byClass;
  for (const std::vector<int32_t> *nodes :
       {&split.targetTrain, &split.targetTest, &split.shadowTrain,
        &split.shadowTest})
    for (int32_t node : *nodes)
      byClass[setup.target.graph.labels()[node]].push_back(node);
  Draws draws(split.seed, Draw::Shadows, 0, number);
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

/// The nodes that LiRA is about: the target's and the non-members.
static std::vector<int32_t> auditedNodes(const AuditSplit &split) {
  std::vector<int32_t> nodes = split.targetTrain;
  nodes.insert(nodes.end(), split.targetTest.begin(), split.targetTest.end());
  return nodes;
}

LiraAnswers trainLiraShadow(const AuditSetup &setup, const AuditSplit &split,
                            int64_t number) {
  const AuditSide &side = setup.shadow;
  setup.onStage("training shadow " + std::to_string(number + 1) + " of " +
                std::to_string(setup.settings.liraShadows));
  const GraphFile &whole = side.graph.file();
  std::vector<int32_t> nodes = drawShadow(setup, split, number);
  InducedEdges edges(whole, nodes);
  side.model.initialize(seedFor(split.seed, Purpose::Shadows) +
                        uint64_t(number) * (uint64_t(1) << 32));
  trainOn(side, edges, nodes);
  std::vector<int32_t> audited = auditedNodes(split);
  Posteriors answers = selectRows(
      askAbout(side, slotNames::predictWhole, whole, side.graph.allNodes()),
      audited);
  LiraAnswers result;
  result.confidence = logitConfidences(answers, side.graph.labelsOf(audited));
  for (int32_t node : audited)
    result.isMember.push_back(
        std::binary_search(nodes.begin(), nodes.end(), node));
  return result;
}

AttackScores attackByLikelihood(const AuditSetup &setup,
                                const AuditSplit &split,
                                std::span<const LiraAnswers> answers,
                                const MemberAnswers &asked) {
  const AuditGraph &graph = setup.shadow.graph;
  LiraShadows shadows;
  shadows.shadows = std::ssize(answers);
  shadows.nodes = std::ssize(auditedNodes(split));
  for (const LiraAnswers &one : answers) {
    shadows.confidence.insert(shadows.confidence.end(), one.confidence.begin(),
                              one.confidence.end());
    shadows.isMember.insert(shadows.isMember.end(), one.isMember.begin(),
                            one.isMember.end());
  }
  std::vector<double> observed =
      logitConfidences(asked.members, graph.labelsOf(split.targetTrain));
  std::vector<double> others =
      logitConfidences(asked.nonMembers, graph.labelsOf(split.targetTest));
  observed.insert(observed.end(), others.begin(), others.end());
  std::vector<double> scores = liraScores(shadows, observed);
  auto border = scores.begin() + std::ssize(split.targetTrain);
  return {{scores.begin(), border}, {border, scores.end()}};
}

} // namespace tessera::runtime
