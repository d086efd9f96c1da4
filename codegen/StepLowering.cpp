//===- StepLowering.cpp - Programs as calls of the runtime ------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Manifest.h"
#include "codegen/Passes.h"
#include "codegen/StepCalls.h"
#include "dialects/AttributeNames.h"
#include "dialects/Contracts.h"
#include "dialects/nn/NN.h"
#include "dialects/plan/Plan.h"
#include "dialects/zero/Zero.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace tessera {
#define GEN_PASS_DEF_LOWERPROGRAMS
#include "codegen/Passes.h.inc"
} // namespace tessera

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

/// The number that plan-assign-ids gave.
static int32_t getId(Operation *op) {
  return op->getAttrOfType<IntegerAttr>(idAttrName).getInt();
}

namespace {

/// What all entries of a module share: functions by name, those of a device by
/// kernel, the entries written so far.
struct Target {
  explicit Target(ModuleOp module)
      : module(module), symbols(module),
        pointer(LLVM::LLVMPointerType::get(module.getContext())),
        nothing(LLVM::LLVMVoidType::get(module.getContext())) {
    module.walk([&](gpu::GPUFuncOp function) {
      auto kernel = function->getAttrOfType<StringAttr>(kernelAttrName);
      if (kernel)
        deviceKernels[kernel.getValue()].push_back(getId(function));
    });
  }

  /// The numbers of the device's functions that kernel \p name is made of, in
  /// order; none where it is a kernel of the CPU.
  ArrayRef<int32_t> getDeviceKernels(StringRef name);

  /// The function \p name, declared where the module does not have it.
  LLVM::LLVMFuncOp getFunction(StringRef name, Type result,
                               ArrayRef<Type> arguments);

  ModuleOp module;
  SymbolTable symbols;
  LLVM::LLVMPointerType pointer;
  LLVM::LLVMVoidType nothing;
  SmallVector<LLVM::LLVMFuncOp> entries;

private:
  llvm::StringMap<SmallVector<int32_t, 2>> deviceKernels;
};

/// Writes the steps of one entry.
class EntryWriter {
public:
  EntryWriter(Target &target, ProgramOp program, SectionOp section);

  LogicalResult write(Operation *step);
  void finish() {
    LLVM::ReturnOp::create(builder, entry.getLoc(), ValueRange());
  }

private:
  void call(StringRef name, ValueRange operands, Type result = {});
  Value constant(int64_t value, unsigned bits = 64);
  Value getAddress(Value view);
  Value getArenaAddress(Value offset);
  Value getScratch(Operation *step);
  Value getIterations(LaunchOp launch, int64_t iterations);
  LogicalResult writeLaunch(LaunchOp launch);
  void writeCollective(StringRef what, Operation *start);
  void writeRanges(StringRef function, ValueRange buffers);

  Target &target;
  ProgramOp program;
  LLVM::LLVMFuncOp entry;
  OpBuilder builder;
  Value context, arena, rank, arguments;
  LLVM::CallOp last;
  DenseMap<Value, Value> addresses;
  DenseMap<std::pair<int64_t, unsigned>, Value> constants;
};

} // namespace

LLVM::LLVMFuncOp Target::getFunction(StringRef name, Type result,
                                     ArrayRef<Type> arguments) {
  if (auto function = symbols.lookup<LLVM::LLVMFuncOp>(name))
    return function;
  auto type = LLVM::LLVMFunctionType::get(result ? result : nothing, arguments);
  OpBuilder builder(module.getContext());
  auto function =
      LLVM::LLVMFuncOp::create(builder, module.getLoc(), name, type);
  symbols.insert(function, module.getBody()->begin());
  return function;
}

ArrayRef<int32_t> Target::getDeviceKernels(StringRef name) {
  auto known = deviceKernels.find(name);
  if (known == deviceKernels.end())
    return {};
  return known->second;
}

EntryWriter::EntryWriter(Target &target, ProgramOp program, SectionOp section)
    : target(target), program(program), builder(program) {
  auto type = LLVM::LLVMFunctionType::get(target.nothing,
                                          {target.pointer, target.pointer});
  entry = LLVM::LLVMFuncOp::create(
      builder, section.getLoc(),
      (program.getSymName() + "." + section.getName()).str(), type,
      LLVM::Linkage::Internal);
  target.entries.push_back(entry);
  Block *block = entry.addEntryBlock(builder);
  context = block->getArgument(0);
  arena = block->getArgument(1);
  builder.setInsertionPointToStart(block);
  // One array holds the operands of each launch in turn.
  int64_t most = 0;
  for (auto launch : program.getBody().getOps<LaunchOp>())
    most = std::max<int64_t>(most, launch->getNumOperands());
  arguments = LLVM::AllocaOp::create(builder, entry.getLoc(), target.pointer,
                                     target.pointer, constant(most));
}

Value EntryWriter::constant(int64_t value, unsigned bits) {
  Value &known = constants[{value, bits}];
  if (!known) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&entry.getBody().front());
    known = LLVM::ConstantOp::create(
        builder, entry.getLoc(),
        builder.getIntegerAttr(builder.getIntegerType(bits), value));
  }
  return known;
}

void EntryWriter::call(StringRef name, ValueRange operands, Type result) {
  LLVM::LLVMFuncOp function =
      target.getFunction(name, result, llvm::to_vector(operands.getTypes()));
  last = LLVM::CallOp::create(builder, entry.getLoc(), function, operands);
}

Value EntryWriter::getArenaAddress(Value offset) {
  return LLVM::GEPOp::create(builder, entry.getLoc(), target.pointer,
                             builder.getI8Type(), arena,
                             ArrayRef<LLVM::GEPArg>{offset});
}

Value EntryWriter::getAddress(Value value) {
  Value &address = addresses[value];
  if (address)
    return address;
  auto view = value.getDefiningOp<ViewOp>();
  Value offset = constant(view.getBufferOp().getPlace() + view.getOffset());
  if (view.isRankDependent() && program.getWorld() > 1) {
    if (!rank) {
      call("tessera_rank", context, builder.getI32Type());
      rank = LLVM::SExtOp::create(builder, entry.getLoc(), builder.getI64Type(),
                                  last.getResult());
    }
    Value shard = rank, replica, kept;
    if (program.getReplicas() > 1) {
      Value shards = constant(program.getShards());
      shard = LLVM::URemOp::create(builder, entry.getLoc(), rank, shards);
      replica = LLVM::UDivOp::create(builder, entry.getLoc(), rank, shards);
    }
    if (view.getSecondaryStride())
      kept = LLVM::URemOp::create(builder, entry.getLoc(), rank,
                                  constant(program.getSecondary()));
    auto add = [&](Value place, int64_t stride) {
      if (!place || !stride)
        return;
      Value part =
          LLVM::MulOp::create(builder, entry.getLoc(), place, constant(stride));
      offset = LLVM::AddOp::create(builder, entry.getLoc(), offset, part);
    };
    add(shard, view.getRankStride());
    add(replica, view.getReplicaStride());
    add(kept, view.getSecondaryStride());
  }
  return address = getArenaAddress(offset);
}

/// The scratch memory of a step that takes some, else null.
Value EntryWriter::getScratch(Operation *step) {
  if (step->hasAttr(scratchAttrName))
    for (auto scratch : program.getBody().getOps<ScratchOp>()) {
      auto buffer = scratch.getBuffer().getDefiningOp<BufferOp>();
      return getArenaAddress(constant(buffer.getOffset()));
    }
  return LLVM::ZeroOp::create(builder, entry.getLoc(), target.pointer);
}

/// What a launch says of its count names an operand that holds one.
static LogicalResult verifyCount(LaunchOp launch) {
  Attribute attribute = launch->getAttr(countedIterationsAttrName);
  if (!attribute)
    return success();
  auto counted = dyn_cast<DenseI64ArrayAttr>(attribute);
  auto isCount = [&](int64_t operand) {
    if (operand < 0 || operand >= launch->getNumOperands())
      return false;
    auto type = cast<ShapedType>(launch->getOperand(operand).getType());
    return type.getNumElements() == 1 && type.getElementType().isInteger(32);
  };
  if (counted && counted.size() == 3 && isCount(counted[0]) &&
      counted[1] >= 0 && counted[2] > 0)
    return success();
  return launch.emitOpError("has ")
         << countedIterationsAttrName << " = " << attribute
         << ": the operand of a count, a numerator and a denominator are "
            "wanted";
}

/// How often the loop of \p launch runs: \p iterations times, or only as often
/// as the rows need that its count says, so that threads share what there is.
Value EntryWriter::getIterations(LaunchOp launch, int64_t iterations) {
  auto counted =
      launch->getAttrOfType<DenseI64ArrayAttr>(countedIterationsAttrName);
  if (!counted)
    return constant(iterations);
  Location loc = launch.getLoc();
  Type i64 = builder.getI64Type();
  Value address = getAddress(launch->getOperand(counted[0]));
  Value count =
      LLVM::LoadOp::create(builder, loc, builder.getI32Type(), address);
  count = LLVM::SExtOp::create(builder, loc, i64, count);
  count = LLVM::SMaxOp::create(builder, loc, count, constant(0));
  Value wanted = LLVM::MulOp::create(builder, loc, count, constant(counted[1]));
  wanted = LLVM::AddOp::create(builder, loc, wanted, constant(counted[2] - 1));
  wanted = LLVM::UDivOp::create(builder, loc, wanted, constant(counted[2]));
  return LLVM::SMinOp::create(builder, loc, wanted, constant(iterations));
}

LogicalResult EntryWriter::writeLaunch(LaunchOp launch) {
  Location loc = launch.getLoc();
  auto iterations = launch->getAttrOfType<IntegerAttr>(iterationsAttrName);
  if (!iterations)
    return launch.emitOpError("does not say how often the kernel's loop runs: "
                              "run cpu-shape-kernels before plan-place");
  if (failed(verifyCount(launch)))
    return failure();
  for (auto [i, operand] : llvm::enumerate(launch->getOperands())) {
    Value slot = LLVM::GEPOp::create(
        builder, loc, target.pointer, target.pointer, arguments,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    LLVM::StoreOp::create(builder, loc, getAddress(operand), slot);
  }
  ArrayRef<int32_t> grids = target.getDeviceKernels(launch.getKernel());
  for (int32_t grid : grids)
    call("tessera_device_launch",
         {context, constant(grid, 32), arguments,
          constant(launch->getNumOperands(), 32), getScratch(launch)});
  if (!grids.empty())
    return success();
  Type i64 = builder.getI64Type();
  LLVM::LLVMFuncOp kernel =
      target.getFunction(launch.getKernel(), target.nothing,
                         {target.pointer, i64, i64, target.pointer});
  Value function = LLVM::AddressOfOp::create(builder, loc, kernel);
  auto stride = launch->getAttrOfType<IntegerAttr>(scratchAttrName);
  call("tessera_launch",
       {context, function, arguments,
        getIterations(launch, iterations.getInt()), getScratch(launch),
        constant(stride ? stride.getInt() : 0)});
  return success();
}

void EntryWriter::writeCollective(StringRef what, Operation *start) {
  call(("tessera_collective_" + what).str(),
       {context, constant(getId(start), 32)});
}

/// Calls \p function for each range of the file that \p buffers fill.
void EntryWriter::writeRanges(StringRef function, ValueRange buffers) {
  for (auto [begin, end] : getFileRanges(buffers))
    call(function,
         {context, getArenaAddress(constant(begin)), constant(end - begin)});
}

LogicalResult EntryWriter::write(Operation *step) {
  return TypeSwitch<Operation *, LogicalResult>(step)
      .Case([&](LaunchOp launch) { return writeLaunch(launch); })
      .Case([&](GemmOp gemm) {
        auto addressOf = [&](Value view) -> Value {
          if (view)
            return getAddress(view);
          return LLVM::ZeroOp::create(builder, gemm.getLoc(), target.pointer);
        };
        SmallVector<Value> operands = {context, constant(getId(gemm), 32)};
        if (gemm.getCount())
          operands.push_back(getAddress(gemm.getCount()));
        operands.append({getAddress(gemm.getA()), getAddress(gemm.getB()),
                         addressOf(gemm.getBias()), addressOf(gemm.getAux()),
                         getAddress(gemm.getOut()), getScratch(gemm)});
        call(gemm.getCount() ? "tessera_gemm_counted" : "tessera_gemm",
             operands);
        return success();
      })
      .Case([&](StartOp start) {
        writeCollective("start", start);
        return success();
      })
      .Case([&](WaitOp wait) {
        writeCollective("wait", wait.getToken().getDefiningOp());
        return success();
      })
      .Case([&](FenceOp fence) {
        writeCollective("fence", fence.getToken().getDefiningOp());
        return success();
      })
      .Case([&](ClearOp clear) {
        auto view = clear.getView().getDefiningOp<ViewOp>();
        call("tessera_zero",
             {context, getAddress(view), constant(view.getBytes())});
        return success();
      })
      .Case([&](CopyOp copy) {
        auto view = copy.getSource().getDefiningOp<ViewOp>();
        call("tessera_copy", {context, getAddress(copy.getDestination()),
                              getAddress(view), constant(view.getBytes())});
        return success();
      })
      .Case([&](FetchOp fetch) {
        writeRanges("tessera_fetch", fetch.getBuffers());
        return success();
      })
      .Case([&](EvictOp evict) {
        writeRanges("tessera_evict", evict.getBuffers());
        return success();
      })
      .Default([](Operation *) { return success(); });
}

static LogicalResult lowerProgram(Target &target, ProgramOp program) {
  std::optional<EntryWriter> writer;
  for (Operation &op : program.getBody().front()) {
    if (auto section = dyn_cast<SectionOp>(op)) {
      if (writer)
        writer->finish();
      writer.emplace(target, program, section);
    } else if (isStep(&op)) {
      if (!writer)
        return op.emitOpError("stands before the program's first section");
      if (failed(writer->write(&op)))
        return failure();
    }
  }
  if (writer)
    writer->finish();
  return success();
}

/// `tessera_entries` (runtime/abi.h): names and functions; a null name ends it.
static void writeEntries(Target &target) {
  Location loc = target.module.getLoc();
  MLIRContext *context = target.module.getContext();
  auto builder = OpBuilder::atBlockEnd(target.module.getBody());
  auto entryType = LLVM::LLVMStructType::getLiteral(
      context, {target.pointer, target.pointer});
  auto type = LLVM::LLVMArrayType::get(entryType, target.entries.size() + 1);
  SmallVector<LLVM::GlobalOp> names;
  for (LLVM::LLVMFuncOp entry : target.entries)
    names.push_back(createText(builder, loc, (entry.getName() + ".name").str(),
                               LLVM::Linkage::Internal, entry.getName()));
  auto table = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                      LLVM::Linkage::External,
                                      "tessera_entries", Attribute());
  builder.createBlock(&table.getInitializerRegion());
  Value value = LLVM::ZeroOp::create(builder, loc, type);
  for (int64_t i = 0, e = target.entries.size(); i < e; ++i) {
    Value name = LLVM::AddressOfOp::create(builder, loc, names[i]);
    Value run = LLVM::AddressOfOp::create(builder, loc, target.entries[i]);
    value = LLVM::InsertValueOp::create(builder, loc, value, name,
                                        ArrayRef<int64_t>{i, 0});
    value = LLVM::InsertValueOp::create(builder, loc, value, run,
                                        ArrayRef<int64_t>{i, 1});
  }
  LLVM::ReturnOp::create(builder, loc, value);
}

/// Makes the GEMMs that are steps of kernels calls of the runtime. A kernel's
/// last argument is its scratch memory.
static void lowerLocalGemms(Target &target) {
  SmallVector<GemmOp> gemms;
  for (auto kernel : target.module.getOps<func::FuncOp>())
    kernel.walk([&](GemmOp gemm) { gemms.push_back(gemm); });
  for (GemmOp gemm : gemms) {
    Location loc = gemm.getLoc();
    OpBuilder builder(gemm);
    auto getPointer = [&](Value buffer) -> Value {
      if (!buffer)
        return LLVM::ZeroOp::create(builder, loc, target.pointer);
      Value start =
          memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
      Value address =
          arith::IndexCastOp::create(builder, loc, builder.getI64Type(), start);
      return LLVM::IntToPtrOp::create(builder, loc, target.pointer, address);
    };
    Value id = LLVM::ConstantOp::create(builder, loc,
                                        builder.getI32IntegerAttr(getId(gemm)));
    Block &entry = gemm->getParentOfType<func::FuncOp>().getBody().front();
    SmallVector<Value> operands = {id,
                                   getPointer(gemm.getA()),
                                   getPointer(gemm.getB()),
                                   getPointer(gemm.getBias()),
                                   getPointer(gemm.getOut()),
                                   getPointer(entry.getArguments().back())};
    LLVM::LLVMFuncOp function =
        target.getFunction("tessera_local_gemm", {},
                           llvm::to_vector(ValueRange(operands).getTypes()));
    LLVM::CallOp::create(builder, loc, function, operands);
    gemm.erase();
  }
}

/// Fails where something has no number.
static LogicalResult verifyIds(ModuleOp module) {
  WalkResult result = module.walk([](Operation *op) {
    if (!isa<GemmOp, StartOp, gpu::GPUFuncOp>(op) ||
        op->getAttrOfType<IntegerAttr>(idAttrName))
      return WalkResult::advance();
    op->emitError(
        "has no number: run plan-assign-ids before plan-lower-programs");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

namespace {
struct LowerPrograms : tessera::impl::LowerProgramsBase<LowerPrograms> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(verifyStates(module)) || failed(verifyIds(module)))
      return signalPassFailure();
    std::string manifest = getManifest(module);
    Target target(module);
    for (auto program : module.getOps<ProgramOp>())
      if (failed(lowerProgram(target, program)))
        return signalPassFailure();
    lowerLocalGemms(target);
    auto builder = OpBuilder::atBlockEnd(module.getBody());
    createText(builder, module.getLoc(), "tessera_manifest",
               LLVM::Linkage::External, manifest);
    writeEntries(target);
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<ProgramOp, zero::GroupOp, nn::ParameterOp, nn::CacheOp>(op))
        op.erase();
  }
};
} // namespace
