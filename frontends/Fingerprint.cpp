//===- Fingerprint.cpp - What determines the mathematics of a run ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All fields of the model and its training count, so that a new one is never
// forgotten, but those named here: what a run begins with or how long it is,
// what is promised to be free, and how a file is called.
//
//===----------------------------------------------------------------------===//

#include "frontends/GraphSettings.h"
#include "frontends/OptimizerSettings.h"
#include "frontends/SpecificationAttr.h"
#include "frontends/models/Rotary.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

#include <charconv>

using namespace mlir;
using namespace tessera;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

static bool isLeftOut(StringRef path) {
  static constexpr StringLiteral paths[] = {"transformer.initialization",
                                            "gnn.graph",
                                            "gnn.feature_entries",
                                            "gnn.train_nodes",
                                            "gnn.train_edges",
                                            "training.micro_batch",
                                            "training.steps",
                                            "training.seed",
                                            "training.recompute",
                                            "training.memory_limit",
                                            "training.non_finite",
                                            "training.max_skips",
                                            "training.precision"};
  return llvm::is_contained(paths, path);
}

/// Whether \p path is of a group that tells what is done, where it is given:
/// without it nothing is done, and nothing is named.
static bool isOfNoGroup(StringRef path, const spec::Specification &message) {
  return path == "training.sampling" && !message.training().has_sampling();
}

/// Whether nothing reads the field at \p path, given the others.
static bool isUnread(StringRef path, const spec::Specification &message) {
  const spec::Schedule &schedule = message.training().schedule();
  bool bySamples =
      schedule.has_warmup_samples() || schedule.has_decay_samples();
  bool decays = schedule.kind() != spec::Schedule::CONSTANT;
  return StringSwitch<bool>(path)
      // A whole graph is one batch, and the field counts the ranks.
      .Case("training.global_batch",
            message.has_gnn() && !message.training().has_sampling())
      .Case("transformer.position_capacity",
            message.transformer().positions() != spec::Transformer::LEARNED &&
                message.transformer().rotary().scaling() !=
                    spec::Rotary::DYNAMIC)
      .Case("training.schedule.warmup_steps", bySamples)
      .Case("training.schedule.warmup_samples", !bySamples)
      .Case("training.schedule.decay_steps", bySamples || !decays)
      .Case("training.schedule.decay_samples", !bySamples || !decays)
      .Case("training.schedule.min_lr", !decays)
      .Default(false);
}

/// A field that only other optimizers than the one of \p message have is not
/// named at all: a new optimizer changes no fingerprint of others.
static bool isOfOtherOptimizer(StringRef path,
                               const spec::Specification &message) {
  return path.consume_front("training.optimizer.") && !path.contains('[') &&
         !readsField(message.training().optimizer(), path);
}

/// A field that says what BLOOM and GPT-2 have anyway is not named: it changes
/// no fingerprint of specifications without it.
static bool isUsual(StringRef path, const spec::Specification &message) {
  if (!path.consume_front("transformer."))
    return false;
  const spec::Transformer &model = message.transformer();
  if (path.starts_with("rotary"))
    return model.positions() != spec::Transformer::ROTARY ||
           !readsRotary(model.rotary(), path);
  return StringSwitch<bool>(path)
      .Case("rms_norm", !model.has_rms_norm())
      .Case("layer_norm", model.has_rms_norm())
      .Case("kv_heads", model.kv_heads() == model.heads())
      .Case("head_dim", model.head_dim() == model.hidden() / model.heads())
      .Cases({"window", "window_from"}, !model.has_window())
      .Case("gated", !model.gated())
      .Case("head_norm", !model.head_norm())
      .Case("qkv_bias", model.qkv_bias() == model.biases())
      .Case("projection_bias", model.projection_bias() == model.biases())
      .Case("feed_forward_bias", model.feed_forward_bias() == model.biases())
      .Default(false);
}

/// A scalar field's value, or its default, as text; a number in the fewest
/// digits that read back to it.
static std::string textOf(const Message &message,
                          const FieldDescriptor *field) {
  const google::protobuf::Reflection *reflection = message.GetReflection();
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT64:
    return std::to_string(reflection->GetInt64(message, field));
  case FieldDescriptor::CPPTYPE_DOUBLE: {
    char text[32];
    auto [end, error] = std::to_chars(text, text + sizeof text,
                                      reflection->GetDouble(message, field));
    return std::string(text, end);
  }
  case FieldDescriptor::CPPTYPE_BOOL:
    return reflection->GetBool(message, field) ? "true" : "false";
  case FieldDescriptor::CPPTYPE_ENUM:
    return std::string(reflection->GetEnum(message, field)->name());
  case FieldDescriptor::CPPTYPE_STRING:
    return reflection->GetString(message, field);
  default:
    llvm_unreachable("the specification has no other types");
  }
}

/// A list of numbers, as one text; nothing where it is empty, so that a new
/// list changes no fingerprint of specifications without it.
static void appendList(const Message &message, const FieldDescriptor *field,
                       StringRef path, NamedAttrList &entries,
                       Builder &builder) {
  const google::protobuf::Reflection *reflection = message.GetReflection();
  std::string text;
  for (int i = 0; i < reflection->FieldSize(message, field); ++i)
    text += (i ? ", " : "") +
            std::to_string(reflection->GetRepeatedInt64(message, field, i));
  if (!text.empty())
    entries.append(path, builder.getStringAttr(text));
}

static void collect(const Message &message, const std::string &prefix,
                    const spec::Specification &whole, NamedAttrList &entries,
                    Builder &builder) {
  const google::protobuf::Reflection *reflection = message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor *field = message.GetDescriptor()->field(i);
    std::string path = prefix + std::string(field->name());
    if (isLeftOut(path) || isOfNoGroup(path, whole) ||
        isOfOtherOptimizer(path, whole) || isUsual(path, whole) ||
        (whole.has_gnn() && !readsField(whole.gnn(), path)))
      continue;
    if (field->is_repeated() && !field->message_type()) {
      appendList(message, field, path, entries, builder);
      continue;
    }
    if (field->is_repeated()) {
      for (int j = 0; j < reflection->FieldSize(message, field); ++j)
        collect(reflection->GetRepeatedMessage(message, field, j),
                path + "[" + std::to_string(j) + "].", whole, entries, builder);
      continue;
    }
    if (field->message_type()) {
      collect(reflection->GetMessage(message, field), path + ".", whole,
              entries, builder);
      continue;
    }
    // Named all the same, so that specifications of one kind of model have the
    // same settings.
    bool none =
        isUnread(path, whole) ||
        !(reflection->HasField(message, field) || field->has_default_value());
    entries.append(
        path, builder.getStringAttr(none ? "none" : textOf(message, field)));
  }
}

DictionaryAttr tessera::fingerprintAttr(const spec::Specification &message,
                                        MLIRContext &context) {
  Builder builder(&context);
  NamedAttrList entries;
  if (message.has_transformer())
    collect(message.transformer(), "transformer.", message, entries, builder);
  else
    collect(message.gnn(), "gnn.", message, entries, builder);
  collect(message.training(), "training.", message, entries, builder);
  return entries.getDictionary(&context);
}
