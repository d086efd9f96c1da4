//===- ModelBuilder.cpp - From a specification to phase `model` -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/ModelBuilder.h"
#include "dialects/graph/Graph.h"
#include "frontends/Audit.h"
#include "frontends/Machine.h"
#include "frontends/OptimizerSettings.h"
#include "frontends/SpecificationAttr.h"
#include "frontends/models/Models.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "runtime/program/GenerationNames.h"

using namespace mlir;
using namespace tessera;

/// An empty module that carries \p specification.
static OwningOpRef<ModuleOp> createModule(const Specification &specification,
                                          MLIRContext &context) {
  context
      .loadDialect<nn::NNDialect, graph::GraphDialect, func::FuncDialect,
                   arith::ArithDialect, math::MathDialect, spec::SpecDialect>();
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  (*module)->setAttr(spec::SpecificationAttr::attributeName,
                     getSpecificationAttr(specification, context));
  if (specification.message.has_machine())
    (*module)->setAttr(spec::MachineAttr::attributeName,
                       machineAttr(specification.message.machine(), context));
  return module;
}

OwningOpRef<ModuleOp> tessera::buildModel(const Specification &specification,
                                          const ModelKinds &kinds,
                                          MLIRContext &context) {
  OwningOpRef<ModuleOp> module = createModule(specification, context);
  ModuleWriter writer(*module);
  if (specification.message.has_transformer())
    writeTransformer(specification, kinds, writer);
  else
    writeGnn(specification, kinds, writer);
  if (failed(checkParameterGroups(specification, *module)))
    return {};
  return module;
}

/// A module of the modules of all models.
static OwningOpRef<ModuleOp> buildAudit(const Specification &specification,
                                        MLIRContext &context) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  for (const AuditModel &model : getAuditModels(specification)) {
    OwningOpRef<ModuleOp> one = buildModel(model.specification, context);
    if (!one)
      return {};
    (*one).setSymName(model.name);
    module->push_back(one.release());
  }
  spec::getModels(*module).front()->setAttr(
      spec::AuditAttr::attributeName, getAuditAttr(specification, context));
  return module;
}

/// The model that generates texts with the parameters of \p trained, and that
/// one, as a module of modules.
static OwningOpRef<ModuleOp> addGeneration(OwningOpRef<ModuleOp> trained,
                                           const Specification &specification,
                                           MLIRContext &context) {
  OwningOpRef<ModuleOp> generation = createModule(specification, context);
  // Its texts are as long as the context; it is the same model otherwise.
  Specification longer = specification;
  longer.message.mutable_transformer()->set_sequence_length(
      specification.message.generation().context());
  auto trainedAs = spec::getSpecification(*generation);
  (*generation)
      ->setAttr(spec::SpecificationAttr::attributeName,
                spec::SpecificationAttr::get(
                    &context, trainedAs.getName(),
                    getSpecificationAttr(longer, context).getModel(),
                    trainedAs.getTraining(), trainedAs.getParallel(),
                    trainedAs.getTarget(), trainedAs.getTied(),
                    trainedAs.getFingerprint(), trainedAs.getConfig(),
                    StringAttr()));
  (*generation)
      ->setAttr(spec::GenerationAttr::attributeName,
                spec::GenerationAttr::get(
                    &context, specification.message.generation().batch(),
                    specification.message.generation().context(),
                    specification.prefillChunk()));
  ModuleWriter writer(*generation);
  writeGeneration(specification, kindsOf(specification.message), writer);
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  (*trained).setSymName("training");
  (*generation).setSymName(runtime::slotNames::generation);
  module->push_back(trained.release());
  module->push_back(generation.release());
  return module;
}

OwningOpRef<ModuleOp> tessera::buildModel(const Specification &specification,
                                          MLIRContext &context) {
  const spec::Specification &message = specification.message;
  if (message.has_audit() && message.has_gnn())
    return buildAudit(specification, context);
  OwningOpRef<ModuleOp> module =
      buildModel(specification, kindsOf(message), context);
  if (module && message.has_audit())
    (*module)->setAttr(spec::AuditAttr::attributeName,
                       getAuditAttr(specification, context));
  if (module && message.has_generation())
    return addGeneration(std::move(module), specification, context);
  return module;
}
