//===- Manifest.cpp - The plan as JSON --------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Manifest.h"
#include "codegen/SpecificationJson.h"
#include "dialects/AttributeNames.h"
#include "dialects/nn/NN.h"
#include "dialects/nn/WeightBlocks.h"
#include "dialects/plan/Within.h"
#include "dialects/spec/Spec.h"
#include "dialects/zero/Zero.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "target/GemmShape.h"
#include "target/Target.h"
#include "llvm/Support/JSON.h"
#include <map>

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

static std::string getTypeName(Type type) {
  std::string name;
  llvm::raw_string_ostream(name) << type;
  return name;
}

namespace {

/// Writes the manifest from its beginning to its end.
class Writer {
public:
  Writer(ModuleOp module, llvm::raw_ostream &out)
      : module(module), symbols(module), json(out) {
    for (auto group : module.getOps<zero::GroupOp>())
      groups[group.getSymNameAttr()] = groups.size();
  }

  void write() {
    json.objectBegin();
    json.attribute("tessera", 1);
    writeSpecification(module, json);
    if (spec::getSpecification(module))
      json.attributeObject("optimizer", [&] { writeOptimizer(); });
    if (const Target *target = getTarget(module))
      target->writeManifest(module, json);
    json.attributeArray("parameters", [&] { writeParameters(); });
    json.attributeArray("groups", [&] { writeGroups(); });
    json.attributeArray("gemms", [&] { writeGemms(); });
    json.attributeArray("kernels", [&] { writeKernels(); });
    json.attributeObject("programs", [&] {
      for (auto program : module.getOps<ProgramOp>())
        json.attributeObject(program.getSymName(),
                             [&] { writeProgram(program); });
    });
    json.objectEnd();
  }

private:
  void writeShape(StringRef key, ArrayRef<int64_t> shape) {
    json.attributeArray(key, [&] {
      for (int64_t size : shape)
        json.value(size);
    });
  }

  /// What the optimizer declares.
  void writeOptimizer() {
    FailureOr<optimizer::Settings> settings = spec::getOptimizer(module);
    if (failed(settings))
      return;
    json.attribute("kind", settings->optimizer.getName());
    json.attributeArray("states", [&] {
      for (const optimizer::State &state : settings->optimizer.getStates())
        json.object([&] {
          json.attribute("name", state.name);
          json.attribute("saved_as", state.savedAs);
        });
    });
    json.attributeArray("scalars", [&] {
      for (const optimizer::Scalar &scalar : settings->optimizer.getScalars())
        json.object([&] {
          json.attribute("kind", optimizer::getName(scalar.kind));
          if (scalar.kind == optimizer::Scalar::Correction)
            json.attribute("base", scalar.base);
        });
    });
  }

  void writeParts(ArrayAttr names, ArrayRef<int64_t> rows) {
    json.attributeArray("parts", [&] {
      for (auto [name, count] : llvm::zip(names.getAsRange<StringAttr>(), rows))
        json.object([&, name = name, count = count] {
          json.attribute("name", name.getValue());
          json.attribute("rows", count);
        });
    });
  }

  /// How a parameter lies as bytes: see WeightBlocks.h.
  void writeBlocks(nn::ParameterOp parameter, int64_t along) {
    RankedTensorType type = parameter.getTensorType();
    nn::WeightBlocks blocks = {type.getDimSize(along),
                               type.getDimSize(1 - along)};
    json.attributeObject("blocks", [&] {
      json.attribute("along", along);
      json.attribute("elements", nn::WeightBlocks::blockInner);
      json.attribute("columns", nn::WeightBlocks::tileColumns);
      json.attribute("together", nn::WeightBlocks::together);
      json.attribute("offset", nn::WeightBlocks::integerOffset);
      json.attribute("group", nn::WeightBlocks::groupBlocks);
      json.attribute("tile_bytes", blocks.getTileBytes());
    });
  }

  void writeParameters() {
    llvm::DenseMap<StringAttr, std::pair<int64_t, int64_t>> places;
    for (auto group : module.getOps<zero::GroupOp>())
      for (auto [parameter, offset] :
           llvm::zip(group.getParameters().getAsRange<FlatSymbolRefAttr>(),
                     group.getOffsets()))
        places[parameter.getAttr()] = {groups[group.getSymNameAttr()], offset};
    for (auto parameter : module.getOps<nn::ParameterOp>())
      json.object([&] {
        json.attribute("name", parameter.getSymName());
        writeShape("shape", parameter.getTensorType().getShape());
        if (std::optional<ArrayAttr> names = parameter.getPartNames())
          writeParts(*names, *parameter.getPartRows());
        if (std::optional<uint64_t> along = parameter.getBlocksAlong())
          writeBlocks(parameter, static_cast<int64_t>(*along));
        json.attribute("decay", static_cast<bool>(parameter.getDecay()));
        if (std::optional<nn::Panels> panels = parameter.getPacked())
          json.attribute("packed", nn::stringifyPanels(*panels));
        json.attributeObject("init", [&] {
          StringRef key = parameter.getInit() == nn::Init::Normal    ? "std"
                          : parameter.getInit() == nn::Init::Uniform ? "bound"
                                                                     : "value";
          json.attribute("kind", nn::stringifyInit(parameter.getInit()));
          json.attribute(key, parameter.getValue().convertToDouble());
        });
        auto [group, offset] = places.lookup(parameter.getSymNameAttr());
        json.attribute("group", group);
        json.attribute("offset", offset);
      });
  }

  void writeGroups() {
    for (auto group : module.getOps<zero::GroupOp>())
      json.object([&] {
        json.attribute("name", group.getSymName());
        json.attribute("elements", group.getElements());
        json.attribute("padded", group.getPadded());
        json.attributeArray("class_ends", [&] {
          for (int64_t end : group.getClassEnds())
            json.value(end);
        });
      });
  }

  /// The number that plan-assign-ids gave.
  static int64_t getId(Operation *op) {
    return op->getAttrOfType<IntegerAttr>(idAttrName).getInt();
  }

  /// GEMMs of one shape have one number; the first has its scratch memory.
  void writeGemms() {
    std::map<int64_t, GemmOp> byId;
    for (auto program : module.getOps<ProgramOp>())
      for (auto gemm : program.getBody().getOps<GemmOp>())
        byId.try_emplace(getId(gemm), gemm);
    for (auto kernel : module.getOps<func::FuncOp>())
      kernel.walk([&](GemmOp gemm) { byId.try_emplace(getId(gemm), gemm); });
    for (auto [id, op] : byId)
      json.object([&, id = id, op = op] {
        GemmShape gemm = GemmShape::get(op);
        auto scratch = op->getAttrOfType<IntegerAttr>(scratchAttrName);
        json.attribute("id", id);
        json.attribute("m", gemm.m);
        json.attribute("n", gemm.n);
        json.attribute("k", gemm.k);
        json.attribute("transpose_a", gemm.transposeA);
        json.attribute("transpose_b", gemm.transposeB);
        json.attribute("lda", gemm.transposeA ? gemm.m : gemm.k);
        json.attribute("ldb", gemm.transposeB ? gemm.k : gemm.n);
        json.attribute("ldc", gemm.n);
        json.attribute("type", gemm.type);
        json.attribute("result_type", gemm.resultType);
        json.attribute("bias", gemm.bias);
        json.attribute("accumulate", gemm.accumulate);
        json.attribute("epilogue", stringifyEpilogue(gemm.epilogue));
        if (gemm.counted) {
          json.attribute("counted", stringifyCounted(*gemm.counted));
          json.attribute("room", gemm.room);
        }
        if (gemm.local)
          json.attribute("local", true);
        json.attribute("scratch", scratch ? scratch.getInt() : 0);
      });
  }

  void writeKernels() {
    std::map<int64_t, gpu::GPUFuncOp> byId;
    module.walk([&](gpu::GPUFuncOp function) {
      byId.try_emplace(getId(function), function);
    });
    for (auto [id, op] : byId)
      json.object([&, function = op]() mutable {
        json.attribute("name", function.getName());
        auto first = [](std::optional<ArrayRef<int32_t>> size) {
          return size && !size->empty() ? size->front() : 1;
        };
        json.attribute("blocks", first(function.getKnownGridSize()));
        json.attribute("threads", first(function.getKnownBlockSize()));
      });
  }

  void writeProgram(ProgramOp program) {
    json.attribute("world", program.getWorld());
    json.attribute("stage", program.getStage());
    if (FlatSymbolRefAttr within = getWithin(program))
      json.attribute("within", within.getValue());
    json.attribute("arena_bytes", program.getArenaBytes());
    json.attribute("alignment", bufferAlignment);
    if (program.getOffloadBytes())
      json.attributeObject("offload", [&] {
        json.attribute("offset", program.getOffloadOffset());
        json.attribute("bytes", program.getOffloadBytes());
      });
    json.attributeObject("memory", [&] {
      for (int64_t i = 0; i < categoryCount; ++i) {
        auto category = static_cast<Category>(i);
        if (program.getMemory(category) || category != Category::Cache)
          json.attribute(stringifyCategory(category),
                         program.getMemory(category));
      }
    });
    json.attributeArray("states", [&] {
      for (auto state : program.getBody().getOps<StateOp>())
        writeState(program, state);
    });
    json.attributeArray("inputs", [&] {
      for (auto input : program.getBody().getOps<InputOp>())
        json.object([&] {
          writeSlot(input.getName(), input.getView());
          json.attribute("when", input.getWhen());
          if (input.getWhen() == "load" && !input.getView()
                                                .getDefiningOp<ViewOp>()
                                                .getBufferOp()
                                                .getPersistent())
            json.attribute("unread", true);
        });
    });
    json.attributeArray("outputs", [&] {
      for (auto output : program.getBody().getOps<OutputOp>())
        json.object([&] { writeSlot(output.getName(), output.getView()); });
    });
    json.attributeArray("collectives", [&] {
      for (auto [start, times] : getCollectives(program))
        writeCollective(program, start, times);
    });
    json.attribute("flops", program.getFlops());
  }

  void writeState(ProgramOp program, StateOp state) {
    auto buffer = state.getBuffer().getDefiningOp<BufferOp>();
    auto group = symbols.lookup<zero::GroupOp>(state.getGroup());
    nn::CacheOp cache =
        group ? nn::CacheOp() : symbols.lookup<nn::CacheOp>(state.getGroup());
    int64_t elements = group ? static_cast<int64_t>(group.getPadded())
                             : cache.getTensorType().getNumElements();
    if (state.getSharded())
      elements /= program.getShards();
    json.object([&] {
      json.attribute("state", state.getState());
      json.attribute("group", group ? groups.lookup(group.getSymNameAttr())
                                    : int64_t(-1));
      json.attribute("offset", buffer.getPlace());
      json.attribute("elements", elements);
      json.attribute("type", getTypeName(state.getElementType()));
      json.attribute("sharded", static_cast<bool>(state.getSharded()));
      if (cache)
        writeShape("shape", cache.getTensorType().getShape());
    });
  }

  static int64_t getOffset(Value value) {
    auto view = value.getDefiningOp<ViewOp>();
    return view.getBufferOp().getPlace() + view.getOffset();
  }

  void writeSlot(StringRef name, Value view) {
    auto type = cast<MemRefType>(view.getType());
    json.attribute("name", name);
    json.attribute("type", getTypeName(type.getElementType()));
    writeShape("shape", type.getShape());
    json.attribute("offset", getOffset(view));
  }

  void writeCollective(ProgramOp program, StartOp start, int64_t times) {
    auto type = cast<MemRefType>(start.getSource().getType());
    json.object([&] {
      json.attribute("id", getId(start));
      json.attribute("kind", stringifyCollective(start.getKind()));
      json.attribute("group",
                     start.getGroup()
                         ? groups.lookup(start.getGroupAttr().getAttr())
                         : -1);
      json.attribute("elements", start.getElements());
      json.attribute("ranks", start.getMembers(program.getWorld()));
      json.attribute("step", start.getStep().value_or(1));
      // What is in place may lie elsewhere for each set of ranks.
      Value whole = start.getKind() == Collective::AllGather
                        ? start.getDestination()
                        : start.getSource();
      json.attribute("stride",
                     start.getStep().value_or(1) > 1
                         ? whole.getDefiningOp<ViewOp>().getRankStride()
                         : uint64_t(0));
      json.attribute("type", getTypeName(type.getElementType()));
      auto sum = cast<MemRefType>(start.getDestination().getType());
      if (sum.getElementType() != type.getElementType())
        json.attribute("destination_type", getTypeName(sum.getElementType()));
      json.attribute("source", getOffset(start.getSource()));
      json.attribute("destination", getOffset(start.getDestination()));
      json.attribute("in_place", static_cast<bool>(start.getInPlace()));
      json.attribute("accumulate", static_cast<bool>(start.getAccumulate()));
      json.attribute("bytes", start.getReceivedBytes(program.getWorld()));
      json.attribute("times", times);
    });
  }

  ModuleOp module;
  SymbolTable symbols;
  llvm::json::OStream json;
  llvm::DenseMap<StringAttr, int64_t> groups;
};

} // namespace

std::string tessera::getManifest(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream out(text);
  Writer(module, out).write();
  return text;
}
