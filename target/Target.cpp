//===- Target.cpp - What the compiler asks of a target --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "target/Target.h"
#include "dialects/nn/NN.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tessera;

void LinkParts::add(const LinkParts &others) {
  auto addTo = [](std::vector<std::string> &all,
                  const std::vector<std::string> &more) {
    for (const std::string &part : more)
      if (!llvm::is_contained(all, part))
        all.push_back(part);
  };
  addTo(archives, others.archives);
  addTo(libraries, others.libraries);
}

Target::~Target() = default;

spec::TargetAttrInterface Target::getAttribute(DictionaryAttr fields) const {
  MLIRContext *context = fields.getContext();
  return spec::PlainTargetAttr::get(context, StringAttr::get(context, name));
}

bool Target::isDescribedBy(spec::TargetAttrInterface attribute) const {
  return isa<spec::PlainTargetAttr>(attribute);
}

int64_t Target::getAttentionPart(nn::CachedAttentionOp) const { return 0; }

static std::vector<std::unique_ptr<Target>> &registry() {
  static std::vector<std::unique_ptr<Target>> targets;
  return targets;
}

const Target *tessera::findTarget(StringRef name) {
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

std::string tessera::getUnknownTargetText(StringRef name) {
  auto names = llvm::map_range(
      registry(), [](const auto &target) { return target->getName(); });
  return ("no target '" + name + "' is known; the targets are " +
          llvm::join(names, ", "))
      .str();
}

const Target *tessera::getTarget(ModuleOp module) {
  spec::SpecificationAttr specification = spec::getSpecification(module);
  StringRef name =
      specification ? specification.getTarget().getTargetName() : "cpu";
  const Target *target = findTarget(name);
  if (!target) {
    module.emitError(getUnknownTargetText(name));
    return nullptr;
  }
  if (specification && !target->isDescribedBy(specification.getTarget())) {
    module.emitError("target '")
        << name << "' is not described by " << specification.getTarget();
    return nullptr;
  }
  return target;
}
