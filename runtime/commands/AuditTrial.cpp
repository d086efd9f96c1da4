//===- AuditTrial.cpp - One target, its shadow and its attacks ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditTrial.h"
#include <chrono>

namespace tessera::runtime {

/// Of TrialParts' models.
enum : int64_t { TargetModel, ShadowModel, TargetAlone, ShadowAlone };

/// What \p defense makes of \p answers of query number \p query.
static MemberAnswers defended(const Defense &defense,
                              const ModelAnswers::OfQuery &answers,
                              size_t index, uint64_t seed, uint64_t query) {
  if (defense.kind == DefenseKind::Nsd)
    return answers.sampled[index];
  return {defend(defense, answers.plain.members, seed, 2 * query),
          defend(defense, answers.plain.nonMembers, seed, 2 * query + 1)};
}

namespace {

/// Seconds since it was made.
class Stopwatch {
public:
  double seconds() const {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now();
};

} // namespace

TrialParts::TrialParts(const AuditSetup &setup, const AuditSplit &split)
    : setup(setup), split(split) {}

bool TrialParts::isWithoutEdges() const {
  return setup.settings.withoutEdges && !setup.existing.isThere();
}

int64_t TrialParts::modelCount() const {
  return (isWithoutEdges() ? 4 : 2) + setup.settings.liraShadows;
}

TrialModel TrialParts::runModel(int64_t number) const {
  Stopwatch watch;
  TrialModel model;
  int64_t ofLira = number - (modelCount() - setup.settings.liraShadows);
  if (ofLira >= 0)
    model.lira = trainLiraShadow(setup, split, ofLira);
  else if (number == TargetModel)
    model.answers = askTarget(setup, split);
  else
    model.answers = trainAndAsk(
        setup,
        number == TargetAlone ? targetOf(setup, split) : shadowOf(setup, split),
        split.seed, /*withEdges=*/number == ShadowModel);
  model.seconds = watch.seconds();
  return model;
}

int64_t TrialParts::attackCount() const {
  return std::ssize(setup.queries) * attacksOfQuery() + isWithoutEdges();
}

AttackScores TrialParts::trainAndScore(const MemberAnswers &learnt,
                                       const MemberAnswers &asked) const {
  setup.attack.train(learnt, seedFor(split.seed, Purpose::Attack));
  return setup.attack.score(asked);
}

TrialAttack TrialParts::runAttack(int64_t number,
                                  std::span<const TrialModel> models) const {
  Stopwatch watch;
  TrialAttack attack;
  size_t query = number / attacksOfQuery();
  if (query == setup.queries.size()) {
    setup.onStage("attacking without edges");
    attack.scores =
        trainAndScore(models[ShadowAlone].answers.queries.front().plain,
                      models[TargetAlone].answers.queries.front().plain);
    attack.seconds = watch.seconds();
    return attack;
  }
  const ModelAnswers::OfQuery &asked =
      models[TargetModel].answers.queries[query];
  const ModelAnswers::OfQuery &learnt =
      models[ShadowModel].answers.queries[query];
  const std::vector<Defense> &defenses = setup.defenses;
  auto answersTo = [&](size_t i) {
    return defended(defenses[i], asked, i,
                    seedFor(split.seed, Purpose::TargetNoise), query);
  };
  std::string of = queryName(setup.queries[query]);
  if (size_t place = number % attacksOfQuery()) {
    size_t i = place - 1;
    setup.onStage("attacking " + describe(defenses[i]) + ", " + of);
    attack.scores = trainAndScore(
        defended(defenses[i], learnt, i,
                 seedFor(split.seed, Purpose::ShadowNoise), query),
        answersTo(i));
  } else {
    setup.onStage("attacking, " + of);
    attack.scores = trainAndScore(learnt.plain, asked.plain);
    // An attacker who knows of no defense has learnt from undefended answers.
    for (size_t i = 0; i < defenses.size(); ++i)
      attack.fixed.push_back(setup.attack.score(answersTo(i)));
  }
  attack.seconds = watch.seconds();
  return attack;
}

QueryTrial TrialParts::finishQuery(size_t query,
                                   std::span<const TrialModel> models,
                                   std::span<TrialAttack> attacks) const {
  QueryTrial trial;
  const ModelAnswers::OfQuery &asked =
      models[TargetModel].answers.queries[query];
  const ModelAnswers::OfQuery &learnt =
      models[ShadowModel].answers.queries[query];
  std::vector<int32_t> otherLabels =
      setup.target.graph.labelsOf(split.targetTest);
  trial.attack = std::move(attacks.front().scores);
  for (size_t i = 0; i < setup.defenses.size(); ++i) {
    QueryTrial::Defended &result = trial.defenses.emplace_back();
    result.fixed = std::move(attacks.front().fixed[i]);
    result.adaptive = std::move(attacks[1 + i].scores);
    MemberAnswers answers =
        defended(setup.defenses[i], asked, i,
                 seedFor(split.seed, Purpose::TargetNoise), query);
    result.labelLoss =
        labelLoss(asked.plain.nonMembers, answers.nonMembers, otherLabels);
    result.distortion =
        confidenceDistortion(asked.plain.nonMembers, answers.nonMembers);
  }
  AuditQuery kind = setup.queries[query];
  auto [members, nonMembers] =
      described(kind, asked.plain, targetOf(setup, split));
  auto [shadowMembers, shadowOthers] =
      described(kind, learnt.plain, shadowOf(setup, split));
  trial.answers = {std::move(members), std::move(nonMembers),
                   std::move(shadowMembers), std::move(shadowOthers)};
  return trial;
}

Trial TrialParts::finish(std::span<const TrialModel> models,
                         std::span<TrialAttack> attacks) const {
  Stopwatch watch;
  Trial trial;
  trial.run = {.seed = split.seed,
               .split = splitHash(std::span(&split, 1)),
               .target = models[TargetModel].answers.accuracy,
               .shadow = models[ShadowModel].answers.accuracy};
  for (size_t query = 0; query < setup.queries.size(); ++query)
    trial.queries.push_back(finishQuery(
        query, models,
        attacks.subspan(query * attacksOfQuery(), attacksOfQuery())));
  if (setup.settings.liraShadows > 0) {
    std::vector<LiraAnswers> shadows;
    for (const TrialModel &model : models.last(setup.settings.liraShadows))
      shadows.push_back(model.lira);
    trial.queries.front().lira =
        attackByLikelihood(setup, split, shadows,
                           models[TargetModel].answers.queries.front().plain);
  }
  if (isWithoutEdges())
    trial.withoutEdges = {models[TargetAlone].answers.accuracy,
                          std::move(attacks.back().scores)};
  for (const TrialModel &model : models)
    trial.seconds += model.seconds;
  for (const TrialAttack &attack : attacks)
    trial.seconds += attack.seconds;
  trial.seconds += watch.seconds();
  return trial;
}

Trial runTrial(const AuditSetup &setup, const AuditSplit &split) {
  TrialParts parts(setup, split);
  std::vector<TrialModel> models;
  for (int64_t i = 0; i < parts.modelCount(); ++i)
    models.push_back(parts.runModel(i));
  std::vector<TrialAttack> attacks;
  for (int64_t i = 0; i < parts.attackCount(); ++i)
    attacks.push_back(parts.runAttack(i, models));
  return parts.finish(models, attacks);
}

} // namespace tessera::runtime
