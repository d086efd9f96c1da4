//===- TrainTokenizer.cpp - A tokenizer from texts ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Output.h"
#include "driver/TextCommands.h"
#include "runtime/core/Text.h"
#include "runtime/core/Utf8.h"
#include "runtime/tokenizer/BpeTrainer.h"
#include "runtime/tokenizer/DocumentJobs.h"
#include "runtime/tokenizer/TokenizerConfig.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace tessera;

/// Bytes and special tokens take the first ids; beyond the last no file of
/// tokens goes.
static constexpr size_t byteCount = 256, mostTokens = 1 << 22;

static runtime::KnownSplit splitNamed(StringRef name) {
  using runtime::KnownSplit;
  return name == "bloom"    ? KnownSplit::Bloom
         : name == "gpt2"   ? KnownSplit::Gpt2
         : name == "llama3" ? KnownSplit::Llama3
         : name == "qwen2"  ? KnownSplit::Qwen2
                            : KnownSplit::None;
}

/// Tokens by what transformers calls them: BLOOM's, where they are among the
/// special ones, and the end that \p options name.
static std::vector<std::pair<std::string, std::string>>
namedTokens(const TextOptions &options) {
  std::vector<std::pair<std::string, std::string>> tokens;
  auto add = [&](const char *name, StringRef token) {
    if (is_contained(options.special, token))
      tokens.emplace_back(name, token);
  };
  add("bos_token", "<s>");
  add("eos_token", options.end.empty() ? "</s>" : options.end);
  add("pad_token", "<pad>");
  add("unk_token", "<unk>");
  return tokens;
}

/// Where what the tokens are for is written; empty: tokenizer.json is not the
/// output's name, so that nobody would look there.
static std::string configPath(StringRef output) {
  if (sys::path::filename(output) != "tokenizer.json")
    return "";
  SmallString<256> path = sys::path::parent_path(output);
  sys::path::append(path, runtime::tokenizerConfigName);
  return path.str().str();
}

LogicalResult tessera::runTrainTokenizer(const TextOptions &options) {
  if (options.output.empty())
    return failCommand("name the file to write: -o tokenizer.json");
  runtime::BpeTraining training;
  training.size = options.vocabulary;
  training.least = options.minFrequency;
  training.special = options.special;
  training.split = splitNamed(options.split);
  if (training.split == runtime::KnownSplit::None)
    return failCommand("--split=" + options.split +
                       ": choose bloom, gpt2, llama3 or qwen2");
  for (const std::string &token : training.special)
    if (token.empty() || !runtime::isUtf8(token) ||
        count(training.special, token) > 1)
      return failCommand("--special=" + token +
                         ": a token is text, and there once");
  if (!options.end.empty() && !is_contained(options.special, options.end))
    return failCommand("--end=" + options.end +
                       ": name one of the special tokens (--special)");
  size_t least = byteCount + training.special.size();
  if (training.size < least || training.size > mostTokens)
    return failCommand("--vocabulary=" + Twine(training.size) +
                       ": the bytes and special tokens alone are " +
                       Twine(least) + ", and " + Twine(mostTokens) +
                       " is the most");

  runtime::DocumentForm form;
  // As the library reads files that it learns from.
  form.lines = form.lineEnds = true;
  if (!options.field.empty())
    form.field = options.field;
  unsigned threads = options.threads
                         ? options.threads
                         : std::max(1u, std::thread::hardware_concurrency());
  std::string error;
  runtime::DocumentJobs jobs(options.inputs, form, threads);
  if (!jobs.open(error))
    return failCommand(error);
  std::vector<runtime::UsedFile> used;
  for (const std::string &input : options.inputs)
    used.push_back({"the text", input});
  Output output, config;
  if (Error failure = output.open(options.output, used))
    return failCommand(toString(std::move(failure)));
  std::string configFile = configPath(options.output);
  if (!configFile.empty())
    if (Error failure = config.open(configFile, used))
      return failCommand(toString(std::move(failure)));

  std::vector<runtime::WordCounts> counts(threads,
                                          runtime::WordCounts(training.split));
  int64_t bytes = 0;
  bool isRead = jobs.run(
      [&](runtime::DocumentJob &job, unsigned thread) {
        std::string repaired;
        job.forEach(form, [&](std::string_view text) {
          job.bytes += static_cast<int64_t>(text.size());
          if (!runtime::isUtf8(text)) {
            repaired.clear();
            runtime::appendRepaired(repaired, text, /*more=*/false);
            text = repaired;
          }
          counts[thread].add(text);
          return true;
        });
        job.text = std::string();
      },
      [&](runtime::DocumentJob &job) {
        bytes += job.bytes;
        error = job.error;
        return error.empty();
      },
      error);
  if (!isRead || !error.empty())
    return failCommand(error);
  for (size_t i = 1; i < counts.size(); ++i)
    counts[0].add(counts[i]);
  if (counts[0].all().empty())
    return failCommand("there is no text in the files");
  std::string text = training.run(counts[0]);
  if (failed(writeOutput(output, [&](raw_ostream &stream) { stream << text; })))
    return failure();
  if (!configFile.empty() &&
      failed(writeOutput(config, [&](raw_ostream &stream) {
        stream << runtime::TokenizerConfig::write(namedTokens(options));
      })))
    return failure();
  if (options.output != "-")
    outs() << options.output << ": learned from "
           << runtime::byteText(double(bytes)) << " of text, "
           << runtime::countText(int64_t(counts[0].all().size()))
           << " different words\n";
  return success();
}
