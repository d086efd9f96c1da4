//===- Sampling.cpp - What sampled training may be ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Limits.h"
#include "frontends/GraphSettings.h"
#include "frontends/validation/Validation.h"
#include "frontends/validation/Validator.h"

using namespace tessera;

void Validator::checkFanOut() {
  const spec::Sampling &sampling = message.training().sampling();
  const char *path = "training.sampling.fan_out[0]";
  if (sampling.fan_out_size() == 0) {
    if (complete)
      diagnostics.error("training.sampling",
                        "`training.sampling.fan_out` is missing",
                        "give how many edges into a node are drawn, by hop: "
                        "one number for each layer");
    return;
  }
  for (int64_t edges : sampling.fan_out())
    if (edges == 0 ||
        !spec::getLimit("sampling.fan_out").allows(static_cast<double>(edges)))
      return diagnostics.error(
          path, "`training.sampling.fan_out` cannot have " + llvm::Twine(edges),
          "give whole numbers from 1 to 2147483647, or "
          "-1 for all edges");
  if (sound({"gnn.layers"}) &&
      sampling.fan_out_size() != message.gnn().layers())
    diagnostics.error(path,
                      "`training.sampling.fan_out` has " +
                          llvm::Twine(sampling.fan_out_size()) +
                          " numbers for " +
                          llvm::Twine(message.gnn().layers()) + " layers",
                      "give one for each layer, by hop from the seeds");
}

void Validator::checkSampling() {
  if (!message.training().has_sampling())
    return;
  if (message.has_transformer())
    return diagnostics.error("training.sampling",
                             "`training.sampling` is for graph neural networks",
                             "remove it");
  if (!message.has_gnn())
    return;
  const spec::Gnn &model = message.gnn();
  if (model.layer() == spec::Gnn::MLP)
    diagnostics.error("training.sampling",
                      "`training.sampling` follows edges, and layers of kind "
                      "MLP read none",
                      "remove it, or give another gnn.layer");
  else if (model.layer() == spec::Gnn::SGC)
    diagnostics.error("training.sampling",
                      "layers of kind SGC take their hops of the whole graph",
                      "remove `training.sampling`: a step is cheap without it");
  checkFanOut();
  require("training.sampling.batch", "give the seeds of a micro-batch");
  if (!sound({"training.sampling.batch"}) ||
      llvm::is_contained(refused, "parallel.world") ||
      llvm::is_contained(refused, "training.global_batch"))
    return;
  int64_t batch = message.training().sampling().batch();
  int64_t world = message.parallel().world();
  if (!given("training.global_batch")) {
    const spec::Limit &limit = spec::getLimit("training.global_batch");
    if (!limit.allows(static_cast<double>(batch * world)))
      diagnostics.error("training.sampling.batch",
                        "a step of " + llvm::Twine(world) + " ranks takes " +
                            llvm::Twine(batch * world) +
                            " seeds, more than 16777216",
                        "give a smaller batch, or fewer ranks");
    return;
  }
  int64_t global = message.training().global_batch();
  if (global % (batch * world) != 0)
    diagnostics.error("training.global_batch",
                      "`training.global_batch` (" + llvm::Twine(global) +
                          ") is not divisible by `training.sampling.batch` * "
                          "`parallel.world` (" +
                          llvm::Twine(batch) + " * " + llvm::Twine(world) + ")",
                      "give a global batch of " +
                          getMultiplesNear(global, batch * world));
}

void tessera::checkSampleRoom(const spec::Specification &message,
                              Diagnostics &diagnostics) {
  const spec::Sampling &sampling = message.training().sampling();
  spec::Gnn model = message.gnn();
  llvm::StringRef whose = "the graph";
  if (message.has_audit()) {
    const spec::Audit &audit = message.audit();
    model.set_nodes(audit.train_nodes_per_class() * model.classes());
    if (audit.edge_capacity())
      model.set_edges(audit.edge_capacity());
    whose = "an audit's model";
  }
  if (sampling.batch() > model.nodes())
    return diagnostics.error("training.sampling.batch",
                             "`training.sampling.batch` is " +
                                 llvm::Twine(sampling.batch()) + ", but " +
                                 whose + " has " + llvm::Twine(model.nodes()) +
                                 " nodes to learn from",
                             "give at most as many seeds");
  runtime::SampleRoom room = getSampleRoom(model, sampling);
  runtime::BlockRoom largest = room.block(0, addsSelfLoops(model));
  if (largest.entries >= runtime::sampleRoomLimit)
    diagnostics.error("training.sampling",
                      "a micro-batch may have more than 2147483647 edges",
                      "indices are 32-bit: give a smaller batch, or smaller "
                      "numbers in fan_out");
}
