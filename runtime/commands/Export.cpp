//===- Export.cpp - The command export ------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/checkpoint/Parameters.h"
#include "runtime/checkpoint/SameRun.h"
#include "runtime/commands/AllCommands.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/core/Error.h"
#include <cinttypes>
#include <cstdio>

namespace tessera::runtime {

// Weights go from file to file through a small buffer: no arena is needed.
static int runExport(const Manifest &manifest, const Options &options) {
  tessera_context context;
  context.manifest = &manifest;
  auto found = findCheckpoint(context, options.checkpointDir);
  if (!found)
    fatal("'%s' has no checkpoint", options.checkpointDir.c_str());
  requireSameSettings(manifest, found->index, CheckpointUse::weights,
                      options.allow);
  std::vector<int> matches = matchParameters(manifest, found->index);
  std::vector<int> saved(matches.size());
  for (size_t i = 0; i < matches.size(); ++i)
    saved[matches[i]] = static_cast<int>(i);
  std::vector<UsedFile> parts;
  for (const SavedFile &file : found->index.files)
    parts.push_back(
        {"a file of the checkpoint", found->index.folder + "/" + file.name});
  requireApart("--out", options.out, parts);
  std::unique_ptr<SafetensorsWriter> writer =
      openWeights(manifest, options.out);
  for (size_t i = 0; i < manifest.parameters.size(); ++i)
    readWeights(found->index, saved[i],
                [&](const float *weights, int64_t elements) {
                  writer->write(weights, elements);
                });
  writer->commit();
  printf("%zu parameters after step %" PRId64 " in '%s'\n",
         manifest.parameters.size(), found->index.progress.step,
         options.out.c_str());
  return 0;
}

static constexpr Option options[] = {required(checkpointDirOption), allowOption,
                                     required(outOption)};

const Command exportCommand = {.name = "export",
                               .summary = "a checkpoint's weights as one file",
                               .options = options,
                               .run = runExport,
                               .usesThreads = true};

} // namespace tessera::runtime
