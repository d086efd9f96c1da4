//===- Defenses.cpp - Answers that are made to leak less ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Defenses.h"
#include "runtime/audit/Draws.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace tessera::runtime {

const char *defenseName(DefenseKind kind) {
  switch (kind) {
  case DefenseKind::None:
    return "NONE";
  case DefenseKind::Nsd:
    return "NSD";
  case DefenseKind::Lbp:
    return "LBP";
  case DefenseKind::Vanpd:
    return "VANPD";
  case DefenseKind::Rounding:
    return "ROUNDING";
  case DefenseKind::Temperature:
    return "TEMPERATURE";
  case DefenseKind::LabelOnly:
    return "LABEL_ONLY";
  }
  return "";
}

std::string describe(const Defense &defense) {
  std::string name = defenseName(defense.kind);
  auto counted = [&](int64_t count, const std::string &one) {
    return name + ", " + std::to_string(count) + " " + one +
           (count == 1 ? "" : "s");
  };
  auto number = [](double value) {
    char text[32];
    snprintf(text, sizeof text, "%g", value);
    return std::string(text);
  };
  switch (defense.kind) {
  case DefenseKind::Nsd:
    return counted(defense.neighbors, "neighbor");
  case DefenseKind::Lbp:
    return counted(defense.bins, "bin") + ", beta " + number(defense.beta);
  case DefenseKind::Vanpd:
    return name + ", beta " + number(defense.beta);
  case DefenseKind::Rounding:
    return counted(defense.digits, "digit");
  case DefenseKind::Temperature:
    return name + " " + number(defense.temperature);
  case DefenseKind::None:
  case DefenseKind::LabelOnly:
    break;
  }
  return name;
}

/// Adds to \p row, whose classes are dealt to \p bins bins at random, one draw
/// for each bin.
static void perturb(std::span<float> row, int64_t bins, double beta,
                    Draws &order, Draws &noise) {
  std::vector<uint32_t> classes(row.size());
  std::iota(classes.begin(), classes.end(), 0);
  order.shuffle(std::span(classes), classes.size());
  auto count = std::ssize(classes);
  for (int64_t bin = 0; bin < bins; ++bin) {
    double draw = noise.laplace(beta);
    for (int64_t i = count * bin / bins; i < count * (bin + 1) / bins; ++i)
      row[classes[i]] = static_cast<float>(row[classes[i]] + draw);
  }
}

/// Softmax of logarithms over \p temperature.
static void soften(std::span<float> row, double temperature) {
  std::vector<float> logarithms(row.size());
  for (size_t i = 0; i < row.size(); ++i)
    logarithms[i] = std::log(row[i]);
  Posteriors softened =
      softmax(logarithms, 1, std::ssize(logarithms), temperature);
  std::copy(softened.values.begin(), softened.values.end(), row.begin());
}

Posteriors defend(const Defense &defense, const Posteriors &posteriors,
                  uint64_t seed, uint64_t query) {
  Posteriors answer = posteriors;
  for (int64_t i = 0; i < answer.rows; ++i) {
    std::span<float> row = answer.row(i);
    switch (defense.kind) {
    case DefenseKind::None:
    case DefenseKind::Nsd:
      break;
    case DefenseKind::Lbp:
    case DefenseKind::Vanpd: {
      // A bin for each class is VANPD.
      bool isBinned = defense.kind == DefenseKind::Lbp;
      Draws order(seed, Draw::BinOrder, query, i);
      Draws noise(seed, Draw::Noise, query, i);
      perturb(row, isBinned ? defense.bins : answer.classes, defense.beta,
              order, noise);
      break;
    }
    case DefenseKind::Rounding: {
      double unit = std::pow(10.0, double(defense.digits));
      for (float &entry : row)
        entry = static_cast<float>(std::nearbyint(entry * unit) / unit);
      break;
    }
    case DefenseKind::Temperature:
      soften(row, defense.temperature);
      break;
    case DefenseKind::LabelOnly: {
      int32_t predicted = predictedClass(row);
      std::fill(row.begin(), row.end(), 0.0f);
      row[predicted] = 1;
      break;
    }
    }
  }
  return answer;
}

/// Of two distributions, in bits.
static double jensenShannon(const std::vector<double> &p,
                            const std::vector<double> &q) {
  auto term = [](double x, double mean) {
    return x > 0 ? x * std::log2(x / mean) : 0;
  };
  double sum = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    double mean = (p[i] + q[i]) / 2;
    sum += term(p[i], mean) + term(q[i], mean);
  }
  return std::sqrt(std::max(0.0, sum / 2));
}

double confidenceDistortion(const Posteriors &before, const Posteriors &after) {
  double sum = 0;
  for (int64_t i = 0; i < before.rows; ++i)
    sum +=
        jensenShannon(distribution(before.row(i)), distribution(after.row(i)));
  return before.rows ? sum / double(before.rows) : 0;
}

double labelLoss(const Posteriors &before, const Posteriors &after,
                 std::span<const int32_t> labels) {
  return 100 * (accuracy(before, labels) - accuracy(after, labels));
}

} // namespace tessera::runtime
