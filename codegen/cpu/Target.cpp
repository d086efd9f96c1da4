//===- Target.cpp - CPUs as a target --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Target.h"
#include "codegen/ObjectEmission.h"
#include "codegen/cpu/CachedAttention.h"
#include "codegen/cpu/GemmScratch.h"
#include "codegen/cpu/KernelEmission.h"
#include "codegen/cpu/Passes.h"
#include "runtime/core/Spelling.h"
#include "target/LinkLibraries.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace mlir;
using namespace tessera;

namespace {

class CpuTarget final : public Target {
public:
  CpuTarget() : Target("cpu") {}

  void registerKernels(DialectRegistry &registry) const override {
    cpu::registerKernels(registry);
  }

  void prepare() const override {
    // oneDNN's engine is made by whoever asks first.
    (void)cpu::getScratchBytes({1, 1, 1, false, false, false, false,
                                plan::Epilogue::None, "f32", "f32"},
                               1);
  }

  spec::TargetAttrInterface getAttribute(DictionaryAttr fields) const override {
    return spec::CpuAttr::get(fields.getContext(),
                              fields.getAs<StringAttr>("name"),
                              fields.getAs<IntegerAttr>("threads").getInt());
  }

  bool isDescribedBy(spec::TargetAttrInterface attribute) const override {
    return isa<spec::CpuAttr>(attribute);
  }

  void validate(spec::SpecificationAttr specification,
                SpecificationReport report) const override {
    StringRef name = cast<spec::CpuAttr>(specification.getTarget()).getName();
    if (name == "native")
      return;
    llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
    SmallVector<StringRef> known;
    if (triple.isX86())
      llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
    else if (triple.isAArch64())
      llvm::AArch64::fillValidCPUArchList(known);
    if (llvm::is_contained(known, name))
      return;
    std::vector<std::string> names(known.begin(), known.end());
    std::string near = runtime::nearestName(name, names);
    report("target.cpu.name",
           "LLVM knows no " + triple.getArchName() + " CPU `" + name + "`",
           near.empty()
               ? "give \"native\" or a name that `clang -mcpu=help` lists"
               : "did you mean `" + near + "`?");
  }

  bool packsWeights() const override { return true; }

  int64_t getAttentionPart(nn::CachedAttentionOp attention) const override {
    return cpu::getAttentionPart(attention);
  }

  /// Half of the second cache of a server's core, or more.
  int64_t getRowChunkBytes() const override { return 1 << 20; }

  std::unique_ptr<Pass> createShapeKernels() const override {
    return cpu::createShapeKernels();
  }

  int64_t getScratchBytes(const GemmShape &gemm,
                          int64_t threads) const override {
    return cpu::getScratchBytes(gemm, threads);
  }

  void buildPipeline(OpPassManager &manager) const override {
    cpu::buildPipeline(manager);
  }

  FailureOr<std::vector<ObjectFile>>
  emitObjects(ModuleOp module, bool inOne,
              llvm::raw_ostream *report) const override {
    if (report)
      return emitError(UnknownLoc::get(module.getContext()))
             << "--kernel-report is for specifications with target.cuda; drop "
                "it";
    return codegen::emitObjects(module, inOne);
  }

  LinkParts getLinkParts(ModuleOp module) const override {
    LinkParts parts = {{"device_host"}, {libraries::oneDnn.str()}};
    if (module->getParentOfType<ModuleOp>()) {
      // One of several models, those of an audit, whose trials ranks share.
      parts.archives.push_back("comm_trials");
      parts.libraries.push_back(libraries::sodium.str());
      return parts;
    }
    if (spec::getParallel(module).getWorld() == 1) {
      parts.archives.push_back("comm_single");
      return parts;
    }
    parts.archives.push_back("comm_mpi");
    for (StringRef library : llvm::split(libraries::mpi, ';'))
      parts.libraries.push_back(library.str());
    return parts;
  }

  int64_t getRanksPerNode(int64_t cores) const override { return cores; }

  NodeFigures assumeNode(ModuleOp, int64_t count, int64_t) const override {
    auto cores = static_cast<double>(count);
    NodeFigures node = {};
    node.fp32 = 100 * cores;
    node.bf16 = 200 * cores;
    node.fp32Share = node.bf16Share = 0.85;
    node.memory = 20 * cores;
    node.cache = 60 * cores;
    node.cacheMiB = cores;
    node.launch = 5;
    node.intraNodeLatency = 1;
    node.intraNode = 10 * cores;
    node.interNodeLatency = 5;
    node.interNode = 12.5;
    return node;
  }
};

} // namespace

std::unique_ptr<Target> cpu::createTarget() {
  return std::make_unique<CpuTarget>();
}
