//===- SageLayer.h - A layer on graphs from outside -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_EXTENSION_SAGELAYER_H
#define TESSERA_TEST_EXTENSION_SAGELAYER_H

#include "frontends/models/GraphLayers.h"

namespace tessera::extension {

/// The mean of the neighbours, with a weight of its own for the node itself
/// (Hamilton et al., arXiv 1706.02216, the mean aggregator, without its
/// normalisation): mean(x) W_lᵀ + b + x W_rᵀ, as PyTorch Geometric's SAGEConv
/// names them. Edges weigh 1 each; a node without any has the mean 0.
std::unique_ptr<GraphLayer> createSageLayer(LayerName name, int64_t in,
                                            int64_t out);

} // namespace tessera::extension

#endif // TESSERA_TEST_EXTENSION_SAGELAYER_H
