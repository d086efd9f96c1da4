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
#include "runtime/commands/TextData.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/files/WeightFiles.h"
#include <cinttypes>
#include <cstdio>

namespace tessera::runtime {

/// What the options of this command alone say.
static WeightsForm form;

// Weights go from file to file through a small buffer: no arena is needed.
static int runExport(const Manifest &manifest, const Options &options) {
  tessera_context context;
  context.manifest = &manifest;
  CheckpointIndex index = openCheckpoint(context, options.checkpointDir);
  requireSameSettings(manifest, index, CheckpointUse::Weights, options.allow);
  std::vector<int> matches = matchParameters(manifest, index);
  std::vector<int> saved(matches.size());
  for (size_t i = 0; i < matches.size(); ++i)
    saved[matches[i]] = static_cast<int>(i);
  std::vector<UsedFile> parts;
  for (const SavedFile &file : index.files)
    parts.push_back(
        {"a file of the checkpoint", index.folder + "/" + file.name});
  requireApart("--out", options.out, parts);
  addEmbeddedTokenizer(manifest, form);
  WeightsOutput output(manifest, options.out, form);
  for (size_t i = 0; i < manifest.parameters.size(); ++i)
    readWeights(index, saved[i], [&](const float *weights, int64_t elements) {
      output.write(weights, elements);
    });
  output.commit();
  printf("%zu parameters after step %" PRId64 " in the %s '%s'\n",
         manifest.parameters.size(), index.progress.step,
         output.hasFolder() ? "folder" : "file", options.out.c_str());
  return 0;
}

static void storeFormat(Options &, const std::string &text) {
  if (text != "safetensors" && text != "hf")
    refuseCommandLine("--format is '%s': safetensors or hf is wanted",
                      text.c_str());
  form.folder = text == "hf";
}

static void storeWeightType(Options &, const std::string &text) {
  if (text != "f32" && text != "bf16" && text != "f16")
    refuseCommandLine("--dtype is '%s': f32, bf16 or f16 is wanted",
                      text.c_str());
  form.dtype = text == "f32" ? "F32" : text == "bf16" ? "BF16" : "F16";
}

static void storeShardBytes(Options &, const std::string &text) {
  std::optional<int64_t> bytes = parseByteSize(text);
  if (!bytes)
    refuseCommandLine("--shard-bytes is '%s': a size with a unit is wanted, "
                      "such as 5GB",
                      text.c_str());
  form.shardBytes = *bytes;
}

static void storeLike(Options &, const std::string &text) {
  if (!isPublishedFolder(text))
    refuseCommandLine("--like names '%s', which is no folder with a %s",
                      text.c_str(), publishedFolder::config);
  form.like = text;
}

static constexpr Option options[] = {
    {"--checkpoint-dir", "DIR",
     "where checkpoints are, of which it is the newest; or one of them, such "
     "as DIR/best",
     keepText<&Options::checkpointDir>,
     /*required=*/true},
    allowOption,
    {"--out", "PATH",
     "a file that ends in .safetensors, or a new or empty folder that "
     "transformers loads",
     keepText<&Options::out>,
     /*required=*/true},
    {"--format", "safetensors|hf",
     "one file or a folder, whatever PATH is called", storeFormat},
    {"--dtype", "f32|bf16|f16", "round the weights to this type (default: f32)",
     storeWeightType},
    {"--shard-bytes", "SIZE",
     "most bytes of weights in a file of a folder (default: 5GB)",
     storeShardBytes},
    {"--like", "DIR",
     "a published folder whose tokenizer's files go into the new one",
     storeLike}};

const Command exportCommand = {.name = "export",
                               .summary = "a checkpoint's weights as a file or "
                                          "a published folder",
                               .options = options,
                               .run = runExport,
                               .usesThreads = true};

} // namespace tessera::runtime
