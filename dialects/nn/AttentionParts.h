//===- AttentionParts.h - Attention to long contexts ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operations that nn-split-attention makes of nn.cached_attention.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_ATTENTIONPARTS_H
#define TESSERA_DIALECTS_NN_ATTENTIONPARTS_H

#include "dialects/nn/NN.h"

#define GET_OP_CLASSES
#include "dialects/nn/AttentionParts.h.inc"

#endif // TESSERA_DIALECTS_NN_ATTENTIONPARTS_H
