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

/// The operation that \p activation is; empty for none.
template <typename Enum> static std::string operationOf(Enum activation) {
  return google::protobuf::GetEnumDescriptor<Enum>()
      ->FindValueByNumber(activation)
      ->options()
      .GetExtension(spec::operation);
}

/// The norm that \p model names, a layer norm where it names none.
static std::string normOf(const spec::Transformer &model) {
  const google::protobuf::FieldDescriptor *field =
      model.GetReflection()->GetOneofFieldDescriptor(
          model, model.GetDescriptor()->FindOneofByName("norm"));
  return field ? std::string(field->name()) : "layer_norm";
}

double tessera::normEpsOf(const spec::Transformer &model) {
  return model.has_rms_norm() ? model.rms_norm().eps()
                              : model.layer_norm().eps();
}

std::string tessera::layerOf(const spec::Gnn &model) {
  return nameOf(model.layer());
}

std::string tessera::activationOf(const spec::Gnn &model) {
  return operationOf(model.activation());
}

ModelKinds tessera::kindsOf(const spec::Specification &message) {
  ModelKinds kinds;
  if (message.has_transformer()) {
    const spec::Transformer &model = message.transformer();
    kinds.family = nameOf(model.names());
    kinds.positions = nameOf(model.positions());
    kinds.norm = normOf(model);
    kinds.activation = operationOf(model.activation());
  } else {
    kinds.graphLayer = layerOf(message.gnn());
    kinds.activation = activationOf(message.gnn());
  }
  return kinds;
}
