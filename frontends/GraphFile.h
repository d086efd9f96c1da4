//===- GraphFile.h - The shape of a graph in a safetensors file -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_GRAPHFILE_H
#define TESSERA_FRONTENDS_GRAPHFILE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>

namespace tessera {

/// The counts that a graph's program depends on.
struct GraphShape {
  int64_t nodes = 0;
  int64_t edges = 0;    ///< Directed, as the file has them.
  int64_t features = 0; ///< Of a node.
  int64_t classes = 0;  ///< Largest label + 1.
};

/// Reads the shape of the graph in the safetensors file \p path: tensors x
/// [nodes, features], edge_index [2, edges] and y [nodes] (I64 or I32). The
/// error says what is wrong with the file.
llvm::Expected<GraphShape> readGraphShape(llvm::StringRef path);

} // namespace tessera

#endif // TESSERA_FRONTENDS_GRAPHFILE_H
