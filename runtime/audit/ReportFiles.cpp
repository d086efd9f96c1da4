//===- ReportFiles.cpp - What an audit finds, for programs ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Report.h"
#include "runtime/audit/ReportText.h"
#include "runtime/files/Output.h"
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace tessera::runtime {

using Json = nlohmann::ordered_json;

/// NaN is null.
static Json number(double value) {
  return std::isnan(value) ? Json(nullptr) : Json(value);
}

/// \p value of each metric, those at a false positive rate in one object.
template <typename Value> static Json metricsJson(Value value) {
  Json json, rates;
  for (size_t i = 0; i < metricCount; ++i) {
    auto metric = static_cast<Metric>(i);
    if (metric == Metric::TprAt1Percent)
      rates["0.01"] = value(metric);
    else if (metric == Metric::TprAt01Percent)
      rates["0.001"] = value(metric);
    else
      json[metricName(metric)] = value(metric);
  }
  json["tpr_at_fpr"] = rates;
  return json;
}

static Json runJson(const AttackResult &attack, size_t run) {
  return metricsJson(
      [&](Metric metric) { return number(attack.runs[run][metric]); });
}

static Json meanJson(const AttackResult &attack) {
  return metricsJson(
      [&](Metric metric) { return number(attack.summary[metric].mean); });
}

static Json deviationJson(const AttackResult &attack) {
  return metricsJson(
      [&](Metric metric) { return number(attack.summary[metric].deviation); });
}

static Json intervalsJson(const AttackResult &attack) {
  return metricsJson([&](Metric metric) {
    const Interval &interval = attack.intervals[metric];
    return std::isnan(interval.low) ? Json(nullptr)
                                    : Json{interval.low, interval.high};
  });
}

static Json attackJson(const AttackResult &attack) {
  Json pooled = Json::array();
  for (size_t i = 0; i < metricCount; ++i)
    if (attack.isPooled.values[i])
      pooled.push_back(metricName(static_cast<Metric>(i)));
  return {{"mean", meanJson(attack)},
          {"std", deviationJson(attack)},
          {"interval", intervalsJson(attack)},
          {"pooled", pooled},
          {"informative", attack.isInformative}};
}

static Json spreadJson(const std::vector<double> &values) {
  MeanDeviation spread = meanDeviation(values);
  return {{"mean", number(spread.mean)}, {"std", number(spread.deviation)}};
}

static Json accuracyJson(const ModelAccuracy &model) {
  return {{"train_accuracy", number(model.train)},
          {"test_accuracy", number(model.test)}};
}

/// \p part, mean or deviation, of the models of all runs.
static Json accuracyJson(const std::vector<ModelAccuracy> &models,
                         double MeanDeviation::*part) {
  return {{"train_accuracy", number(accuracyOf(models, trainAccuracy).*part)},
          {"test_accuracy", number(accuracyOf(models, testAccuracy).*part)},
          {"gap", number(accuracyOf(models, accuracyGap).*part)}};
}

static Json defenseJson(const Defense &defense) {
  Json json = {{"kind", defenseName(defense.kind)}};
  switch (defense.kind) {
  case DefenseKind::Nsd:
    json["neighbors"] = defense.neighbors;
    break;
  case DefenseKind::Lbp:
    json["bins"] = defense.bins;
    json["beta"] = defense.beta;
    break;
  case DefenseKind::Vanpd:
    json["beta"] = defense.beta;
    break;
  case DefenseKind::Rounding:
    json["digits"] = defense.digits;
    break;
  case DefenseKind::Temperature:
    json["temperature"] = defense.temperature;
    break;
  case DefenseKind::None:
  case DefenseKind::LabelOnly:
    break;
  }
  return json;
}

static Json defensesJson(const AuditReport &report) {
  Json list = Json::array();
  for (const QueryResult &query : report.queries)
    for (const DefenseResult &each : query.defenses) {
      Json json = {{"query", query.name}};
      json.update(defenseJson(each.defense));
      double advantage = query.attack.advantage();
      json["adaptive"] = attackJson(each.adaptive);
      json["static"] = attackJson(each.fixed);
      // Of the attacker's 2 AUROC - 1 without a defense.
      json["advantage_left"] = {
          {"adaptive", number(each.adaptive.advantage() / advantage)},
          {"static", number(each.fixed.advantage() / advantage)}};
      json["label_loss_points"] = spreadJson(each.labelLoss);
      json["distortion"] = spreadJson(each.distortion);
      list.push_back(json);
    }
  return list;
}

/// The attacks of one of QueryResult's lists.
static Json attacksJson(const AuditReport &report,
                        std::vector<AttackResult> QueryResult::*attacks) {
  Json list = Json::array();
  for (const QueryResult &query : report.queries)
    for (const AttackResult &attack : query.*attacks) {
      Json json = {{"query", query.name}, {"name", attack.name}};
      json.update(attackJson(attack));
      list.push_back(json);
    }
  return list;
}

static Json analysisJson(const AuditReport &report) {
  Json list = Json::array();
  for (const QueryResult &query : report.queries)
    for (const Analysis &analysis : query.analyses) {
      Json groups = Json::array();
      for (const Analysis::Group &group : analysis.groups)
        groups.push_back({{"group", group.name},
                          {"members", group.members},
                          {"non_members", group.nonMembers},
                          {"auroc", number(group.auroc)}});
      list.push_back({{"query", query.name},
                      {"by", analysis.by},
                      {"auroc_within", number(analysis.auroc)},
                      {"groups", groups}});
    }
  return list;
}

static Json runsJson(const AuditReport &report) {
  Json runs = Json::array();
  for (size_t i = 0; i < report.runs.size(); ++i) {
    const AuditRun &run = report.runs[i];
    Json queries;
    for (const QueryResult &query : report.queries)
      queries[query.name] = runJson(query.attack, i);
    runs.push_back(
        {{"seed", run.seed},
         {"split", run.split.empty() ? Json(nullptr) : Json(run.split)},
         {"target", accuracyJson(run.target)},
         {"shadow", accuracyJson(run.shadow)},
         {"attack", runJson(report.queries.front().attack, i)},
         {"queries", queries}});
  }
  return runs;
}

static Json ablationsJson(const AuditReport &report) {
  Json list = Json::array();
  for (const AblationResult &ablation : report.ablations) {
    Json json = {{"name", ablation.name}};
    json.update(attackJson(ablation.attack));
    json["target"] = {
        {"mean", accuracyJson(ablation.targets, &MeanDeviation::mean)},
        {"std", accuracyJson(ablation.targets, &MeanDeviation::deviation)}};
    list.push_back(json);
  }
  return list;
}

std::string reportJson(const AuditReport &report) {
  const AttackResult &attack = report.queries.front().attack;
  auto hash = [](const std::string &text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  Json queries = Json::array();
  for (const QueryResult &query : report.queries)
    queries.push_back(query.name);
  Json mean, deviation;
  std::vector<ModelAccuracy> targets, shadows;
  for (const AuditRun &run : report.runs) {
    targets.push_back(run.target);
    shadows.push_back(run.shadow);
  }
  auto fill = [&](Json &json, double MeanDeviation::*part, Json attackPart) {
    json["target"] = accuracyJson(targets, part);
    json["shadow"] = accuracyJson(shadows, part);
    json["attack"] = std::move(attackPart);
  };
  fill(mean, &MeanDeviation::mean, meanJson(attack));
  fill(deviation, &MeanDeviation::deviation, deviationJson(attack));
  Json json = {{"tessera_audit", 1},
               {"model", report.model},
               {"setting", report.setting},
               {"query", report.queries.front().name},
               {"queries", queries},
               {"attack", attack.name},
               {"data", report.data},
               {"shadow_data",
                report.shadowData.empty() ? Json() : Json(report.shadowData)},
               {"hashes",
                {{"graph", hash(report.graphHash)},
                 {"shadow_graph", hash(report.shadowGraphHash)},
                 {"specification", hash(report.specificationHash)},
                 {"splits", hash(report.splitsHash)}}},
               {"threat_model", report.threatModel},
               {"members", report.members},
               {"non_members", report.nonMembers},
               {"bootstrap",
                {{"draws", report.bootstrap.draws},
                 {"level", report.bootstrap.level},
                 {"seed", report.bootstrap.seed}}},
               {"runs", runsJson(report)},
               {"mean", mean},
               {"std", deviation},
               {"interval", {{"attack", intervalsJson(attack)}}},
               {"attacks", Json::array()},
               {"baselines", attacksJson(report, &QueryResult::baselines)},
               {"defenses", defensesJson(report)},
               {"ablations", ablationsJson(report)},
               {"analysis", analysisJson(report)},
               {"notes", notesOf(report)}};
  for (const QueryResult &query : report.queries) {
    Json leading = {{"query", query.name}, {"name", query.attack.name}};
    leading.update(attackJson(query.attack));
    json["attacks"].push_back(leading);
  }
  for (Json &untrained : attacksJson(report, &QueryResult::untrained))
    json["attacks"].push_back(untrained);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

namespace {

/// Lines of fields (RFC 4180).
class Csv {
public:
  void field(const std::string &value) {
    if (!isFirst)
      text += ',';
    isFirst = false;
    if (value.find_first_of(",\"\r\n") == std::string::npos) {
      text += value;
      return;
    }
    text += '"';
    for (char c : value)
      text += c == '"' ? std::string("\"\"") : std::string(1, c);
    text += '"';
  }
  /// All digits that tell it apart; nothing for NaN.
  void field(double value) {
    field(std::isnan(value) ? "" : Json(value).dump());
  }
  void endLine() {
    text += "\n";
    isFirst = true;
  }

  std::string text;

private:
  bool isFirst = true;
};

} // namespace

std::string reportCsv(const AuditReport &report) {
  Csv csv;
  for (const char *name :
       {"seed", "split", "setting", "query", "attack", "defense",
        "target_train_accuracy", "target_test_accuracy",
        "shadow_train_accuracy", "shadow_test_accuracy", "label_loss_points",
        "distortion"})
    csv.field(name);
  for (const char *attacker : {"", "static_"})
    for (size_t i = 0; i < metricCount; ++i)
      csv.field(attacker + std::string(metricName(static_cast<Metric>(i))));
  csv.endLine();
  AttackMetrics none;
  none.values.fill(std::nan(""));
  auto line = [&](size_t run, const QueryResult &query, const Defense &defense,
                  double labelLoss, double distortion,
                  const AttackMetrics &attack, const AttackMetrics &fixed) {
    const AuditRun &facts = report.runs[run];
    csv.field(std::to_string(facts.seed));
    csv.field(facts.split);
    csv.field(report.setting);
    csv.field(query.name);
    csv.field(query.attack.name);
    csv.field(describe(defense));
    for (double accuracy : {facts.target.train, facts.target.test,
                            facts.shadow.train, facts.shadow.test})
      csv.field(accuracy);
    csv.field(labelLoss);
    csv.field(distortion);
    for (const AttackMetrics *metrics : {&attack, &fixed})
      for (double value : metrics->values)
        csv.field(value);
    csv.endLine();
  };
  for (size_t run = 0; run < report.runs.size(); ++run)
    for (const QueryResult &query : report.queries) {
      line(run, query, {}, 0, 0, query.attack.runs[run], none);
      for (const DefenseResult &each : query.defenses)
        line(run, query, each.defense, each.labelLoss[run],
             each.distortion[run], each.adaptive.runs[run],
             each.fixed.runs[run]);
    }
  return csv.text;
}

struct ReportFiles::File {
  std::string (*content)(const AuditReport &);
  std::unique_ptr<OutputFile> output;
};

ReportFiles::ReportFiles() = default;
ReportFiles::~ReportFiles() = default;

bool ReportFiles::open(const std::string &folder, std::string &error) {
  if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    error = "the folder '" + folder +
            "' of the report cannot be made: " + strerror(errno);
    return false;
  }
  auto add = [&](const char *name,
                 std::string (*content)(const AuditReport &)) {
    files.push_back({content, std::make_unique<OutputFile>()});
    error = files.back().output->open(folder + "/" + name, 0)
                ? ""
                : files.back().output->error();
    return error.empty();
  };
  return add("report.json", reportJson) && add("report.csv", reportCsv) &&
         add("report.html", reportPage);
}

bool ReportFiles::write(const AuditReport &report, std::string &error) {
  for (File &file : files) {
    std::string content = file.content(report);
    if (!file.output->write(content.data(), std::ssize(content)) ||
        !file.output->commit()) {
      error = file.output->error();
      return false;
    }
  }
  return true;
}

} // namespace tessera::runtime
