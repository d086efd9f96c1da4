//===- Draws.cpp - Random draws of an audit -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Draws.h"
#include <cmath>

namespace tessera::runtime {

double Draws::laplace(double beta) {
  double centred = uniform() - 0.5;
  return beta * std::copysign(std::log1p(-2 * std::abs(centred)), centred);
}

} // namespace tessera::runtime
