//===- ReportPage.cpp - What an audit finds, as a page --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Chart.h"
#include "runtime/audit/Report.h"
#include "runtime/audit/ReportText.h"
#include "runtime/core/Text.h"
#include <algorithm>
#include <cmath>

namespace tessera::runtime {

static constexpr const char *style = R"(
body { font: 14px/1.45 system-ui, sans-serif; color: #1f2328; background: #fff;
  max-width: 1440px; margin: 24px auto; padding: 0 24px; }
h1 { font-size: 22px; margin: 0 0 2px; }
h2 { font-size: 16px; margin: 28px 0 6px; }
h3 { font-size: 14px; margin: 8px 0 2px; }
p { margin: 4px 0; }
.note { color: #59636e; max-width: 100ch; }
.cards { display: flex; flex-wrap: wrap; gap: 12px; margin: 16px 0; }
.card { border: 1px solid #d1d9e0; border-radius: 6px; padding: 8px 14px; }
.card b { display: block; font-size: 20px; font-weight: 600; }
.keys { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 6px 0;
  font-size: 13px; }
.key { display: inline-flex; align-items: center; gap: 5px; }
.key i { width: 12px; height: 12px; border-radius: 2px; display: inline-block; }
.charts { display: flex; flex-wrap: wrap; gap: 8px 40px; }
.charts > div { flex: 1 1 480px; max-width: 680px; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: #1f2328; }
svg .grid { stroke: #d1d9e0; stroke-width: 0.6; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 16px 3px 0; text-align: left;
  border-bottom: 1px solid #e6eaef; }
th.n, td.n { text-align: right; }
.tables { display: flex; flex-wrap: wrap; gap: 0 48px; align-items: flex-start; }
code { font-size: 12px; }
)";

static constexpr const char *attackColour = "#4269d0",
                            *memberColour = "#e0605e",
                            *nonMemberColour = "#4269d0",
                            *baselineColour = "#9498a0";
static constexpr const char *seriesColours[] = {"#e0605e", "#3ca951", "#efb118",
                                                "#9b6bd3", "#6cc5b0", "#ff8ab7",
                                                "#9c6b4e"};

static const char *seriesColour(size_t index) {
  return seriesColours[index % std::size(seriesColours)];
}

namespace {

/// A table row by row.
class HtmlTable {
public:
  /// The first column holds names, the others numbers.
  explicit HtmlTable(const std::vector<std::string> &head) { row(head, "th"); }
  void row(const std::vector<std::string> &cells, const char *tag = "td") {
    content += "<tr>";
    for (size_t i = 0; i < cells.size(); ++i)
      content += std::string("<") + tag + (i ? " class=\"n\">" : ">") +
                 escapeXml(cells[i]) + "</" + tag + ">";
    content += "</tr>\n";
  }
  std::string html() const { return "<table>\n" + content + "</table>\n"; }

private:
  std::string content;
};

} // namespace

static std::string element(const char *tag, const std::string &text,
                           const char *kind = "") {
  std::string start = tag;
  if (*kind)
    start += std::string(" class=\"") + kind + "\"";
  return "<" + start + ">" + escapeXml(text) + "</" + tag + ">\n";
}

static std::string card(const std::string &value, const std::string &name) {
  return "<div class=\"card\"><b>" + escapeXml(value) + "</b>" +
         escapeXml(name) + "</div>\n";
}

/// The chart \p draw makes of each query, side by side.
template <typename Draw>
static std::string charts(const AuditReport &report, Draw draw) {
  std::string html = "<div class=\"charts\">\n";
  for (const QueryResult &query : report.queries)
    html += "<div>\n" + element("h3", query.name) + draw(query) + "</div>\n";
  return html + "</div>\n";
}

static std::string aurocTitle(const AttackResult &attack,
                              const std::string &name) {
  return name + ", AUROC " + metricText(attack, Metric::Auroc);
}

/// The ROC curves of \p query on logarithmic axes from \p least to 1.
static std::string rocChart(const QueryResult &query, double least) {
  Chart chart({"false positive rate", least, 1, true},
              {"true positive rate", least, 1, true});
  std::string keys;
  auto draw = [&](const AttackResult &attack, const std::string &name,
                  const char *colour, double width, const char *dashes) {
    Points points;
    for (const RocPoint &point : attack.curve)
      points.emplace_back(point.falsePositiveRate, point.truePositiveRate);
    chart.line(points, colour, width, dashes, aurocTitle(attack, name), "roc");
    // What is drawn last, on top, is named first.
    keys = legendKey(colour, aurocTitle(attack, name), *dashes) + keys;
  };
  Points diagonal = {{least, least}, {1, 1}};
  chart.line(diagonal, "#d1d9e0", 1.5, "", "guessing", "guessing");
  size_t series = 0;
  static constexpr const char *patterns[] = {"6 4", "2 3"};
  for (const AttackResult &baseline : query.baselines)
    draw(baseline, baseline.name + " alone", baselineColour, 1.5,
         patterns[series++ % 2]);
  series = 0;
  for (const AttackResult &attack : query.untrained)
    draw(attack, attack.name, seriesColour(series++), 1.2, "");
  draw(query.attack, query.attack.name, attackColour, 2.4, "");
  return "<div class=\"keys\">\n" + keys + "</div>\n" + chart.svg();
}

static std::string histogramChart(const QueryResult &query) {
  const Histogram &histogram = query.attack.histogram;
  double most = 0;
  for (const auto *shares : {&histogram.members, &histogram.nonMembers})
    most = std::max(most, *std::max_element(shares->begin(), shares->end()));
  Chart chart({"score of the attack", histogram.low, histogram.high},
              {"share", 0, std::max(most * 1.05, 1e-6)});
  auto bins = double(histogram.members.size());
  double width = (histogram.high - histogram.low) / bins;
  auto draw = [&](const std::vector<double> &shares, const char *colour,
                  const char *name) {
    for (size_t i = 0; i < shares.size(); ++i) {
      double begin = histogram.low + width * double(i);
      if (shares[i] > 0)
        chart.bar(begin, begin + width, shares[i], colour,
                  name + std::string(", ") + fixedText(begin, 3) + " to " +
                      fixedText(begin + width, 3) + ": " +
                      fixedText(100 * shares[i], 1) + " %");
    }
  };
  draw(histogram.nonMembers, nonMemberColour, "non-members");
  draw(histogram.members, memberColour, "members");
  return chart.svg();
}

namespace {

/// The strengths of one kind of defense.
struct DefenseSeries {
  std::string name;
  std::vector<const DefenseResult *> strengths;
};

} // namespace

/// Defenses that differ in one number alone, by kind and bins.
static std::vector<DefenseSeries> seriesOf(const QueryResult &query) {
  std::vector<DefenseSeries> all;
  for (const DefenseResult &each : query.defenses) {
    std::string name = defenseName(each.defense.kind);
    if (each.defense.kind == DefenseKind::Lbp)
      name += ", " + std::to_string(each.defense.bins) + " bins";
    auto found =
        std::find_if(all.begin(), all.end(), [&](const DefenseSeries &series) {
          return series.name == name;
        });
    if (found == all.end())
      found = all.insert(all.end(), {name, {}});
    found->strengths.push_back(&each);
  }
  return all;
}

static double lossOf(const DefenseResult &defense) {
  return meanDeviation(defense.labelLoss).mean;
}

static std::string tradeOffChart(const QueryResult &query) {
  double least = 0, most = 1, low = 0, high = query.attack.advantage();
  for (const DefenseResult &each : query.defenses) {
    least = std::min(least, lossOf(each));
    most = std::max(most, lossOf(each));
    for (const AttackResult *attack : {&each.adaptive, &each.fixed}) {
      low = std::min(low, attack->advantage());
      high = std::max(high, attack->advantage());
    }
  }
  double margin = 0.05 * (most - least);
  Chart chart(
      {"label loss, points of test accuracy", least - margin, most + margin},
      {"advantage, 2 AUROC - 1", low - 0.03, high + 0.05});
  std::string keys = "<div class=\"keys\">\n";
  std::vector<DefenseSeries> all = seriesOf(query);
  for (size_t i = 0; i < all.size(); ++i) {
    const char *colour = seriesColour(i);
    for (bool isAdaptive : {false, true}) {
      auto attackOf = [&](const DefenseResult &each) -> const AttackResult & {
        return isAdaptive ? each.adaptive : each.fixed;
      };
      Points points;
      for (const DefenseResult *each : all[i].strengths)
        points.emplace_back(lossOf(*each), attackOf(*each).advantage());
      chart.line(points, colour, isAdaptive ? 2 : 1.2, isAdaptive ? "" : "5 4",
                 all[i].name, isAdaptive ? "adaptive" : "static");
      for (const DefenseResult *each : all[i].strengths)
        chart.dot(
            lossOf(*each), attackOf(*each).advantage(), colour, isAdaptive,
            describe(each->defense) +
                (isAdaptive ? ", adaptive: AUROC " : ", static: AUROC ") +
                metricText(attackOf(*each), Metric::Auroc) + "\nlabel loss " +
                fixedText(lossOf(*each), 1) + " points");
    }
    keys += legendKey(colour, all[i].name);
  }
  chart.dot(0, query.attack.advantage(), "#1f2328", true,
            "no defense: AUROC " + metricText(query.attack, Metric::Auroc));
  keys += legendKey("#1f2328", "no defense");
  return keys + "</div>\n" + chart.svg();
}

static std::string metricsTable(const AuditReport &report) {
  std::vector<std::string> head = {report.queries.front().attack.name};
  for (const QueryResult &query : report.queries)
    head.push_back(query.name);
  HtmlTable table(head);
  auto row = [&](const std::string &name, auto attackOf, Metric metric) {
    std::vector<std::string> cells = {name};
    for (const QueryResult &query : report.queries) {
      const AttackResult *attack = attackOf(query);
      cells.push_back(attack ? metricText(*attack, metric) : "-");
    }
    table.row(cells);
  };
  for (size_t i = 0; i < metricCount; ++i)
    row(
        metricTitle(static_cast<Metric>(i)),
        [](const QueryResult &query) { return &query.attack; },
        static_cast<Metric>(i));
  for (auto list : {&QueryResult::untrained, &QueryResult::baselines}) {
    size_t count = (report.queries.front().*list).size();
    for (size_t i = 0; i < count; ++i)
      row(
          "AUROC of " + (report.queries.front().*list)[i].name +
              (list == &QueryResult::baselines ? " alone" : ""),
          [&](const QueryResult &query) {
            return i < (query.*list).size() ? &(query.*list)[i] : nullptr;
          },
          Metric::Auroc);
  }
  return table.html();
}

static std::string modelsTable(const AuditReport &report) {
  HtmlTable table({"accuracy", "train", "test", "gap"});
  for (const NamedModels &each : modelsOf(report))
    table.row({each.name, spreadText(accuracyOf(each.models, trainAccuracy)),
               spreadText(accuracyOf(each.models, testAccuracy)),
               spreadText(accuracyOf(each.models, accuracyGap))});
  for (const AblationResult &ablation : report.ablations)
    table.row({"AUROC, " + ablation.name,
               metricText(ablation.attack, Metric::Auroc), "", ""});
  return table.html();
}

static std::string defenseTables(const AuditReport &report) {
  std::string html;
  for (const QueryResult &query : report.queries) {
    if (query.defenses.empty())
      continue;
    HtmlTable table({query.name, "AUROC, adaptive", "AUROC, static",
                     "label loss, points", "distortion"});
    for (const DefenseResult &each : query.defenses)
      table.row({describe(each.defense),
                 metricText(each.adaptive, Metric::Auroc),
                 metricText(each.fixed, Metric::Auroc),
                 spreadText(meanDeviation(each.labelLoss), 1),
                 spreadText(meanDeviation(each.distortion))});
    html += table.html();
  }
  return html;
}

static std::string analysisTables(const AuditReport &report) {
  std::string html;
  for (const QueryResult &query : report.queries)
    for (const Analysis &analysis : query.analyses) {
      HtmlTable table(
          {query.name + ", " + analysis.by, "members", "non-members", "AUROC"});
      for (const Analysis::Group &group : analysis.groups)
        table.row({group.name, countText(group.members),
                   countText(group.nonMembers), fixedText(group.auroc)});
      table.row({"within", "", "", fixedText(analysis.auroc)});
      html += "<div>\n" + table.html() + "</div>\n";
    }
  return html;
}

static std::string runsTable(const AuditReport &report) {
  std::vector<std::string> head = {"seed", "train accuracy", "test accuracy"};
  for (const QueryResult &query : report.queries)
    head.push_back("AUROC, " + query.name);
  HtmlTable table(head);
  for (size_t i = 0; i < report.runs.size(); ++i) {
    const AuditRun &run = report.runs[i];
    std::vector<std::string> cells = {std::to_string(run.seed),
                                      fixedText(run.target.train),
                                      fixedText(run.target.test)};
    for (const QueryResult &query : report.queries)
      cells.push_back(fixedText(query.attack.runs[i][Metric::Auroc]));
    table.row(cells);
  }
  return table.html();
}

/// The rate of one false positive among the non-members of all runs, within
/// what a chart can show.
static double leastRate(const AuditReport &report) {
  double all = double(report.nonMembers) * double(report.runs.size());
  return std::clamp(1 / all, 1e-5, 1e-2);
}

std::string reportPage(const AuditReport &report) {
  const QueryResult &leading = report.queries.front();
  std::string title = "Audit of " + report.model;
  std::string html =
      "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
      "lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n" +
      element("title", title) + "<style>" + style +
      "</style>\n</head>\n<body>\n";
  html += element("h1", title) +
          element("p", report.data + ": " + titleOf(report), "note");
  html += "<div class=\"cards\">\n";
  for (const QueryResult &query : report.queries)
    html += card(spreadText(query.attack.summary[Metric::Auroc]),
                 "AUROC, " + query.name);
  std::vector<NamedModels> models = modelsOf(report);
  if (!models.empty()) {
    html += card(spreadText(accuracyOf(models.front().models, testAccuracy)),
                 "test accuracy of the target");
    html += card(spreadText(accuracyOf(models.front().models, accuracyGap)),
                 "gap to its training accuracy");
  }
  html += "</div>\n";
  html += element("p", report.threatModel, "note");
  for (const std::string &note : notesOf(report))
    html += element("p", "Note: " + note + ".", "note");

  html += element("h2", "ROC curves");
  html += charts(report, [&](const QueryResult &query) {
    return rocChart(query, leastRate(report));
  });
  html += element("p",
                  "ROC curves on logarithmic axes, the scores of all runs "
                  "together. Dashed: what needs no model.",
                  "note");
  html += "<div class=\"tables\">\n<div>\n" + metricsTable(report) +
          "</div>\n<div>\n" + modelsTable(report) + "</div>\n</div>\n";
  html += element("p",
                  "Mean ± deviation over runs and the bootstrap's " +
                      fixedText(100 * report.bootstrap.level, 0) +
                      " % interval of the mean. Pooled: of the scores of all "
                      "runs together, where one run has too few non-members.",
                  "note");

  html += element("h2", "Scores");
  html += "<div class=\"keys\">\n" + legendKey(memberColour, "members") +
          legendKey(nonMemberColour, "non-members") + "</div>\n";
  html += charts(report, histogramChart);
  html += element("p",
                  "Shares of " + report.what + " by the score of " +
                      leading.attack.name + ", all runs together.",
                  "note");

  if (std::any_of(
          report.queries.begin(), report.queries.end(),
          [](const QueryResult &query) { return !query.defenses.empty(); })) {
    html += element("h2", "Defenses");
    html += charts(report, tradeOffChart);
    html += element("p",
                    "Filled dots: attackers trained on the shadow's defended "
                    "answers (adaptive). Hollow, dashed: trained on undefended "
                    "ones (static). Lower and further left is better.",
                    "note");
    html += defenseTables(report);
    html += element("p",
                    "Distortion: mean Jensen-Shannon distance (base 2) of the "
                    "defended posteriors, clipped and renormalized, from the "
                    "model's.",
                    "note");
  }
  if (!leading.analyses.empty()) {
    html += element("h2", "By class, degree and homophily");
    html += "<div class=\"tables\">\n" + analysisTables(report) + "</div>\n";
    html += element("p",
                    "AUROC of members against non-members of the same group "
                    "and run; within: the mean by pairs.",
                    "note");
  }
  html += element("h2", "Runs") + runsTable(report);
  html += element("h2", "What was audited");
  HtmlTable hashes({"", "SHA-256"});
  for (const auto &[name, hash] :
       {std::pair("graph", report.graphHash),
        std::pair("shadow's graph", report.shadowGraphHash),
        std::pair("specification", report.specificationHash),
        std::pair("splits", report.splitsHash)})
    if (!hash.empty())
      hashes.row({name, hash});
  return html + hashes.html() + "</body>\n</html>\n";
}

} // namespace tessera::runtime
