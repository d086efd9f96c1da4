//===- NullTarget.cpp - A target that only counts -------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/extension/NullTarget.h"
#include "codegen/Passes.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AttributeNames.h"

using namespace mlir;
using namespace tessera;

namespace {

/// A launch does all of its work at once and takes no memory.
struct ShapeKernels : PassWrapper<ShapeKernels, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ShapeKernels)

  StringRef getArgument() const override { return "null-shape-kernels"; }

  void runOnOperation() override {
    OpBuilder builder(&getContext());
    for (func::FuncOp kernel : getKernels(getOperation())) {
      kernel->setAttr(iterationsAttrName, builder.getI64IntegerAttr(1));
      kernel->setAttr(scratchAttrName, builder.getI64IntegerAttr(0));
      kernel->setAttr(flopsAttrName,
                      builder.getI64IntegerAttr(codegen::getFlops(kernel)));
    }
  }
};

class NullTarget final : public Target {
public:
  NullTarget() : Target("null") {}

  void validate(spec::SpecificationAttr specification,
                SpecificationReport report) const override {
    if (specification.getParallel().getOffload() != spec::Offload::None)
      report("parallel.offload", "what only counts keeps no states in a file",
             "leave it out");
  }

  void registerKernels(DialectRegistry &) const override {}

  std::unique_ptr<Pass> createShapeKernels() const override {
    return std::make_unique<ShapeKernels>();
  }

  int64_t getScratchBytes(const GemmShape &, int64_t) const override {
    return 0;
  }

  void buildPipeline(OpPassManager &) const override {}

  FailureOr<std::vector<ObjectFile>>
  emitObjects(ModuleOp module, bool, llvm::raw_ostream *) const override {
    std::vector<ObjectFile> objects(1);
    llvm::raw_svector_ostream out(objects.front());
    for (auto program : module.getOps<plan::ProgramOp>()) {
      Region &body = program.getBody();
      out << program.getSymName() << ": "
          << llvm::range_size(body.getOps<plan::LaunchOp>()) << " launches, "
          << llvm::range_size(body.getOps<plan::GemmOp>()) << " GEMMs, "
          << llvm::range_size(body.getOps<plan::StartOp>()) << " collectives\n";
    }
    return objects;
  }

  LinkParts getLinkParts(ModuleOp) const override { return {}; }

  int64_t getRanksPerNode(int64_t cores) const override { return cores; }

  NodeFigures assumeNode(ModuleOp, int64_t, int64_t) const override {
    NodeFigures node = {};
    node.name = "machine of no speed";
    node.fp32 = node.bf16 = node.fp32Share = node.bf16Share = 1;
    node.memory = node.cache = node.intraNode = node.interNode = 1;
    return node;
  }
};

} // namespace

std::unique_ptr<Target> extension::createNullTarget() {
  return std::make_unique<NullTarget>();
}
