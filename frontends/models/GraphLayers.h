//===- GraphLayers.h - The layers of graph neural networks ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_MODELS_GRAPHLAYERS_H
#define TESSERA_FRONTENDS_MODELS_GRAPHLAYERS_H

#include "frontends/models/Linear.h"
#include "frontends/models/Registry.h"
#include "runtime/data/FeaturePart.h"

#include <functional>

namespace tessera {

/// A layer on a graph's nodes: x, [nodes, in], to [nodes, out]. On a sampled
/// block, whose edges lead from more nodes to the first of them, from [columns,
/// in] to [rows, out].
class GraphLayer {
public:
  virtual ~GraphLayer() = default;

  /// Declares the parameters, in the order of the model.
  virtual void declare(ModuleWriter &writer) const = 0;

  /// What it reads of x and of edges where parameters meet no edge: x, its
  /// neighbours' sums, or both. None where they do, or edges are not read.
  /// Before a first layer nothing is trained, so that the runtime makes these
  /// once, when it reads the data, and a step reads no edges for that layer.
  virtual mlir::SmallVector<runtime::FeaturePart> partsOfInput() const {
    return {};
  }

  /// Writes the forward pass from \p parts, [nodes, in] each, which are those
  /// of partsOfInput(); called where there are some.
  virtual mlir::Value applyToParts(ModuleWriter &writer,
                                   mlir::ValueRange parts) const;

  /// Whether x may be sparse: where the layer only applies Linear to it.
  virtual bool takesSparseFeatures() const { return false; }

  /// Whether over a block (isBlock) it reads x by edges and takeTargets alone,
  /// so that x may have rows of other nodes than the block's.
  virtual bool readsByEdges() const { return false; }

  /// Writes the forward pass; \p graph is of type graph.csr, or null where no
  /// layer of the model reads edges. \p x is of type graph.csr, too, where it
  /// is sparse.
  virtual mlir::Value apply(ModuleWriter &writer, mlir::Value graph,
                            mlir::Value x) const = 0;
};

/// Where a layer stands in a model: from `in` to `out` features, which are
/// those of each head where a layer has several.
struct GraphLayerPlace {
  LayerName name;
  int64_t in, out;
  const spec::Gnn *model;
  bool isLast;
};

using GraphLayerFactory =
    std::function<std::unique_ptr<GraphLayer>(const GraphLayerPlace &place)>;

/// A kind of layers.
struct GraphLayerKind {
  GraphLayerFactory create;
  /// What files call a model's list of them: "convs" makes "convs.0".
  llvm::StringLiteral listName = "convs";
  /// The features that a layer gives.
  int64_t (*getWidth)(const GraphLayerPlace &place) =
      [](const GraphLayerPlace &place) { return place.out; };
  bool readsEdges = true;
};

/// All layers on graphs: "gat", "gcn", "gin", "mlp", "sage", "sgc".
Registry<GraphLayerKind> &getGraphLayers();

/// The layer of Kipf and Welling (arXiv 1609.02907), equation 2: A (x Wᵀ) + b,
/// A being the weighted adjacency.
std::unique_ptr<GraphLayer> createGcnLayer(const GraphLayerPlace &place);

/// Graph attention (Veličković et al., arXiv 1710.10903): see graph.attention.
/// The last layer's heads are averaged, the others' stand side by side unless
/// the model says otherwise. Weights of edges are not read.
std::unique_ptr<GraphLayer> createGatLayer(const GraphLayerPlace &place);
int64_t getGatWidth(const GraphLayerPlace &place);

/// Hamilton, Ying and Leskovec (arXiv 1706.02216): lin_l of the neighbours'
/// mean, sum or maximum, with a bias, plus lin_r of the node itself.
std::unique_ptr<GraphLayer> createSageLayer(const GraphLayerPlace &place);

/// Wu et al. (arXiv 1902.07153), equation 8: A^hops x Wᵀ + b.
std::unique_ptr<GraphLayer> createSgcLayer(const GraphLayerPlace &place);

/// Xu et al. (arXiv 1810.00826), equation 4.1: an MLP of two linear layers, the
/// model's activation between them, of (1 + eps) x plus the neighbours' sum.
std::unique_ptr<GraphLayer> createGinLayer(const GraphLayerPlace &place);

/// A linear layer on each node alone, with the names and the initialisation of
/// PyTorch Geometric's MLP without norms.
std::unique_ptr<GraphLayer> createMlpLayer(const GraphLayerPlace &place);

/// The sum of the neighbours' rows, by the weights of \p graph.
mlir::Value sumNeighbors(ModuleWriter &writer, mlir::Value graph,
                         mlir::Value rows);

/// Whether \p graph, which may be null, leads from many nodes to fewer, as the
/// blocks of sampled neighbourhoods do.
bool isBlock(mlir::Value graph);

/// Those of \p rows, one for each node where edges of \p graph begin, that are
/// of nodes where they end: those that the writer has been given for them, or
/// of the nodes that it has, or all, or a block's first. \p rows may be sparse
/// where they are all.
mlir::Value takeTargets(ModuleWriter &writer, mlir::Value graph,
                        mlir::Value rows);

/// \p linear of those of \p x, as takeTargets() has them: where they are few,
/// or the product is wider, of these alone.
mlir::Value applyToTargets(ModuleWriter &writer, const Linear &linear,
                           mlir::Value graph, mlir::Value x);

/// Whether sums of neighbours over \p graph are better taken before the product
/// with the weight of \p linear than of it. Over a block, which leaves fewer
/// rows to multiply, that depends on how many they are.
bool sumsFirst(const Linear &linear, mlir::Value graph);

/// \p linear of \p sum of \p x, \p sum being a linear map of rows alone: where
/// x is sparse, or sumsFirst() is false, the sum is of the product.
mlir::Value applyToSums(ModuleWriter &writer, const Linear &linear,
                        mlir::Value graph, mlir::Value x,
                        llvm::function_ref<mlir::Value(mlir::Value rows)> sum);

} // namespace tessera

#endif // TESSERA_FRONTENDS_MODELS_GRAPHLAYERS_H
