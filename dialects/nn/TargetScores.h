//===- TargetScores.h - How likely targets are ------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operations of programs that evaluate a model.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_TARGETSCORES_H
#define TESSERA_DIALECTS_NN_TARGETSCORES_H

#include "dialects/nn/NN.h"

#define GET_OP_CLASSES
#include "dialects/nn/TargetScores.h.inc"

#endif // TESSERA_DIALECTS_NN_TARGETSCORES_H
