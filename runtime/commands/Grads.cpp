//===- Grads.cpp - The command grads --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/Parameters.h"
#include "runtime/commands/AllCommands.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/commands/TextData.h"
#include "runtime/training/Step.h"
#include <cstdio>
#include <memory>

namespace tessera::runtime {

static int runGrads(const Manifest &manifest, const Options &options) {
  tessera_context &context = openTraining(manifest, options);
  std::unique_ptr<SafetensorsWriter> writer;
  if (context.rank() == 0) {
    std::vector<UsedFile> read = dataFiles(options.data);
    read.push_back({"the weights of --init", options.init});
    requireApart("--out", options.out, read);
    writer = std::make_unique<SafetensorsWriter>(options.out);
    writer->declare("loss", {});
    declareParameters(*writer, manifest);
    writer->begin();
  }
  loadParameters(context, options.init, options.allow);
  SampleOrder order = options.order == "shuffled" ? SampleOrder::Shuffled
                                                  : SampleOrder::Sequential;
  std::unique_ptr<BatchSource> source =
      openData(manifest, options, order, manifest.training.seed,
               *context.communicator, sampleMemory(context));
  TrainingStep step(context, *source);
  Progress progress;
  progress.seed = manifest.training.seed;
  progress.lossScale = initialLossScale(manifest.training);
  float loss = step.computeGradients(progress);
  if (context.communicator->any(source->error() != nullptr))
    context.communicator->failTogether(source->error());
  TakeNumbers take;
  if (writer) {
    writer->write(&loss, 1);
    take = [&](const float *gradients, int64_t elements) {
      writer->write(gradients, elements);
    };
  }
  writeState(context, gradientState, take, 1 / progress.lossScale.scale);
  if (writer) {
    writer->commit();
    printf("loss %.9g, gradients of %zu parameters in '%s'\n", loss,
           manifest.parameters.size(), options.out.c_str());
  }
  context.communicator->finish();
  return 0;
}

static constexpr Option options[] = {
    required(dataOption), dataTypeOption, weightsOption,      allowOption,
    offloadDirOption,     orderOption,    required(outOption)};

const Command gradsCommand = {.name = "grads",
                              .summary =
                                  "loss and gradients of the first batch",
                              .options = options,
                              .run = runGrads,
                              .isOfAllRanks = true,
                              .runsPrograms = true,
                              .usesThreads = true};

} // namespace tessera::runtime
