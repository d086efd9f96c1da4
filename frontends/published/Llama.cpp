//===- Llama.cpp - config.json of LLaMA and its siblings ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Versions of transformers before 5 write rope_theta and rope_scaling, later
// ones rope_parameters; and layer_types, in which Qwen's layers with a window
// follow those without.
//
//===----------------------------------------------------------------------===//

#include "frontends/published/Families.h"

using namespace tessera;
namespace json = llvm::json;

static constexpr llvm::StringLiteral fullAttention = "full_attention",
                                     windowAttention = "sliding_attention";

static bool isScaled(const spec::Transformer &model) {
  return model.rotary().scaling() != spec::Rotary::NONE;
}

static bool isLlama3(const spec::Transformer &model) {
  return model.rotary().scaling() == spec::Rotary::LLAMA3;
}

static bool isYarn(const spec::Transformer &model) {
  return model.rotary().scaling() == spec::Rotary::YARN;
}

static bool isDynamic(const spec::Transformer &model) {
  return model.rotary().scaling() == spec::Rotary::DYNAMIC;
}

static bool hasOriginalLength(const spec::Transformer &model) {
  return isLlama3(model) || isYarn(model);
}

static bool hasWindow(const spec::Transformer &model) {
  return model.has_window();
}

/// The fields that all have, with what files without some of them mean.
static std::vector<ConfigField>
makeCommonFields(int64_t vocabulary, int64_t feedForward, json::Value kvHeads,
                 json::Value headDim, int64_t capacity) {
  std::vector<ConfigField> fields = {
      {{"vocab_size"}, "vocabulary", {vocabulary}},
      {{"hidden_size"}, "hidden", {4096}},
      {{"intermediate_size"}, "feed_forward", {feedForward}},
      {{"num_hidden_layers"}, "layers", {32}},
      {{"num_attention_heads"}, "heads", {32}},
      {{"max_position_embeddings"}, "position_capacity", {capacity}, false},
      {{"initializer_range"}, "initialization.std", {0.02}, false},
      {{"rms_norm_eps"}, "rms_norm.eps", {1e-6}},
      {{"attention_dropout"}, "attention_dropout", {0.0}, false},
      {{"tie_word_embeddings"}, "tied_embeddings", {false}},
      // Names of one function.
      {{"hidden_act"}, "", {"silu", "swish"}},
  };
  fields.push_back({.names = {"num_key_value_heads"},
                    .path = "kv_heads",
                    .values = {std::move(kvHeads)},
                    .null = ConfigField::Null::Derived});
  fields.push_back({.names = {"head_dim"},
                    .path = "head_dim",
                    .values = {std::move(headDim)},
                    .null = ConfigField::Null::Derived});
  fields.push_back({{"rope_parameters.rope_type", "rope_parameters.type",
                     "rope_parameters.rope_type", "rope_scaling.type",
                     "rope_scaling.rope_type"},
                    "rotary.scaling",
                    {"default"},
                    true,
                    ConfigField::Null::Default,
                    true,
                    {"default", "linear", "dynamic", "llama3", "yarn"}});
  fields.push_back({{"rope_parameters.rope_theta", "rope_theta",
                     "rope_parameters.rope_theta", "rope_scaling.rope_theta"},
                    "rotary.theta",
                    {10000.0}});
  fields.push_back(
      {.names = {"rope_parameters.partial_rotary_factor",
                 "partial_rotary_factor", "rope_scaling.partial_rotary_factor"},
       .values = {1.0},
       .isWritten = false});
  // Only DYNAMIC makes a difference by it.
  fields.push_back({.names = {"max_position_embeddings"},
                    .path = "position_capacity",
                    .values = {capacity},
                    .applies = isDynamic});
  auto add = [&](llvm::StringRef written, llvm::StringRef old,
                 llvm::StringRef path, auto applies) {
    fields.push_back({.names = {written, old},
                      .path = path,
                      .values = {nullptr},
                      .applies = applies});
  };
  add("rope_parameters.factor", "rope_scaling.factor", "rotary.factor",
      isScaled);
  fields.push_back(
      {.names = {"rope_parameters.original_max_position_embeddings",
                 "rope_scaling.original_max_position_embeddings",
                 "original_max_position_embeddings"},
       .path = "rotary.original_length",
       .values = {nullptr},
       .applies = hasOriginalLength});
  add("rope_parameters.low_freq_factor", "rope_scaling.low_freq_factor",
      "rotary.low_turns", isLlama3);
  add("rope_parameters.high_freq_factor", "rope_scaling.high_freq_factor",
      "rotary.high_turns", isLlama3);
  add("rope_parameters.beta_fast", "rope_scaling.beta_fast", "rotary.beta_fast",
      isYarn);
  add("rope_parameters.beta_slow", "rope_scaling.beta_slow", "rotary.beta_slow",
      isYarn);
  add("rope_parameters.truncate", "rope_scaling.truncate", "rotary.truncate",
      isYarn);
  add("rope_parameters.attention_factor", "rope_scaling.attention_factor",
      "rotary.attention_factor", isYarn);
  add("rope_parameters.mscale", "rope_scaling.mscale", "rotary.mscale", isYarn);
  add("rope_parameters.mscale_all_dim", "rope_scaling.mscale_all_dim",
      "rotary.mscale_all_dim", isYarn);
  return fields;
}

static void prepareLlama(spec::Transformer &model,
                         spec::Transformer::Names names) {
  model.set_names(names);
  model.set_positions(spec::Transformer::ROTARY);
  model.set_activation(spec::Transformer::SILU);
  model.set_gated(true);
  model.set_biases(false);
}

/// YaRN without a factor is for texts as long as the model now has positions.
static std::string readRotary(const json::Object &, spec::Transformer &model) {
  spec::Rotary &rotary = *model.mutable_rotary();
  if (!isScaled(model) || rotary.has_factor())
    return "";
  if (!isYarn(model) || !rotary.has_original_length())
    return "`rope_parameters` scales positions without a `factor`: give one";
  rotary.set_factor(static_cast<double>(model.position_capacity()) /
                    static_cast<double>(rotary.original_length()));
  return "";
}

/// What \p model has that none of the family can.
static std::string findUnlikeLlama(const spec::Transformer &model) {
  if (!model.has_rms_norm())
    return "a norm other than transformer.rms_norm";
  if (model.activation() != spec::Transformer::SILU)
    return "an activation other than SILU";
  if (model.positions() != spec::Transformer::ROTARY)
    return "positions that are not rotary";
  return "";
}

//===----------------------------------------------------------------------===//
// LLaMA and Mistral
//===----------------------------------------------------------------------===//

PublishedConfig tessera::makeLlamaConfig() {
  std::vector<ConfigField> fields =
      makeCommonFields(32000, 11008, nullptr, nullptr, 2048);
  fields.push_back({{"attention_bias"}, "qkv_bias", {false}});
  fields.push_back({{"attention_bias"}, "projection_bias", {false}});
  fields.push_back({{"mlp_bias"}, "feed_forward_bias", {false}});
  return {.modelType = "llama",
          .architecture = "LlamaForCausalLM",
          .fields = std::move(fields),
          .ignored = {"pretraining_tp"},
          .prepare =
              [](spec::Transformer &model) {
                prepareLlama(model, spec::Transformer::LLAMA);
              },
          .readRest = readRotary,
          .findForeign = [](const spec::Transformer &model) -> std::string {
            if (model.has_window())
              return "transformer.window";
            if (model.hidden() % model.heads() != 0)
              return "a transformer.hidden that heads do not divide";
            if (model.qkv_bias() != model.projection_bias())
              return "biases of a part of attention";
            return findUnlikeLlama(model);
          }};
}

PublishedConfig tessera::makeMistralConfig() {
  std::vector<ConfigField> fields =
      makeCommonFields(32000, 14336, 8, nullptr, 131072);
  fields.push_back({.names = {"sliding_window"},
                    .path = "window",
                    .values = {4096},
                    .null = ConfigField::Null::None});
  return {.modelType = "mistral",
          .architecture = "MistralForCausalLM",
          .fields = std::move(fields),
          .prepare =
              [](spec::Transformer &model) {
                prepareLlama(model, spec::Transformer::MISTRAL);
              },
          .readRest = readRotary,
          .findForeign = [](const spec::Transformer &model) -> std::string {
            if (model.qkv_bias() || model.projection_bias() ||
                model.feed_forward_bias())
              return "biases";
            if (model.window_from() != 0)
              return "transformer.window_from";
            return findUnlikeLlama(model);
          }};
}

//===----------------------------------------------------------------------===//
// Qwen2 and Qwen3
//===----------------------------------------------------------------------===//

static json::Value listLayers(const spec::Transformer &model) {
  json::Array kinds;
  for (int64_t layer = 0; layer < model.layers(); ++layer)
    kinds.push_back(model.has_window() && layer >= model.window_from()
                        ? windowAttention
                        : fullAttention);
  return kinds;
}

/// The first layer with a window that \p kinds names, or -1 where the layers
/// with one are not the last.
static int64_t findFirstWindow(const json::Array &kinds) {
  auto isWindow = [](const json::Value &kind) {
    return kind == json::Value(windowAttention);
  };
  auto first = llvm::find_if(kinds, isWindow);
  bool known = std::all_of(kinds.begin(), first, [](const json::Value &kind) {
    return kind == json::Value(fullAttention);
  });
  return known && std::all_of(first, kinds.end(), isWindow)
             ? first - kinds.begin()
             : -1;
}

/// The window of Qwen's last layers, as `layer_types` or, without it, the other
/// three fields say.
static std::string readQwen(const json::Object &config,
                            spec::Transformer &model) {
  auto wholeNumber = [&](llvm::StringRef name, int64_t otherwise) {
    return config.getInteger(name).value_or(otherwise);
  };
  bool hasWindow = config.getBoolean("use_sliding_window").value_or(false);
  const json::Value *given = config.get("sliding_window");
  if (given && given->kind() == json::Value::Null)
    hasWindow = false;
  int64_t first = wholeNumber("max_window_layers", 28);
  if (const json::Array *kinds = config.getArray("layer_types")) {
    first = findFirstWindow(*kinds);
    if (first < 0 || static_cast<int64_t>(kinds->size()) != model.layers())
      return "`layer_types` must name full_attention for the first layers and "
             "sliding_attention for the others, one for each layer";
    if (first < model.layers() && !hasWindow)
      return "`layer_types` has sliding_attention, but there is no window: "
             "give `use_sliding_window` and `sliding_window`";
  }
  if (hasWindow && first < model.layers()) {
    model.set_window(wholeNumber("sliding_window", 4096));
    model.set_window_from(first);
  }
  return readRotary(config, model);
}

static void addWindowFields(std::vector<ConfigField> &fields) {
  fields.push_back({.names = {"use_sliding_window"},
                    .compute = [](const spec::Transformer &model) {
                      return json::Value(model.has_window());
                    }});
  fields.push_back({.names = {"sliding_window"},
                    .applies = hasWindow,
                    .compute = [](const spec::Transformer &model) {
                      return json::Value(model.window());
                    }});
  fields.push_back({.names = {"max_window_layers"},
                    .decides = false,
                    .applies = hasWindow,
                    .compute = [](const spec::Transformer &model) {
                      return json::Value(model.window_from());
                    }});
  fields.push_back({.names = {"layer_types"}, .compute = listLayers});
  // Positions of images.
  fields.push_back(
      {.names = {"use_mrope"}, .values = {false}, .isWritten = false});
}

PublishedConfig tessera::makeQwen2Config() {
  std::vector<ConfigField> fields =
      makeCommonFields(151936, 22016, 32, nullptr, 32768);
  addWindowFields(fields);
  return {.modelType = "qwen2",
          .architecture = "Qwen2ForCausalLM",
          .fields = std::move(fields),
          .prepare =
              [](spec::Transformer &model) {
                prepareLlama(model, spec::Transformer::QWEN2);
                model.set_qkv_bias(true);
              },
          .readRest = readQwen,
          .findForeign = [](const spec::Transformer &model) -> std::string {
            if (!model.qkv_bias() || model.projection_bias() ||
                model.feed_forward_bias())
              return "biases of others than queries, keys and values";
            return findUnlikeLlama(model);
          }};
}

PublishedConfig tessera::makeQwen3Config() {
  std::vector<ConfigField> fields =
      makeCommonFields(151936, 22016, 32, 128, 32768);
  addWindowFields(fields);
  fields.push_back({{"attention_bias"}, "qkv_bias", {false}});
  fields.push_back({{"attention_bias"}, "projection_bias", {false}});
  return {.modelType = "qwen3",
          .architecture = "Qwen3ForCausalLM",
          .fields = std::move(fields),
          .prepare =
              [](spec::Transformer &model) {
                prepareLlama(model, spec::Transformer::QWEN3);
                model.set_head_norm(true);
              },
          .readRest = readQwen,
          .findForeign = [](const spec::Transformer &model) -> std::string {
            if (!model.head_norm())
              return "no transformer.head_norm";
            if (model.qkv_bias() != model.projection_bias() ||
                model.feed_forward_bias())
              return "biases of a part of attention or of the feed-forward "
                     "block";
            return findUnlikeLlama(model);
          }};
}
