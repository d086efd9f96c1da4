//===- Attention.cpp - What heads, positions and families may be ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Limits.h"
#include "frontends/models/Families.h"
#include "frontends/models/Kinds.h"
#include "frontends/models/Rotary.h"
#include "frontends/validation/Validator.h"

using namespace tessera;
using llvm::Twine;

void Validator::checkAttention(const spec::Transformer &model) {
  if (!given("transformer.head_dim") &&
      sound({"transformer.hidden", "transformer.heads"}) &&
      model.hidden() % model.heads() != 0)
    diagnostics.error("transformer.heads",
                      "`transformer.hidden` (" + Twine(model.hidden()) +
                          ") is not divisible by `transformer.heads` (" +
                          Twine(model.heads()) + ")",
                      "take " +
                          getNearestDivisors(model.hidden(), model.heads()) +
                          " heads, or a hidden that is a multiple of " +
                          Twine(model.heads()));
  if (sound({"transformer.head_dim", "transformer.heads"}) &&
      model.head_dim() * model.heads() > 524288)
    diagnostics.error("transformer.head_dim",
                      "all heads together have " +
                          Twine(model.head_dim() * model.heads()) + " columns",
                      "give at most 524288");
  if (sound({"transformer.kv_heads", "transformer.heads"}) &&
      model.heads() % model.kv_heads() != 0)
    diagnostics.error("transformer.kv_heads",
                      "`transformer.heads` (" + Twine(model.heads()) +
                          ") is not divisible by `transformer.kv_heads` (" +
                          Twine(model.kv_heads()) + ")",
                      "take " +
                          getNearestDivisors(model.heads(), model.kv_heads()) +
                          " heads of keys and values");
  if (given("transformer.window_from") && !given("transformer.window"))
    diagnostics.error("transformer.window_from",
                      "there is no window that begins at this layer",
                      "give transformer.window, or remove it");
  else if (sound({"transformer.window_from", "transformer.layers"}) &&
           model.window_from() >= model.layers())
    diagnostics.error(
        "transformer.window_from",
        "none of the " + Twine(model.layers()) + " layers has the window",
        "remove transformer.window, or begin below " + Twine(model.layers()));
}

void Validator::checkRotary(const spec::Transformer &model) {
  const spec::Rotary &rotary = model.rotary();
  if (model.positions() != spec::Transformer::ROTARY) {
    if (model.has_rotary())
      diagnostics.error("transformer.rotary",
                        "`transformer.rotary` is for rotary positions",
                        "remove it, or give positions: ROTARY");
    return;
  }
  auto dim = [&]() -> int64_t {
    if (sound({"transformer.head_dim"}))
      return model.head_dim();
    if (!given("transformer.head_dim") &&
        sound({"transformer.hidden", "transformer.heads"}))
      return model.hidden() / model.heads();
    return 0;
  };
  if (dim() % 2)
    diagnostics.error("transformer.positions",
                      "rotary positions rotate pairs of columns, and a head "
                      "has " +
                          Twine(dim()),
                      "take heads of an even width");
  else if (dim() == 2 && rotary.scaling() == spec::Rotary::DYNAMIC)
    diagnostics.error("transformer.rotary.scaling",
                      "DYNAMIC needs heads of more than 2 columns",
                      "take another scaling");
  std::string name = spec::Rotary::Scaling_Name(rotary.scaling());
  for (const std::string &path : scalarPaths(rotary.GetDescriptor())) {
    std::string whole = "transformer.rotary." + path;
    if (given(whole) && !readsRotary(rotary, "rotary." + path))
      diagnostics.error(whole, "scaling: " + name + " does not read it",
                        "remove it, or give another scaling");
  }
  if (rotary.scaling() != spec::Rotary::NONE)
    require("transformer.rotary.factor",
            "give how many times as long texts may be");
  if (rotary.scaling() == spec::Rotary::LLAMA3 &&
      rotary.low_turns() >= rotary.high_turns())
    diagnostics.error(given("transformer.rotary.low_turns")
                          ? "transformer.rotary.low_turns"
                          : "transformer.rotary.high_turns",
                      "`transformer.rotary.low_turns` (" +
                          spec::getNumberText(rotary.low_turns()) +
                          ") is not below `transformer.rotary.high_turns` (" +
                          spec::getNumberText(rotary.high_turns()) + ")",
                      "give numbers in this order");
}

void Validator::checkFamily(const spec::Transformer &model) {
  const TransformerFamily &family = getFamilies().get(kindsOf(message).family);
  bool learned = model.positions() == spec::Transformer::LEARNED;
  if (family.positions.empty() && learned && given("transformer.positions"))
    diagnostics.error("transformer.positions",
                      family.title + " has no name for learned positions",
                      "give other positions, or names: GPT2");
  if (family.embeddingNorm.empty() && model.embedding_norm())
    diagnostics.error("transformer.embedding_norm",
                      family.title + " has no name for an embedding norm",
                      "give embedding_norm: false, or names: BLOOM");
  if (family.gateParts.empty() && model.gated())
    diagnostics.error("transformer.gated",
                      family.title + " has no name for a gate",
                      "give gated: false, or names: LLAMA");
  if (!family.gateParts.empty() && !model.gated())
    diagnostics.error(given("transformer.gated") ? "transformer.gated"
                                                 : "transformer.names",
                      "the feed-forward block of " + family.title + " is gated",
                      "give gated: true");
  if (family.queryNorm.empty() && model.head_norm())
    diagnostics.error("transformer.head_norm",
                      family.title + " has no name for norms of heads",
                      "give head_norm: false, or names: QWEN3");
  if (family.qkvLayout == nn::QKVLayout::Blocked)
    return;
  const char *remedy = "take names: LLAMA";
  if (model.positions() == spec::Transformer::ROTARY)
    diagnostics.error("transformer.positions",
                      family.title + " packs the queries, keys and values of a "
                                     "head, which are not rotated",
                      remedy);
  if (sound({"transformer.kv_heads", "transformer.heads"}) &&
      model.kv_heads() != model.heads())
    diagnostics.error("transformer.kv_heads",
                      family.title + " packs the queries, keys and values of a "
                                     "head, which share nothing",
                      remedy);
}
