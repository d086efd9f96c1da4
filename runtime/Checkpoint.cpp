//===- Checkpoint.cpp - Checkpoints of a run ------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Checkpoint.h"
#include "runtime/Error.h"
#include "runtime/Parameters.h"
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <functional>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tessera {

static const std::string moment1Prefix = "optimizer.exp_avg.";
static const std::string moment2Prefix = "optimizer.exp_avg_sq.";
static constexpr size_t checkpointsKept = 2;

static std::string fileName(const std::string &directory, int64_t step) {
  char name[64];
  snprintf(name, sizeof name, "/step-%012" PRId64 ".safetensors", step);
  return directory + name;
}

/// The steps of the checkpoints in \p directory, newest first.
static std::vector<int64_t> listCheckpoints(const std::string &directory) {
  std::vector<int64_t> steps;
  DIR *stream = opendir(directory.c_str());
  if (!stream)
    return steps;
  while (dirent *entry = readdir(stream)) {
    long long step;
    int length = 0;
    if (sscanf(entry->d_name, "step-%12lld.safetensors%n", &step, &length) ==
            1 &&
        length > 0 && entry->d_name[length] == 0)
      steps.push_back(step);
  }
  closedir(stream);
  std::sort(steps.begin(), steps.end(), std::greater<int64_t>());
  return steps;
}

void openCheckpointDirectory(const tsr_context &context,
                             const std::string &directory) {
  if (context.rank() == 0) {
    if (mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST)
      fatal("cannot make the checkpoint directory '%s': %s", directory.c_str(),
            strerror(errno));
    if (access(directory.c_str(), W_OK | X_OK) != 0)
      fatal("cannot write in the checkpoint directory '%s': %s",
            directory.c_str(), strerror(errno));
    if (DIR *stream = opendir(directory.c_str())) {
      while (dirent *entry = readdir(stream)) {
        std::string name = entry->d_name;
        if (name.starts_with("step-") && name.ends_with(".safetensors.tmp"))
          unlink((directory + "/" + name).c_str());
      }
      closedir(stream);
    }
  }
  context.communicator->barrier();
}

void saveCheckpoint(const tsr_context &context, const std::string &directory,
                    const Progress &progress) {
  const Manifest &manifest = *context.manifest;
  context.communicator->barrier();
  std::unique_ptr<SafetensorsWriter> writer;
  if (context.rank() == 0) {
    writer = std::make_unique<SafetensorsWriter>(
        fileName(directory, progress.step),
        std::map<std::string, std::string>{
            {"format", "pt"},
            {"tessera.checkpoint", "1"},
            {"tessera.model", manifest.name},
            {"tessera.step", std::to_string(progress.step)},
            {"tessera.samples", std::to_string(progress.samples)},
            {"tessera.seed", std::to_string(progress.seed)},
            {"tessera.order", progress.order}});
    declareParameters(*writer, manifest);
    declareParameters(*writer, manifest, moment1Prefix);
    declareParameters(*writer, manifest, moment2Prefix);
    writer->begin();
  }
  writeWeights(context, writer.get());
  writeState(context, StateKind::moment1, writer.get());
  writeState(context, StateKind::moment2, writer.get());
  if (writer) {
    writer->commit();
    std::vector<int64_t> steps = listCheckpoints(directory);
    for (size_t i = checkpointsKept; i < steps.size(); ++i)
      unlink(fileName(directory, steps[i]).c_str());
  }
  context.communicator->barrier();
}

/// The step of the newest checkpoint that can be read, -1 for none.
static int64_t newestStep(const std::string &directory) {
  for (int64_t step : listCheckpoints(directory)) {
    std::string error;
    if (SafetensorsFile::open(fileName(directory, step), error))
      return step;
    warning("%s; trying the checkpoint before it", error.c_str());
  }
  return -1;
}

static std::string requireNote(const SafetensorsFile &file, const char *key) {
  auto found = file.metadata().find(key);
  if (found == file.metadata().end())
    fatal("'%s' is not a checkpoint: its metadata has no '%s'; weights alone "
          "are loaded with --init",
          file.path().c_str(), key);
  return found->second;
}

std::optional<Progress> loadCheckpoint(const tsr_context &context,
                                       const std::string &directory) {
  // One rank chooses, so that all take the same.
  int64_t step = context.rank() == 0 ? newestStep(directory) : 0;
  std::vector<int64_t> steps(context.size());
  context.communicator->exchange(&step, steps.data(), sizeof step);
  step = steps[0];
  if (step < 0)
    return std::nullopt;
  std::string error;
  std::unique_ptr<SafetensorsFile> file =
      SafetensorsFile::open(fileName(directory, step), error);
  if (!file)
    fatal("%s; all ranks must see the checkpoint directory", error.c_str());
  std::string model = requireNote(*file, "tessera.model");
  if (model != context.manifest->name)
    fatal("'%s' is a checkpoint of the model '%s', this is '%s': give another "
          "--checkpoint-dir",
          file->path().c_str(), model.c_str(), context.manifest->name.c_str());
  Progress progress;
  progress.step =
      strtoll(requireNote(*file, "tessera.step").c_str(), nullptr, 10);
  progress.samples =
      strtoll(requireNote(*file, "tessera.samples").c_str(), nullptr, 10);
  progress.seed =
      strtoull(requireNote(*file, "tessera.seed").c_str(), nullptr, 10);
  progress.order = requireNote(*file, "tessera.order");
  requireWeights(*context.manifest, *file);
  loadWeights(context, *file);
  loadState(context, *file, StateKind::moment1, moment1Prefix);
  loadState(context, *file, StateKind::moment2, moment2Prefix);
  return progress;
}

} // namespace tessera
