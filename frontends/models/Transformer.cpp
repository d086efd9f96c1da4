//===- Transformer.cpp - Decoder-only Transformers ------------------------===//
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
//                    x = x + down(activation(up(norm(x))))
//
// where gated, activation(a) · b in place of the activation, a and b being
// halves of what up gives (LLaMA: Touvron et al. 2023, arXiv 2302.13971;
// Mistral: arXiv 2310.06825; Qwen2 and Qwen3: arXiv 2407.10671 and 2505.09388);
//
//   logits = norm(x) . headᵀ, the head being the embedding where tied
//
// with hidden dropout on what each block adds, and attention dropout on its
// probabilities, where transformers has them: GPT-2's resid_pdrop, embd_pdrop
// (on the sum of the embeddings) and attn_pdrop, BLOOM's hidden_dropout and
// attention_dropout.
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/nn/TargetScores.h"
#include "dialects/nn/WideResult.h"
#include "frontends/models/Families.h"
#include "frontends/models/Models.h"
#include "frontends/models/Norms.h"
#include "frontends/models/Positions.h"
#include "frontends/models/TokenScores.h"
#include "frontends/models/TransformerLayers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "runtime/program/GenerationNames.h"

#include <array>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace tessera;
namespace slots = runtime::slotNames;

namespace {

/// The first group's name, and the last one's; those between are layers.
constexpr StringLiteral firstGroup = "embeddings", lastGroup = "final";

class Transformer {
public:
  Transformer(const Specification &specification, const ModelKinds &kinds);

  void declare(ModuleWriter &writer) const;
  void writeObjective(ModuleWriter &writer) const;
  /// How likely what follows each token is, without dropout.
  void writeEval(ModuleWriter &writer) const;
  void writePredict(ModuleWriter &writer) const;
  /// Tokens of one text, up to the specification's chunk: its next token.
  void writePrefill(ModuleWriter &writer) const;
  /// The next token of each of some texts.
  void writeDecode(ModuleWriter &writer) const;
  /// How likely given tokens are after each of some of a text's.
  void writeCachedScore(ModuleWriter &writer) const;
  /// How likely each token of a text is: see runtime/audit/Documents.h.
  void writeScore(ModuleWriter &writer) const;

private:
  /// The blocks of layer \p index, in order.
  void addBlocks(int64_t index, const ModelKinds &kinds);
  /// Begins the function \p name of tokens and what follows them, with the
  /// input \p more if it is given, and returns its arguments; targets are of
  /// all rows.
  SmallVector<Value> beginTargets(ModuleWriter &writer, StringRef name,
                                  ArrayRef<Port> more,
                                  ArrayRef<Port> outputs) const;
  /// Begins the function \p name of up to \p rows tokens in slots (in
  /// \p oneSlot: see nn.cached_attention), with the inputs that these have and
  /// \p more, and returns its arguments.
  SmallVector<Value> beginCached(ModuleWriter &writer, StringRef name,
                                 int64_t rows, bool oneSlot,
                                 ArrayRef<Port> more,
                                 ArrayRef<Port> outputs) const;
  /// The last norm's result, [batch * T, hidden], for \p tokens [batch, T].
  Value hiddenStates(ModuleWriter &writer, Value tokens) const;
  /// The matrix [vocabulary, hidden] of the logits.
  std::string headName() const;
  /// The scores of all tokens for each row of \p x: [rows, vocabulary].
  Value logits(ModuleWriter &writer, Value x) const;
  /// The same of a program that gives them as numbers: never rounded to the
  /// type that is computed with.
  Value wideLogits(ModuleWriter &writer, Value x) const;
  /// Of each row of \p x the logarithm of the probability of its target, and
  /// the mean and deviation of those of all tokens: [rows] each.
  std::array<Value, 3> likelihoods(ModuleWriter &writer, Value x,
                                   Value targets) const;

  const Specification &specification;
  const spec::Transformer &model;
  const TransformerFamily &family;
  std::unique_ptr<Positions> positions;
  /// What follows the embeddings, in order.
  SmallVector<std::unique_ptr<Layer>> layers;
};

} // namespace

Transformer::Transformer(const Specification &specification,
                         const ModelKinds &kinds)
    : specification(specification), model(specification.message.transformer()),
      family(getFamilies().get(kinds.family)),
      positions(getPositions().get(kinds.positions)(
          {{family.positions.str(), firstGroup.str()},
           model.sequence_length(),
           model.position_capacity(),
           model.hidden(),
           Initializer::normal(model.initialization().std())})) {
  const NormFactory &norm = getNorms().get(kinds.norm);
  double eps = normEpsOf(model);
  if (model.embedding_norm())
    layers.push_back(norm({family.embeddingNorm.str(), firstGroup.str()},
                          model.hidden(), eps));
  for (int64_t index = 0; index < model.layers(); ++index)
    addBlocks(index, kinds);
  layers.push_back(
      norm({family.finalNorm.str(), lastGroup.str()}, model.hidden(), eps));
}

void Transformer::addBlocks(int64_t index, const ModelKinds &kinds) {
  int64_t hidden = model.hidden();
  std::string group = (family.layers + "." + llvm::Twine(index)).str();
  double std = model.initialization().std();
  double residual = model.initialization().scaled_residual()
                        ? std / std::sqrt(2.0 * model.layers())
                        : std;
  auto name = [&](StringRef part) {
    return LayerName{(group + "." + part).str(), group};
  };
  auto norm = [&](StringRef part) {
    return getNorms().get(kinds.norm)(name(part), hidden, normEpsOf(model));
  };
  auto linear = [&](StringRef part, int64_t in, int64_t out, bool hasBias,
                    double std) {
    return Linear(name(part), in, out, family.layout, hasBias,
                  Initializer::normal(std));
  };
  auto parts = [&](ArrayRef<llvm::StringLiteral> names,
                   std::initializer_list<int64_t> rows) {
    std::vector<ParameterPart> result;
    for (auto [part, count] : llvm::zip(names, rows))
      result.push_back({name(part).name, count});
    return result;
  };
  auto add = [&](std::unique_ptr<Layer> norm, std::unique_ptr<Layer> body) {
    layers.push_back(std::make_unique<ResidualBlock>(
        std::move(norm), std::move(body), model.hidden_dropout()));
  };
  int64_t dim = model.head_dim(), queries = dim * model.heads(),
          keys = dim * model.kv_heads();
  std::optional<int64_t> window;
  if (model.has_window() && index >= model.window_from())
    window = model.window();
  std::optional<SelfAttention::HeadNorm> headNorm;
  if (model.head_norm())
    headNorm = {name(family.queryNorm), name(family.keyNorm), normEpsOf(model)};
  add(norm(family.attentionNorm),
      std::make_unique<SelfAttention>(
          SelfAttention::Shape{model.sequence_length(), model.heads(),
                               model.kv_heads(), dim, family.qkvLayout, window,
                               positions->hasAlibi(), positions->rotates(),
                               model.attention_dropout()},
          linear(family.qkv, hidden, queries + 2 * keys, model.qkv_bias(), std)
              .inParts(parts(family.qkvParts, {queries, keys, keys})),
          headNorm,
          linear(family.projection, queries, hidden, model.projection_bias(),
                 residual)));
  int64_t wide = model.feed_forward();
  bool gated = model.gated(), hasBias = model.feed_forward_bias();
  add(norm(family.feedForwardNorm),
      std::make_unique<FeedForward>(
          linear(family.up, hidden, gated ? 2 * wide : wide, hasBias, std)
              .inParts(parts(family.gateParts, {wide, wide})),
          kinds.activation, gated,
          linear(family.down, wide, hidden, hasBias, residual)));
}

void Transformer::declare(ModuleWriter &writer) const {
  Initializer initializer = Initializer::normal(model.initialization().std());
  SmallVector<int64_t> shape = {model.vocabulary(), model.hidden()};
  writer.matrix(MatrixKind::Embedding, family.embedding(), shape, /*inner=*/1,
                initializer, firstGroup);
  positions->declare(writer);
  for (const std::unique_ptr<Layer> &layer : layers)
    layer->declare(writer);
  if (!model.tied_embeddings())
    writer.matrix(MatrixKind::Embedding, headWeightName, shape, /*inner=*/1,
                  initializer, lastGroup);
}

Value Transformer::hiddenStates(ModuleWriter &writer, Value tokens) const {
  Value x = writer.gather(family.embedding(), tokens);
  x = positions->apply(writer, x);
  if (family.dropsEmbeddings)
    x = writer.dropout(x, model.hidden_dropout());
  for (const std::unique_ptr<Layer> &layer : layers)
    x = layer->apply(writer, x);
  return x;
}

std::string Transformer::headName() const {
  return model.tied_embeddings() ? family.embedding() : headWeightName.str();
}

Value Transformer::logits(ModuleWriter &writer, Value x) const {
  return writer.multiply(x, headName(), /*isTransposed=*/true);
}

Value Transformer::wideLogits(ModuleWriter &writer, Value x) const {
  Value scores = logits(writer, x);
  scores.getDefiningOp()->setAttr(nn::wideResultAttrName,
                                  writer.builder().getUnitAttr());
  return scores;
}

SmallVector<Value> Transformer::beginTargets(ModuleWriter &writer,
                                             StringRef name,
                                             ArrayRef<Port> more,
                                             ArrayRef<Port> outputs) const {
  int64_t batch = specification.message.training().micro_batch();
  int64_t length = model.sequence_length();
  SmallVector<Port> inputs = {{slots::tokens, writer.i32({batch, length})},
                              {slots::targets, writer.i32({batch, length})}};
  inputs.append(more.begin(), more.end());
  SmallVector<Value> arguments = writer.begin(name, inputs, outputs);
  arguments[1] = writer.reshape(arguments[1], {batch * length});
  return arguments;
}

void Transformer::writeObjective(ModuleWriter &writer) const {
  SmallVector<Value> arguments =
      beginTargets(writer, "objective", {{slots::scale, writer.f32({})}},
                   {{slots::loss, writer.f32({})}});
  writer.beginDropout(specification.message.training().micro_batch());
  Value scores = logits(writer, hiddenStates(writer, arguments[0]));
  Value loss = nn::CrossEntropyOp::create(writer.builder(), writer.loc(),
                                          scores, arguments[1], arguments[2]);
  writer.end(writer.addPenalty(loss, specification));
}

void Transformer::writeEval(ModuleWriter &writer) const {
  RankedTensorType perRow =
      writer.f32({specification.message.training().micro_batch() *
                  model.sequence_length()});
  SmallVector<Value> arguments =
      beginTargets(writer, "eval", {},
                   {{slots::logProbability, perRow}, {slots::correct, perRow}});
  writer.runWhileTraining();
  Value scores = logits(writer, hiddenStates(writer, arguments[0]));
  writer.end(nn::TargetScoresOp::create(writer.builder(), writer.loc(), perRow,
                                        perRow, scores, arguments[1])
                 .getResults());
}

void Transformer::writePredict(ModuleWriter &writer) const {
  OpBuilder &ops = writer.builder();
  int64_t length = model.sequence_length(), vocabulary = model.vocabulary();
  SmallVector<Value> arguments =
      writer.begin("predict",
                   {{slots::tokens, writer.i32({1, length})},
                    {slots::position, writer.i32({1})}},
                   {{slots::logits, writer.f32({vocabulary})}});
  Value x = hiddenStates(writer, arguments[0]);
  Value row = nn::GatherOp::create(
      ops, writer.loc(), writer.f32({1, model.hidden()}), x, arguments[1]);
  writer.end(writer.reshape(logits(writer, row), {vocabulary}));
}

std::array<Value, 3> Transformer::likelihoods(ModuleWriter &writer, Value x,
                                              Value targets) const {
  OpBuilder &ops = writer.builder();
  Location loc = writer.loc();
  Value scores = logits(writer, x);
  auto type = cast<RankedTensorType>(scores.getType());
  RankedTensorType perRow = writer.f32({type.getDimSize(0)});
  auto reduce = [&](nn::Reduction kind, Value value) -> Value {
    return nn::ReduceOp::create(ops, loc, perRow, kind, value,
                                ArrayRef<int64_t>{1});
  };
  auto spread = [&](Value value) {
    return nn::createBroadcast(ops, loc, value, type.getShape(), {0});
  };
  auto subtract = [&](Value a, Value b) -> Value {
    return arith::SubFOp::create(ops, loc, a, b);
  };
  auto multiply = [&](Value a, Value b) -> Value {
    return arith::MulFOp::create(ops, loc, a, b);
  };
  Value shifted = subtract(scores, spread(reduce(nn::Reduction::Max, scores)));
  Value weight = math::ExpOp::create(ops, loc, shifted);
  Value sum = reduce(nn::Reduction::Sum, weight);
  Value logs = subtract(shifted, spread(math::LogOp::create(ops, loc, sum)));
  // A target's column is compared, so that a row without one finds none.
  Value column = nn::IotaOp::create(ops, loc, writer.i32(type.getShape()), 1);
  Value isTarget = arith::CmpIOp::create(ops, loc, arith::CmpIPredicate::eq,
                                         column, spread(targets));
  Value nothing =
      nn::createSplat(ops, loc, type, -std::numeric_limits<float>::max());
  Value ofTarget =
      reduce(nn::Reduction::Max,
             arith::SelectOp::create(ops, loc, isTarget, logs, nothing));
  auto expected = [&](Value value) -> Value {
    return arith::DivFOp::create(
        ops, loc, reduce(nn::Reduction::Sum, multiply(weight, value)), sum);
  };
  Value mean = expected(logs);
  Value apart = subtract(logs, spread(mean));
  Value deviation =
      math::SqrtOp::create(ops, loc, expected(multiply(apart, apart)));
  return {ofTarget, mean, deviation};
}

void Transformer::writeScore(ModuleWriter &writer) const {
  OpBuilder &ops = writer.builder();
  int64_t length = model.sequence_length();
  RankedTensorType perToken = writer.f32({length});
  SmallVector<Value> arguments =
      writer.begin(slots::score,
                   {{slots::tokens, writer.i32({1, length})},
                    {slots::targets, writer.i32({1, length})}},
                   {{slots::logProbability, perToken},
                    {slots::mean, perToken},
                    {slots::deviation, perToken}});
  Value x = hiddenStates(writer, arguments[0]);
  Value targets = writer.reshape(arguments[1], {length});
  // Some rows at a time: the scores of all tokens for all rows are not stored.
  constexpr int64_t mostScores = int64_t(1) << 22;
  int64_t atOnce = std::max<int64_t>(1, mostScores / model.vocabulary());
  std::array<SmallVector<Value>, 3> parts;
  for (int64_t begin = 0; begin < length; begin += atOnce) {
    int64_t rows = std::min(atOnce, length - begin);
    auto slice = [&](Value value, RankedTensorType type) -> Value {
      return nn::SliceOp::create(ops, writer.loc(), type, value, begin);
    };
    auto some =
        likelihoods(writer, slice(x, writer.f32({rows, model.hidden()})),
                    slice(targets, writer.i32({rows})));
    for (auto [list, part] : llvm::zip(parts, some))
      list.push_back(part);
  }
  SmallVector<Value> results;
  for (SmallVector<Value> &list : parts)
    results.push_back(list.size() == 1 ? list.front()
                                       : nn::ConcatOp::create(ops, writer.loc(),
                                                              perToken, list)
                                             .getResult());
  writer.end(results);
}

SmallVector<Value> Transformer::beginCached(ModuleWriter &writer,
                                            StringRef name, int64_t rows,
                                            bool oneSlot, ArrayRef<Port> more,
                                            ArrayRef<Port> outputs) const {
  RankedTensorType perRow = writer.i32({rows});
  auto ofRows = [&](StringRef name) {
    Port port{name, perRow};
    port.counted = slots::count;
    return port;
  };
  SmallVector<Port> inputs = {ofRows(slots::tokens),
                              ofRows(slots::slots),
                              ofRows(slots::positions),
                              {slots::count, writer.i32({1})}};
  inputs.append(more.begin(), more.end());
  SmallVector<Value> arguments = writer.begin(name, inputs, outputs);
  const spec::Generation &generation = specification.message.generation();
  writer.beginCached({arguments[1], arguments[2], arguments[3],
                      generation.batch(), generation.context(), oneSlot,
                      generation.kv() == spec::Generation::INT8});
  writer.setRowCount(slots::count);
  return arguments;
}

void Transformer::writePrefill(ModuleWriter &writer) const {
  int64_t vocabulary = model.vocabulary();
  SmallVector<Value> arguments = beginCached(
      writer, slots::prefill, specification.prefillChunk(), /*oneSlot=*/true,
      {{slots::position, writer.i32({1})}, {slots::wanted, writer.i32({1})}},
      {{slots::logits, writer.f32({vocabulary})}});
  Value x = hiddenStates(writer, arguments.front());
  Value row = nn::GatherOp::create(writer.builder(), writer.loc(),
                                   writer.f32({1, model.hidden()}), x,
                                   arguments[arguments.size() - 2]);
  writer.countRows(arguments.back());
  Value scores = wideLogits(writer, row);
  if (auto matmul = scores.getDefiningOp<nn::MatmulOp>())
    matmul->setAttr(rowCountAttrName,
                    writer.builder().getStringAttr(slots::wanted));
  writer.end(writer.reshape(scores, {vocabulary}));
}

void Transformer::writeDecode(ModuleWriter &writer) const {
  int64_t batch = specification.message.generation().batch();
  SmallVector<Value> arguments =
      beginCached(writer, slots::decode, batch, /*oneSlot=*/false, {},
                  {{slots::logits, writer.f32({batch, model.vocabulary()})}});
  writer.end(wideLogits(writer, hiddenStates(writer, arguments.front())));
}

void Transformer::writeCachedScore(ModuleWriter &writer) const {
  // Fewer rows than prefill's, as all of them are compared with the vocabulary.
  int64_t rows = std::min<int64_t>(128, specification.prefillChunk());
  int64_t vocabulary = model.vocabulary();
  int64_t count = std::min(slots::likeliestCount, vocabulary);
  SmallVector<Value> arguments =
      beginCached(writer, slots::score, rows, /*oneSlot=*/true,
                  {{slots::targets, writer.i32({rows})}},
                  {{slots::logProbability, writer.f32({rows})},
                   {slots::likeliest, writer.i32({count, rows})},
                   {slots::likeliestLogs, writer.f32({count, rows})}});
  Value x = hiddenStates(writer, arguments.front());
  // Scores of so many tokens at a time that a core's cache holds them.
  constexpr int64_t mostScores = int64_t(1) << 20;
  TokenScores scores = scoreTokens(
      writer,
      [&](int64_t begin, int64_t tokens) {
        return writer.multiplyByRows(x, headName(), begin, tokens);
      },
      vocabulary, arguments.back(), count, mostScores / rows);
  writer.end({scores.ofTarget, scores.likeliest, scores.likeliestLogs});
}

void tessera::writeGeneration(const Specification &specification,
                              const ModelKinds &kinds, ModuleWriter &writer) {
  Transformer transformer(specification, kinds);
  const spec::Generation &generation = specification.message.generation();
  if (generation.weights() == spec::Generation::INT8)
    writer.readInBlocks(MatrixKind::Linear);
  if (generation.embedding() == spec::Generation::INT8)
    writer.readInBlocks(MatrixKind::Embedding);
  transformer.declare(writer);
  transformer.writePrefill(writer);
  transformer.writeDecode(writer);
  transformer.writeCachedScore(writer);
}

void tessera::writeTransformer(const Specification &specification,
                               const ModelKinds &kinds, ModuleWriter &writer) {
  Transformer transformer(specification, kinds);
  transformer.declare(writer);
  transformer.writeObjective(writer);
  transformer.writeEval(writer);
  transformer.writePredict(writer);
  if (specification.message.has_audit())
    transformer.writeScore(writer);
}
