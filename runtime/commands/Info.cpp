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

/// What a rank holds in training, in the lines of `tessera plan`.
static void printMemory(const Manifest &manifest, const Program &program) {
  printf("\n  %-14s %19s %12s %7s\n", "memory", "bytes", "", "share");
  auto row = [&](const std::string &name, int64_t bytes) {
    double share = program.arenaBytes
                       ? 100 * double(bytes) / double(program.arenaBytes)
                       : 0;
    printf("  %-14s %19s %12s %5.1f %%\n", name.c_str(),
           countText(bytes).c_str(), byteText(double(bytes)).c_str(), share);
  };
  for (const auto &[category, bytes] : program.memory)
    row(category, bytes);
  row("peak", program.arenaBytes);
  auto rowBeside = [&](const char *name, int64_t bytes) {
    printf("  %-14s %19s %12s\n", name, countText(bytes).c_str(),
           byteText(double(bytes)).c_str());
  };
  if (auto validate = manifest.programs.find("validate");
      validate != manifest.programs.end() &&
      validate->second.arenaBytes > program.arenaBytes)
    rowBeside("validating", validate->second.arenaBytes);
  if (program.offloadBytes)
    rowBeside("offloaded", program.offloadBytes);
}

static const char *kindName(CollectiveKind kind) {
  switch (kind) {
  case CollectiveKind::AllGather:
    return "all_gather";
  case CollectiveKind::ReduceScatter:
    return "reduce_scatter";
  case CollectiveKind::AllReduce:
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

/// What a rank receives in a step, in the lines of `tessera plan`.
static void printCollectives(const Manifest &manifest, const Program &program) {
  struct Sum {
    const char *kind;
    std::string group;
    int64_t times, elements, bytes;
  };
  std::vector<Sum> sums;
  int64_t times = 0, bytes = 0;
  for (const Collective &collective : ownCollectives(manifest, program)) {
    const char *kind = kindName(collective.kind);
    std::string group =
        collective.group < 0 ? "-" : manifest.groups[collective.group].name;
    auto sum = std::ranges::find_if(sums, [&](const Sum &other) {
      return other.kind == kind && other.group == group;
    });
    if (sum == sums.end())
      sum = sums.insert(sum, {kind, group, 0, 0, 0});
    sum->times += collective.times;
    sum->elements = collective.elements;
    sum->bytes += collective.times * collective.bytes;
    times += collective.times;
    bytes += collective.times * collective.bytes;
  }
  if (sums.empty())
    return;
  printf("\n  %-14s %-16s %6s %17s %19s\n", "collective", "group", "times",
         "elements", "bytes received");
  constexpr const char *line = "  %-14s %-16s %6s %17s %19s %12s\n";
  for (const Sum &sum : sums)
    printf(line, sum.kind, sum.group.c_str(), countText(sum.times).c_str(),
           countText(sum.elements).c_str(), countText(sum.bytes).c_str(),
           byteText(double(sum.bytes)).c_str());
  printf(line, "all", "", countText(times).c_str(), "",
         countText(bytes).c_str(), byteText(double(bytes)).c_str());
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
  printf("\nOne rank, one step of %" PRId64 " micro-batch%s:\n",
         manifest.training.accumulation,
         manifest.training.accumulation == 1 ? "" : "es");
  printMemory(manifest, program);
  printCollectives(manifest, program);
  if (tessera_models)
    printPrograms(manifest);
  printf("\n  arithmetic     %s (%s)\n",
         decimalText(double(program.flops), "flop").c_str(),
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
