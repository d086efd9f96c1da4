//===- GraphLayers.cpp - The layers of graph neural networks --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/GraphLayers.h"

using namespace tessera;

Registry<GraphLayerFactory> &tessera::getGraphLayers() {
  static Registry<GraphLayerFactory> layers = {{"gcn", createGcnLayer}};
  return layers;
}
