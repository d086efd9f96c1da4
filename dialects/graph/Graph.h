//===- Graph.h - The graph dialect ------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_GRAPH_GRAPH_H
#define TESSERA_DIALECTS_GRAPH_GRAPH_H

#include "dialects/nn/NN.h"

#include "dialects/graph/GraphDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/graph/GraphTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/graph/GraphOps.h.inc"

#endif // TESSERA_DIALECTS_GRAPH_GRAPH_H
