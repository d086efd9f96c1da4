//===- CostModel.cpp - How long the steps of a plan take --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/CostModel.h"
#include "dialects/nn/IterationSpace.h"
#include "dialects/spec/Spec.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "target/KernelInterface.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

/// The part of the multiply-add peak that generated kernels with matmuls of
/// tiles (attention) reach; bench-kernels measures it.
static constexpr double tileShare = 0.7;
/// The same of a GPU's tensor cores, for 16-bit numbers (Shah et al., arXiv
/// 2407.08608, on what FlashAttention-2 reaches of an H100).
static constexpr double tensorTileShare = 0.35;

/// How many multiply-adds an elementwise operation lasts as long as: the
/// polynomials of math-approximate, and divisions and roots, which
/// CPUs do several times slower.
static double getWeight(Operation *op) {
  if (isa<math::ExpOp, math::LogOp>(op))
    return 16;
  if (isa<math::TanhOp>(op))
    return 24;
  if (isa<arith::DivFOp, math::SqrtOp, math::RsqrtOp>(op))
    return 8;
  // Four instructions a round for a whole vector.
  if (isa<nn::RandomBitsOp>(op))
    return 40;
  return 1;
}

/// Multiply-adds of a kernel that the general emitter writes.
static double getElementwiseWork(func::FuncOp kernel) {
  double work = 0;
  for (Operation &op : kernel.getBody().front()) {
    if (op.getNumResults() != 1 || nn::isTransparent(&op) ||
        isa<arith::ConstantOp, nn::BroadcastOp, nn::SliceColumnsOp,
            nn::ConcatColumnsOp, nn::IotaOp>(op))
      continue;
    Value counted = isa<nn::ReduceOp>(op) ? op.getOperand(0) : op.getResult(0);
    auto type = cast<ShapedType>(counted.getType());
    work += getWeight(&op) * type.getNumElements();
  }
  return work;
}

CostModel::CostModel(ProgramOp program, const Machine &machine)
    : program(program), symbols(program->getParentOfType<ModuleOp>()),
      machine(machine), share(1.0 / static_cast<double>(machine.ranksPerNode)) {
  auto module = program->getParentOfType<ModuleOp>();
  spec::SpecificationAttr specification = spec::getSpecification(module);
  if (int64_t threads = machine.hasDevices || !specification
                            ? 0
                            : specification.getTarget().getHostThreads())
    share = std::min(share, static_cast<double>(threads) /
                                static_cast<double>(machine.cores));
}

const CostModel::Kernel &CostModel::getKernel(LaunchOp launch) {
  auto [entry, isNew] = kernels.try_emplace(launch.getKernel());
  Kernel &kernel = entry->second;
  if (!isNew)
    return kernel;
  auto function = symbols.lookup<func::FuncOp>(launch.getKernel());
  kernel.work = getKernelWork(function);
  if (getKernelOp(function)) {
    bool isNarrow = llvm::any_of(function.getArgumentTypes(), [](Type type) {
      return getElementTypeOrSelf(type).getIntOrFloatBitWidth() == 16;
    });
    double rate = machine.hasDevices && isNarrow
                      ? tensorTileShare * machine.bf16
                      : tileShare * machine.fp32;
    kernel.arithmetic = kernel.work.flops / (rate * share);
  } else {
    // A plain operation takes as long as a multiply-add, which counts twice.
    kernel.arithmetic =
        2 * getElementwiseWork(function) / (machine.fp32 * share);
  }
  return kernel;
}

void CostModel::addMemory(StepCost &cost, double bytes) {
  cost.bytes += bytes;
  double rate =
      bytes <= machine.cacheBytes * share ? machine.cache : machine.memory;
  cost.memory += bytes / (rate * share);
}

StepCost CostModel::getCost(Operation *step) {
  StepCost cost;
  if (!isa<LaunchOp, GemmOp, ClearOp, CopyOp>(step))
    return cost;
  auto launch = dyn_cast<LaunchOp>(step);
  StepWork work = launch ? getKernel(launch).work : getStepWork(step, symbols);
  cost.launch = machine.launch;
  cost.kind = work.kind;
  cost.flops = work.flops;
  addMemory(cost, work.bytes);
  if (launch)
    cost.arithmetic = getKernel(launch).arithmetic;
  if (auto gemm = dyn_cast<GemmOp>(step)) {
    bool wide =
        cast<ShapedType>(gemm.getA().getType()).getElementType().isF32();
    cost.arithmetic =
        cost.flops / ((wide ? machine.fp32Gemm : machine.bf16Gemm) * share);
  }
  return cost;
}

CollectiveCost CostModel::getCost(StartOp start) {
  CollectiveCost cost;
  int64_t world = program.getWorld(), members = start.getMembers(world);
  cost.received = start.getReceivedBytes(world);
  if (members == 1)
    return cost;
  // Each rank fetches from each peer by itself. Nodes hold ranks in their
  // order; of those, each `step`-th is a peer.
  int64_t step = start.getStep().value_or(1);
  int64_t onNode = std::clamp<int64_t>(machine.ranksPerNode / step, 1, members);
  double near = onNode - 1, far = members - onNode;
  double part = cost.received / (members - 1);
  auto add = [&](const Machine::Link &link, double peers) {
    if (peers == 0)
      return;
    (link.overlapsCompute ? cost.beside : cost.atWait) +=
        peers * link.latency + peers * part / (link.rate * share);
  };
  add(machine.intraNode, near);
  add(machine.interNode, far);
  // Beside its peers' parts a rank reads or copies its own.
  double own = start.getKind() == Collective::AllGather
                   ? (start.getInPlace() ? 0 : 2 * part)
                   : part * (start.getAccumulate() ? 2 : 1);
  (machine.hasDevices ? cost.beside : cost.atWait) +=
      own / (machine.memory * share);
  return cost;
}
