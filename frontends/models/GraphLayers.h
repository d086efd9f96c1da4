//===- GraphLayers.h - The layers of graph neural networks ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_GRAPHLAYERS_H
#define TESSERA_FRONTENDS_MODELS_GRAPHLAYERS_H

#include "frontends/models/Layer.h"
#include "frontends/models/Registry.h"

#include <functional>

namespace tessera {

/// A layer on a graph's nodes: x, [nodes, in], to [nodes, out].
class GraphLayer {
public:
  virtual ~GraphLayer() = default;

  /// Declares the parameters, in the order of the model.
  virtual void declare(ModuleWriter &writer) const = 0;

  /// Whether it reads the graph's edges.
  virtual bool readsEdges() const { return true; }

  /// Whether x may be sparse: where the layer only applies Linear to it.
  virtual bool takesSparseFeatures() const { return false; }

  /// Writes the forward pass; \p graph is of type graph.csr, or null where no
  /// layer of the model reads edges. \p x is of type graph.csr, too, where it
  /// is sparse.
  virtual mlir::Value apply(ModuleWriter &writer, mlir::Value graph,
                            mlir::Value x) const = 0;
};

/// Makes a layer from \p in to \p out features.
using GraphLayerFactory = std::function<std::unique_ptr<GraphLayer>(
    LayerName name, int64_t in, int64_t out)>;

/// A kind of layers.
struct GraphLayerKind {
  GraphLayerFactory create;
  /// What files call a model's list of them: "convs" makes "convs.0".
  llvm::StringLiteral listName = "convs";
};

/// All layers on graphs: "gcn", "mlp".
Registry<GraphLayerKind> &getGraphLayers();

/// The layer of Kipf and Welling (arXiv 1609.02907), equation 2: A (x Wᵀ) + b,
/// A being the weighted adjacency.
std::unique_ptr<GraphLayer> createGcnLayer(LayerName name, int64_t in,
                                           int64_t out);

/// A linear layer on each node alone, with the names and the initialisation of
/// PyTorch Geometric's MLP without norms.
std::unique_ptr<GraphLayer> createMlpLayer(LayerName name, int64_t in,
                                           int64_t out);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_GRAPHLAYERS_H
