//===- ModuleFuzzer.cpp - IR that may be anything -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The text of a module, whose first line says behind which phase it is:
//
//   // --compile-from=kernels
//
// It goes through the parser, the verifiers and the phases that are left, or
// one of them says why it does not.
//
//===----------------------------------------------------------------------===//

#include "frontends/ModelBuilder.h"
#include "frontends/SpecificationAttr.h"
#include "test/fuzz/CompilerContext.h"
#include "test/fuzz/ModuleMutator.h"
#include "test/fuzz/PairMutator.h"
#include "test/fuzz/TextMutator.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::fuzz;

static constexpr llvm::StringLiteral mark = "// --compile-from=";

namespace {

struct Input {
  Phase from = Phase::Model;
  std::string text;

  explicit Input(StringRef bytes) {
    StringRef rest = bytes;
    if (rest.consume_front(mark)) {
      auto [name, module] = rest.split('\n');
      if (std::optional<Phase> phase = parsePhase(name))
        from = *phase;
      rest = module;
    }
    text = rest.str();
  }

  std::string write() const {
    return (mark + getPhaseName(from) + "\n" + text).str();
  }
};

} // namespace

static std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  return text;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input input({reinterpret_cast<const char *>(data), size});
  CompilerContext compiler;
  if (OwningOpRef<ModuleOp> module = compiler.parse(input.text))
    compiler.enter(*module, input.from);
  return 0;
}

/// The module after one more phase: where inputs of late phases come from.
static void advance(CompilerContext &compiler, Input &input, ModuleOp module) {
  if (input.from >= Phase::Plan)
    return;
  auto next = static_cast<Phase>(static_cast<unsigned>(input.from) + 1);
  compiler.loadKernels();
  if (failed(verifySpecificationAttr(module)) ||
      failed(verifyPhase(module, input.from)) ||
      failed(runPhases(module, input.from, next)))
    return;
  input.from = next;
  input.text = textOf(module);
}

std::string fuzz::mutatePair(const std::string &bytes, const std::string &other,
                             size_t, Dice &dice) {
  Input input(bytes);
  if (dice.oneIn(20)) {
    input.from = static_cast<Phase>(dice.below(5));
    return input.write();
  }
  if (dice.oneIn(3)) {
    input.text = mutateText(input.text, Input(other).text, dice);
    return input.write();
  }
  CompilerContext compiler;
  OwningOpRef<ModuleOp> module = compiler.parse(input.text);
  if (!module)
    input.text = mutateText(input.text, Input(other).text, dice);
  else if (dice.oneIn(30))
    advance(compiler, input, *module);
  else {
    mutateModule(*module, dice);
    input.text = textOf(*module);
  }
  return input.write();
}
