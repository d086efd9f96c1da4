//===- ReportTest.cpp - Tests of what an audit writes ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Report.h"
#include "runtime/audit/Chart.h"
#include "runtime/audit/ReportText.h"
#include "test/runtime/audit/SampleReport.h"
#include <cmath>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unistd.h>

using namespace tessera::runtime;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

using Strings = std::vector<std::string>;

/// Made once.
const AuditReport &sample() {
  static const AuditReport report = sampleReport();
  return report;
}

TEST(Report, SummarizesRuns) {
  AttackScores runs[] = {sampleScores(1, 500, 1), sampleScores(2, 500, 1)};
  AttackResult result = summarize("SHADOW_MLP", runs);
  ASSERT_EQ(result.runs.size(), 2u);
  double first = runs[0].ranked().auroc(), second = runs[1].ranked().auroc();
  EXPECT_EQ(result.runs[1][Metric::Auroc], second);
  EXPECT_NEAR(result.auroc(), (first + second) / 2, 1e-15);
  EXPECT_NEAR(result.advantage(), first + second - 1, 1e-15);
  EXPECT_LT(result.intervals[Metric::Auroc].low, result.auroc());
  EXPECT_GT(result.intervals[Metric::Auroc].high, result.auroc());
  EXPECT_TRUE(result.isInformative);
  // 1 % of 500 are 5, of 1000 are 10.
  EXPECT_TRUE(std::isnan(result.runs[0][Metric::TprAt1Percent]));
  EXPECT_TRUE(result.isPooled[Metric::TprAt1Percent]);
  EXPECT_EQ(result.summary[Metric::TprAt1Percent].mean,
            pooled(runs).ranked().truePositiveRateAt(0.01));
  EXPECT_GT(result.intervals[Metric::TprAt1Percent].low, 0);
  EXPECT_LT(result.intervals[Metric::TprAt1Percent].low,
            result.summary[Metric::TprAt1Percent].mean);
  EXPECT_GT(result.intervals[Metric::TprAt1Percent].high,
            result.summary[Metric::TprAt1Percent].mean);
  EXPECT_FALSE(result.isPooled[Metric::TprAt01Percent]);
  EXPECT_TRUE(std::isnan(result.summary[Metric::TprAt01Percent].mean));
  EXPECT_FALSE(result.isPooled[Metric::Auroc]);
}

TEST(Report, TakesThresholdsOfLabels) {
  AttackScores runs[] = {{{-1, -2}, {-3, -4}}, {{5, 6}, {1, 2}}};
  double thresholds[] = {-2.5, 3};
  AttackResult result = summarize("loss", runs, {}, thresholds);
  EXPECT_EQ(result.summary[Metric::Accuracy].mean, 1);
  EXPECT_EQ(result.histogram.low, -4);
  EXPECT_EQ(result.histogram.high, 6);
  EXPECT_EQ(result.histogram.members.back(), 0.25);
}

TEST(Report, ThinsCurvesAndKeepsTheirEnds) {
  AttackScores runs[] = {sampleScores(1, 20000, 1)};
  std::vector<RocPoint> curve = summarize("loss", runs).curve;
  EXPECT_LT(curve.size(), 3000u);
  EXPECT_GT(curve.size(), 200u);
  EXPECT_EQ(curve.front().falsePositiveRate, 0);
  EXPECT_EQ(curve.back().falsePositiveRate, 1);
  EXPECT_EQ(curve.back().truePositiveRate, 1);
}

TEST(Report, AnalyzesWithinRuns) {
  // Runs differ in scale: a member of the first is only held against its
  // non-members.
  AttackScores runs[] = {{{0.2, 0.1}, {0.1, 0.05}}, {{0.9}, {0.8, 0.95}}};
  NodeKeys keys[] = {{{0, 3}, {0, 3}}, {{0}, {0, 0}}};
  Analysis analysis = analyze(GroupBy::NodeClass, runs, keys);
  ASSERT_EQ(analysis.groups.size(), 2u);
  EXPECT_EQ(analysis.by, "class");
  EXPECT_EQ(analysis.groups[0].members, 2);
  EXPECT_EQ(analysis.groups[0].nonMembers, 3);
  EXPECT_NEAR(analysis.groups[0].auroc, 2.0 / 3, 1e-15);
  EXPECT_NEAR(analysis.auroc, 3.0 / 4, 1e-15);
  Strings names;
  NodeKeys groups[] = {{{0, 2}, {4, 32}}, {{8}, {1, 16}}};
  for (const auto &group : analyze(GroupBy::Degree, runs, groups).groups)
    names.push_back(group.name);
  EXPECT_EQ(names, (Strings{"0", "1", "2", "3 to 4", "5 to 8", "9 to 16",
                            "17 to 32"}));
  names.clear();
  NodeKeys shares[] = {{{0, 4}, {5, 0}}, {{0}, {0, 0}}};
  for (const auto &group : analyze(GroupBy::Homophily, runs, shares).groups)
    names.push_back(group.name);
  EXPECT_EQ(names, (Strings{"0.0 to 0.2", "0.8 to 1.0", "no neighbors"}));
}

TEST(Report, HashesSplitsWhateverFileTheyStandIn) {
  AuditSplit split{1, {1, 2}, {3}, {4}, {5}}, other = split, moved = split;
  other.seed = 9;
  moved.targetTrain = {1}, moved.targetTest = {2, 3};
  auto hash = [](const AuditSplit &each) { return splitHash({&each, 1}); };
  EXPECT_EQ(hash(split), hash(other));
  EXPECT_NE(hash(split), hash(moved));
}

TEST(Report, SaysWhatTheAttackerKnows) {
  std::string matched = describe(ThreatModel{
      .setting = "TSTF", .query = "MATCHED", .attack = "SHADOW_MLP"});
  EXPECT_NE(matched.find("both asked for on the whole graph"),
            std::string::npos);
  for (auto [input, part] :
       {std::pair("posteriors", "the posteriors of all classes"),
        std::pair("sorted", "the posteriors, without their classes"),
        std::pair("top_k", "the largest posteriors, without their classes")})
    EXPECT_NE(describe(ThreatModel{.input = input}).find(part),
              std::string::npos)
        << input;
  std::string reference =
      describe(ThreatModel{.setting = "TSTF", .query = "REFERENCE"});
  EXPECT_NE(reference.find("telling the two graphs"), std::string::npos);
  std::string other = describe(ThreatModel{.setting = "TSTS",
                                           .attack = "LIRA",
                                           .input = "label_only",
                                           .hasShadowGraph = true});
  for (const char *part : {"the predicted class", "a subgraph of their own",
                           "another graph", "with and without"})
    EXPECT_NE(other.find(part), std::string::npos) << part;
}

TEST(Report, SaysWhatTheAttackerOfDocumentsKnows) {
  ThreatModel model{.setting = "DOCUMENTS"};
  EXPECT_EQ(describe(model).find("reference"), std::string::npos);
  model.hasReference = true;
  EXPECT_NE(describe(model).find("a reference model"), std::string::npos);
  EXPECT_EQ(describe(model).find("graph"), std::string::npos);
}

TEST(ReportJson, HasTheFieldsThatProgramsRead) {
  const AuditReport &report = sample();
  Json json = Json::parse(reportJson(report));
  EXPECT_EQ(json["setting"], "TSTF");
  EXPECT_EQ(json["query"], "MATCHED");
  EXPECT_EQ(json["model"], report.model);
  EXPECT_EQ(json["hashes"]["graph"], report.graphHash);
  EXPECT_EQ(json["hashes"]["splits"], nullptr);
  EXPECT_EQ(json["threat_model"], report.threatModel);
  ASSERT_EQ(json["runs"].size(), 2u);
  const Json &run = json["runs"][1];
  EXPECT_EQ(run["seed"], 2);
  EXPECT_EQ(run["split"], "c2");
  EXPECT_EQ(run["target"]["train_accuracy"], 0.97);
  EXPECT_EQ(run["shadow"]["test_accuracy"], 0.79);
  const AttackResult &attack = report.queries[0].attack;
  EXPECT_EQ(run["attack"]["auroc"], attack.runs[1][Metric::Auroc]);
  for (const char *name : {"auroc_hard", "precision", "recall", "accuracy"})
    EXPECT_TRUE(run["attack"][name].is_number()) << name;
  // 600 non-members are too few in one run.
  EXPECT_EQ(run["attack"]["tpr_at_fpr"]["0.01"], nullptr);
  EXPECT_EQ(json["mean"]["attack"]["tpr_at_fpr"]["0.01"],
            attack.summary[Metric::TprAt1Percent].mean);
  EXPECT_EQ(run["queries"]["REFERENCE"]["auroc"],
            report.queries[1].attack.runs[1][Metric::Auroc]);
  EXPECT_NEAR(json["mean"]["target"]["test_accuracy"].get<double>(), 0.82,
              1e-12);
  EXPECT_EQ(json["mean"]["attack"]["auroc"], attack.auroc());
  EXPECT_EQ(json["std"]["attack"]["auroc"],
            attack.summary[Metric::Auroc].deviation);
  EXPECT_EQ(json["interval"]["attack"]["auroc"][0],
            attack.intervals[Metric::Auroc].low);
  EXPECT_EQ(json["baselines"].size(), 4u);
  EXPECT_EQ(json["baselines"][0]["name"], "class");
  ASSERT_EQ(json["defenses"].size(), 10u);
  const Json &lbp = json["defenses"][2];
  EXPECT_EQ(lbp["kind"], "LBP");
  EXPECT_EQ(lbp["bins"], 2);
  EXPECT_EQ(lbp["beta"], 0.05);
  EXPECT_NEAR(lbp["label_loss_points"]["mean"].get<double>(), 1.7, 1e-12);
  EXPECT_NEAR(lbp["advantage_left"]["static"].get<double>(),
              report.queries[0].defenses[2].fixed.advantage() /
                  attack.advantage(),
              1e-12);
  EXPECT_EQ(json["analysis"][0]["by"], "class");
  // Class 2 has members alone.
  EXPECT_EQ(json["analysis"][0]["groups"][2]["auroc"], nullptr);
  EXPECT_EQ(json["ablations"][0]["name"], "NO_EDGES");
  // Two audits of one seed are equal to the bit.
  EXPECT_EQ(reportJson(sampleReport()), reportJson(report));
}

/// Fields of lines; none of the sample has a line break within.
std::vector<Strings> parseCsv(const std::string &text) {
  std::vector<Strings> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    Strings &fields = lines.emplace_back(1);
    bool isQuoted = false;
    for (size_t i = 0; i < line.size(); ++i)
      if (line[i] == '"' && isQuoted && line[i + 1] == '"')
        fields.back() += line[i++];
      else if (line[i] == '"')
        isQuoted = !isQuoted;
      else if (line[i] == ',' && !isQuoted)
        fields.emplace_back();
      else
        fields.back() += line[i];
  }
  return lines;
}

TEST(ReportCsv, HasARowForEachRunQueryAndDefense) {
  const AuditReport &report = sample();
  std::vector<Strings> lines = parseCsv(reportCsv(report));
  ASSERT_EQ(lines.size(), 1u + 2 * 2 * 6);
  for (const Strings &line : lines)
    EXPECT_EQ(line.size(), 12 + 2 * metricCount);
  auto column = [&](const char *name) {
    return std::find(lines[0].begin(), lines[0].end(), name) - lines[0].begin();
  };
  const Strings &lbp = lines[4];
  EXPECT_EQ(lbp[column("defense")], "LBP, 2 bins, beta 0.05");
  EXPECT_EQ(lbp[column("query")], "MATCHED");
  EXPECT_EQ(std::stod(lbp[column("auroc")]),
            report.queries[0].defenses[2].adaptive.runs[0][Metric::Auroc]);
  EXPECT_EQ(std::stod(lbp[column("static_auroc")]),
            report.queries[0].defenses[2].fixed.runs[0][Metric::Auroc]);
  EXPECT_EQ(lbp[column("tpr_at_fpr_0.01")], "");
  EXPECT_EQ(lines[1][column("defense")], "NONE");
  EXPECT_EQ(lines[1][column("static_auroc")], "");
  EXPECT_EQ(lines[1][column("target_test_accuracy")], "0.8");
}

TEST(ReportTable, HasQueriesSideBySide) {
  std::string table = reportTable(sample());
  EXPECT_NE(table.find("TSTF, 2 runs of 600 members and 600 non-members"),
            std::string::npos);
  std::istringstream stream(table);
  Strings lines;
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  auto lineOf = [&](const std::string &start) {
    for (const std::string &line : lines)
      if (line.rfind("  " + start, 0) == 0)
        return line;
    return std::string();
  };
  std::string head = lineOf("SHADOW_MLP");
  EXPECT_LT(head.find("MATCHED"), head.find("REFERENCE"));
  for (const char *name :
       {"target", "shadow", "target, NO_EDGES", "AUROC ", "AUROC of labels",
        "precision", "TPR at 1 % FPR", "confidence", "class alone",
        "degree alone", "within class", "NO_EDGES", "none ",
        "LBP, 2 bins, beta 0.05"})
    EXPECT_NE(lineOf(name), "") << name;
  const AttackResult &attack = sample().queries[0].attack;
  char row[100];
  snprintf(row, sizeof row, "%.3f ± %.3f [%.3f, %.3f]", attack.auroc(),
           attack.summary[Metric::Auroc].deviation,
           attack.intervals[Metric::Auroc].low,
           attack.intervals[Metric::Auroc].high);
  EXPECT_NE(lineOf("AUROC ").find(row), std::string::npos) << row;
  // Blocks stand apart.
  for (const char *name : {"AUROC of other attacks", "AUROC without a model",
                           "AUROC within groups", "AUROC of ablations"})
    EXPECT_NE(table.find("\n\n  " + std::string(name) + "\n"),
              std::string::npos)
        << name;
  EXPECT_NE(lineOf("TPR at 1 % FPR").find("pooled"), std::string::npos);
  std::string rare = lineOf("TPR at 0.1 % FPR");
  EXPECT_EQ(rare.find_first_of("0123456789[", 20), std::string::npos) << rare;
}

TEST(ReportTable, ShowsOneRunWithoutDeviation) {
  AuditReport report;
  report.model = "bloom-tiny";
  report.setting = "DOCUMENTS";
  report.data = "members.txt";
  report.members = report.nonMembers = 100;
  report.runs.emplace_back();
  QueryResult &query = report.queries.emplace_back();
  query.name = "AUROC";
  query.attack = summarize("loss", std::vector{sampleScores(1, 100, 2)});
  std::string table = reportTable(report);
  EXPECT_EQ(table.find("±", table.find("interval")), std::string::npos);
  EXPECT_EQ(table.find("target"), std::string::npos);
  EXPECT_EQ(Json::parse(reportJson(report))["mean"]["target"]["gap"], nullptr);
  EXPECT_EQ(reportPage(report).find("test accuracy of the target"),
            std::string::npos);
}

TEST(ReportTable, SaysThatAnAttackHasCollapsed) {
  AuditReport report = sample();
  EXPECT_TRUE(notesOf(report).empty());
  report.queries[0].attack = summarize(
      "SHADOW_MLP", std::vector<AttackScores>{{{0.5}, {0.5}}, {{0.6}, {0.5}}});
  ASSERT_EQ(notesOf(report).size(), 1u);
  EXPECT_NE(reportTable(report).find("SHADOW_MLP (MATCHED) gives all nodes the "
                                     "same score"),
            std::string::npos);
}

TEST(ReportPage, EscapesText) {
  EXPECT_EQ(escapeXml("a<b>&\"c\"\x01"),
            "a&lt;b&gt;&amp;&quot;c&quot;\xEF\xBF\xBD");
  EXPECT_EQ(escapeXml("\xFFx"), "\xEF\xBF\xBDx");
  std::string page = reportPage(sample());
  EXPECT_NE(page.find("gcn &lt;&quot;cora&quot; &amp; more&gt;"),
            std::string::npos);
  EXPECT_EQ(page.find("gcn <"), std::string::npos);
}

/// The elements that are open at some place of \p page where one of another
/// name is closed, or at its end; empty where it is well-formed.
std::string unbalanced(const std::string &page) {
  Strings open;
  for (size_t at = page.find('<', 1); at != std::string::npos;
       at = page.find('<', at + 1)) {
    size_t end = page.find('>', at);
    std::string tag = page.substr(at + 1, end - at - 1);
    if (tag.back() == '/')
      continue;
    std::string name = tag.substr(0, tag.find(' '));
    if (name[0] != '/')
      open.push_back(name);
    else if (open.empty() || open.back() != name.substr(1))
      return name + " closes " + (open.empty() ? "nothing" : open.back());
    else
      open.pop_back();
  }
  return open.empty() ? "" : open.back() + " stays open";
}

TEST(ReportPage, IsWellFormed) {
  EXPECT_EQ(unbalanced("<!><p><br/></p>"), "");
  EXPECT_EQ(unbalanced("<!><p><b></p>"), "/p closes b");
  EXPECT_EQ(unbalanced("<!><p>"), "p stays open");
  EXPECT_EQ(unbalanced(reportPage(sample())), "");
}

TEST(ReportPage, HasItsFiguresAndTables) {
  std::string page = reportPage(sample());
  const AttackResult &attack = sample().queries[1].attack;
  for (const std::string &part :
       {std::string("<h2>ROC curves</h2>"),
        std::string("<h2>Scores</h2>"),
        std::string("<h2>Defenses</h2>"),
        std::string("<h2>By class, degree and homophily</h2>"),
        std::string("<h2>Runs</h2>"),
        std::string("<h2>What was audited</h2>"),
        std::string("<h3>MATCHED</h3>"),
        std::string("<h3>REFERENCE</h3>"),
        "<td>AUROC</td><td class=\"n\">" +
            metricText(sample().queries[0].attack, Metric::Auroc) +
            "</td><td class=\"n\">" + metricText(attack, Metric::Auroc),
        "<td>AUROC of confidence</td><td class=\"n\">" +
            metricText(sample().queries[0].untrained[0], Metric::Auroc),
        "<td>AUROC of degree alone</td><td class=\"n\">" +
            metricText(sample().queries[0].baselines[1], Metric::Auroc),
        std::string("<td>shadow</td><td class=\"n\">0.950 ± 0.014</td><td "
                    "class=\"n\">0.800 ± 0.014</td>"),
        std::string("<td>target, NO_EDGES</td>"),
        std::string("<td>LBP, 2 bins, beta 0.05</td>"),
        std::string("<td>graph</td><td class=\"n\">aaaa"),
        std::string("<td>specification</td><td class=\"n\">bbbb"),
        std::string(">false positive rate</text>"),
        std::string("</i>LBP, 2 bins</span>"),
        std::string("<p class=\"note\">"),
        std::string("stroke-dasharray=\"6 4\""),
        std::string("stroke-dasharray=\"5 4\""),
        sample().threatModel})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  // There is no hash of splits.
  EXPECT_EQ(page.find("<td>splits</td>"), std::string::npos);
}

TEST(ReportPage, HasItsCurves) {
  std::string page = reportPage(sample());
  auto count = [&](const std::string &part) {
    size_t times = 0;
    for (size_t at = page.find(part); at != std::string::npos;
         at = page.find(part, at + 1))
      ++times;
    return times;
  };
  // For each query: the attack, two without training, two baselines.
  EXPECT_EQ(count("class=\"roc\""), 10u);
  // Three kinds of defenses.
  EXPECT_EQ(count("class=\"adaptive\""), 6u);
  EXPECT_EQ(count("class=\"static\""), 6u);
  EXPECT_EQ(count("<circle"), 2u * (1 + 2 * 5));
  EXPECT_EQ(count("<svg"), 6u);
  EXPECT_EQ(count("nan"), 0u);
  EXPECT_EQ(count("inf"), 0u);
}

TEST(Chart, PutsTicksAtRoundNumbers) {
  EXPECT_EQ((Axis{"", 0, 1}.ticks()),
            (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ((Axis{"", -1, 7}.ticks()).size(), 9u);
  std::vector<double> decades = Axis{"", 1e-3, 1, true}.ticks();
  ASSERT_EQ(decades.size(), 4u);
  EXPECT_NEAR(decades[0], 1e-3, 1e-15);
  Axis axis{"", 1e-2, 1, true};
  EXPECT_NEAR(axis.share(0.1), 0.5, 1e-12);
  EXPECT_EQ(axis.share(0), 0);
}

class ReportFilesTest : public testing::Test {
protected:
  void SetUp() override {
    folder = testing::TempDir() + "report." + std::to_string(getpid());
  }
  void TearDown() override { fs::remove_all(folder); }
  std::string folder;
};

TEST_F(ReportFilesTest, CountWhenTheyAreWhole) {
  const AuditReport &report = sample();
  std::string error;
  {
    ReportFiles files;
    ASSERT_TRUE(files.open(folder, error)) << error;
    EXPECT_FALSE(fs::exists(folder + "/report.json"));
    ASSERT_TRUE(files.write(report, error)) << error;
  }
  std::ifstream stream(folder + "/report.json");
  std::ostringstream content;
  content << stream.rdbuf();
  EXPECT_EQ(content.str(), reportJson(report));
  EXPECT_TRUE(fs::exists(folder + "/report.csv"));
  EXPECT_TRUE(fs::exists(folder + "/report.html"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 3);
}

TEST_F(ReportFilesTest, LeaveNothingOfAnAuditThatFailed) {
  std::string error;
  {
    ReportFiles files;
    ASSERT_TRUE(files.open(folder, error)) << error;
  }
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(ReportFilesTest, AreRefusedBeforeTheWork) {
  std::string error;
  EXPECT_FALSE(ReportFiles().open(folder + "/a/b", error));
  EXPECT_EQ(error, "the folder '" + folder +
                       "/a/b' of the report cannot be made: No such file or "
                       "directory");
  fs::create_directories(folder + "/report.csv");
  EXPECT_FALSE(ReportFiles().open(folder, error));
  EXPECT_EQ(error, "cannot write '" + folder +
                       "/report.csv': it is a folder: name a file in it");
}

} // namespace
