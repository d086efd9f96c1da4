//===- Model.cpp - What a model may be ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Limits.h"
#include "frontends/GraphSettings.h"
#include "frontends/models/Families.h"
#include "frontends/models/GraphLayers.h"
#include "frontends/models/Kinds.h"
#include "frontends/validation/Validation.h"
#include "frontends/validation/Validator.h"

#include <limits>

using namespace tessera;

void Validator::checkTransformer() {
  require("transformer.names",
          "give one of names: BLOOM, GPT2, LLAMA, MISTRAL, QWEN2 and QWEN3");
  checkLimits({"transformer"});
  require("transformer.positions", "give positions: ALIBI, LEARNED or ROTARY");
  const spec::Transformer &model = message.transformer();
  checkAttention(model);
  if (given("transformer.positions"))
    checkRotary(model);
  checkDropout(model);
  bool learned = model.positions() == spec::Transformer::LEARNED;
  if (given("transformer.position_capacity") &&
      given("transformer.positions")) {
    if (model.positions() == spec::Transformer::ALIBI)
      diagnostics.error("transformer.position_capacity",
                        "`transformer.position_capacity` is for learned and "
                        "rotary positions",
                        "remove it, or give positions: LEARNED or ROTARY");
    else if (learned &&
             sound({"transformer.position_capacity",
                    "transformer.sequence_length"}) &&
             model.position_capacity() < model.sequence_length())
      diagnostics.error("transformer.position_capacity",
                        "`transformer.position_capacity` (" +
                            llvm::Twine(model.position_capacity()) +
                            ") is below `transformer.sequence_length` (" +
                            llvm::Twine(model.sequence_length()) + ")",
                        "give at least the sequence length");
  }
  if (given("transformer.names"))
    checkFamily(model);
}

/// Whether counters of 32 bits number the elements of \p rows rows, four at a
/// time: see nn.random_bits.
static bool isCounted(int64_t rows, int64_t columns) {
  return (columns + 3) / 4 <= (int64_t(1) << 32) / rows;
}

void Validator::checkDropout(const spec::Transformer &model) {
  if (!sound({"transformer.sequence_length", "transformer.hidden",
              "transformer.heads"}))
    return;
  int64_t length = model.sequence_length();
  if (sound({"transformer.hidden_dropout"}) && model.hidden_dropout() != 0 &&
      !isCounted(length, model.hidden()))
    diagnostics.error("transformer.hidden_dropout",
                      "dropout has room for 2^34 elements of a sample",
                      "take a shorter `transformer.sequence_length`");
  if (!sound({"transformer.attention_dropout"}) ||
      model.attention_dropout() == 0)
    return;
  if (!isCounted(length, length))
    diagnostics.error("transformer.attention_dropout",
                      "dropout has room for sequences of 131072 tokens",
                      "take a shorter `transformer.sequence_length`");
  if (model.heads() > 1 << 16)
    diagnostics.error("transformer.attention_dropout",
                      "dropout has room for 65536 heads",
                      "take fewer `transformer.heads`");
}

void Validator::checkGeneration() {
  if (message.has_gnn())
    return diagnostics.error("generation",
                             "`generation` is for a Transformer, which "
                             "generates texts",
                             "remove it");
  checkLimits({"generation"});
  checkStored();
  const spec::Transformer &model = message.transformer();
  int64_t table = given("transformer.position_capacity")
                      ? model.position_capacity()
                      : model.sequence_length();
  if (sound({"generation.context", "transformer.sequence_length"}) &&
      model.positions() == spec::Transformer::ROTARY &&
      model.rotary().scaling() == spec::Rotary::DYNAMIC &&
      std::max(message.generation().context(), model.sequence_length()) > table)
    diagnostics.error(
        "generation.context",
        "with `scaling: DYNAMIC` angles depend on a text's length "
        "beyond " +
            llvm::Twine(table) +
            " tokens, and keys that are kept would go stale",
        "give at most `transformer.position_capacity` for it and "
        "for `transformer.sequence_length`");
  if (sound({"generation.context", "transformer.sequence_length"}) &&
      model.positions() == spec::Transformer::LEARNED &&
      message.generation().context() > table)
    diagnostics.error("generation.context",
                      "`generation.context` is " +
                          llvm::Twine(message.generation().context()) +
                          ", but the table of positions has " +
                          llvm::Twine(table) + " rows",
                      "give at most as many");
}

void Validator::checkStored() {
  if (!message.target().has_cuda())
    return;
  const spec::Generation &generation = message.generation();
  for (auto [path, stored] :
       {std::pair("generation.weights", generation.weights()),
        std::pair("generation.embedding", generation.embedding()),
        std::pair("generation.kv", generation.kv())})
    if (stored == spec::Generation::INT8)
      diagnostics.error(path, "`" + llvm::Twine(path) + ": INT8` is for CPUs",
                        "remove it, or give target { cpu { } }");
}

void tessera::checkEdges(const spec::Gnn &model, Diagnostics &diagnostics) {
  if (model.edges() == 0 && !addsSelfLoops(model) &&
      getGraphLayers().get(layerOf(model)).readsEdges)
    diagnostics.error(model.has_graph() ? "gnn.graph" : "gnn.edges",
                      "the graph has no edges and gets no self-loops",
                      "give self_loops: true, or a graph with edges");
}

void Validator::checkWidths() {
  const spec::Gnn &model = message.gnn();
  if (given("gnn.hidden"))
    diagnostics.error("gnn.hidden",
                      "`gnn.hidden` and `gnn.widths` both say how wide layers "
                      "are",
                      "remove one of them");
  if (sound({"gnn.layers"}) && model.widths_size() != model.layers() - 1)
    diagnostics.error("gnn.widths[0]",
                      "`gnn.widths` has " + llvm::Twine(model.widths_size()) +
                          " numbers for " + llvm::Twine(model.layers()) +
                          " layers",
                      "give a width for each layer but the last");
  const spec::Limit &limit = spec::getLimit("gnn.hidden");
  for (int i = 0; i < model.widths_size(); ++i)
    if (!limit.allows(static_cast<double>(model.widths(i))))
      return diagnostics.error("gnn.widths[0]",
                               "`gnn.widths` cannot have " +
                                   llvm::Twine(model.widths(i)),
                               limit.getRemedy(/*isWhole=*/true));
}

void Validator::checkLayers() {
  const spec::Gnn &model = message.gnn();
  for (llvm::StringRef path : getFieldsOfLayers())
    if (given(path) && !readsField(model, path))
      diagnostics.error(path,
                        "`" + llvm::Twine(path) + "` is for layers of kind " +
                            getLayersWith(path),
                        "remove it");
  auto keepsWidth = [&] {
    for (int i = 1; i < model.widths_size(); ++i)
      if (model.widths(i) == model.widths(i - 1))
        return true;
    return model.widths_size() == 0 && model.layers() > 2;
  };
  if (model.residual() && sound({"gnn.layers"}) && !keepsWidth())
    diagnostics.error("gnn.residual",
                      "no layer between the first and the last is as wide as "
                      "its input",
                      "remove it, or give such layers");
  if (!sound({"gnn.layers", "gnn.l2_layers"}) || model.l2_layers() == 0)
    return;
  if (model.l2_layers() > model.layers())
    diagnostics.error("gnn.l2_layers",
                      "`gnn.l2_layers` (" + llvm::Twine(model.l2_layers()) +
                          ") is more than `gnn.layers` (" +
                          llvm::Twine(model.layers()) + ")",
                      "give at most as many");
  if (message.training().l2_penalty() == 0)
    diagnostics.error("gnn.l2_layers", "there is no penalty of these layers",
                      "give training.l2_penalty, or remove it");
}

void Validator::checkHeads() {
  const spec::Gnn &model = message.gnn();
  if (model.layer() != spec::Gnn::GAT) {
    if (sound({"gnn.heads"}) && model.heads() != 1)
      diagnostics.error("gnn.heads", "these layers have no attention heads",
                        "give heads: 1 or leave it out");
    if (sound({"gnn.attention_dropout"}) && model.attention_dropout() != 0)
      diagnostics.error("gnn.attention_dropout",
                        "these layers have no attention",
                        "give attention_dropout: 0 or leave it out");
    return;
  }
  const spec::Limit &limit = spec::getLimit("gnn.hidden");
  auto check = [&](const char *path, int64_t width) {
    if (!limit.allows(static_cast<double>(width)) ||
        limit.allows(static_cast<double>(width * model.heads())))
      return;
    diagnostics.error(path,
                      "layers of " + llvm::Twine(model.heads()) + " heads of " +
                          llvm::Twine(width) + " are too wide",
                      "give heads and a width whose product is at most 131072");
  };
  if (!sound({"gnn.heads"}))
    return;
  if (given("gnn.hidden"))
    check("gnn.hidden", model.hidden());
  for (int64_t width : model.widths())
    check("gnn.widths[0]", width);
}

void Validator::checkGnn() {
  checkLimits({"gnn"});
  const spec::Gnn &model = message.gnn();
  checkLayers();
  if (model.widths_size())
    checkWidths();
  else if (model.layers() > 1)
    require("gnn.hidden", "give the width of the layers between");
  checkHeads();
  bool isSampled = message.training().has_sampling();
  for (llvm::StringRef path :
       {"training.global_batch", "training.micro_batch", "training.batch_ramp",
        "training.schedule.warmup_samples",
        "training.schedule.decay_samples"}) {
    if (!given(path) || (isSampled && path == "training.global_batch"))
      continue;
    const char *remedy =
        !isSampled ? "remove it: each step takes the whole graph"
        : path == "training.micro_batch"
            ? "remove it: a micro-batch is `training.sampling.batch` seeds"
            : "remove it: count in steps of `training.global_batch` seeds";
    diagnostics.error(path, "`" + path + "` is for transformers", remedy);
  }

  for (llvm::StringRef path : {"gnn.train_nodes", "gnn.train_edges"})
    if (given(path) && (isSampled || message.has_audit()))
      diagnostics.error(path,
                        isSampled ? "`" + path +
                                        "` is for steps that take all "
                                        "training nodes"
                                  : "`" + path +
                                        "` is not for audits, which "
                                        "train on all nodes of "
                                        "subgraphs",
                        "remove it");
  static const char *const counts[] = {"gnn.nodes", "gnn.edges", "gnn.features",
                                       "gnn.classes"};
  // A graph file says the counts: see resolveGraph.
  if (given("gnn.graph"))
    return;
  for (const char *path : counts)
    require(path, "give a whole number, or `gnn.graph` with a file that "
                  "says it");
  if (sound({"gnn.nodes", "gnn.edges"}) &&
      model.nodes() + model.edges() > std::numeric_limits<int32_t>::max())
    diagnostics.error("gnn.edges",
                      "the graph has more than 2147483647 nodes and edges",
                      "indices are 32-bit: take a smaller graph");
  if (sound({"gnn.nodes", "gnn.train_nodes"}) &&
      model.train_nodes() > model.nodes())
    diagnostics.error("gnn.train_nodes",
                      "`gnn.train_nodes` is more than `gnn.nodes` (" +
                          llvm::Twine(model.nodes()) + ")",
                      "give no more, or leave it out");
  if (sound({"gnn.edges", "gnn.train_edges"}) &&
      model.train_edges() > model.edges())
    diagnostics.error("gnn.train_edges",
                      "`gnn.train_edges` is more than `gnn.edges` (" +
                          llvm::Twine(model.edges()) + ")",
                      "give no more, or leave it out");
  if (sound({"gnn.edges"}))
    checkEdges(model, diagnostics);
}
