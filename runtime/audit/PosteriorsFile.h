//===- PosteriorsFile.h - Answers of a model in a file ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_AUDIT_POSTERIORSFILE_H
#define TESSERA_RUNTIME_AUDIT_POSTERIORSFILE_H

#include "runtime/audit/Posteriors.h"
#include <string>

namespace tessera::runtime {

/// Reads what another program's model answers for each node of a graph, from
/// the safetensors file \p path: the tensor "posteriors", [nodes, classes] of
/// numbers from 0 to 1 whose rows sum to 1 (within 1 %, as 16-bit ones do;
/// divided by their sum), or "logits", of the same shape and finite. False with
/// the reason, which names the row, in \p error.
bool readPosteriors(const std::string &path, int64_t nodes, int64_t classes,
                    Posteriors &posteriors, std::string &error);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_AUDIT_POSTERIORSFILE_H
