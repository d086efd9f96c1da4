//===- Tokenize.cpp - Documents into tokens -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/DocumentJobs.h"
#include "driver/Output.h"
#include "driver/TextCommands.h"
#include "runtime/core/Text.h"
#include "runtime/core/Utf8.h"
#include "runtime/data/TokenWriter.h"
#include "runtime/tokenizer/Tokenizer.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <chrono>
#include <unistd.h>

using namespace llvm;
using namespace tessera;

namespace {

/// What is said while the work goes on.
class Progress {
public:
  void show(double part, int64_t documents, int64_t tokens, int64_t bytes) {
    auto now = Clock::now();
    if (now - shown <
        (isTerminal ? std::chrono::seconds(1) : std::chrono::seconds(30)))
      return;
    shown = now;
    double seconds = std::chrono::duration<double>(now - start).count();
    errs() << (isTerminal ? "\r" : "") << int(100 * part) << " %, "
           << runtime::countText(documents) << " documents, "
           << runtime::countText(tokens) << " tokens, "
           << runtime::byteText(double(bytes) / seconds) << "/s of text"
           << (isTerminal ? "   " : "\n");
  }
  void end() {
    if (isTerminal && shown != start)
      errs() << "\n";
  }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now(), shown = start;
  bool isTerminal = isatty(STDERR_FILENO);
};

struct ThreadState {
  runtime::TokenizerScratch scratch;
  std::vector<int32_t> ids;
};

} // namespace

/// What tokenizer_config.json beside the tokenizer calls the end of a text;
/// empty where it does not.
static std::string publishedEnd(StringRef path) {
  SmallString<256> folder(path);
  if (!sys::fs::is_directory(path))
    sys::path::remove_filename(folder);
  sys::path::append(folder, "tokenizer_config.json");
  auto buffer = MemoryBuffer::getFile(folder);
  if (!buffer)
    return "";
  Expected<json::Value> value = json::parse((*buffer)->getBuffer());
  if (!value) {
    consumeError(value.takeError());
    return "";
  }
  const json::Object *config = value->getAsObject();
  if (!config)
    return "";
  if (auto text = config->getString("eos_token"))
    return text->str();
  if (const json::Object *token = config->getObject("eos_token"))
    if (auto text = token->getString("content"))
      return text->str();
  return "";
}

/// The id that ends a document, -1 where none does, in \p id.
static LogicalResult findEnd(const TextOptions &options,
                             const runtime::Tokenizer &tokenizer, int32_t &id) {
  id = -1;
  if (options.noEnd)
    return success();
  std::string end =
      options.end.empty() ? publishedEnd(options.tokenizer) : options.end;
  if (end.empty())
    return failCommand("nothing says which token ends a document: give "
                       "--end=TOKEN or --no-end (tokenizer_config.json beside "
                       "the tokenizer would say it as eos_token)");
  id = tokenizer.idOf(end);
  if (id >= 0)
    return success();
  return failCommand("the tokenizer '" + options.tokenizer +
                     "' has no token '" + end +
                     "' to end a document with: --end=TOKEN names another, "
                     "--no-end leaves it out");
}

static void tokenizeJob(const TextOptions &options, const DocumentForm &form,
                        const runtime::Tokenizer &tokenizer,
                        const runtime::TokenWriter &writer, int32_t end,
                        ThreadState &state, DocumentJob &job) {
  runtime::EncodeOptions how{options.addSpecial, !options.specialAsText};
  job.forEach(form, [&](std::string_view text) {
    job.bytes += static_cast<int64_t>(text.size());
    if (text.empty()) {
      ++job.empty;
      return true;
    }
    job.repaired += !runtime::isUtf8(text);
    state.ids.clear();
    std::string reason;
    if (!tokenizer.encode(text, how, state.scratch, state.ids, reason)) {
      job.error = "the text " + job.place() + " cannot be split: " + reason;
      return false;
    }
    if (end >= 0)
      state.ids.push_back(end);
    if (state.ids.size() > size_t(INT32_MAX)) {
      job.error = "the text " + job.place() + " has more than 2^31 - 1 tokens";
      return false;
    }
    job.lengths.push_back(static_cast<int32_t>(state.ids.size()));
    writer.pack(state.ids, job.packed);
    return true;
  });
  job.text = std::string();
}

LogicalResult tessera::runTokenize(const TextOptions &options) {
  if (options.output.empty())
    return failCommand("name the pair of files to write: -o PREFIX");
  if (!options.end.empty() && options.noEnd)
    return failCommand("--end and --no-end exclude each other");
  std::string error;
  auto tokenizer = runtime::Tokenizer::open(options.tokenizer, error);
  if (!tokenizer)
    return failCommand(error);
  int32_t end;
  if (failed(findEnd(options, *tokenizer, end)))
    return failure();

  DocumentForm form;
  form.lines = options.lines;
  if (!options.field.empty())
    form.field = options.field;
  unsigned threads = options.threads
                         ? options.threads
                         : std::max(1u, std::thread::hardware_concurrency());
  DocumentJobs jobs(options.inputs, form, threads);
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

  std::vector<ThreadState> states(threads);
  Progress progress;
  int64_t bytes = 0, repaired = 0, empty = 0;
  std::string firstRepaired;
  bool isRead = jobs.run(
      [&](DocumentJob &job, unsigned thread) {
        tokenizeJob(options, form, *tokenizer, writer, end, states[thread],
                    job);
      },
      [&](DocumentJob &job) {
        error = job.error;
        if (!error.empty())
          return false;
        if (job.repaired && !repaired)
          firstRepaired = job.file;
        bytes += job.bytes;
        repaired += job.repaired;
        empty += job.empty;
        if (!writer.add(job.lengths, job.packed)) {
          error = writer.error();
          return false;
        }
        progress.show(job.progress, writer.documents(), writer.tokens(), bytes);
        return true;
      },
      error);
  progress.end();
  if (!isRead || !error.empty())
    return failCommand(error);
  if (writer.documents() == 0)
    return failCommand("there is no text in the files");
  if (!writer.commit())
    return failCommand(writer.error());
  if (repaired)
    errs() << "tessera: warning: " << runtime::countText(repaired)
           << " documents have bytes that are no UTF-8, which count as U+FFFD; "
              "the first is in '"
           << firstRepaired << "'\n";
  if (empty)
    errs() << "tessera: warning: " << runtime::countText(empty)
           << " empty documents are left out\n";
  outs() << options.output << ".bin: " << runtime::countText(writer.documents())
         << " documents, " << runtime::countText(writer.tokens())
         << " tokens as " << writer.typeName() << ", of "
         << runtime::byteText(double(bytes)) << " of text\n";
  return success();
}
