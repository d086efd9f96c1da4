//===- Target.cpp - What the compiler asks of a target --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "target/Target.h"
#include "dialects/Spec.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tessera;

Target::~Target() = default;

static std::vector<std::unique_ptr<Target>> &registry() {
  static std::vector<std::unique_ptr<Target>> targets;
  return targets;
}

static const Target *findTarget(StringRef name) {
  for (const std::unique_ptr<Target> &target : registry())
    if (target->getName() == name)
      return target.get();
  return nullptr;
}

void tessera::registerTarget(std::unique_ptr<Target> target) {
  if (findTarget(target->getName()))
    llvm::report_fatal_error("target '" + Twine(target->getName()) +
                             "' is registered twice");
  registry().push_back(std::move(target));
}

ArrayRef<std::unique_ptr<Target>> tessera::getTargets() { return registry(); }

const Target *tessera::getTarget(ModuleOp module) {
  StringRef name = getSpecText(module, "target.kind", "cpu");
  if (const Target *target = findTarget(name))
    return target;
  auto names = llvm::map_range(
      registry(), [](const auto &target) { return target->getName(); });
  module.emitError("no target '")
      << name << "' is known; the targets are " << llvm::join(names, ", ");
  return nullptr;
}
