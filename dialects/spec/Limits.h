//===- Limits.h - What numbers of a specification may be --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_SPEC_LIMITS_H
#define TESSERA_DIALECTS_SPEC_LIMITS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace tessera::spec {

/// What one numeric field of a specification may be.
struct Limit {
  enum class Need { Optional, Required };
  enum class Low { Closed, Open };

  /// As frontends/spec.proto has it: "training.optimizer.lr".
  llvm::StringLiteral path;
  Need need;
  double low;
  Low lowEnd;
  double high;

  /// False for a NaN.
  bool allows(double value) const;
  /// "give a whole number from 1 to 65536"; \p isWhole: the field takes no
  /// other numbers.
  std::string getRemedy(bool isWhole) const;
};

/// The limits of all numeric fields, in the order of their messages.
llvm::ArrayRef<Limit> getLimits();

/// The limit of the field \p path, which must have one.
const Limit &getLimit(llvm::StringRef path);

/// \p value as a person writes it: "1048576", "1e-05".
std::string getNumberText(double value);

} // namespace tessera::spec

#endif // TESSERA_DIALECTS_SPEC_LIMITS_H
