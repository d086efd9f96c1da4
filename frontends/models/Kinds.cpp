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

ModelKinds tessera::kindsOf(const spec::Specification &message) {
  ModelKinds kinds;
  if (message.has_transformer()) {
    const spec::Transformer &model = message.transformer();
    kinds.family = nameOf(model.names());
    kinds.positions = nameOf(model.positions());
    kinds.norm = "layer_norm";
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
