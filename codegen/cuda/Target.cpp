//===- Target.cpp - NVIDIA GPUs as a target -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Target.h"
#include "codegen/ObjectEmission.h"
#include "codegen/cuda/Cache.h"
#include "codegen/cuda/DeviceImage.h"
#include "codegen/cuda/DeviceKernel.h"
#include "codegen/cuda/KernelEmission.h"
#include "codegen/cuda/Passes.h"
#include "runtime/core/Spelling.h"
#include "runtime/cuda/Pinned.h"
#include "target/LinkLibraries.h"

using namespace mlir;
using namespace tessera;

/// What GEMMs may use: cuBLASLt's heuristics ask for so much on the largest
/// GPUs (CUDA 13, "cublasLtMatmulPreferenceAttributes_t"), and choose
/// algorithms that are content with less.
static constexpr int64_t gemmWorkspace = int64_t(32) << 20;

namespace {
/// The figures of one GPU.
struct Gpu {
  const char *name;
  int64_t architecture; ///< the first that these are the figures of
  double fp32, bf16;    ///< Gflop/s, without sparsity
  double memory;        ///< GB/s
  double cacheMiB;
  double link; ///< GB/s that it receives from the GPUs of its node
};
} // namespace

/// NVIDIA's data sheets of the A100 80GB SXM, the H100 SXM and the B200.
static constexpr Gpu gpus[] = {
    {"A100", 80, 19500, 312000, 2039, 40, 300},
    {"H100", 90, 67000, 989000, 3350, 50, 450},
    {"B200", 100, 75000, 2250000, 8000, 126, 900},
};
/// GPUs of a node, each with a link of 400 Gbit/s to other nodes.
static constexpr int64_t gpusOfNode = 8;
static constexpr double gpuLink = 50;

/// What the specification of \p module says of GPUs.
static spec::CudaAttr getFields(ModuleOp module) {
  spec::SpecificationAttr specification = spec::getSpecification(module);
  return specification ? cast<spec::CudaAttr>(specification.getTarget())
                       : spec::CudaAttr::get(module.getContext());
}

/// The GPU that \p module is compiled for.
static const Gpu &getGpu(ModuleOp module) {
  int64_t number = 0;
  StringRef architecture = getFields(module).getArch();
  architecture.split(',').first.trim().drop_front(3).rtrim("af").getAsInteger(
      10, number);
  const Gpu *found = gpus;
  for (const Gpu &gpu : gpus)
    if (gpu.architecture <= number)
      found = &gpu;
  return *found;
}

/// The architectures that CUDA 13 knows, from the first with 16-bit tensor
/// cores for bf16 on.
static const char *const architectures[] = {
    "sm_80",   "sm_86",  "sm_87",   "sm_88",  "sm_89",   "sm_90",
    "sm_90a",  "sm_100", "sm_100a", "sm_103", "sm_103a", "sm_110",
    "sm_110a", "sm_120", "sm_120a", "sm_121", "sm_121a"};

/// Reports those of \p names, separated by commas, that are none of the
/// architectures.
static void checkArchitectures(StringRef names, SpecificationReport report) {
  std::vector<std::string> known(std::begin(architectures),
                                 std::end(architectures));
  SmallVector<StringRef> parts;
  names.split(parts, ',');
  for (StringRef part : parts) {
    StringRef name = part.trim();
    if (llvm::is_contained(known, name))
      continue;
    std::string near = runtime::nearestName(name, known);
    report("target.cuda.arch", "no architecture is named `" + name + "`",
           near.empty() ? "give some of " + llvm::join(known, ", ")
                        : "did you mean `" + near + "`?");
  }
}

static void writeReport(const cuda::DeviceImage &image,
                        llvm::raw_ostream &out) {
  llvm::json::OStream json(out, 2);
  json.array([&] {
    for (const cuda::FunctionReport &function : image.functions)
      json.object([&] {
        json.attribute("name", function.name);
        json.attribute("architecture", function.architecture);
        json.attribute("registers", function.registers);
        json.attribute("spill_bytes", function.spillBytes);
        json.attribute("stack_bytes", function.stackBytes);
        json.attribute("shared_bytes", function.sharedBytes);
      });
  });
  out << "\n";
}

/// Compiles the device's functions of \p module and takes them out of it.
static FailureOr<std::string> takeDeviceImage(ModuleOp module,
                                              llvm::raw_ostream *report) {
  auto device = module.lookupSymbol<gpu::GPUModuleOp>(
      plan::PlanDialect::deviceModuleName);
  if (!device)
    return module.emitError("has no device code: compile it from an earlier "
                            "phase");
  auto image = cuda::emitImage(
      device, cuda::splitArchitectures(getFields(module).getArch()));
  if (failed(image))
    return failure();
  if (report && image->functions.empty())
    return emitError(UnknownLoc::get(module.getContext()))
           << "--kernel-report: there is no CUDA toolkit here to report on "
              "device functions; install one, or put its bin on the path";
  if (report)
    writeReport(*image, *report);
  device.erase();
  return std::move(image->bytes);
}

namespace {

class CudaTarget final : public Target {
public:
  CudaTarget() : Target("cuda") {}

  void registerKernels(DialectRegistry &registry) const override {
    cuda::registerKernels(registry);
  }

  spec::TargetAttrInterface getAttribute(DictionaryAttr fields) const override {
    return spec::CudaAttr::get(
        fields.getContext(), fields.getAs<StringAttr>("arch"),
        fields.getAs<BoolAttr>("gelu_epilogue").getValue());
  }

  bool isDescribedBy(spec::TargetAttrInterface attribute) const override {
    return isa<spec::CudaAttr>(attribute);
  }

  void validate(spec::SpecificationAttr specification,
                SpecificationReport report) const override {
    switch (specification.getParallel().getOffload()) {
    case spec::Offload::None:
      break;
    case spec::Offload::Optimizer:
      report("parallel.offload", "states in a file are for CPUs alone",
             "leave it out, or `target.cuda`");
    }
    auto model = dyn_cast<spec::TransformerAttr>(specification.getModel());
    int64_t columns = model ? model.getHeadColumns() : 0;
    if (columns > cuda::mostHeadColumns)
      report("transformer.heads",
             "heads have " + Twine(columns) + " columns, and on GPUs at most " +
                 Twine(cuda::mostHeadColumns),
             "give more heads");
    spec::NumberType gradients =
        specification.getTraining().getPrecision().getGradients();
    if (specification.getParallel().getWorld() > 1 &&
        gradients != spec::NumberType::FP32)
      report("training.precision.gradients",
             "several GPUs sum gradients in FP32: NCCL would round each "
             "partial sum of 16-bit ones",
             "leave it out, or give FP32");
    checkArchitectures(
        cast<spec::CudaAttr>(specification.getTarget()).getArch(), report);
  }

  bool endsGemmsWithGelu(ModuleOp module) const override {
    return getFields(module).getGeluEpilogue();
  }

  int64_t getMostColumnSums() const override { return cuda::mostColumnSums; }

  int64_t getAttentionPart(nn::CachedAttentionOp attention) const override {
    return cuda::getAttentionPart(attention);
  }

  // NCCL's collectives write their destination.
  bool sumsByKernel() const override { return true; }

  std::unique_ptr<Pass> createShapeKernels() const override {
    return cuda::createShapeKernels();
  }

  bool sharesScratch() const override { return true; }

  int64_t getScratchBytes(const GemmShape &, int64_t) const override {
    return gemmWorkspace;
  }

  void buildPipeline(OpPassManager &manager) const override {
    cuda::buildPipeline(manager);
  }

  FailureOr<std::vector<ObjectFile>>
  emitObjects(ModuleOp module, bool inOne,
              llvm::raw_ostream *report) const override {
    FailureOr<std::string> image = takeDeviceImage(module, report);
    if (failed(image))
      return failure();
    return codegen::emitObjects(module, inOne, *image);
  }

  int64_t getCallCount(Operation *kernel) const override {
    return std::ssize(cuda::getGrids(cast<func::FuncOp>(kernel)));
  }

  LinkParts getLinkParts(ModuleOp) const override {
    return {{"device_cuda", "comm_cuda"}, {libraries::sodium.str()}};
  }

  void writeManifest(ModuleOp module,
                     llvm::json::OStream &json) const override {
    json.attributeObject("device", [&] {
      json.attribute("kind", getName());
      json.attributeArray("architectures", [&] {
        for (const std::string &name :
             cuda::splitArchitectures(getFields(module).getArch()))
          json.value(name);
      });
    });
  }

  bool hasDevices() const override { return true; }

  int64_t getRanksPerNode(int64_t) const override { return gpusOfNode; }

  // What GEMMs, caches and links reach of their peak is a guess, until a
  // machine is given.
  NodeFigures assumeNode(ModuleOp module, int64_t,
                         int64_t count) const override {
    const Gpu &gpu = getGpu(module);
    auto ranks = static_cast<double>(count);
    NodeFigures node = {};
    node.name = gpu.name;
    node.fp32 = ranks * gpu.fp32;
    node.bf16 = ranks * gpu.bf16;
    node.fp32Share = 0.85;
    node.bf16Share = 0.7;
    node.memory = ranks * gpu.memory;
    node.cache = ranks * 2 * gpu.memory;
    node.cacheMiB = ranks * gpu.cacheMiB;
    node.launch = 2;
    node.intraNodeLatency = 5;
    node.intraNode = ranks * gpu.link;
    node.interNodeLatency = 10;
    node.interNode = ranks * gpuLink;
    return node;
  }

  int64_t getPinnedBytes(ArrayRef<plan::ProgramOp> programs) const override {
    int64_t bytes = runtime::cuda::bounceBytes;
    for (plan::ProgramOp program : programs)
      for (auto input : program.getBody().getOps<plan::InputOp>())
        if (input.getWhen() != "load")
          bytes += runtime::cuda::inputBuffers *
                   plan::getBytes(cast<ShapedType>(input.getView().getType()));
    return bytes;
  }
};

} // namespace

std::unique_ptr<Target> cuda::createTarget() {
  return std::make_unique<CudaTarget>();
}
