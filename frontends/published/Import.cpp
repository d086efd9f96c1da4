//===- Import.cpp - From a published folder to a specification ------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Fields.h"
#include "frontends/SourceText.h"
#include "frontends/published/Config.h"
#include "runtime/tokenizer/Tokenizer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace tessera;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using llvm::StringRef;
namespace json = llvm::json;

/// No published config.json is longer, in bytes, or has brackets so deep within
/// one another.
static constexpr int64_t maxConfigBytes = 1 << 20;
static constexpr unsigned maxNesting = 64;
/// Tokens of a sample unless told otherwise: more would make a first run slow.
static constexpr int64_t usualSequence = 2048;

/// Fields of every family that say nothing of the mathematics: transformers'
/// own, and the ids of special tokens.
static constexpr StringRef commonFields[] = {"_attn_implementation",
                                             "_attn_implementation_autoset",
                                             "_name_or_path",
                                             "architectures",
                                             "bos_token_id",
                                             "dtype",
                                             "eos_token_id",
                                             "id2label",
                                             "label2id",
                                             "model_type",
                                             "output_attentions",
                                             "output_hidden_states",
                                             "pad_token_id",
                                             "return_dict",
                                             "sep_token_id",
                                             "task_specific_params",
                                             "torch_dtype",
                                             "transformers_version",
                                             "unk_token_id",
                                             "use_cache"};

static std::string text(const json::Value &value) {
  std::string result;
  llvm::raw_string_ostream(result) << value;
  return result;
}

namespace {

class Importer {
public:
  Importer(StringRef file, const json::Object &config,
           llvm::raw_ostream &errors)
      : file(file), config(config), errors(errors) {}

  /// Reads the fields of \p family into \p model. False where it cannot be.
  bool read(const PublishedConfig &family, spec::Transformer &model);
  /// Fields that neither \p family nor all families have.
  std::vector<std::string> findUnknown(const PublishedConfig &family) const;
  /// The same among the fields of \p object, whose names begin with \p prefix.
  void findUnknown(const PublishedConfig &family, const json::Object &object,
                   const std::string &prefix,
                   std::vector<std::string> &unknown) const;

private:
  void error(const llvm::Twine &message) {
    errors << file << ": error: " << message << "\n";
    failed = true;
  }
  void readField(const ConfigField &field, spec::Transformer &model);
  /// Sets the field of \p model that \p field is to \p value, which the file
  /// calls \p name.
  void set(const ConfigField &field, StringRef name, const json::Value &value,
           spec::Transformer &model);

  StringRef file;
  const json::Object &config;
  llvm::raw_ostream &errors;
  bool failed = false;
  /// What the file calls the fields that are set, by their paths.
  llvm::StringMap<std::string> names;
};

} // namespace

void Importer::set(const ConfigField &field, StringRef name,
                   const json::Value &value, spec::Transformer &model) {
  Message *message = &model;
  StringRef path = field.path;
  const FieldDescriptor *descriptor;
  for (;;) {
    auto [first, rest] = path.split('.');
    descriptor = message->GetDescriptor()->FindFieldByName(first.str());
    if (rest.empty())
      break;
    message = message->GetReflection()->MutableMessage(message, descriptor);
    path = rest;
  }
  auto refuse = [&](StringRef wanted) {
    error("`" + name + "` is " + text(value) + ": " + wanted + " is wanted");
  };
  const google::protobuf::Reflection *reflection = message->GetReflection();
  switch (descriptor->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT64:
    if (std::optional<int64_t> number = value.getAsInteger())
      return reflection->SetInt64(message, descriptor, *number);
    return refuse("a whole number");
  case FieldDescriptor::CPPTYPE_DOUBLE:
    if (std::optional<double> number = value.getAsNumber())
      return reflection->SetDouble(message, descriptor, *number);
    return refuse("a number");
  case FieldDescriptor::CPPTYPE_BOOL:
    if (std::optional<bool> truth = value.getAsBoolean())
      return reflection->SetBool(message, descriptor, *truth);
    return refuse("true or false");
  case FieldDescriptor::CPPTYPE_ENUM: {
    std::string known;
    for (auto [number, text] : llvm::enumerate(field.texts)) {
      if (value == json::Value(text))
        return reflection->SetEnumValue(message, descriptor,
                                        static_cast<int>(number));
      known += (number ? ", " : "") + text.str();
    }
    return refuse("one of " + known);
  }
  default:
    llvm_unreachable("fields of config.json are numbers, truths and names");
  }
}

void Importer::readField(const ConfigField &field, spec::Transformer &model) {
  if (field.compute || (field.applies && !field.applies(model)))
    return;
  StringRef name = field.names.front();
  const json::Value *given = nullptr;
  bool isNull = false;
  for (StringRef other : field.names)
    if (const json::Value *value = findConfigField(config, other)) {
      if (value->kind() == json::Value::Null) {
        isNull = true;
        continue;
      }
      given = value;
      name = other;
    }
  if (field.null != ConfigField::Null::Default && isNull && !given)
    return;
  if (field.path.empty()) {
    if (given && !llvm::is_contained(field.values, *given))
      error("`" + name + "` is " + text(*given) +
            ", which is not implemented: " + text(field.values.front()) +
            " is wanted");
    return;
  }
  const json::Value &value = given ? *given : field.values.front();
  if (value.kind() == json::Value::Null)
    return;
  auto [other, isNew] = names.try_emplace(field.path, name.str());
  if (isNew)
    return set(field, name, value, model);
  spec::Transformer again = model;
  set(field, name, value, again);
  json::Value first = getConfigValue(field, model);
  if (first != getConfigValue(field, again))
    error("`" + other->second + "` is " + text(first) + " and `" + name +
          "` is " + text(value) + ": both are transformer." + field.path +
          " here, and must be the same");
}

bool Importer::read(const PublishedConfig &family, spec::Transformer &model) {
  family.prepare(model);
  for (const ConfigField &field : family.fields)
    readField(field, model);
  if (family.readRest && !failed)
    if (std::string wrong = family.readRest(config, model); !wrong.empty())
      error(wrong);
  return !failed;
}

std::vector<std::string>
Importer::findUnknown(const PublishedConfig &family) const {
  std::vector<std::string> unknown;
  findUnknown(family, config, "", unknown);
  llvm::sort(unknown);
  return unknown;
}

void Importer::findUnknown(const PublishedConfig &family,
                           const json::Object &object,
                           const std::string &prefix,
                           std::vector<std::string> &unknown) const {
  for (const auto &[key, value] : object) {
    std::string name = prefix + StringRef(key).str();
    auto isNamed = [&](auto matches) {
      return llvm::any_of(family.fields, [&](const ConfigField &field) {
        return llvm::any_of(field.names, matches);
      });
    };
    if (llvm::is_contained(commonFields, name) ||
        llvm::is_contained(family.ignored, name) ||
        isNamed([&](StringRef known) { return known == name; }))
      continue;
    if (!isNamed(
            [&](StringRef known) { return known.starts_with(name + "."); }))
      unknown.push_back(name);
    else if (const json::Object *inner = value.getAsObject())
      findUnknown(family, *inner, name + ".", unknown);
  }
}

/// What fine-tuning begins with.
static void setTraining(spec::Training &training) {
  training.set_global_batch(8);
  training.set_micro_batch(1);
  training.set_steps(1000);
  training.set_seed(1);
  training.set_clip(1);
  spec::Optimizer &optimizer = *training.mutable_optimizer();
  optimizer.set_kind(spec::Optimizer::ADAMW);
  optimizer.set_lr(2e-5);
  optimizer.set_beta1(0.9);
  optimizer.set_beta2(0.95);
  optimizer.set_eps(1e-8);
  optimizer.set_weight_decay(0.1);
  spec::Schedule &schedule = *training.mutable_schedule();
  schedule.set_kind(spec::Schedule::COSINE);
  schedule.set_warmup_steps(100);
  schedule.set_decay_steps(1000);
  schedule.set_min_lr(2e-6);
}

/// Names the tokenizer of \p directory in what is \p imported, by a path that
/// holds wherever the specification goes.
static void importTokenizer(StringRef directory, ImportedFolder &imported) {
  llvm::SmallString<256> path(directory);
  llvm::sys::path::append(path, "tokenizer.json");
  if (!llvm::sys::fs::exists(path))
    return;
  if (!runtime::Tokenizer::open(path.str().str(), imported.tokenizerError))
    return;
  llvm::SmallString<256> real;
  if (!llvm::sys::fs::real_path(path, real))
    path = real;
  imported.specification.set_tokenizer(path.str().str());
}

std::optional<ImportedFolder> tessera::importFolder(StringRef directory,
                                                    llvm::raw_ostream &errors) {
  llvm::SmallString<256> file(directory);
  llvm::sys::path::append(file, "config.json");
  auto refuse = [&](const llvm::Twine &message) {
    errors << file << ": error: " << message << "\n";
    return std::nullopt;
  };
  llvm::Expected<SourceText> source =
      readSource(file, maxConfigBytes,
                 "give the folder of a published model, which has config.json");
  if (!source)
    return refuse(llvm::toString(source.takeError()));
  if (findNesting(source->text, maxNesting, "//") != StringRef::npos)
    return refuse("brackets stand " + llvm::Twine(maxNesting) +
                  " deep within one another");
  llvm::Expected<json::Value> parsed = json::parse(source->text);
  if (!parsed)
    return refuse("it is not JSON: " + llvm::toString(parsed.takeError()));
  const json::Object *config = parsed->getAsObject();
  std::optional<StringRef> type;
  if (config)
    type = config->getString("model_type");
  if (!type)
    return refuse("it has no `model_type`: is it the config.json of a model?");
  const PublishedConfig *family = nullptr;
  std::string known;
  for (const auto &[name, candidate] : getPublishedConfigs()) {
    known += (known.empty() ? "" : ", ") + candidate.modelType.str();
    if (candidate.modelType == *type)
      family = &candidate;
  }
  if (!family)
    return refuse("`model_type` is \"" + *type +
                  "\", and models of these kinds "
                  "can be imported: " +
                  known);
  ImportedFolder imported;
  spec::Specification &specification = imported.specification;
  spec::Transformer &model = *specification.mutable_transformer();
  Importer importer(file, *config, errors);
  if (!importer.read(*family, model))
    return std::nullopt;
  imported.unknown = importer.findUnknown(*family);
  model.set_sequence_length(
      model.has_position_capacity()
          ? std::min(usualSequence, model.position_capacity())
          : usualSequence);
  model.mutable_initialization()->set_scaled_residual(true);
  StringRef name = llvm::sys::path::filename(directory.rtrim('/'));
  specification.set_name(
      (name == "." || name == ".." || name.empty() ? *type : name).str());
  importTokenizer(directory, imported);
  setTraining(*specification.mutable_training());
  specification.mutable_parallel()->set_world(1);
  specification.mutable_parallel()->set_zero_stage(0);
  specification.mutable_target()->mutable_cpu()->set_name("native");
  return imported;
}
