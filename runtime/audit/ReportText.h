//===- ReportText.h - What the writers of an audit share --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_REPORTTEXT_H
#define TESSERA_RUNTIME_AUDIT_REPORTTEXT_H

#include "runtime/audit/Report.h"
#include <string>
#include <vector>

namespace tessera::runtime {

/// With \p digits decimals; "-" for NaN.
std::string fixedText(double value, int digits = 3);
/// "0.732 ± 0.021", or the mean alone.
std::string spreadText(const MeanDeviation &value, int digits = 3);
/// "[0.715, 0.748]"; empty for NaN.
std::string intervalText(const Interval &interval);
/// Both, and whether runs were pooled.
std::string metricText(const AttackResult &attack, Metric metric);

/// "TSTF, 5 runs of 630 members and 630 non-members".
std::string titleOf(const AuditReport &report);

/// The models of each run: the target, the shadow, those of ablations; without
/// those whose accuracy is not known.
struct NamedModels {
  std::string name;
  std::vector<ModelAccuracy> models;
};
std::vector<NamedModels> modelsOf(const AuditReport &report);

double trainAccuracy(const ModelAccuracy &model);
double testAccuracy(const ModelAccuracy &model);
double accuracyGap(const ModelAccuracy &model);
MeanDeviation accuracyOf(const std::vector<ModelAccuracy> &models,
                         double (*value)(const ModelAccuracy &));

/// What a reader must know to read the figures, a sentence each.
std::vector<std::string> notesOf(const AuditReport &report);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_REPORTTEXT_H
