//===- Fields.h - The specification's fields by their paths -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_FIELDS_H
#define TESSERA_FRONTENDS_FIELDS_H

#include "frontends/spec.pb.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace tessera {

/// What a specification begins with, so that editors find its schema
/// (docs/editors.md): the path below the source tree, or below share/tessera.
inline constexpr llvm::StringLiteral schemaHeader =
    "# proto-file: frontends/spec.proto\n"
    "# proto-message: tessera.spec.Specification\n\n";

/// A field that a message has (or would have, by its default) and the message
/// that holds it.
struct FieldRef {
  const google::protobuf::Message *message = nullptr;
  const google::protobuf::FieldDescriptor *field = nullptr;

  /// Whether a value was given.
  bool given() const {
    return message->GetReflection()->HasField(*message, field);
  }
  /// The value of a numeric field, or its default.
  double number() const;
};

/// The field at \p path, which must exist in the schema.
FieldRef fieldAt(const google::protobuf::Message &root, llvm::StringRef path);

/// Every scalar field's path in the schema of \p type, depth first, but those
/// in lists.
std::vector<std::string> scalarPaths(const google::protobuf::Descriptor *type);

/// The names of the fields of \p type, comma-separated.
std::string fieldNames(const google::protobuf::Descriptor *type);

/// The names of the values of \p type, comma-separated.
std::string valueNames(const google::protobuf::EnumDescriptor *type);

/// What to write for \p field: "a whole number", "one of ALIBI, LEARNED", ...
std::string expectedValue(const google::protobuf::FieldDescriptor *field);

} // namespace tessera

#endif // TESSERA_FRONTENDS_FIELDS_H
