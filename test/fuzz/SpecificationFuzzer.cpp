//===- SpecificationFuzzer.cpp - Specifications that may be anything ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A specification, with overrides in comments `# --set path=value`, is refused
// with errors, or a module of phase `model` is built of it that verifies. It
// may name the graph.safetensors beside it.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/CompilerContext.h"

using namespace tessera;
using namespace tessera::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  CompilerContext compiler;
  if (std::optional<Specification> specification =
          compiler.specification({reinterpret_cast<const char *>(data), size}))
    compiler.build(*specification);
  return 0;
}
