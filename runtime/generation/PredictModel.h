//===- PredictModel.h - The program predict as a token model ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_GENERATION_PREDICTMODEL_H
#define TESSERA_RUNTIME_GENERATION_PREDICTMODEL_H

#include "runtime/generation/TokenModel.h"
#include "runtime/program/Context.h"
#include <vector>

namespace tessera::runtime {

/// One slot, whose whole text the program `predict` reads again for each token.
class PredictModel : public TokenModel {
public:
  /// \p context has the program and its weights. Exits the process where the
  /// program lacks a slot.
  explicit PredictModel(tessera_context &context);

  int64_t slots() const override { return 1; }
  int64_t context() const override;
  int64_t vocabulary() const override;
  const float *append(int64_t slot, std::span<const int32_t> tokens) override;
  const float *step(std::span<const int64_t> slots,
                    std::span<const int32_t> tokens) override;
  void copy(int64_t from, int64_t to, int64_t tokens) override;
  void clear(int64_t slot) override;

private:
  tessera_context &program;
  const Slot *tokens, *position, *logits;
  const tessera_entry &entry;
  std::vector<int32_t> text;
  std::vector<float> scores;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_GENERATION_PREDICTMODEL_H
