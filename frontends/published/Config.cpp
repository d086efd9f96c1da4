//===- Config.cpp - The config.json of published Transformers -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/published/Config.h"
#include "frontends/Fields.h"
#include "frontends/published/Families.h"
#include "llvm/Support/FormatVariadic.h"

using namespace tessera;
using google::protobuf::FieldDescriptor;

Registry<PublishedConfig> &tessera::getPublishedConfigs() {
  static Registry<PublishedConfig> configs = {
      {"bloom", makeBloomConfig()}, {"gpt2", makeGpt2Config()},
      {"llama", makeLlamaConfig()}, {"mistral", makeMistralConfig()},
      {"qwen2", makeQwen2Config()}, {"qwen3", makeQwen3Config()}};
  return configs;
}

const llvm::json::Value *
tessera::findConfigField(const llvm::json::Object &config,
                         llvm::StringRef name) {
  auto [first, rest] = name.split('.');
  if (rest.empty())
    return config.get(first);
  const llvm::json::Object *inner = config.getObject(first);
  return inner ? findConfigField(*inner, rest) : nullptr;
}

llvm::json::Value tessera::getConfigValue(const ConfigField &field,
                                          const spec::Transformer &model) {
  if (field.compute)
    return field.compute(model);
  if (field.path.empty())
    return field.values.front();
  FieldRef ref = fieldAt(model, field.path);
  if (!ref.given() && !ref.field->has_default_value())
    return nullptr;
  const google::protobuf::Reflection *reflection = ref.message->GetReflection();
  switch (ref.field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT64:
    return reflection->GetInt64(*ref.message, ref.field);
  case FieldDescriptor::CPPTYPE_DOUBLE:
    return reflection->GetDouble(*ref.message, ref.field);
  case FieldDescriptor::CPPTYPE_BOOL:
    return reflection->GetBool(*ref.message, ref.field);
  case FieldDescriptor::CPPTYPE_ENUM:
    return field.texts[reflection->GetEnumValue(*ref.message, ref.field)];
  default:
    llvm_unreachable("fields of config.json are numbers, truths and names");
  }
}
