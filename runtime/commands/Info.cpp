//===- Info.cpp - The command info ----------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/abi.h"
#include "runtime/commands/AllCommands.h"
#include "runtime/core/Text.h"
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace tessera::runtime {

static void printModel(const Manifest &manifest) {
  const Model &model = manifest.model;
  printf("%s\n\n", manifest.name.c_str());
  printf("  model        %s (%s)\n", model.kind.c_str(), model.family.c_str());
  if (model.isGraph())
    printf("  graph        %s nodes, %s edges, %" PRId64 " features, %" PRId64
           " classes\n",
           countText(model.nodes).c_str(), countText(model.edges).c_str(),
           model.features, model.classes);
  else
    printf("  text         vocabulary %s, sequence %s\n",
           countText(model.vocabulary).c_str(),
           countText(model.sequence).c_str());
  printf("  parameters   %s in %zu tensors, %zu groups\n",
         countText(manifest.parameterCount()).c_str(),
         manifest.parameters.size(), manifest.groups.size());
  printf("  ranks        %d, ZeRO stage %d", manifest.training.world,
         manifest.training.stage);
  if (manifest.training.shardRanks != manifest.training.world)
    printf(" in shard groups of %d", manifest.training.shardRanks);
  printf("\n");
  if (!model.isGraph())
    printf("  batch        %" PRId64 " (%" PRId64 " x %" PRId64
           " micro-batches x %d ranks)\n",
           manifest.training.globalBatch, manifest.training.microBatch,
           manifest.training.accumulation, manifest.training.world);
  const BatchRamp &ramp = manifest.training.ramp;
  if (ramp.increment)
    printf("  ramp         %" PRId64 " samples at first, %" PRId64
           " more at a time, all after %s samples\n",
           ramp.start, ramp.increment, countText(ramp.samples).c_str());
  const Recomputation &recomputed = manifest.training.recomputed;
  if (recomputed.whole || recomputed.cheap)
    printf("  recompute    %" PRId64 " of %" PRId64 " layers, and of %" PRId64
           " what is cheap\n",
           recomputed.whole, recomputed.segments, recomputed.cheap);
  if (manifest.device.empty()) {
    printf("  target       %s\n", manifest.cpu.c_str());
    return;
  }
  printf("  target       %s:", manifest.device.c_str());
  for (const std::string &architecture : manifest.architectures)
    printf(" %s", architecture.c_str());
  printf("\n");
}

static void printMemory(const Program &program) {
  printf("\nMemory per rank in training\n\n");
  for (const auto &[category, bytes] : program.memory)
    printf("  %-14s %16s B %12s\n", category.c_str(), countText(bytes).c_str(),
           byteText(double(bytes)).c_str());
  printf("  %-14s %16s B %12s\n", "peak", countText(program.arenaBytes).c_str(),
         byteText(double(program.arenaBytes)).c_str());
  if (program.offloadBytes)
    printf("  %-14s %16s B %12s\n", "offloaded",
           countText(program.offloadBytes).c_str(),
           byteText(double(program.offloadBytes)).c_str());
}

static const char *kindName(CollectiveKind kind) {
  switch (kind) {
  case CollectiveKind::allGather:
    return "all_gather";
  case CollectiveKind::reduceScatter:
    return "reduce_scatter";
  case CollectiveKind::allReduce:
    return "all_reduce";
  }
  return "";
}

/// Those of \p program itself: one number stands for one collective in an
/// arena, so that what another program lists, too, is of a program within it.
static std::vector<Collective> ownCollectives(const Manifest &manifest,
                                              const Program &program) {
  std::vector<Collective> own = program.collectives;
  for (const auto &[name, other] : manifest.programs)
    if (&other != &program && !other.collectives.empty())
      std::erase_if(own, [&](const Collective &collective) {
        return collective.id >= other.collectives.front().id;
      });
  return own;
}

static void printCollectives(const Manifest &manifest, const Program &program) {
  printf("\nCollectives of a program's run (received per rank)\n\n");
  std::vector<Collective> collectives = ownCollectives(manifest, program);
  if (collectives.empty()) {
    printf("  none\n");
    return;
  }
  printf("  %4s  %-14s %-20s %15s %16s\n", "id", "kind", "group", "elements",
         "bytes");
  int64_t total = 0;
  for (const Collective &collective : collectives) {
    printf("  %4d  %-14s %-20s %15s %16s\n", collective.id,
           kindName(collective.kind),
           collective.group < 0
               ? "-"
               : manifest.groups[collective.group].name.c_str(),
           countText(collective.elements).c_str(),
           countText(collective.bytes).c_str());
    total += collective.bytes;
  }
  printf("  %4zu  %-14s %-20s %15s %16s\n", collectives.size(), "in all", "",
         "", countText(total).c_str());
}

/// The models and their programs, one of which runs at a time.
static void printPrograms(const Manifest &manifest) {
  printf("\nPrograms, in the same memory in turn\n\n");
  int64_t most = 0;
  auto print = [&](const char *model, const Manifest &of) {
    for (const auto &[name, program] : of.programs) {
      printf("  %-8s %-14s %16s B %12s %16s flop\n", model, name.c_str(),
             countText(program.arenaBytes).c_str(),
             byteText(double(program.arenaBytes)).c_str(),
             countText(program.flops).c_str());
      most = std::max(most, program.arenaBytes);
    }
  };
  print(manifest.audit ? "target" : "training", manifest);
  for (const tessera_model *model = tessera_models; model->name; ++model)
    print(model->name, parseManifest(model->manifest, model->entries));
  printf("  %-23s %16s B %12s\n", "in all", countText(most).c_str(),
         byteText(double(most)).c_str());
}

/// A manifest's text, which ends a line.
static void printText(const char *text) {
  fputs(text, stdout);
  size_t length = strlen(text);
  if (length == 0 || text[length - 1] != '\n')
    putchar('\n');
}

/// The manifest, or a list of those of all models.
static void printJson() {
  if (!tessera_models)
    return printText(tessera_manifest);
  printf("[");
  printText(tessera_manifest);
  for (const tessera_model *model = tessera_models; model->name; ++model) {
    printf(",");
    printText(model->manifest);
  }
  printf("]\n");
}

static int runInfo(const Manifest &manifest, const Options &options) {
  if (options.json) {
    printJson();
    return 0;
  }
  const Program &program = manifest.program("train");
  printModel(manifest);
  printMemory(program);
  printCollectives(manifest, program);
  if (tessera_models)
    printPrograms(manifest);
  printf("\nArithmetic of a step: %s floating-point operations per rank\n",
         countText(program.flops).c_str());
  return 0;
}

static constexpr Option options[] = {{"--json", nullptr,
                                      "print the manifest as JSON",
                                      keepFlag<&Options::json>}};

const Command infoCommand = {.name = "info",
                             .summary = "print the plan that is compiled in",
                             .options = options,
                             .run = runInfo};

} // namespace tessera::runtime
