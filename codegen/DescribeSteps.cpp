//===- DescribeSteps.cpp - What the steps of training are -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"
#include "codegen/StepCalls.h"
#include "dialects/Contracts.h"
#include "dialects/plan/MemoryUsage.h"
#include "dialects/plan/StepGroups.h"
#include "dialects/spec/Spec.h"
#include "target/StepWork.h"
#include "target/Target.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/JSON.h"
#include <map>

namespace tessera {
#define GEN_PASS_DEF_DESCRIBESTEPS
#include "codegen/Passes.h.inc"
} // namespace tessera

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

namespace {

/// Writes the table of one program's steps (docs/manifest.md).
class Table {
public:
  Table(ProgramOp program, const Target &target)
      : program(program), target(target),
        symbols(program->getParentOfType<ModuleOp>()),
        memory(MemoryUsage::measure(program)),
        layers(StepGroups(program).getLayers(memory.steps)) {
    for (auto [number, start] :
         llvm::enumerate(program.getBody().getOps<StartOp>()))
      collectives[start] = static_cast<int64_t>(number);
    for (Operation *step : memory.steps)
      whatIs.push_back(intern(step));
    for (StringRef layer : layers)
      layerNumbers.try_emplace(layer,
                               static_cast<int64_t>(layerNumbers.size()));
  }

  void write(llvm::json::OStream &json) {
    json.object([&] {
      json.attributeArray("works", [&] {
        for (const Work &work : works)
          writeWork(json, work);
      });
      json.attributeArray("layers", [&] {
        for (auto &[layer, number] : layerNumbers)
          json.value(layer);
      });
      json.attributeArray("sections", [&] { writeSections(json); });
    });
  }

private:
  struct Work {
    std::string name;
    StepWork work;
    int64_t collective; ///< -1: none
    auto getKey() const {
      return std::tuple(name, work.kind, work.flops, work.bytes, collective);
    }
  };

  /// The number of what \p step does among all that steps do.
  int64_t intern(Operation *step) {
    Work work = {getStepName(step), getStepWork(step, symbols), -1};
    Operation *start =
        isa<WaitOp, FenceOp>(step) ? step->getOperand(0).getDefiningOp() : step;
    if (auto known = collectives.find(start); known != collectives.end())
      work.collective = known->second;
    auto [entry, isNew] =
        numbers.try_emplace(work.getKey(), static_cast<int64_t>(works.size()));
    if (isNew)
      works.push_back(std::move(work));
    return entry->second;
  }

  static void writeWork(llvm::json::OStream &json, const Work &work) {
    json.object([&] {
      json.attribute("name", work.name);
      json.attribute("kind", work.work.kind);
      if (work.work.flops)
        json.attribute("flops", static_cast<int64_t>(work.work.flops));
      if (work.work.bytes)
        json.attribute("bytes", static_cast<int64_t>(work.work.bytes));
      if (work.collective >= 0)
        json.attribute("collective", work.collective);
    });
  }

  void writeSections(llvm::json::OStream &json) {
    size_t number = 0;
    Block &body = program.getBody().front();
    for (auto op = body.begin(); op != body.end();) {
      auto section = dyn_cast<SectionOp>(*op++);
      if (!section)
        continue;
      json.object([&] {
        json.attribute("name", section.getName());
        json.attributeArray("steps", [&] {
          for (; op != body.end() && !isa<SectionOp>(*op); ++op)
            if (isStep(&*op))
              writeStep(json, number++);
        });
      });
    }
  }

  int64_t countCalls(Operation *step) const {
    if (auto launch = dyn_cast<LaunchOp>(step))
      return target.getCallCount(symbols.lookup(launch.getKernel()));
    return getCallCount(step);
  }

  void writeStep(llvm::json::OStream &json, size_t number) {
    int64_t calls = countCalls(memory.steps[number]);
    json.array([&] {
      json.value(whatIs[number]);
      json.value(layerNumbers[layers[number]]);
      json.value(getTotal(memory.atStep[number]));
      if (calls != 1)
        json.value(calls);
    });
  }

  ProgramOp program;
  const Target &target;
  SymbolTable symbols;
  MemoryUsage memory;
  SmallVector<StringRef> layers;
  DenseMap<Operation *, int64_t> collectives;
  std::vector<Work> works;
  std::map<std::tuple<std::string, StringRef, double, double, int64_t>, int64_t>
      numbers;
  std::vector<int64_t> whatIs; ///< of each step, a number of `works`
  llvm::MapVector<StringRef, int64_t> layerNumbers;
};

struct DescribeSteps : tessera::impl::DescribeStepsBase<DescribeSteps> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // One table is enough: `train` is a command of the first model.
    auto executable = module->getParentOfType<ModuleOp>();
    if (executable && spec::getModels(executable).front() != module)
      return;
    auto program = module.lookupSymbol<ProgramOp>("train");
    if (!program || program.getSteps().empty())
      return;
    const Target *target = getTarget(module);
    if (!target || failed(verifyKernels(module)))
      return signalPassFailure();
    std::string text;
    llvm::raw_string_ostream out(text);
    llvm::json::OStream json(out);
    Table(program, *target).write(json);
    auto builder = OpBuilder::atBlockEnd(module.getBody());
    createText(builder, module.getLoc(), "tessera_steps",
               LLVM::Linkage::External, text);
  }
};

} // namespace
