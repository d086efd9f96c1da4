//===- Fields.cpp - The specification's fields by their paths -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Fields.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace tessera;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

double FieldRef::number() const {
  const google::protobuf::Reflection *reflection = message->GetReflection();
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT64:
    return static_cast<double>(reflection->GetInt64(*message, field));
  case FieldDescriptor::CPPTYPE_DOUBLE:
    return reflection->GetDouble(*message, field);
  default:
    llvm_unreachable("the specification has no other numeric types");
  }
}

FieldRef tessera::fieldAt(const Message &root, llvm::StringRef path) {
  const Message *message = &root;
  while (true) {
    auto [name, rest] = path.split('.');
    const FieldDescriptor *field =
        message->GetDescriptor()->FindFieldByName(name.str());
    if (rest.empty())
      return {message, field};
    message = &message->GetReflection()->GetMessage(*message, field);
    path = rest;
  }
}

std::vector<std::string> tessera::scalarPaths(const Descriptor *type) {
  std::vector<std::string> paths;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor *field = type->field(i);
    if (field->is_repeated())
      continue;
    if (!field->message_type()) {
      paths.push_back(field->name());
      continue;
    }
    for (const std::string &path : scalarPaths(field->message_type()))
      paths.push_back(field->name() + "." + path);
  }
  return paths;
}

std::string tessera::fieldNames(const Descriptor *type) {
  std::vector<std::string> names;
  for (int i = 0; i < type->field_count(); ++i)
    names.push_back(type->field(i)->name());
  return llvm::join(names, ", ");
}

std::string tessera::valueNames(const EnumDescriptor *type) {
  std::vector<std::string> names;
  for (int i = 0; i < type->value_count(); ++i)
    names.push_back(type->value(i)->name());
  return llvm::join(names, ", ");
}

std::string tessera::expectedValue(const FieldDescriptor *field) {
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT64:
    return "give a whole number";
  case FieldDescriptor::CPPTYPE_DOUBLE:
    return "give a number, such as 0.1 or 1e-3";
  case FieldDescriptor::CPPTYPE_BOOL:
    return "give true or false";
  case FieldDescriptor::CPPTYPE_ENUM:
    return "give one of " + valueNames(field->enum_type());
  case FieldDescriptor::CPPTYPE_STRING:
    return "give a text in double quotes";
  default:
    return "give its fields in braces: " + fieldNames(field->message_type());
  }
}
