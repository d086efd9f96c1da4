//===- SpecDialect.cpp - The dialect of specifications --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Spec.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tessera::spec;

#include "dialects/spec/SpecDialect.cpp.inc"
#include "dialects/spec/SpecEnums.cpp.inc"
#include "dialects/spec/SpecInterfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/spec/SpecAttrs.cpp.inc"

void SpecDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/spec/SpecAttrs.cpp.inc"
      >();
}

LogicalResult SpecDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  if (!isa<ModuleOp>(op))
    return op->emitError() << attribute.getName() << " is a module's attribute";
  StringRef name = attribute.getName();
  if (name == SpecificationAttr::attributeName)
    return isa<SpecificationAttr>(attribute.getValue())
               ? success()
               : op->emitError() << name << " must be a #spec.specification";
  if (name == RecomputedAttr::attributeName)
    return isa<RecomputedAttr>(attribute.getValue())
               ? success()
               : op->emitError() << name << " must be a #spec.recomputed";
  if (name == MachineAttr::attributeName)
    return isa<MachineAttr>(attribute.getValue())
               ? success()
               : op->emitError() << name << " must be a #spec.machine";
  if (name == AuditAttr::attributeName)
    return isa<AuditAttr>(attribute.getValue())
               ? success()
               : op->emitError() << name << " must be a #spec.audit";
  if (name == GenerationAttr::attributeName)
    return isa<GenerationAttr>(attribute.getValue())
               ? success()
               : op->emitError() << name << " must be a #spec.generation";
  return op->emitError() << "no attribute is named " << name
                         << ": a module has "
                         << SpecificationAttr::attributeName << ", "
                         << MachineAttr::attributeName << ", "
                         << AuditAttr::attributeName << ", "
                         << GenerationAttr::attributeName << " and "
                         << RecomputedAttr::attributeName;
}

StringRef CpuAttr::getTargetName() const { return getMnemonic(); }
StringRef CpuAttr::getHostCpu() const { return getName(); }
int64_t CpuAttr::getHostThreads() const { return getThreads(); }

StringRef CudaAttr::getTargetName() const { return getMnemonic(); }
// The CPUs of a machine with GPUs may be any; they compute nothing.
StringRef CudaAttr::getHostCpu() const { return "x86-64"; }
DictionaryAttr CudaAttr::getOwnFields() const {
  Builder builder(getContext());
  return builder.getDictionaryAttr(
      {builder.getNamedAttr("arch", getArch()),
       builder.getNamedAttr("gelu_epilogue",
                            builder.getBoolAttr(getGeluEpilogue()))});
}

StringRef PlainTargetAttr::getTargetName() const { return getName(); }

SpecificationAttr tessera::spec::getSpecification(ModuleOp module) {
  return module->getAttrOfType<SpecificationAttr>(
      SpecificationAttr::attributeName);
}

ParallelAttr tessera::spec::getParallel(ModuleOp module) {
  SpecificationAttr specification = getSpecification(module);
  return specification ? specification.getParallel()
                       : ParallelAttr::get(module.getContext());
}

PrecisionAttr tessera::spec::getPrecision(ModuleOp module) {
  SpecificationAttr specification = getSpecification(module);
  return specification ? specification.getTraining().getPrecision()
                       : PrecisionAttr::get(module.getContext());
}

int64_t tessera::spec::getAccumulation(ModuleOp module) {
  SpecificationAttr specification = getSpecification(module);
  return specification ? specification.getAccumulation() : 1;
}

int64_t tessera::spec::getMemoryLimit(ModuleOp module) {
  SpecificationAttr specification = getSpecification(module);
  return specification
             ? specification.getTraining().getMemoryLimit().value_or(INT64_MAX)
             : INT64_MAX;
}

FailureOr<tessera::optimizer::Settings>
tessera::spec::getOptimizer(ModuleOp module) {
  SpecificationAttr specification = getSpecification(module);
  if (!specification)
    return module.emitError(
        "has no spec.specification, whose optimizer updates "
        "the parameters");
  return optimizer::readSettings([&] { return module.emitError(); },
                                 specification.getTraining().getOptimizer());
}

int64_t tessera::spec::getScalarCount(ModuleOp module) {
  FailureOr<optimizer::Settings> settings;
  if (getSpecification(module))
    settings = getOptimizer(module);
  // AdamW's are the learning rate, two corrections and the step.
  return succeeded(settings) ? settings->optimizer.getScalars().size() : 4;
}

SmallVector<ModuleOp> tessera::spec::getModels(ModuleOp module) {
  auto models = llvm::to_vector(module.getOps<ModuleOp>());
  if (models.empty())
    models.push_back(module);
  return models;
}

AuditAttr tessera::spec::getAudit(ModuleOp module) {
  return module->getAttrOfType<AuditAttr>(AuditAttr::attributeName);
}

GenerationAttr tessera::spec::getGeneration(ModuleOp module) {
  return module->getAttrOfType<GenerationAttr>(GenerationAttr::attributeName);
}

StringRef tessera::spec::getMainProgram(ModuleOp module) {
  return getGeneration(module) ? "decode" : "train";
}

bool tessera::spec::readsField(DefenseKind kind, StringRef field) {
  switch (kind) {
  case DefenseKind::NSD:
    return field == "neighbors";
  case DefenseKind::LBP:
    return field == "bins" || field == "beta";
  case DefenseKind::VanPD:
    return field == "beta";
  case DefenseKind::Rounding:
    return field == "digits";
  case DefenseKind::Temperature:
    return field == "temperature";
  case DefenseKind::LabelOnly:
    return false;
  }
  llvm_unreachable("all defenses are handled");
}

RecomputedAttr tessera::spec::getRecomputed(ModuleOp module) {
  return module->getAttrOfType<RecomputedAttr>(RecomputedAttr::attributeName);
}

MachineAttr tessera::spec::getMachine(ModuleOp module) {
  auto machine = module->getAttrOfType<MachineAttr>(MachineAttr::attributeName);
  return machine ? machine : MachineAttr::get(module.getContext());
}

StringRef tessera::spec::getTypeName(NumberType type) {
  switch (type) {
  case NumberType::FP32:
    return "f32";
  case NumberType::BF16:
    return "bf16";
  case NumberType::FP16:
    return "f16";
  }
  llvm_unreachable("all types are named");
}
