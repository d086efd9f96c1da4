//===- Figures.h - Numbers as a reader wants them ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_FIGURES_H
#define TESSERA_REPORT_FIGURES_H

#include "mlir/Support/LLVM.h"
#include <string>

namespace tessera {

/// 1234567 as "1,234,567".
std::string groupDigits(int64_t number);

/// "3.31 MB": three digits and a decimal prefix.
std::string formatBytes(double bytes);

/// "93.2 Gflop", "68.0 GB/s": three digits and a decimal prefix before \p unit.
std::string formatDecimal(double number, llvm::StringRef unit);

/// "45.6 us", "12.3 ms", "1.20 s", "2.50 min", "36.6 h".
std::string formatSeconds(double seconds);

/// printf's %.<digits>f.
std::string formatFixed(double number, int digits);

} // namespace tessera

#endif // TESSERA_REPORT_FIGURES_H
