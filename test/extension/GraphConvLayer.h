//===- GraphConvLayer.h - A layer on graphs from outside --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_GRAPHCONVLAYER_H
#define TESSERA_TEST_EXTENSION_GRAPHCONVLAYER_H

#include "frontends/models/GraphLayers.h"

namespace tessera::extension {

/// The weighted sum of the neighbours and the node itself, each with a weight
/// of its own (Morris et al., arXiv 1810.02244, equation 5): (A x) W_relᵀ + b +
/// x W_rootᵀ, as PyTorch Geometric's GraphConv names them.
std::unique_ptr<GraphLayer> createGraphConvLayer(const GraphLayerPlace &place);

} // namespace tessera::extension

#endif // TESSERA_TEST_EXTENSION_GRAPHCONVLAYER_H
