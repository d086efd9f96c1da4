//===- SpecificationMutator.cpp - Changes of specifications ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A specification is changed as a message, of which fields are set, cleared or
// taken from another one, where its text can be read; else, and now and then,
// by its tokens.
//
//===----------------------------------------------------------------------===//

#include "frontends/spec.pb.h"
#include "test/fuzz/Dice.h"
#include "test/fuzz/PairMutator.h"
#include "test/fuzz/TextMutator.h"
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <limits>
#include <optional>
#include <vector>

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;

using namespace tessera;
using namespace tessera::fuzz;

namespace {

class Silence final : public google::protobuf::io::ErrorCollector {
  void AddError(int, int, const std::string &) override {}
};

std::optional<spec::Specification> parse(const std::string &text) {
  spec::Specification message;
  TextFormat::Parser parser;
  Silence silence;
  parser.RecordErrorsTo(&silence);
  parser.AllowUnknownField(true);
  parser.SetRecursionLimit(50);
  if (!parser.ParseFromString(text, &message))
    return std::nullopt;
  return message;
}

/// \p message and all messages within it that are given.
std::vector<Message *> messagesOf(Message &message) {
  std::vector<Message *> all = {&message};
  for (size_t i = 0; i < all.size(); ++i) {
    const Reflection *reflection = all[i]->GetReflection();
    std::vector<const FieldDescriptor *> given;
    reflection->ListFields(*all[i], &given);
    for (const FieldDescriptor *field : given) {
      if (!field->message_type())
        continue;
      if (!field->is_repeated()) {
        all.push_back(reflection->MutableMessage(all[i], field));
        continue;
      }
      for (int k = 0; k < reflection->FieldSize(*all[i], field); ++k)
        all.push_back(reflection->MutableRepeatedMessage(all[i], field, k));
    }
  }
  return all;
}

int64_t number(int64_t old, Dice &dice) {
  switch (dice.below(4)) {
  case 0:
    return dice.edgeNumber();
  case 1:
    return static_cast<int64_t>(static_cast<uint64_t>(old) * 2);
  default:
    return static_cast<int64_t>(dice.below(9));
  }
}

/// Gives \p field of \p message a value of its type.
void set(Message &message, const FieldDescriptor *field, Dice &dice) {
  static const double doubles[] = {0,
                                   1,
                                   -1,
                                   1e-5,
                                   0.5,
                                   0.9999,
                                   3e-320,
                                   1e308,
                                   1e39,
                                   1e-46,
                                   2048,
                                   1e-12,
                                   std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN()};
  static const std::string texts[] = {"",
                                      "24GB",
                                      "512 KiB",
                                      "1e40TiB",
                                      "native",
                                      "x86-64",
                                      "sm_80,sm_90a",
                                      "graph.safetensors",
                                      "\"{}",
                                      "\xc3\xbc\xff",
                                      std::string("a\0b", 3),
                                      std::string(3000, 'n')};
  const Reflection *reflection = message.GetReflection();
  if (field->is_repeated() &&
      field->cpp_type() == FieldDescriptor::CPPTYPE_INT64)
    return reflection->AddInt64(&message, field, number(16, dice));
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT64:
    return reflection->SetInt64(
        &message, field, number(reflection->GetInt64(message, field), dice));
  case FieldDescriptor::CPPTYPE_DOUBLE:
    return reflection->SetDouble(&message, field, dice.pick(doubles));
  case FieldDescriptor::CPPTYPE_BOOL:
    return reflection->SetBool(&message, field, dice.oneIn(2));
  case FieldDescriptor::CPPTYPE_STRING:
    return reflection->SetString(&message, field, dice.pick(texts));
  case FieldDescriptor::CPPTYPE_ENUM:
    return reflection->SetEnum(
        &message, field,
        field->enum_type()->value(
            static_cast<int>(dice.below(field->enum_type()->value_count()))));
  case FieldDescriptor::CPPTYPE_MESSAGE:
    if (field->is_repeated())
      reflection->AddMessage(&message, field);
    else
      reflection->MutableMessage(&message, field);
    return;
  default: // the schema has no others
    return;
  }
}

void mutateMessage(spec::Specification &root, Dice &dice) {
  std::vector<Message *> all = messagesOf(root);
  Message &message = *dice.pick(all);
  const auto *type = message.GetDescriptor();
  const FieldDescriptor *field =
      type->field(static_cast<int>(dice.below(type->field_count())));
  if (dice.oneIn(5))
    message.GetReflection()->ClearField(&message, field);
  else
    set(message, field, dice);
}

/// Takes a message of \p other over into the one of its type.
void graft(spec::Specification &root, spec::Specification &other, Dice &dice) {
  std::vector<Message *> all = messagesOf(root), others = messagesOf(other);
  Message &source = *dice.pick(others);
  for (Message *message : all)
    if (message->GetDescriptor() == source.GetDescriptor())
      return dice.oneIn(2) ? message->CopyFrom(source)
                           : message->MergeFrom(source);
}

} // namespace

std::string fuzz::mutatePair(const std::string &text, const std::string &other,
                             size_t most, Dice &dice) {
  std::optional<spec::Specification> message = parse(text);
  if (!message || dice.oneIn(4))
    return dice.oneIn(8) ? mutateBytes(text, most)
                         : mutateText(text, other, dice);
  std::optional<spec::Specification> source = parse(other);
  if (source && dice.oneIn(3))
    graft(*message, *source, dice);
  for (size_t times = 1 + dice.below(4); times > 0; --times)
    mutateMessage(*message, dice);
  std::string result;
  TextFormat::PrintToString(*message, &result);
  return result;
}
