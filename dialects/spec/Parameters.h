//===- Parameters.h - Parameters of the attributes --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_SPEC_PARAMETERS_H
#define TESSERA_DIALECTS_SPEC_PARAMETERS_H

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/bit.h"

namespace tessera::spec {

/// A floating-point number as a parameter of an attribute: compared by its
/// bits, and printed so that it reads back to the same ones.
class Real {
public:
  Real() = default;
  explicit Real(double value) : value(value) {}
  operator double() const { return value; }

  friend bool operator==(Real a, Real b) { return a.bits() == b.bits(); }
  friend llvm::hash_code hash_value(Real real) {
    return llvm::hash_value(real.bits());
  }

private:
  uint64_t bits() const { return llvm::bit_cast<uint64_t>(value); }

  double value = 0;
};

/// What stands for a whole number that must be given and is not.
inline constexpr int64_t missingValue = INT64_MIN;

mlir::AsmPrinter &operator<<(mlir::AsmPrinter &printer, Real real);
mlir::AsmPrinter &operator<<(mlir::AsmPrinter &printer,
                             std::optional<Real> real);

} // namespace tessera::spec

template <> struct mlir::FieldParser<tessera::spec::Real> {
  static FailureOr<tessera::spec::Real> parse(AsmParser &parser);
};

template <> struct mlir::FieldParser<std::optional<tessera::spec::Real>> {
  static FailureOr<std::optional<tessera::spec::Real>> parse(AsmParser &parser);
};

#endif // TESSERA_DIALECTS_SPEC_PARAMETERS_H
