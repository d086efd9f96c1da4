//===- GraphSettings.h - What follows from a graph layer's kind -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_GRAPHSETTINGS_H
#define TESSERA_FRONTENDS_GRAPHSETTINGS_H

#include "frontends/spec.pb.h"
#include "runtime/data/SampleRoom.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace tessera {

/// The paths of fields that only some kinds of layers have.
llvm::ArrayRef<llvm::StringLiteral> getFieldsOfLayers();

/// Whether the layers of \p model have the field at \p path; true for fields
/// that all layers have.
bool readsField(const spec::Gnn &model, llvm::StringRef path);

/// The kinds that have the field at \p path, one of getFieldsOfLayers(): "SAGE"
/// or "GCN or SGC".
std::string getLayersWith(llvm::StringRef path);

/// Whether each node gets an edge to itself: what is given, else what PyTorch
/// Geometric's layer does.
bool addsSelfLoops(const spec::Gnn &model);

/// How the edges weigh: what is given, else what the layer's aggregation is.
spec::Gnn::Normalization edgeWeightsOf(const spec::Gnn &model);

/// Room for a micro-batch that \p sampling draws from the graph of \p model.
runtime::SampleRoom getSampleRoom(const spec::Gnn &model,
                                  const spec::Sampling &sampling);

} // namespace tessera

#endif // TESSERA_FRONTENDS_GRAPHSETTINGS_H
