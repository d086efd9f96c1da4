//===- Kinds.cpp - Which parts a model is made of -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Kinds.h"
#include "llvm/ADT/StringRef.h"

using namespace tessera;

template <typename Enum> static std::string nameOf(Enum value) {
  return llvm::StringRef(google::protobuf::GetEnumDescriptor<Enum>()
                             ->FindValueByNumber(value)
                             ->name())
      .lower();
}

/// The norm that \p model names, a layer norm where it names none.
static std::string normOf(const spec::Transformer &model) {
  const google::protobuf::FieldDescriptor *field =
      model.GetReflection()->GetOneofFieldDescriptor(
          model, model.GetDescriptor()->FindOneofByName("norm"));
  return field ? std::string(field->name()) : "layer_norm";
}

ModelKinds tessera::kindsOf(const spec::Specification &message) {
  ModelKinds kinds;
  if (message.has_transformer()) {
    const spec::Transformer &model = message.transformer();
    kinds.family = nameOf(model.names());
    kinds.positions = nameOf(model.positions());
    kinds.norm = normOf(model);
    kinds.activation =
        google::protobuf::GetEnumDescriptor<spec::Transformer::Activation>()
            ->FindValueByNumber(model.activation())
            ->options()
            .GetExtension(spec::operation);
  } else {
    kinds.graphLayer = nameOf(message.gnn().layer());
  }
  return kinds;
}
