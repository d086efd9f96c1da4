//===- Defenses.h - Answers that are made to leak less ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_DEFENSES_H
#define TESSERA_RUNTIME_AUDIT_DEFENSES_H

#include "runtime/audit/Posteriors.h"
#include <cstdint>
#include <span>
#include <string>

namespace tessera::runtime {

enum class DefenseKind {
  None,
  Nsd,         ///< of each node at most so many neighbours: SampledEdges
  Lbp,         ///< one Laplace draw for each bin of a row's classes
  Vanpd,       ///< one for each class
  Rounding,    ///< to so many digits
  Temperature, ///< logits divided by it
  LabelOnly,   ///< 1 for the class that is predicted, 0 for others
};

/// A defense and its strength.
struct Defense {
  DefenseKind kind = DefenseKind::None;
  int64_t neighbors = 2;  ///< of NSD, at least 1
  int64_t bins = 2;       ///< of LBP, 1 to the number of classes
  double beta = 0;        ///< of LBP and VANPD: Laplace's scale, above 0
  int64_t digits = 0;     ///< of ROUNDING: decimals, at least 0
  double temperature = 1; ///< of TEMPERATURE, above 0
};

/// As the specification writes the kind, "LBP"; "NONE" for none.
const char *defenseName(DefenseKind kind);
/// With the strength, "LBP, 2 bins, beta 0.05", for people.
std::string describe(const Defense &defense);

/// What \p defense answers in place of the model's \p posteriors. NSD changes
/// the graph of a query, not its answers, so that it leaves them as they are.
///
/// LBP and VANPD (Olatunji, Nejdl and Khosla, "Membership inference attack on
/// graph neural networks", 2021, section 6) add noise to posteriors, not to
/// logarithms: the classes of a row are permuted at random and split into bins
/// of sizes that differ by at most 1, each bin gets one draw of Laplace(0,
/// beta) for all its classes, and the order is restored. What comes out is the
/// answer, which attacks see: entries may be below 0, and a row sums to 1 plus
/// the noise. Only confidenceDistortion() clips and divides.
///
/// The draws of row i are functions of \p seed, \p query and i: a query that is
/// answered again gets the same noise, another query other noise.
Posteriors defend(const Defense &defense, const Posteriors &posteriors,
                  uint64_t seed, uint64_t query);

/// The mean over rows of the Jensen-Shannon distance of \p before and \p after,
/// the root of the divergence with logarithms of base 2, so from 0 to 1 (Lin,
/// "Divergence measures based on the Shannon entropy", 1991; scipy's
/// jensenshannon with base 2), of what distribution() makes of them.
double confidenceDistortion(const Posteriors &before, const Posteriors &after);

/// The loss of accuracy in percentage points; below 0 where \p after is better.
double labelLoss(const Posteriors &before, const Posteriors &after,
                 std::span<const int32_t> labels);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_DEFENSES_H
