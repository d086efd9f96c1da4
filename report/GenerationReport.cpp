//===- GenerationReport.cpp - The plan of a model that generates ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/GenerationReport.h"
#include "dialects/plan/Plan.h"
#include "dialects/spec/Spec.h"
#include "report/Figures.h"
#include "target/Target.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

static int64_t getPeak(ModuleOp module) {
  int64_t peak = 0;
  for (auto program : module.getOps<ProgramOp>())
    peak = std::max<int64_t>(peak, program.getArenaBytes());
  return peak;
}

/// Bytes of the host's memory that all programs together pin.
static int64_t getPinned(ModuleOp module) {
  const Target *target = getTarget(module);
  return target ? target->getPinnedBytes(
                      llvm::to_vector(module.getOps<ProgramOp>()))
                : 0;
}

void tessera::printGenerationText(ModuleOp module, llvm::raw_ostream &out) {
  constexpr auto line = "  {0,-14} {1,+19} {2,+19} {3,+19} {4,+19} {5,+12}\n";
  spec::GenerationAttr generation = spec::getGeneration(module);
  out << "generation of " << generation.getSlots() << " texts of "
      << groupDigits(generation.getLength()) << " tokens:\n\n"
      << llvm::formatv(line, "program", "parameters", "cache", "rest", "bytes",
                       "");
  for (auto program : module.getOps<ProgramOp>()) {
    int64_t bytes = program.getArenaBytes();
    int64_t parameters = program.getMemory(Category::Parameters);
    int64_t cache = program.getMemory(Category::Cache);
    out << llvm::formatv(line, program.getSymName(), groupDigits(parameters),
                         groupDigits(cache),
                         groupDigits(bytes - parameters - cache),
                         groupDigits(bytes), formatBytes(bytes));
  }
  out << llvm::formatv(line, "peak", "", "", "", groupDigits(getPeak(module)),
                       formatBytes(getPeak(module)));
  if (int64_t pinned = getPinned(module))
    out << llvm::formatv(line, "pinned (host)", "", "", "", groupDigits(pinned),
                         formatBytes(pinned));
}

void tessera::printGenerationJson(ModuleOp module, llvm::raw_ostream &out) {
  llvm::json::OStream json(out, 2);
  spec::GenerationAttr generation = spec::getGeneration(module);
  json.object([&] {
    json.attribute("name", module.getSymName().value_or("generation"));
    json.attribute("slots", generation.getSlots());
    json.attribute("context", generation.getLength());
    json.attribute("peak_bytes", getPeak(module));
    json.attribute("pinned_bytes", getPinned(module));
    json.attributeObject("programs", [&] {
      for (auto program : module.getOps<ProgramOp>())
        json.attributeObject(program.getSymName(), [&] {
          json.attribute("bytes", program.getArenaBytes());
          json.attributeObject("memory", [&] {
            for (int64_t i = 0; i < categoryCount; ++i) {
              auto category = static_cast<Category>(i);
              json.attribute(stringifyCategory(category),
                             program.getMemory(category));
            }
          });
          json.attribute("flops", program.getFlops());
        });
    });
  });
  out << "\n";
}
