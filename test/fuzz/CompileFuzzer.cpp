//===- CompileFuzzer.cpp - Specifications through all phases --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a specification that is not refused says goes through all phases up to
// `target`, or one of them says why it does not.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/CompilerContext.h"

using namespace tessera;
using namespace tessera::fuzz;

/// Whether all phases take moments: their time grows with layers alone,
/// and the hops of each, and twice the memory limit asks for many plans.
static bool isSmall(const Specification &specification) {
  const spec::Specification &message = specification.message;
  return message.transformer().layers() <= 3 && message.gnn().layers() <= 4 &&
         message.gnn().hops() <= 4;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  CompilerContext compiler;
  std::optional<Specification> specification =
      compiler.specification({reinterpret_cast<const char *>(data), size});
  if (!specification || !isSmall(*specification))
    return 0;
  if (auto module = compiler.build(*specification))
    compiler.compile(*module, Phase::Model);
  return 0;
}
