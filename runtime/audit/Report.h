//===- Report.h - What an audit finds ---------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_REPORT_H
#define TESSERA_RUNTIME_AUDIT_REPORT_H

#include "runtime/audit/Attacks.h"
#include "runtime/audit/Bootstrap.h"
#include "runtime/audit/Defenses.h"
#include "runtime/audit/Metrics.h"
#include "runtime/audit/Splits.h"
#include <limits>
#include <string>
#include <vector>

namespace tessera::runtime {

/// Shares of nodes whose class a model predicts, among those it was trained on
/// and its test's; NaN where there is none.
struct ModelAccuracy {
  double train = std::numeric_limits<double>::quiet_NaN();
  double test = std::numeric_limits<double>::quiet_NaN();
};

/// One target, and its shadow where the attack has one.
struct AuditRun {
  uint64_t seed = 0;
  std::string split; ///< splitHash(), or empty
  ModelAccuracy target, shadow;
};

/// Shares of scores in bins of equal width.
struct Histogram {
  double low = 0, high = 1;
  std::vector<double> members, nonMembers;
};

/// One attack in all runs.
struct AttackResult {
  std::string name; ///< "SHADOW_MLP", "modified_entropy", "class"
  std::vector<AttackMetrics> runs;
  /// Where one run has too few non-members for a TPR, that of all runs' scores
  /// together, which isPooled says; its count is then 1.
  PerMetric<MeanDeviation> summary;
  PerMetric<Interval> intervals; ///< of the means, or of the pooled
  PerMetric<bool> isPooled;
  /// Not in each run: there is one whose scores are all the same, or NaN.
  bool isInformative = true;
  std::vector<RocPoint> curve; ///< of all runs together, some hundred points
  Histogram histogram;         ///< of all runs together

  double auroc() const { return summary[Metric::Auroc].mean; }
  /// From -1 to 1: what the attacker gains over guessing.
  double advantage() const { return 2 * auroc() - 1; }
};

/// The attack \p name with its scores in each of one or more runs.
/// \p labelThresholds: of each run, 0.5 where there are none.
AttackResult summarize(std::string name, std::span<const AttackScores> runs,
                       const BootstrapSettings &settings = {},
                       std::span<const double> labelThresholds = {});

/// A defense with its strength.
struct DefenseResult {
  Defense defense;
  /// Attackers that know of the defense and train on the shadow's defended
  /// answers, and that do not.
  AttackResult adaptive, fixed;
  /// Of each run: points of test accuracy, and confidenceDistortion().
  std::vector<double> labelLoss, distortion;
};

/// Keys of a run's members and non-members.
struct NodeKeys {
  std::vector<int64_t> members, nonMembers;
};

/// The attack among nodes that are alike.
struct Analysis {
  struct Group {
    std::string name;
    int64_t members = 0, nonMembers = 0; ///< in all runs
    double auroc = 0;                    ///< NaN where one of both is missing
  };
  std::string by;   ///< "class", "degree" or "homophily"
  double auroc = 0; ///< within groups: the mean by pairs
  std::vector<Group> groups;
};

enum class GroupBy { NodeClass, Degree, Homophily };

/// Compares members with non-members of the same run and key. Keys are classes,
/// degreeGroup()s or homophilyGroup()s.
Analysis analyze(GroupBy by, std::span<const AttackScores> runs,
                 std::span<const NodeKeys> keys);

/// One way to ask the target.
struct QueryResult {
  std::string name;    ///< "MATCHED"
  AttackResult attack; ///< the one that leads
  std::vector<AttackResult>
      untrained; ///< other attacks: those without training, and the MLP where
                 ///< LiRA leads
  std::vector<AttackResult> baselines; ///< "class", "degree": without a model
  std::vector<DefenseResult> defenses;
  std::vector<Analysis> analyses;
};

/// What another way to train and ask gives.
struct AblationResult {
  std::string name;                   ///< "NO_EDGES"
  std::vector<ModelAccuracy> targets; ///< of each run
  AttackResult attack;
};

/// What the files and the table of an audit are made of.
struct AuditReport {
  std::string model;   ///< the specification's name
  std::string setting; ///< "TSTF", "TSTS", "DOCUMENTS"
  std::string data;    ///< the path of the graph or of the members' documents
  std::string shadowData;     ///< of the shadow's graph, where it has its own
  std::string what = "nodes"; ///< what members are
  std::string threatModel;    ///< in words
  /// SHA-256; empty where there is none.
  std::string graphHash, shadowGraphHash, specificationHash, splitsHash;
  int64_t members = 0, nonMembers = 0; ///< of a run
  std::vector<AuditRun> runs;
  std::vector<QueryResult> queries; ///< the first leads
  std::vector<AblationResult> ablations;
  BootstrapSettings bootstrap;
};

/// The SHA-256 of the nodes of \p splits, in their order, which has the same
/// digits whatever file they stand in.
std::string splitHash(std::span<const AuditSplit> splits);

/// What the attacker is assumed to know and do, for people.
struct ThreatModel {
  std::string setting, query; ///< "TSTF", "MATCHED"
  std::string attack;         ///< "SHADOW_MLP"
  std::string input;          ///< the manifest's: "posteriors"
  /// The kind of the shadow's layers, "gat", where it is another model than the
  /// target; empty: it is the same.
  std::string shadow;
  bool hasShadowGraph = false;
  bool hasReference = false; ///< of "DOCUMENTS"
};
std::string describe(const ThreatModel &model);

/// The table that the terminal shows, with lines of at most some 110 columns
/// for two queries.
std::string reportTable(const AuditReport &report);
std::string reportJson(const AuditReport &report);
/// A row for each run, query and defense.
std::string reportCsv(const AuditReport &report);
/// A page of well-formed XML that refers to nothing outside and has no scripts.
std::string reportPage(const AuditReport &report);

/// report.json, report.csv and report.html in a folder.
class ReportFiles {
public:
  ReportFiles();
  ~ReportFiles();
  /// Makes \p folder where it is missing and the files in it, so that what
  /// cannot be written is found before the work. False, as of write(), with the
  /// reason in \p error.
  bool open(const std::string &folder, std::string &error);
  /// Gives the files their content and names.
  bool write(const AuditReport &report, std::string &error);

private:
  struct File;
  std::vector<File> files;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_REPORT_H
