//===- Transformer.cpp - Modules of decoder-only Transformers -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The model, x being [tokens, hidden] (Radford et al. 2019 for GPT-2,
// BigScience 2022, arXiv 2211.05100, for BLOOM):
//
//   x = embedding[tokens] (+ position table) (layer-normed)
//   for each layer:  x = x + projection(attention(qkv(norm(x))))
//                    x = x + down(gelu(up(norm(x))))
//   logits = norm(x) . headᵀ, the head being the embedding where tied
//
//===----------------------------------------------------------------------===//

#include "frontends/ModuleWriter.h"
#include "runtime/program/SlotNames.h"

#include <cmath>

using namespace mlir;
using namespace tessera;
namespace slots = runtime::slotNames;

namespace {

/// Names and layout of the weights in files.
struct Names {
  const char *tokens;
  const char *positions;
  const char *embeddingNorm;
  const char *attentionNorm;
  const char *qkv;
  const char *projection;
  const char *feedForwardNorm;
  const char *up;
  const char *down;
  WeightLayout layout;
  nn::QKVLayout qkvLayout;
};

const Names bloomNames = {
    "word_embeddings",
    /*positions=*/nullptr,  "word_embeddings_layernorm",
    "input_layernorm",      "self_attention.query_key_value",
    "self_attention.dense", "post_attention_layernorm",
    "mlp.dense_h_to_4h",    "mlp.dense_4h_to_h",
    WeightLayout::OutIn,    nn::QKVLayout::Interleaved};

const Names gpt2Names = {"wte",
                         "wpe",
                         /*embeddingNorm=*/nullptr,
                         "ln_1",
                         "attn.c_attn",
                         "attn.c_proj",
                         "ln_2",
                         "mlp.c_fc",
                         "mlp.c_proj",
                         WeightLayout::InOut,
                         nn::QKVLayout::Blocked};

class TransformerWriter {
public:
  TransformerWriter(const Specification &specification, ModuleWriter &writer)
      : specification(specification),
        model(specification.message.transformer()),
        names(model.names() == spec::Transformer::BLOOM ? bloomNames
                                                        : gpt2Names),
        writer(writer) {}

  void writeParameters();
  void writeObjective();
  void writePredict();

private:
  void linearParameters(const std::string &name, int64_t out, int64_t in,
                        double std, const std::string &group);
  void normParameters(const std::string &name, const std::string &group);
  /// The last layer norm's result, [batch * T, hidden], for \p tokens
  /// [batch, T].
  Value hiddenStates(Value tokens);
  Value layer(Value x, int64_t index, int64_t batch);
  /// The scores of all tokens for each row of \p x: [rows, vocabulary].
  Value logits(Value x);
  bool learnedPositions() const {
    return model.positions() == spec::Transformer::LEARNED;
  }
  static std::string layerName(int64_t index) {
    return "h." + std::to_string(index);
  }

  const Specification &specification;
  const spec::Transformer &model;
  const Names &names;
  ModuleWriter &writer;
};

} // namespace

void TransformerWriter::linearParameters(const std::string &name, int64_t out,
                                         int64_t in, double std,
                                         const std::string &group) {
  SmallVector<int64_t> shape = {out, in};
  if (names.layout == WeightLayout::InOut)
    std::swap(shape[0], shape[1]);
  writer.parameter(name + ".weight", shape, Initializer::normal(std), group);
  if (model.biases())
    writer.parameter(name + ".bias", {out}, Initializer::constant(0), group);
}

void TransformerWriter::normParameters(const std::string &name,
                                       const std::string &group) {
  writer.parameter(name + ".weight", {model.hidden()}, Initializer::constant(1),
                   group);
  writer.parameter(name + ".bias", {model.hidden()}, Initializer::constant(0),
                   group);
}

void TransformerWriter::writeParameters() {
  int64_t hidden = model.hidden(), wide = model.feed_forward();
  double std = model.initialization().std();
  double residual = model.initialization().scaled_residual()
                        ? std / std::sqrt(2.0 * model.layers())
                        : std;

  const std::string first = "embeddings";
  writer.parameter(std::string(names.tokens) + ".weight",
                   {model.vocabulary(), hidden}, Initializer::normal(std),
                   first);
  if (learnedPositions())
    writer.parameter(std::string(names.positions) + ".weight",
                     {model.position_capacity(), hidden},
                     Initializer::normal(std), first);
  if (model.embedding_norm())
    normParameters(names.embeddingNorm, first);

  for (int64_t index = 0; index < model.layers(); ++index) {
    std::string group = layerName(index), prefix = group + ".";
    normParameters(prefix + names.attentionNorm, group);
    linearParameters(prefix + names.qkv, 3 * hidden, hidden, std, group);
    linearParameters(prefix + names.projection, hidden, hidden, residual,
                     group);
    normParameters(prefix + names.feedForwardNorm, group);
    linearParameters(prefix + names.up, wide, hidden, std, group);
    linearParameters(prefix + names.down, hidden, wide, residual, group);
  }

  normParameters("ln_f", "final");
  if (!model.tied_embeddings())
    writer.parameter("lm_head.weight", {model.vocabulary(), hidden},
                     Initializer::normal(std), "final");
}

Value TransformerWriter::layer(Value x, int64_t index, int64_t batch) {
  OpBuilder &ops = writer.builder();
  std::string prefix = layerName(index) + ".";
  double eps = model.layer_norm().eps();
  bool biases = model.biases();
  int64_t rows = batch * model.sequence_length();

  Value qkv =
      writer.linear(writer.layerNorm(x, prefix + names.attentionNorm, eps),
                    prefix + names.qkv, names.layout, biases);
  Value attended =
      nn::AttentionOp::create(
          ops, writer.loc(), writer.f32({rows, model.hidden()}),
          writer.f32({batch * model.heads(), model.sequence_length()}), qkv,
          batch, model.heads(), names.qkvLayout, /*causal=*/true,
          /*alibi=*/!learnedPositions(),
          APFloat(1.0 /
                  std::sqrt(static_cast<double>(specification.headDim()))))
          .getResult();
  x = writer.add(x, writer.linear(attended, prefix + names.projection,
                                  names.layout, biases));

  Value wide =
      writer.linear(writer.layerNorm(x, prefix + names.feedForwardNorm, eps),
                    prefix + names.up, names.layout, biases);
  wide = nn::GeluOp::create(ops, writer.loc(), wide);
  return writer.add(
      x, writer.linear(wide, prefix + names.down, names.layout, biases));
}

Value TransformerWriter::hiddenStates(Value tokens) {
  OpBuilder &ops = writer.builder();
  int64_t batch = cast<RankedTensorType>(tokens.getType()).getDimSize(0);
  int64_t length = model.sequence_length(), hidden = model.hidden();
  int64_t rows = batch * length;

  Value x =
      nn::GatherOp::create(ops, writer.loc(), writer.f32({rows, hidden}),
                           writer.use(std::string(names.tokens) + ".weight"),
                           writer.reshape(tokens, {rows}));
  if (learnedPositions()) {
    Value table = writer.use(std::string(names.positions) + ".weight");
    if (model.position_capacity() != length)
      table = nn::SliceOp::create(ops, writer.loc(),
                                  writer.f32({length, hidden}), table,
                                  /*offset=*/0);
    Value each = nn::createBroadcast(ops, writer.loc(), table,
                                     {batch, length, hidden}, {1, 2});
    x = writer.add(x, writer.reshape(each, {rows, hidden}));
  }
  double eps = model.layer_norm().eps();
  if (model.embedding_norm())
    x = writer.layerNorm(x, names.embeddingNorm, eps);
  for (int64_t index = 0; index < model.layers(); ++index)
    x = layer(x, index, batch);
  return writer.layerNorm(x, "ln_f", eps);
}

Value TransformerWriter::logits(Value x) {
  int64_t rows = cast<RankedTensorType>(x.getType()).getDimSize(0);
  Value head =
      writer.use(model.tied_embeddings() ? std::string(names.tokens) + ".weight"
                                         : "lm_head.weight");
  return nn::MatmulOp::create(writer.builder(), writer.loc(),
                              writer.f32({rows, model.vocabulary()}), x, head,
                              /*transpose_a=*/false, /*transpose_b=*/true);
}

void TransformerWriter::writeObjective() {
  int64_t batch = specification.message.training().micro_batch();
  int64_t length = model.sequence_length();
  SmallVector<Value> arguments =
      writer.begin("objective",
                   {{slots::tokens, writer.i32({batch, length})},
                    {slots::targets, writer.i32({batch, length})},
                    {slots::scale, writer.f32({})}},
                   {{slots::loss, writer.f32({})}});
  Value scores = logits(hiddenStates(arguments[0]));
  Value loss = nn::CrossEntropyOp::create(
      writer.builder(), writer.loc(), scores,
      writer.reshape(arguments[1], {batch * length}), arguments[2]);
  writer.end(writer.addPenalty(loss, specification));
}

void TransformerWriter::writePredict() {
  OpBuilder &ops = writer.builder();
  int64_t length = model.sequence_length(), vocabulary = model.vocabulary();
  SmallVector<Value> arguments =
      writer.begin("predict",
                   {{slots::tokens, writer.i32({1, length})},
                    {slots::position, writer.i32({1})}},
                   {{slots::logits, writer.f32({vocabulary})}});
  Value x = hiddenStates(arguments[0]);
  Value row = nn::GatherOp::create(
      ops, writer.loc(), writer.f32({1, model.hidden()}), x, arguments[1]);
  writer.end(writer.reshape(logits(row), {vocabulary}));
}

void tessera::writeTransformer(const Specification &specification,
                               ModuleWriter &writer) {
  TransformerWriter transformer(specification, writer);
  transformer.writeParameters();
  transformer.writeObjective();
  transformer.writePredict();
}
