//===- Splits.h - Members and non-members of an audit ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_SPLITS_H
#define TESSERA_RUNTIME_AUDIT_SPLITS_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tessera::runtime {

/// The nodes of one audit: what the target and the attacker's shadow model are
/// trained on, and what each is tested on, which are their non-members.
struct AuditSplit {
  uint64_t seed = 0;
  std::vector<int32_t> targetTrain, targetTest, shadowTrain, shadowTest;
  bool operator==(const AuditSplit &) const = default;
};

/// How many nodes each of the two models has.
struct SplitSizes {
  int64_t trainPerClass = 0;
  int64_t test = 0;         ///< drawn from all classes together, or
  int64_t testPerClass = 0; ///< where test is 0, from each alike

  int64_t trainNodes(int64_t classes) const { return trainPerClass * classes; }
  int64_t testNodes(int64_t classes) const {
    return test ? test : testPerClass * classes;
  }
};

/// What splits are drawn from or held against.
struct SplitRules {
  /// Of the target's graph; nodes whose label is negative are never drawn.
  std::span<const int32_t> labels;
  int64_t classes = 0;
  SplitSizes sizes;
  /// Of the shadow's graph; empty: it is the target's, and no node belongs to
  /// both models.
  std::span<const int32_t> shadowLabels;
  /// Of the shadow's graph, where there is one.
  int64_t shadowClasses = 0;
  SplitSizes shadowSizes = {};
};

/// Draws \p split, sorted, by \p seed: trainPerClass nodes of each class for
/// each model, then the tests' from the rest; no node is drawn twice. Where the
/// target is trained already, \p members are what it was trained on. False with
/// the reason in \p error where a class has too few nodes, which names it.
bool drawSplit(const SplitRules &rules, uint64_t seed,
               std::span<const int32_t> members, AuditSplit &split,
               std::string &error);

/// Splits that all who compare audits share.
struct SplitsFile {
  std::string graph; ///< the name of the graph, for people
  std::vector<AuditSplit> splits;
};

/// Reads the JSON file \p path:
///   {"graph": "...", "splits": [{"seed": 1, "target_train": [...],
///    "target_test": [...], "shadow_train": [...], "shadow_test": [...]}, ...]}
/// False with the reason, which names the place, in \p error: where a list has
/// not the size of \p rules, an ID is no labelled node of its graph or is there
/// twice in one split, or two splits have the same seed.
bool readSplits(const std::string &path, const SplitRules &rules,
                SplitsFile &file, std::string &error);

/// Writes such a file. False with the reason in \p error.
bool writeSplits(const std::string &path, const SplitsFile &file,
                 std::string &error);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_SPLITS_H
