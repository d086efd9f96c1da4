//===- NNOps.td - Operations of the nn dialect -------------*- tablegen -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_NN_NNOPS_TD
#define TESSERA_DIALECTS_NN_NNOPS_TD

include "dialects/nn/AttentionParts.td"
include "dialects/nn/NNCoreOps.td"
include "dialects/nn/NNCompositeOps.td"
include "dialects/nn/NNGenerationOps.td"
include "dialects/nn/NNQuantizedOps.td"
include "dialects/nn/NNTrainingOps.td"
include "dialects/nn/TargetScores.td"

#endif // TESSERA_DIALECTS_NN_NNOPS_TD
