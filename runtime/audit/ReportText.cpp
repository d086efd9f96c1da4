//===- ReportText.cpp - What the writers of an audit share ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/ReportText.h"
#include "runtime/core/Text.h"
#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tessera::runtime {

std::string fixedText(double value, int digits) {
  if (std::isnan(value))
    return "-";
  char text[48];
  snprintf(text, sizeof text, "%.*f", digits, value);
  // What is rounded to 0 has no sign.
  if (text[0] == '-' &&
      std::string(text).find_first_of("123456789") == std::string::npos)
    return text + 1;
  return text;
}

std::string spreadText(const MeanDeviation &value, int digits) {
  std::string text = fixedText(value.mean, digits);
  if (!std::isnan(value.deviation))
    text += " ± " + fixedText(value.deviation, digits);
  return text;
}

std::string intervalText(const Interval &interval) {
  if (std::isnan(interval.low))
    return "";
  return "[" + fixedText(interval.low) + ", " + fixedText(interval.high) + "]";
}

std::string metricText(const AttackResult &attack, Metric metric) {
  std::string text = spreadText(attack.summary[metric]);
  std::string interval = intervalText(attack.intervals[metric]);
  if (!interval.empty())
    text += " " + interval;
  return attack.isPooled[metric] ? text + " pooled" : text;
}

std::string titleOf(const AuditReport &report) {
  auto runs = std::ssize(report.runs);
  return report.setting + ", " + countText(runs) +
         (runs == 1 ? " run" : " runs") + " of " + countText(report.members) +
         " members and " + countText(report.nonMembers) + " non-members";
}

MeanDeviation accuracyOf(const std::vector<ModelAccuracy> &models,
                         double (*value)(const ModelAccuracy &)) {
  std::vector<double> values;
  for (const ModelAccuracy &model : models)
    values.push_back(value(model));
  return meanDeviation(values);
}

double trainAccuracy(const ModelAccuracy &model) { return model.train; }
double testAccuracy(const ModelAccuracy &model) { return model.test; }
double accuracyGap(const ModelAccuracy &model) {
  return model.train - model.test;
}

std::vector<NamedModels> modelsOf(const AuditReport &report) {
  NamedModels target{"target", {}}, shadow{"shadow", {}};
  for (const AuditRun &run : report.runs) {
    target.models.push_back(run.target);
    shadow.models.push_back(run.shadow);
  }
  std::vector<NamedModels> all;
  auto add = [&](NamedModels &&models) {
    bool isKnown = std::any_of(
        models.models.begin(), models.models.end(),
        [](const ModelAccuracy &each) { return !std::isnan(each.test); });
    if (isKnown)
      all.push_back(std::move(models));
  };
  add(std::move(target));
  add(std::move(shadow));
  for (const AblationResult &ablation : report.ablations)
    add({"target, " + ablation.name, ablation.targets});
  return all;
}

std::vector<std::string> notesOf(const AuditReport &report) {
  std::vector<std::string> notes;
  for (const QueryResult &query : report.queries) {
    auto check = [&](const AttackResult &attack, const std::string &name) {
      if (!attack.isInformative)
        notes.push_back(name + " (" + query.name +
                        ") gives all nodes the same score in some run: its "
                        "AUROC says nothing; standardize the attack's inputs "
                        "or train it longer");
    };
    check(query.attack, query.attack.name);
    for (const DefenseResult &each : query.defenses) {
      check(each.adaptive, describe(each.defense) + ", adaptive");
      check(each.fixed, describe(each.defense) + ", static");
    }
  }
  return notes;
}

} // namespace tessera::runtime
