//===- Machine.cpp - The machine that times are predicted for -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Machine.h"
#include "frontends/TextReader.h"
#include "frontends/validation/Validation.h"
#include "mlir/IR/Builders.h"

using namespace tessera;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

static constexpr llvm::StringLiteral remedy =
    "give a file that holds `machine { ... }`, as `tessera calibrate -o FILE` "
    "writes it";

static mlir::DictionaryAttr givenFields(const Message &message,
                                        mlir::Builder &builder) {
  const google::protobuf::Reflection *reflection = message.GetReflection();
  std::vector<const FieldDescriptor *> fields;
  reflection->ListFields(message, &fields);
  llvm::SmallVector<mlir::NamedAttribute> entries;
  for (const FieldDescriptor *field : fields) {
    mlir::Attribute value;
    switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      value = givenFields(reflection->GetMessage(message, field), builder);
      break;
    case FieldDescriptor::CPPTYPE_STRING:
      value = builder.getStringAttr(reflection->GetString(message, field));
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      value = builder.getBoolAttr(reflection->GetBool(message, field));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      value = builder.getI64IntegerAttr(reflection->GetInt64(message, field));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      value = builder.getF64FloatAttr(reflection->GetDouble(message, field));
      break;
    default:
      llvm_unreachable("a machine has no fields of other types");
    }
    entries.push_back(builder.getNamedAttr(field->name(), value));
  }
  return builder.getDictionaryAttr(entries);
}

mlir::DictionaryAttr tessera::machineAttr(const spec::Machine &machine,
                                          mlir::MLIRContext &context) {
  mlir::Builder builder(&context);
  return givenFields(machine, builder);
}

bool tessera::readMachine(const SourceText &source, spec::Machine &machine,
                          Diagnostics &diagnostics) {
  unsigned before = diagnostics.count();
  spec::Specification message;
  readText(source.text, source.path, message, diagnostics);
  if (diagnostics.count() != before)
    return false;
  std::vector<const FieldDescriptor *> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor *field : fields)
    if (field->name() != "machine")
      diagnostics.error(field->name(),
                        "`" + field->name() + "` is not for a machine's file",
                        "leave only `machine { ... }` there");
  if (fields.empty())
    diagnostics.errorAt(source.path, "describes no machine", remedy);
  machine = message.machine();
  return diagnostics.count() == before;
}

std::optional<SourceText> tessera::loadMachine(llvm::StringRef path,
                                               llvm::raw_ostream &errors) {
  llvm::Expected<SourceText> source =
      readSource(path, maxSpecificationBytes, remedy);
  if (source)
    return std::move(*source);
  errors << path << ": error: " << llvm::toString(source.takeError()) << "\n";
  return std::nullopt;
}

std::optional<spec::Machine> tessera::parseMachine(const SourceText &source,
                                                   llvm::raw_ostream &errors) {
  Diagnostics diagnostics(source.path, errors);
  spec::Specification message;
  if (!readMachine(source, *message.mutable_machine(), diagnostics))
    return std::nullopt;
  validate(message, /*complete=*/false, diagnostics);
  if (diagnostics.count() != 0)
    return std::nullopt;
  return message.machine();
}
