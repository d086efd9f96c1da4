//===- WhileTraining.h - Programs that are run between steps ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_WHILETRAINING_H
#define TESSERA_DIALECTS_NN_WHILETRAINING_H

#include "llvm/ADT/StringRef.h"

namespace tessera {

/// Of a program, a unit: the ranks that train run what it computes, too,
/// between steps and of their parts of the parameters (zero-partition).
inline constexpr llvm::StringLiteral whileTrainingAttrName =
    "nn.while_training";

} // namespace tessera

#endif // TESSERA_DIALECTS_NN_WHILETRAINING_H
