//===- Validator.h - The parts of a validation ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_VALIDATION_VALIDATOR_H
#define TESSERA_FRONTENDS_VALIDATION_VALIDATOR_H

#include "frontends/Diagnostics.h"
#include "frontends/Fields.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace tessera {

/// Checks one specification.
class Validator {
public:
  Validator(const spec::Specification &message, bool complete,
            Diagnostics &diagnostics)
      : message(message), complete(complete), diagnostics(diagnostics) {}

  void run();

private:
  /// Checks the numbers of the messages \p groups.
  void checkLimits(llvm::ArrayRef<llvm::StringRef> groups);
  void require(llvm::StringRef path, const llvm::Twine &remedy);
  void checkTransformer();
  void checkDropout(const spec::Transformer &model);
  void checkAttention(const spec::Transformer &model);
  void checkRotary(const spec::Transformer &model);
  void checkFamily(const spec::Transformer &model);
  void checkGnn();
  void checkLayers();
  void checkWidths();
  void checkAudit();
  void checkGeneration();
  void checkStored();
  void checkDocumentAudit();
  void checkDefense(int index);
  void checkShadow();
  void checkHeads();
  void checkBatches();
  void checkSampling();
  void checkFanOut();
  void checkRamp(int64_t unit);
  void checkMemory();
  void checkSchedule();
  void checkPrecision();
  void checkParallel();

  bool given(llvm::StringRef path) const {
    return fieldAt(message, path).given();
  }
  /// Whether all of \p paths are within their own limits, so that relations
  /// between them make sense.
  bool sound(std::initializer_list<llvm::StringRef> paths) const {
    return llvm::all_of(paths, [&](llvm::StringRef path) {
      return given(path) && !llvm::is_contained(refused, path);
    });
  }

  const spec::Specification &message;
  bool complete;
  Diagnostics &diagnostics;
  llvm::SmallVector<std::string> refused;
};

/// The multiples of \p unit next to \p number, which is none: "4 or 8".
std::string getMultiplesNear(int64_t number, int64_t unit);

/// The divisors of \p whole next to \p near, "4 or 8".
std::string getNearestDivisors(int64_t whole, int64_t near);

} // namespace tessera

#endif // TESSERA_FRONTENDS_VALIDATION_VALIDATOR_H
