//===- WideResult.h - Results that are not rounded --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_WIDERESULT_H
#define TESSERA_DIALECTS_NN_WIDERESULT_H

#include "llvm/ADT/StringRef.h"

namespace tessera::nn {

/// Of an operation whose operands are rounded to 16 bits, a unit: its result is
/// not (nn-apply-precision).
inline constexpr llvm::StringLiteral wideResultAttrName = "nn.wide_result";

} // namespace tessera::nn

#endif // TESSERA_DIALECTS_NN_WIDERESULT_H
