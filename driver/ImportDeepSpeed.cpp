//===- ImportDeepSpeed.cpp - The settings of a ds_config.json -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Commands.h"
#include "driver/Output.h"
#include "frontends/deepspeed/Import.h"

using namespace llvm;
using namespace tessera;

LogicalResult tessera::runImportDeepSpeed(const CommandOptions &options) {
  Expected<SourceText> source =
      readSource(options.input, maxSpecificationBytes,
                 "give a ds_config.json of DeepSpeed");
  if (!source) {
    errs() << options.input << ": error: " << toString(source.takeError())
           << "\n";
    return failure();
  }
  std::optional<int64_t> world;
  if (options.world > 0)
    world = options.world;
  std::optional<DeepSpeedSettings> read =
      importDeepSpeed(*source, world, errs());
  if (!read)
    return failure();
  Output output;
  if (Error error =
          output.open(options.output, {{"the configuration", options.input}}))
    return failCommand(toString(std::move(error)));
  for (const DeepSpeedRemark &remark : read->remarks)
    errs() << options.input << ": " << (remark.isWarning ? "warning" : "note")
           << ": `" << remark.field << "` " << remark.text << "\n";
  return writeOutput(output, [&](raw_ostream &out) {
    for (const std::string &setting : read->settings)
      out << "--set " << setting << "\n";
  });
}
