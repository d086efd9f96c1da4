//===- GraphLayers.cpp - The layers of graph neural networks --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/GraphLayers.h"

using namespace tessera;

Registry<GraphLayerKind> &tessera::getGraphLayers() {
  static Registry<GraphLayerKind> layers = {{"gcn", {createGcnLayer}},
                                            {"mlp", {createMlpLayer, "lins"}}};
  return layers;
}
