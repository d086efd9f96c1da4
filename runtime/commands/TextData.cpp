//===- TextData.cpp - Text as the data of a command -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/TextData.h"
#include "runtime/core/Error.h"
#include "runtime/core/Text.h"
#include "runtime/core/Threads.h"
#include "runtime/data/TokenWriter.h"
#include "runtime/generation/TextCodec.h"
#include "runtime/program/Offload.h"
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace tessera::runtime {

/// What the options of text say, and the first of them that was given.
static TextForm form;
static const char *givenOption = nullptr;

void storeField(Options &, const std::string &text) {
  form.field = text;
  givenOption = "--field";
}

void storeEnd(Options &, const std::string &text) {
  form.end = text;
  givenOption = "--end";
}

void storeNoEnd(Options &, const std::string &) {
  form.noEnd = true;
  givenOption = "--no-end";
}

void storeLines(Options &, const std::string &) {
  form.lines = true;
  givenOption = "--lines";
}

namespace {

/// Ends all ranks, which call it alike, where any has an \p error.
void failTogether(Communicator &ranks, const std::string &error) {
  if (ranks.any(!error.empty()))
    ranks.failTogether(error.empty() ? nullptr : error.c_str());
}

/// The file of tokens of a node's ranks, which has no name once all have it.
class NodeFile {
public:
  /// All ranks call it; null for one alone.
  explicit NodeFile(Communicator *ranks) : ranks(ranks) {
    std::string name, error;
    if (isWriter()) {
      name = defaultOffloadDirectory() + "/tessera-text-XXXXXX";
      descriptor = mkostemp(name.data(), O_CLOEXEC);
      if (descriptor < 0)
        error = "cannot make a file for tokens '" + name +
                "': " + strerror(errno) + "; TMPDIR names another folder";
    }
    if (ranks)
      share(name, error);
    if (descriptor >= 0 && !name.empty())
      unlink(name.c_str());
    if (ranks)
      failTogether(*ranks, error);
    else if (!error.empty())
      fatal("%s", error.c_str());
  }

  /// Whether this rank writes it.
  bool isWriter() const { return !ranks || ranks->localRank() == 0; }
  int get() const { return descriptor; }

private:
  /// Opens the file that the first rank of this node has made as \p name.
  void share(const std::string &name, std::string &error) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    std::vector<std::string> all =
        ranks->collect(std::string(host) + "\n" + (isWriter() ? name : ""));
    for (const std::string &entry : all) {
      if (descriptor >= 0)
        break;
      size_t end = entry.find('\n');
      if (entry.compare(0, end, host) == 0 && end + 1 < entry.size())
        descriptor = open(entry.c_str() + end + 1, O_RDONLY | O_CLOEXEC);
    }
    if (descriptor < 0 && error.empty())
      error = "the file of tokens that another rank of this node has made in "
              "TMPDIR is not there: let all ranks of a node see one folder";
    ranks->barrier();
  }

  Communicator *ranks;
  int descriptor = -1;
};

/// Has \p work done by another thread where there are ranks to meet meanwhile:
/// they wait without a time limit, and notice one that dies.
template <typename Work>
void workWhileMeeting(Communicator *ranks, bool works, Work work) {
  if (!ranks)
    return work();
  std::atomic<bool> isDone = !works;
  std::thread worker([&] {
    leaveSignalsToOthers();
    if (works)
      work();
    isDone = true;
  });
  for (bool all = false; !all;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    all = ranks->agree(isDone).all & 1;
  }
  worker.join();
}

/// Tokenizes the text \p path.
TokenFile tokenize(const Manifest &manifest, const std::string &path,
                   DocumentEncoder &encoder, Communicator *ranks) {
  NodeFile file(ranks);
  int64_t vocabulary = manifest.model.vocabulary;
  TextTotals totals;
  std::string error;
  TextForm how = form;
  if (how.end.empty())
    how.end = embeddedTextEnd();
  workWhileMeeting(ranks, file.isWriter(), [&] {
    encoder.encodeFile(path, how, file.get(), tokenBytes(vocabulary),
                       !ranks || ranks->isRoot(), totals, error);
  });
  if (ranks)
    failTogether(*ranks, error);
  else if (!error.empty())
    fatal("%s", error.c_str());
  if (!ranks || ranks->isRoot())
    for (const std::string &text : totals.warnings)
      warning("%s", text.c_str());
  std::unique_ptr<InputFile> content =
      InputFile::adopt(file.get(), path, "the tokens of ", error);
  if (!content)
    fatal("%s", error.c_str());
  return TokenFile(std::move(content),
                   tokenBytes(vocabulary) == 2 ? TokenType::U16
                                               : TokenType::I32,
                   vocabulary);
}

} // namespace

/// What tokenizes --data where it is text; null where it is not.
static DocumentEncoder *encoderOf(const Manifest &manifest,
                                  const Options &options) {
  // Lives as long as the process: tokens are read with it again and again.
  static std::unique_ptr<TextCodec> codec;
  if (!codec && !manifest.model.isGraph())
    codec = textCodec(manifest.model);
  DocumentEncoder *encoder = codec ? codec->documents() : nullptr;
  if (encoder && options.dataType.empty() && !isTokenFile(options.data))
    return encoder;
  if (givenOption)
    fatal("%s is of no use: '%s' is not read as text%s", givenOption,
          options.data.c_str(),
          encoder ? "" : ", since the executable has no tokenizer");
  return nullptr;
}

TokenFile openTokens(const Manifest &manifest, const Options &options,
                     Communicator *communicator) {
  if (DocumentEncoder *encoder = encoderOf(manifest, options))
    return tokenize(manifest, options.data, *encoder, communicator);
  return TokenFile(options.data, manifest.model.vocabulary,
                   tokenTypeNamed(options.dataType));
}

std::unique_ptr<BatchSource> openData(const Manifest &manifest,
                                      const Options &options, SampleOrder order,
                                      uint64_t seed, Communicator &communicator,
                                      std::span<char> memory) {
  if (DocumentEncoder *encoder = encoderOf(manifest, options))
    return openTokenBatches(
        manifest,
        tokenize(manifest, options.data, *encoder,
                 communicator.size() > 1 ? &communicator : nullptr),
        order, seed, communicator.rank(), communicator.size());
  return openBatchSource(manifest, options.data, options.dataType, order, seed,
                         communicator.rank(), communicator.size(), memory);
}

void addEmbeddedTokenizer(const Manifest &manifest, WeightsForm &form) {
  form.tokenizer = embeddedTokenizer();
  form.tokenizerConfig = embeddedTokenizerConfig();
  if (!form.tokenizerConfig.empty())
    form.tokens = textCodec(manifest.model)->namedTokens();
}

DocumentText documentText(const Manifest &manifest) {
  static std::unique_ptr<TextCodec> codec = textCodec(manifest.model);
  DocumentEncoder *encoder = codec ? codec->documents() : nullptr;
  if (!encoder)
    return {};
  return {[encoder](const std::string &path, std::string &text,
                    std::string &error) {
            return encoder->readText(path, text, error);
          },
          [encoder](const std::string &text, std::vector<int32_t> &tokens,
                    std::string &error) {
            return encoder->encodeText(text, tokens, error);
          }};
}

} // namespace tessera::runtime
