//===- Tokenize.cpp - Documents into tokens -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Output.h"
#include "driver/TextCommands.h"
#include "runtime/core/Text.h"
#include "runtime/data/TokenWriter.h"
#include "runtime/tokenizer/DocumentTokens.h"
#include "runtime/tokenizer/TokenizerConfig.h"

using namespace llvm;
using namespace tessera;

LogicalResult tessera::runTokenize(const TextOptions &options) {
  if (options.output.empty())
    return failCommand("name the pair of files to write: -o PREFIX");
  if (!options.end.empty() && options.noEnd)
    return failCommand("--end and --no-end exclude each other");
  std::string error;
  auto tokenizer = runtime::Tokenizer::open(options.tokenizer, error);
  if (!tokenizer)
    return failCommand(error);
  runtime::DocumentEncoding encoding;
  if (!options.noEnd) {
    runtime::TokenizerConfig config;
    if (options.end.empty() &&
        !runtime::readTokenizerConfig(options.tokenizer, config, error))
      return failCommand(error);
    if (!runtime::findEnd(*tokenizer,
                          "the tokenizer '" + options.tokenizer + "'",
                          options.end.empty() ? config.end() : options.end,
                          encoding.end, error))
      return failCommand(error);
  }
  encoding.form.lines = options.lines;
  if (!options.field.empty())
    encoding.form.field = options.field;
  encoding.how = {options.addSpecial, !options.specialAsText};
  encoding.threads = options.threads
                         ? options.threads
                         : std::max(1u, std::thread::hardware_concurrency());
  runtime::DocumentJobs jobs(options.inputs, encoding.form, encoding.threads);
  if (!jobs.open(error))
    return failCommand(error);
  for (const char *suffix : {".bin", ".idx"}) {
    std::vector<runtime::UsedFile> used;
    for (const std::string &input : options.inputs)
      used.push_back({"the text", input});
    if (const char *what =
            runtime::findUse(options.output + suffix, std::move(used)))
      return failCommand("cannot write '" + options.output + suffix +
                         "': it is " + what + "; name another prefix");
  }
  runtime::TokenWriter writer;
  if (!writer.open(options.output, tokenizer->vocabularySize()))
    return failCommand(writer.error());

  encoding.pack = [&](const std::vector<int32_t> &ids, std::string &packed) {
    runtime::packTokens(ids, writer.bytesPerToken(), packed);
  };
  encoding.take = [&](const std::vector<int32_t> &lengths,
                      const std::string &packed) {
    return writer.add(lengths, packed);
  };
  runtime::DocumentTotals totals;
  if (!runtime::encodeDocuments(*tokenizer, jobs, encoding, totals, error))
    return failCommand(error.empty() ? writer.error() : error);
  if (!writer.commit())
    return failCommand(writer.error());
  for (const std::string &warning : totals.warnings())
    errs() << "tessera: warning: " << warning << "\n";
  outs() << options.output << ".bin: " << runtime::countText(writer.documents())
         << " documents, " << runtime::countText(writer.tokens())
         << " tokens as " << writer.typeName() << ", of "
         << runtime::byteText(double(totals.bytes)) << " of text\n";
  return success();
}
