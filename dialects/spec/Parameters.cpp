//===- Parameters.cpp - Parameters of the attributes ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Parameters.h"

using namespace mlir;
using namespace tessera::spec;

AsmPrinter &tessera::spec::operator<<(AsmPrinter &printer, Real real) {
  printer.printFloat(APFloat(static_cast<double>(real)));
  return printer;
}

AsmPrinter &tessera::spec::operator<<(AsmPrinter &printer,
                                      std::optional<Real> real) {
  return real ? printer << *real : printer;
}

FailureOr<Real> FieldParser<Real>::parse(AsmParser &parser) {
  APFloat value(0.0);
  if (parser.parseFloat(APFloat::IEEEdouble(), value))
    return failure();
  return Real(value.convertToDouble());
}

FailureOr<std::optional<Real>>
FieldParser<std::optional<Real>>::parse(AsmParser &parser) {
  FailureOr<Real> value = FieldParser<Real>::parse(parser);
  if (failed(value))
    return failure();
  return std::optional(*value);
}
