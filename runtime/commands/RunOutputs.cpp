//===- RunOutputs.cpp - What a training run writes ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/RunOutputs.h"
#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/checkpoint/Parameters.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/TextData.h"
#include "runtime/commands/Validation.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/data/Data.h"
#include "runtime/files/WeightFiles.h"
#include <algorithm>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace tessera::runtime {

/// A run that begins with a published model hands its tokenizer on.
static WeightsForm formOf(const Manifest &manifest, const Options &options) {
  WeightsForm form;
  addEmbeddedTokenizer(manifest, form);
  if (isPublishedFolder(options.init))
    form.like = options.init;
  return form;
}

RunOutputs::RunOutputs(const tessera_context &context, const Options &options,
                       int64_t steps)
    : log(context.rank() != 0, steps, options.logEvery), context(context),
      options(options), steps(steps) {
  if (context.rank() == 0) {
    // Before the log is opened, as that may make a file.
    std::vector<UsedFile> read = dataFiles(options.data);
    if (const std::string &path = validationOptions().data; !path.empty())
      for (UsedFile &file : dataFiles(path))
        read.push_back(std::move(file));
    requireApart("--save", options.save, read);
    read.push_back({"the weights of --init", options.init});
    requireApart("--log", options.log, read);
    log.open(options.log, options.resume);
    requireApart("--save", options.save, {{"the log", options.log}});
    const std::string &profile = profileOptions().file;
    read.push_back({"the log", options.log});
    read.push_back({"the file of --save", options.save});
    if (!profile.empty())
      requireApart("--profile", profile, read);
    if (!options.save.empty())
      weights = std::make_unique<WeightsOutput>(
          *context.manifest, options.save, formOf(*context.manifest, options));
  }
  trace = Profile::open(context);
  context.communicator->barrier();
}

void RunOutputs::openCheckpoints(std::vector<int64_t> refused, int64_t step,
                                 std::optional<DataFingerprint> data) {
  savedStep = step;
  if (options.checkpointDir.empty())
    return;
  // It may not have been there when the weights were opened.
  struct stat saved, directory;
  if (stat(options.save.c_str(), &saved) == 0 &&
      stat(options.checkpointDir.c_str(), &directory) == 0 &&
      saved.st_dev == directory.st_dev && saved.st_ino == directory.st_ino)
    fatal("--save '%s' is the checkpoint directory: give it another name",
          options.save.c_str());
  if (context.rank() == 0 && step < steps) {
    requireFreeNames(options.checkpointDir, step, steps);
    requireRoom();
  }
  writer = std::make_unique<CheckpointWriter>(
      context, options.checkpointDir, options.checkpointAsync,
      validationOptions().keepBest, std::move(refused), data);
}

/// Exits the process where the disk has no room for a checkpoint, and warns
/// where it has none for as many as there are at the same time.
void RunOutputs::requireRoom() const {
  // Two are kept, one is under way.
  const int64_t mostAtOnce = validationOptions().keepBest ? 4 : 3;
  int64_t bytes = 0;
  for (int rank = 0; rank < context.size(); ++rank)
    bytes += planFile(context, rank).bytes;
  struct statvfs space;
  if (statvfs(options.checkpointDir.c_str(), &space) != 0)
    return;
  double left = double(space.f_bavail) * double(space.f_frsize);
  std::string one = byteText(double(bytes));
  if (left < double(bytes))
    fatal("a checkpoint takes %s, and '%s' has %s left: make room, or give "
          "another --checkpoint-dir",
          one.c_str(), options.checkpointDir.c_str(), byteText(left).c_str());
  auto there =
      static_cast<int64_t>(listCheckpoints(options.checkpointDir).size());
  int64_t more = std::max<int64_t>(1, mostAtOnce - there);
  if (left < double(more) * double(bytes))
    warning("a checkpoint takes %s, up to %d are there at the same time, and "
            "'%s' has %s left: the disk may get full",
            one.c_str(), int(mostAtOnce), options.checkpointDir.c_str(),
            byteText(left).c_str());
}

void RunOutputs::saveCheckpoint(const Progress &progress) {
  writer->save(progress);
  savedStep = progress.step;
}

void RunOutputs::finish(const Progress &progress, bool withWeights) {
  log.clear();
  if (trace)
    trace->write();
  if (writer && savedStep != progress.step)
    saveCheckpoint(progress);
  if (writer)
    writer->finish();
  if (!options.save.empty() && withWeights)
    saveParameters(context, weights.get());
  weights.reset();
  log.finish();
  context.communicator->barrier();
}

} // namespace tessera::runtime
