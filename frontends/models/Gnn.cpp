//===- Gnn.cpp - Graph neural networks ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Layers on the graph, with an activation between them, that classify its
// nodes.
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"
#include "dialects/nn/TargetScores.h"
#include "frontends/GraphSettings.h"
#include "frontends/models/Activations.h"
#include "frontends/models/GraphLayers.h"
#include "frontends/models/Models.h"
#include "frontends/models/Norms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "runtime/data/SortRoom.h"
#include "runtime/program/SlotNames.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/StringSaver.h"

using namespace mlir;
using namespace tessera;
namespace slots = runtime::slotNames;

namespace {

/// How many nodes and edges a program's graph has room for, without self-loops.
struct GraphRoom {
  int64_t nodes, edges;
};

/// What a program reads of its graph.
struct GraphReading {
  /// What the first layer reads in place of features and edges, if not these.
  SmallVector<runtime::FeaturePart> parts;
  bool sparseFeatures = false, edges = false;
  /// The nodes that training learns from, where all else depends on no others:
  /// the rows of features; 0: all nodes.
  int64_t learned = 0;
  /// Whether the last layer alone works on these, by edges of its own.
  bool lastLearned = false;
};

class GnnWriter {
public:
  GnnWriter(const Specification &specification, const ModelKinds &kinds,
            ModuleWriter &writer);

  void writeParameters();
  void writeObjective();
  void writeEval();
  void writePredict(StringRef name, GraphRoom room);

private:
  /// Whether a program has memory for what the runtime does with data: a device
  /// that is not the host has it done in the host's memory, and models of an
  /// audit share what they have.
  bool mayHaveRoom() const {
    return !specification.message.target().has_cuda() &&
           specification.queries.empty();
  }
  /// What the objective on the whole graph reads.
  GraphReading getLearning() const;
  /// What a function is given beside the graph.
  enum class Beside { Nothing, Targets, TargetsAndScale };
  /// Begins function \p name, whose graph is one of \p room, of which it reads
  /// \p what.
  void begin(StringRef name, GraphRoom room, GraphReading what, Beside beside,
             ArrayRef<Port> outputs);
  /// Begins the objective of a micro-batch of sampled neighbourhoods.
  void beginSampled();
  void begin(StringRef name, ArrayRef<Port> inputs, ArrayRef<Port> outputs);
  /// The argument of the function begun last that is called \p name.
  Value input(StringRef name) const { return arguments.lookup(name); }
  /// The sparse matrix of the inputs \p names of the function begun last, with
  /// entries dropped at \p dropRate where it is run in training. It has \p
  /// columns, and a transpose where \p names name one.
  Value sparse(ArrayRef<slots::Name> names, int64_t columns,
               double dropRate = 0);
  /// The names of the inputs of the block that layer \p layer works on, and
  /// how many columns it has.
  SmallVector<slots::Name, 6> blockNames(int64_t layer);
  int64_t blockColumns(int64_t layer);
  /// Whether the first layer reads features by the edges of a block and for its
  /// targets alone: then nothing reads the block's transpose, as features are
  /// not trained.
  bool sumsFeatures() const {
    return layers.front()->readsByEdges() &&
           sample->nodesWithin(layers.size() - 1) <
               sample->nodesWithin(layers.size());
  }
  /// And where no feature is dropped, a sample's need not be copied: the first
  /// block's columns are all nodes of the graph.
  bool readsWholeFeatures() const {
    return sumsFeatures() && model.dropout() == 0;
  }
  /// [nodes, classes] of the function begun last.
  Value logits();
  /// The same for the seeds of a sampled micro-batch.
  Value sampledLogits();
  /// What layer \p index gives for \p x, with what follows it.
  Value applyLayer(size_t index, Value graph, Value x);
  /// The norm and the activation behind layer \p index, which gives \p x.
  Value applyWhatFollows(size_t index, Value x);
  Value loss(Value logits);

  const Specification &specification;
  const spec::Gnn &model;
  ModuleWriter &writer;
  GraphRoom whole; ///< The specification's graph.
  SmallVector<std::unique_ptr<GraphLayer>> layers;
  SmallVector<std::unique_ptr<Layer>> norms; ///< Of all layers but the last.
  SmallVector<std::string> groups;           ///< Each layer's.
  std::string activation;                    ///< Between layers; may be empty.
  GraphReading all; ///< What programs on all nodes read.
  std::optional<runtime::SampleRoom> sample; ///< Of the objective.
  llvm::BumpPtrAllocator allocator;
  llvm::StringSaver names{allocator};
  /// Of the function begun last.
  llvm::StringMap<Value> arguments;
  GraphReading reading;
};

} // namespace

GnnWriter::GnnWriter(const Specification &specification,
                     const ModelKinds &kinds, ModuleWriter &writer)
    : specification(specification), model(specification.message.gnn()),
      writer(writer), whole{model.nodes(), model.edges()},
      activation(kinds.activation) {
  const spec::Training &training = specification.message.training();
  if (training.has_sampling())
    sample = getSampleRoom(model, training.sampling());
  const GraphLayerKind &kind = getGraphLayers().get(kinds.graphLayer);
  int64_t in = model.features();
  for (int64_t index = 0; index < model.layers(); ++index) {
    bool isLast = index + 1 == model.layers();
    std::string name = (kind.listName + "." + Twine(index)).str();
    int64_t out = isLast                ? model.classes()
                  : model.widths_size() ? model.widths(static_cast<int>(index))
                                        : model.hidden();
    groups.push_back(name);
    GraphLayerPlace place{{name, name}, in, out, &model, isLast};
    layers.push_back(kind.create(place));
    in = kind.getWidth(place);
    if (model.layer_norm() && !isLast)
      norms.push_back(
          getNorms().get("layer_norm")({("norms." + Twine(index)).str(), name},
                                       in, spec::LayerNorm().eps()));
  }
  all.sparseFeatures = model.feature_entries() > 0 && !sample &&
                       layers.front()->takesSparseFeatures();
  // Dropout changes features in each step, and what is sampled changes edges.
  // Sparse features would not stay sparse: what is summed is the first layer's
  // result, which is narrower.
  if (!all.sparseFeatures && !sample && !specification.hasBatchesOfRows &&
      model.dropout() == 0)
    all.parts = layers.front()->partsOfInput();
  all.edges = kind.readsEdges && (all.parts.empty() || layers.size() > 1);
}

GraphReading GnnWriter::getLearning() const {
  GraphReading result = all;
  int64_t learned = model.train_nodes();
  if (specification.hasBatchesOfRows || learned == 0 ||
      learned >= model.nodes())
    return result;
  size_t count = layers.size();
  // A node's bits of dropout are those of its number.
  if (count == 1 && result.sparseFeatures && model.dropout() == 0) {
    // What few nodes make of their neighbours' sparse features is small.
    auto parts = layers.front()->partsOfInput();
    int64_t loops = model.self_loops() ? model.nodes() : 0;
    int64_t dense =
        static_cast<int64_t>(parts.size()) * learned * model.features();
    constexpr int64_t perEntry = 4; // a column and a number, twice
    if (!parts.empty() &&
        dense <= perEntry * (model.feature_entries() + model.edges() + loops)) {
      result.parts = parts;
      result.sparseFeatures = result.edges = false;
    }
  }
  if (!result.edges && !result.sparseFeatures && model.dropout() == 0)
    result.learned = learned;
  if (result.edges && count > 1 && layers.back()->readsByEdges()) {
    result.learned = learned;
    result.lastLearned = true;
    result.edges = count > 2 || result.parts.empty();
  }
  return result;
}

void GnnWriter::writeParameters() {
  for (auto [index, layer] : llvm::enumerate(layers)) {
    layer->declare(writer);
    if (index < norms.size())
      norms[index]->declare(writer);
  }
}

/// Appends inputs \p names: a sparse matrix that has \p room.
static void appendSparse(ModuleWriter &writer, ArrayRef<slots::Name> names,
                         runtime::BlockRoom room, bool filledOnce,
                         SmallVectorImpl<Port> &inputs) {
  for (auto [i, name] : llvm::enumerate(names)) {
    Type type = i % 3 == 2 ? writer.f32({room.entries})
                : i == 0   ? writer.i32({room.rows + 1})
                : i == 3   ? writer.i32({room.columns + 1})
                           : writer.i32({room.entries});
    inputs.push_back({name, type, filledOnce});
  }
}

void GnnWriter::begin(StringRef name, GraphRoom room, GraphReading what,
                      Beside beside, ArrayRef<Port> outputs) {
  reading = std::move(what);
  SmallVector<Port> inputs;
  bool featuresStay = !specification.hasBatchesOfRows;
  int64_t last = reading.learned ? reading.learned : room.nodes;
  int64_t first = reading.lastLearned ? room.nodes : last;
  auto addDense = [&](StringRef name) {
    inputs.push_back(
        {name, writer.f32({first, model.features()}), featuresStay});
  };
  if (reading.sparseFeatures)
    appendSparse(writer, slots::featureNames,
                 {room.nodes, model.features(), model.feature_entries()},
                 featuresStay, inputs);
  else if (reading.parts.empty())
    addDense(slots::features);
  for (runtime::FeaturePart part : reading.parts)
    addDense(names.save(part.name()));
  auto entriesOf = [&](int64_t nodes, int64_t edges) {
    return edges + (model.self_loops() ? nodes : 0);
  };
  int64_t entries = entriesOf(room.nodes, room.edges);
  if (reading.edges)
    appendSparse(writer, slots::edgeNames, {room.nodes, room.nodes, entries},
                 /*filledOnce=*/true, inputs);
  if (reading.lastLearned) {
    appendSparse(writer, slots::lastEdgeNames,
                 {last, room.nodes, entriesOf(last, model.train_edges())},
                 /*filledOnce=*/true, inputs);
    inputs.push_back({slots::nodes, writer.i32({last}), /*filledOnce=*/true,
                      /*onlyIfRead=*/true});
  }
  bool sorts =
      !reading.edges &&
      (reading.lastLearned ||
       llvm::any_of(reading.parts, [](auto part) { return part.hops > 0; }));
  if (sorts && reading.learned && mayHaveRoom())
    inputs.push_back(
        {slots::sortRoom,
         writer.i32({runtime::sortRoomBytes(room.nodes, entries) / 4}),
         /*filledOnce=*/true});
  if (beside != Beside::Nothing)
    inputs.push_back({slots::targets, writer.i32({last})});
  if (beside == Beside::TargetsAndScale)
    inputs.push_back({slots::scale, writer.f32({})});
  begin(name, inputs, outputs);
}

void GnnWriter::begin(StringRef name, ArrayRef<Port> inputs,
                      ArrayRef<Port> outputs) {
  SmallVector<Value> values = writer.begin(name, inputs, outputs);
  arguments.clear();
  for (auto [port, value] : llvm::zip(inputs, values))
    arguments[port.name] = value;
}

SmallVector<slots::Name, 6> GnnWriter::blockNames(int64_t layer) {
  auto result = llvm::to_vector<6>(slots::edgeNames);
  if (layer == 0 && readsWholeFeatures())
    result[1] = slots::source;
  if (layer == 0 && sumsFeatures())
    result.truncate(3);
  for (slots::Name &name : result)
    name = names.save(slots::ofBlock(name, layer)).data();
  return result;
}

int64_t GnnWriter::blockColumns(int64_t layer) {
  return layer == 0 && readsWholeFeatures()
             ? model.nodes()
             : sample->block(layer, model.self_loops()).columns;
}

void GnnWriter::beginSampled() {
  auto hops = static_cast<int64_t>(layers.size());
  auto countOf = [&](int64_t hop) {
    return names.save(slots::countWithin(hop));
  };
  SmallVector<Port> inputs = {
      {slots::features, writer.f32({model.nodes(), model.features()}),
       /*filledOnce=*/true},
      {slots::nodes, writer.i32({sample->nodesWithin(hops)})}};
  inputs.back().counted = countOf(hops);
  for (int64_t layer = 0; layer < hops; ++layer) {
    size_t first = inputs.size();
    SmallVector<slots::Name, 6> block = blockNames(layer);
    appendSparse(writer, block, sample->block(layer, model.self_loops()),
                 /*filledOnce=*/false, inputs);
    for (Port &port : llvm::drop_begin(inputs, first))
      port.onlyIfRead = true;
    // Where the rows of the matrix and of its transpose start.
    inputs[first].counted = countOf(hops - 1 - layer);
    if (block.size() > 3)
      inputs[first + 3].counted = countOf(hops - layer);
  }
  inputs.push_back({slots::targets, writer.i32({sample->nodesWithin(0)})});
  inputs.back().counted = countOf(0);
  inputs.push_back({slots::scale, writer.f32({})});
  for (int64_t hop = 0; hop <= hops; ++hop)
    inputs.push_back({countOf(hop), writer.i32({}), /*filledOnce=*/false,
                      /*onlyIfRead=*/true});
  if (mayHaveRoom()) {
    runtime::SampleForm form{model.self_loops(),
                             model.normalization() == spec::Gnn::SYMMETRIC,
                             std::vector<bool>(layers.size(), true)};
    form.transposed[0] = !sumsFeatures();
    int64_t bytes = runtime::samplingBytes(
        model.nodes(), model.edges(), *sample, sample->nodesWithin(0), form);
    inputs.push_back({slots::sampleRoom, writer.i32({bytes / 4})});
  }
  begin("objective", inputs, {{slots::loss, writer.f32({})}});
}

Value GnnWriter::sparse(ArrayRef<slots::Name> names, int64_t columns,
                        double dropRate) {
  auto lengthOf = [&](StringRef name) {
    return cast<RankedTensorType>(input(name).getType()).getDimSize(0);
  };
  OpBuilder &ops = writer.builder();
  auto type = graph::CSRType::get(ops.getContext(), lengthOf(names[0]) - 1,
                                  columns, lengthOf(names[1]));
  auto arrays =
      llvm::map_to_vector(names, [&](slots::Name name) { return input(name); });
  if (ModuleWriter::Draw drawn = writer.draw(dropRate))
    for (size_t first = 0; first < arrays.size(); first += 3)
      arrays[first + 2] = graph::DropoutOp::create(
          ops, writer.loc(), ops.getF64FloatAttr(dropRate), arrays[first],
          arrays[first + 1], arrays[first + 2], drawn.stream,
          /*transpose=*/first > 0 ? ops.getUnitAttr() : UnitAttr());
  arrays.resize(6);
  return graph::CSROp::create(ops, writer.loc(), type, arrays[0], arrays[1],
                              arrays[2], arrays[3], arrays[4], arrays[5]);
}

Value GnnWriter::applyLayer(size_t index, Value graph, Value x) {
  Value input = x;
  // Of sparse features entries have been dropped.
  if (isa<RankedTensorType>(x.getType()))
    x = writer.dropout(x, model.dropout());
  x = applyWhatFollows(index, layers[index]->apply(writer, graph, x));
  // What the first layer reads is of another kind, if not of another width; the
  // last one gives logits.
  if (!model.residual() || index == 0 || index + 1 == layers.size())
    return x;
  input = takeTargets(writer, graph, input);
  return input.getType() == x.getType() ? writer.add(x, input) : x;
}

Value GnnWriter::applyWhatFollows(size_t index, Value x) {
  if (index + 1 == layers.size())
    return x;
  if (model.layer_norm())
    x = norms[index]->apply(writer, x);
  return activation.empty()
             ? x
             : createActivation(writer.builder(), writer.loc(), activation, x);
}

Value GnnWriter::logits() {
  Value edges;
  if (reading.edges) {
    auto starts = cast<RankedTensorType>(input(slots::rowPtr).getType());
    edges = sparse(slots::edgeNames, starts.getDimSize(0) - 1);
  }
  Value x;
  size_t index = 0;
  if (!reading.parts.empty()) {
    auto values = llvm::map_to_vector(
        reading.parts, [&](auto part) { return input(part.name()); });
    x = applyWhatFollows(index++, layers.front()->applyToParts(writer, values));
  } else if (reading.sparseFeatures) {
    x = sparse(slots::featureNames, model.features(), model.dropout());
  } else {
    x = input(slots::features);
  }
  size_t whole = layers.size() - reading.lastLearned;
  for (; index < whole; ++index)
    x = applyLayer(index, edges, x);
  if (reading.lastLearned) {
    writer.setTargetNodes(input(slots::nodes));
    x = applyLayer(index, sparse(slots::lastEdgeNames, model.nodes()), x);
    writer.setTargetNodes({});
  }
  return x;
}

Value GnnWriter::sampledLogits() {
  Value nodes = input(slots::nodes);
  size_t hops = layers.size();
  Value x = input(slots::features);
  auto gather = [&](int64_t hop) {
    int64_t count = sample->nodesWithin(hop);
    return nn::GatherOp::create(writer.builder(), writer.loc(),
                                writer.f32({count, model.features()}), x,
                                writer.takeRows(nodes, count));
  };
  if (readsWholeFeatures())
    writer.setTargets(x, gather(hops - 1));
  else
    x = gather(hops);
  for (size_t index = 0; index < hops; ++index) {
    // A node's bits of dropout are the same in each micro-batch that has it.
    writer.setSamples(
        writer.takeRows(nodes, sample->nodesWithin(hops - index)));
    auto layer = static_cast<int64_t>(index);
    x = applyLayer(index, sparse(blockNames(layer), blockColumns(layer)), x);
  }
  return x;
}

Value GnnWriter::loss(Value logits) {
  return nn::CrossEntropyOp::create(writer.builder(), writer.loc(), logits,
                                    input(slots::targets), input(slots::scale));
}

void GnnWriter::writeObjective() {
  if (sample)
    beginSampled();
  else
    begin("objective", whole, getLearning(), Beside::TargetsAndScale,
          {{slots::loss, writer.f32({})}});
  writer.beginDropout(specification.hasBatchesOfRows ? whole.nodes : 0);
  ArrayRef<std::string> penalised(groups);
  if (model.l2_layers())
    penalised = penalised.take_front(model.l2_layers());
  Value scores = sample ? sampledLogits() : logits();
  writer.end(writer.addPenalty(loss(scores), specification, penalised));
}

void GnnWriter::writeEval() {
  RankedTensorType perNode = writer.f32({whole.nodes});
  begin("eval", whole, all, Beside::Targets,
        {{slots::logProbability, perNode}, {slots::correct, perNode}});
  // The models of an audit are trained by no run of their own.
  if (specification.queries.empty() && !specification.hasBatchesOfRows)
    writer.runWhileTraining();
  writer.end(nn::TargetScoresOp::create(writer.builder(), writer.loc(), perNode,
                                        perNode, logits(),
                                        input(slots::targets))
                 .getResults());
}

void GnnWriter::writePredict(StringRef name, GraphRoom room) {
  begin(name, room, all, Beside::Nothing,
        {{slots::logits, writer.f32({room.nodes, model.classes()})}});
  writer.end(logits());
}

void tessera::writeGnn(const Specification &specification,
                       const ModelKinds &kinds, ModuleWriter &writer) {
  GnnWriter gnn(specification, kinds, writer);
  gnn.writeParameters();
  gnn.writeObjective();
  gnn.writeEval();
  const spec::Gnn &model = specification.message.gnn();
  gnn.writePredict("predict", {model.nodes(), model.edges()});
  for (const GraphQuery &query : specification.queries)
    gnn.writePredict(query.name, {query.nodes, query.edges});
}
