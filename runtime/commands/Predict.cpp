//===- Predict.cpp - The command predict ----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Posteriors.h"
#include "runtime/commands/AllCommands.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/SharedOptions.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/data/Graph.h"
#include "runtime/files/Output.h"
#include "runtime/files/Safetensors.h"
#include "runtime/program/SlotNames.h"
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <span>

namespace tessera::runtime {
namespace {

/// What is said of each node, [nodes, classes].
struct Prediction {
  int64_t nodes = 0, classes = 0;
  std::vector<float> logits, posteriors;
};

/// Where it goes; opened before it is computed.
class PredictionOutput {
public:
  virtual ~PredictionOutput() = default;
  virtual void write(const Prediction &prediction) = 0;
};

class TensorOutput final : public PredictionOutput {
public:
  TensorOutput(const std::string &path, int64_t nodes, int64_t classes)
      : writer(path) {
    writer.declare("logits", {nodes, classes});
    writer.declare("posteriors", {nodes, classes});
    writer.begin();
  }
  void write(const Prediction &prediction) override {
    for (const std::vector<float> *values :
         {&prediction.logits, &prediction.posteriors})
      writer.write(values->data(), static_cast<int64_t>(values->size()));
    writer.commit();
  }

private:
  SafetensorsWriter writer;
};

/// Comma-separated values: a line for each node, with its likeliest class.
class TableOutput final : public PredictionOutput {
public:
  explicit TableOutput(const std::string &path) {
    if (!file.open(path, 0))
      fatal("%s", file.error().c_str());
  }
  void write(const Prediction &prediction) override {
    std::string text = "node,class";
    for (const char *name : {"logit", "posterior"})
      for (int64_t i = 0; i < prediction.classes; ++i)
        text += std::string(",") + name + "_" + std::to_string(i);
    text += "\n";
    for (int64_t node = 0; node < prediction.nodes; ++node) {
      std::span<const float> logits = {prediction.logits.data() +
                                           node * prediction.classes,
                                       size_t(prediction.classes)};
      text +=
          std::to_string(node) + "," + std::to_string(predictedClass(logits));
      for (const std::vector<float> *values :
           {&prediction.logits, &prediction.posteriors})
        for (int64_t i = 0; i < prediction.classes; ++i) {
          char number[32];
          // Nine digits read back to the same float.
          snprintf(number, sizeof number, ",%.9g",
                   (*values)[node * prediction.classes + i]);
          text += number;
        }
      text += "\n";
      if (text.size() >= size_t(1) << 20 || node + 1 == prediction.nodes)
        put(text);
    }
    if (!file.commit())
      fatal("%s", file.error().c_str());
  }

private:
  void put(std::string &text) {
    if (!file.write(text.data(), static_cast<int64_t>(text.size())))
      fatal("%s", file.error().c_str());
    text.clear();
  }

  OutputFile file;
};

bool isTable(const std::string &path) { return path.ends_with(".csv"); }

} // namespace

static int runPredict(const Manifest &manifest, const Options &options) {
  if (!manifest.model.isGraph())
    fatal("'predict' is for graph neural networks, whose nodes it classifies; "
          "'eval' gives the loss of text, 'generate' continues it");
  requireNoType(options.dataType);
  requireApart(
      "--out", options.out,
      {{"the graph", options.data}, {"the weights of --init", options.init}});
  tessera_context &context = openLocal(manifest, options, "predict");
  const Slot *slot = context.program->output(slotNames::logits);
  if (!slot || slot->shape.size() != 2)
    fatal("the program 'predict' gives no '%s': compile the specification "
          "again with this version of tessera",
          slotNames::logits);
  Prediction prediction;
  prediction.nodes = slot->shape[0];
  prediction.classes = slot->shape[1];
  std::unique_ptr<PredictionOutput> output;
  if (isTable(options.out))
    output = std::make_unique<TableOutput>(options.out);
  else
    output = std::make_unique<TensorOutput>(options.out, prediction.nodes,
                                            prediction.classes);

  Graph graph(manifest, options.data);
  std::vector<const Slot *> inputs;
  inputs.reserve(context.program->inputs.size());
  for (const Slot &input : context.program->inputs)
    inputs.push_back(&input);
  if (const Slot *unknown = graph.load(context, inputs))
    fatal("the program 'predict' has an input '%s' that this runtime does not "
          "know",
          unknown->name.c_str());
  context.run(context.entry("predict.run"));
  prediction.logits.resize(slot->elements());
  context.device->read(prediction.logits.data(), context.arena + slot->offset,
                       slot->bytes());
  prediction.posteriors =
      softmax(prediction.logits, prediction.nodes, prediction.classes).values;
  output->write(prediction);
  printf("predictions of %s nodes for %" PRId64 " classes in '%s'\n",
         countText(prediction.nodes).c_str(), prediction.classes,
         options.out.c_str());
  return 0;
}

static void checkOptions(const Options &options) {
  if (!isTable(options.out) && !options.out.ends_with(".safetensors"))
    refuseCommandLine("--out takes a file that ends in .safetensors or .csv, "
                      "not '%s'",
                      options.out.c_str());
}

static constexpr Option predictionOption = {
    "--out", "FILE",
    "write logits and posteriors of all nodes: a file that ends in "
    ".safetensors or .csv",
    keepText<&Options::out>};

static constexpr Option options[] = {required(dataOption), required(initOption),
                                     allowOption, required(predictionOption)};

const Command predictCommand = {.name = "predict",
                                .summary = "what a graph's nodes are",
                                .options = options,
                                .run = runPredict,
                                .check = checkOptions,
                                .runsPrograms = true,
                                .usesThreads = true};

} // namespace tessera::runtime
