//===- Lira.h - The likelihood-ratio attack ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_LIRA_H
#define TESSERA_RUNTIME_AUDIT_LIRA_H

#include "runtime/audit/Posteriors.h"
#include <cstdint>
#include <span>
#include <vector>

namespace tessera::runtime {

/// log(p / (1 - p)) of the true class's posterior p, for each row: what LiRA
/// takes for normal (Carlini, Chien, Nasr, Song, Terzis, Tramer, "Membership
/// inference attacks from first principles", S&P 2022, section IV-C). 1 - p is
/// the sum of the other posteriors, which keeps its digits where p is near 1;
/// both count as 1e-30 at least.
std::vector<double> logitConfidences(const Posteriors &posteriors,
                                     std::span<const int32_t> labels);

/// What the shadow models say of the nodes that are audited.
struct LiraShadows {
  int64_t shadows = 0, nodes = 0;
  std::vector<double> confidence; ///< logit, [shadows, nodes]
  /// Whether the shadow was trained on the node, [shadows, nodes].
  std::vector<uint8_t> isMember;
};

enum class LiraForm {
  Online, ///< from shadows with and without a node (algorithm 1)
  Offline ///< from those without it alone (section IV-D)
};

struct LiraSettings {
  LiraForm form = LiraForm::Online;
  /// One variance for all nodes, of the distances from each node's mean, which
  /// the paper finds better below 64 shadows; else one for each node.
  bool sharesVariance = true;
};

/// The score of each node from \p observed, the target's logit confidence.
/// Online: log N(x; in) - log N(x; out), a member's above 0. Offline: log P(Z <
/// x) for Z from N(out), which rises with x. A node that no shadow was trained
/// on, or all were, takes the mean over nodes for what is missing.
std::vector<double> liraScores(const LiraShadows &shadows,
                               std::span<const double> observed,
                               LiraSettings settings = {});

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_LIRA_H
