//===- Detokenize.cpp - Tokens into text ----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Output.h"
#include "driver/TextCommands.h"
#include "runtime/data/TokenFile.h"
#include "runtime/tokenizer/Tokenizer.h"

#include "llvm/Support/JSON.h"

using namespace llvm;
using namespace tessera;

namespace {

/// Where text goes: a file, or the standard output.
class TextSink {
public:
  LogicalResult open(const TextOptions &options) {
    isFile = !options.output.empty() && options.output != "-";
    if (!isFile)
      return success();
    std::vector<runtime::UsedFile> used;
    for (const char *suffix : {"", ".bin", ".idx"})
      used.push_back({"the tokens", options.inputs[0] + suffix});
    if (const char *what = runtime::findUse(options.output, std::move(used)))
      return failCommand("cannot write '" + options.output + "': it is " +
                         what + "; name another file");
    if (!file.open(options.output, 0))
      return failCommand(file.error());
    return success();
  }
  LogicalResult write(std::string &text, size_t least) {
    if (text.size() < least)
      return success();
    if (isFile && !file.write(text.data(), static_cast<int64_t>(text.size())))
      return failCommand(file.error());
    if (!isFile)
      outs() << text;
    text.clear();
    return success();
  }
  LogicalResult commit() {
    if (isFile)
      return file.commit() ? success() : failCommand(file.error());
    outs().flush();
    std::error_code error = outs().error();
    outs().clear_error();
    if (error)
      return failCommand("cannot write the standard output: " +
                         error.message());
    return success();
  }

private:
  bool isFile = false;
  runtime::OutputFile file;
};

} // namespace

LogicalResult tessera::runDetokenize(const TextOptions &options) {
  constexpr int64_t piece = 1 << 16;
  std::string error;
  auto tokenizer = runtime::Tokenizer::open(options.tokenizer, error);
  if (!tokenizer)
    return failCommand(error);
  // Where the data is damaged this ends the process, with nothing opened yet.
  runtime::TokenFile tokens(options.inputs[0], tokenizer->vocabularySize());
  std::vector<int32_t> lengths;
  if (!tokens.readSequences(lengths, error))
    return failCommand(error);
  TextSink sink;
  if (failed(sink.open(options)))
    return failure();

  bool isJson = StringRef(options.output).ends_with(".jsonl");
  std::string field = options.field.empty() ? "text" : options.field;
  std::vector<int32_t> ids(piece);
  std::string text, document;
  int64_t at = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    runtime::DecodeStream stream(*tokenizer, !options.keepSpecial);
    std::string &out = isJson ? document : text;
    if (!isJson && i > 0)
      out.push_back('\n');
    for (int64_t left = lengths[i]; left > 0;) {
      int64_t n = std::min(left, piece);
      if (!tokens.read(at, n, ids.data(), error))
        return failCommand(error);
      for (int64_t j = 0; j < n; ++j)
        stream.push(ids[j], out);
      at += n;
      left -= n;
      if (!isJson && failed(sink.write(text, 1 << 20)))
        return failure();
    }
    stream.finish(out);
    if (isJson) {
      raw_string_ostream line(text);
      line << json::Value(json::Object{{field, document}}) << "\n";
      document.clear();
    }
    if (failed(sink.write(text, 1 << 20)))
      return failure();
  }
  if (failed(sink.write(text, 1)))
    return failure();
  return sink.commit();
}
