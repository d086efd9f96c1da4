//===- ReportTable.cpp - What an audit finds, for the terminal ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Report.h"
#include "runtime/audit/ReportText.h"
#include <algorithm>

namespace tessera::runtime {

namespace {

/// Columns of text, as wide as they must be.
class Table {
public:
  /// Characters that are seen: not the bytes that continue one in UTF-8.
  static size_t width(const std::string &text) {
    return std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
  }

  void row(std::vector<std::string> cells) { rows.push_back(std::move(cells)); }
  void gap() { rows.emplace_back(); }

  std::string text() const {
    std::vector<size_t> widths;
    for (const auto &row : rows)
      for (size_t i = 0; i < row.size(); ++i) {
        widths.resize(std::max(widths.size(), i + 1));
        widths[i] = std::max(widths[i], width(row[i]));
      }
    std::string result;
    for (const auto &row : rows) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        line += "  " + row[i];
        line.append(widths[i] - width(row[i]), ' ');
      }
      line.erase(line.find_last_not_of(' ') + 1);
      result += line + "\n";
    }
    return result;
  }

private:
  std::vector<std::vector<std::string>> rows;
};

} // namespace

/// A line of \p table with the AUROC that \p find finds in each query.
template <typename Find>
static void aurocRow(Table &table, const std::string &name,
                     const AuditReport &report, Find find) {
  std::vector<std::string> cells = {name};
  for (const QueryResult &query : report.queries) {
    const AttackResult *attack = find(query);
    cells.push_back(attack ? metricText(*attack, Metric::Auroc) : "-");
  }
  table.row(std::move(cells));
}

/// The attacks of one of QueryResult's lists, by the first query's names.
static void aurocRows(Table &table, const char *title,
                      const AuditReport &report,
                      std::vector<AttackResult> QueryResult::*list,
                      const char *suffix) {
  if ((report.queries.front().*list).empty())
    return;
  table.gap();
  table.row({title});
  for (const AttackResult &first : report.queries.front().*list)
    aurocRow(table, first.name + suffix, report,
             [&](const QueryResult &query) -> const AttackResult * {
               for (const AttackResult &attack : query.*list)
                 if (attack.name == first.name)
                   return &attack;
               return nullptr;
             });
}

static std::string attackTable(const AuditReport &report) {
  Table table;
  std::vector<std::string> head = {report.queries.front().attack.name};
  for (const QueryResult &query : report.queries)
    head.push_back(query.name);
  table.row(head);
  for (size_t i = 0; i < metricCount; ++i) {
    auto metric = static_cast<Metric>(i);
    std::vector<std::string> cells = {metricTitle(metric)};
    for (const QueryResult &query : report.queries)
      cells.push_back(metricText(query.attack, metric));
    table.row(std::move(cells));
  }
  aurocRows(table, "AUROC of other attacks", report, &QueryResult::untrained,
            "");
  aurocRows(table, "AUROC without a model", report, &QueryResult::baselines,
            " alone");
  const QueryResult &leading = report.queries.front();
  if (!leading.analyses.empty()) {
    table.gap();
    table.row({"AUROC within groups"});
    for (size_t i = 0; i < leading.analyses.size(); ++i) {
      std::vector<std::string> cells = {"within " + leading.analyses[i].by};
      for (const QueryResult &query : report.queries)
        cells.push_back(i < query.analyses.size()
                            ? fixedText(query.analyses[i].auroc)
                            : "-");
      table.row(std::move(cells));
    }
  }
  if (!report.ablations.empty()) {
    table.gap();
    table.row({"AUROC of ablations"});
    for (const AblationResult &ablation : report.ablations)
      table.row({ablation.name, metricText(ablation.attack, Metric::Auroc)});
  }
  return table.text();
}

static std::string defenseTable(const QueryResult &query) {
  Table table;
  table.row({"defense (" + query.name + ")", "AUROC, adaptive", "AUROC, static",
             "label loss, points", "distortion"});
  table.row({"none", spreadText(query.attack.summary[Metric::Auroc])});
  for (const DefenseResult &each : query.defenses)
    table.row({describe(each.defense), metricText(each.adaptive, Metric::Auroc),
               spreadText(each.fixed.summary[Metric::Auroc]),
               spreadText(meanDeviation(each.labelLoss), 1),
               fixedText(meanDeviation(each.distortion).mean)});
  return table.text();
}

std::string reportTable(const AuditReport &report) {
  std::string text = "Audit of " + report.model + " on " + report.data + "\n" +
                     titleOf(report) + "\n";
  text += "mean ± deviation over runs [bootstrap " +
          fixedText(100 * report.bootstrap.level, 0) +
          " % interval of the mean]\n";
  if (std::vector<NamedModels> models = modelsOf(report); !models.empty()) {
    Table table;
    table.row({"accuracy", "train", "test", "gap"});
    for (const NamedModels &each : models)
      table.row({each.name, spreadText(accuracyOf(each.models, trainAccuracy)),
                 spreadText(accuracyOf(each.models, testAccuracy)),
                 spreadText(accuracyOf(each.models, accuracyGap))});
    text += "\n" + table.text();
  }
  text += "\n" + attackTable(report);
  for (const QueryResult &query : report.queries)
    if (!query.defenses.empty())
      text += "\n" + defenseTable(query);
  for (const std::string &note : notesOf(report))
    text += "\nnote: " + note + "\n";
  return text;
}

} // namespace tessera::runtime
