//===- ServerAnswers.cpp - What the language server answers ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/ServerAnswers.h"

#include "driver/Version.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <unistd.h>

using namespace tessera;
using llvm::StringRef;

static constexpr const char *pages[] = {
#include "tools/graph.md.inc"
    ,
#include "tools/nn.md.inc"
    ,
#include "tools/plan.md.inc"
    ,
#include "tools/zero.md.inc"
};

StringRef tessera::findOperationPage(StringRef name) {
  std::string heading = ("### `" + name + "` (").str();
  for (StringRef page : pages) {
    size_t begin = page.find(heading);
    if (begin == StringRef::npos)
      continue;
    StringRef found = page.substr(page.find('\n', begin)).ltrim();
    return found.take_front(std::min(found.find("\n## "), found.find("\n### ")))
        .rtrim();
  }
  return "";
}

/// Adds the page of an operation to \p text, what is shown of it, which begins
/// with its name in quotes.
static void addPage(std::string &text) {
  StringRef shown = text;
  if (!shown.consume_front("\""))
    return;
  StringRef page = findOperationPage(
      shown.take_until([](char letter) { return letter == '"'; }));
  size_t first = text.find("\n\n");
  if (!page.empty() && first != std::string::npos)
    text.insert(first, ("\n\n" + page).str());
}

std::string tessera::completeAnswer(StringRef answer) {
  llvm::Expected<llvm::json::Value> message = llvm::json::parse(answer);
  if (!message) {
    llvm::consumeError(message.takeError());
    return answer.str();
  }
  llvm::json::Object *all = message->getAsObject();
  llvm::json::Object *result = all ? all->getObject("result") : nullptr;
  if (!result)
    return answer.str();
  if (llvm::json::Object *server = result->getObject("serverInfo"))
    *server = llvm::json::Object{{"name", "tessera-lsp-server"},
                                 {"version", getVersion()}};
  if (llvm::json::Object *contents = result->getObject("contents"))
    if (std::optional<StringRef> value = contents->getString("value")) {
      std::string text = value->str();
      addPage(text);
      (*contents)["value"] = std::move(text);
    }
  bool isPretty = answer.contains('\n');
  return isPretty ? llvm::formatv("{0:2}", *message).str()
                  : llvm::formatv("{0}", *message).str();
}

AnswerPipe::AnswerPipe() {
  int ends[2];
  output = dup(STDOUT_FILENO);
  if (output < 0 || pipe(ends) != 0 || dup2(ends[1], STDOUT_FILENO) < 0)
    llvm::report_fatal_error("cannot make a pipe", /*gen_crash_diag=*/false);
  close(ends[1]);
  reading = ends[0];
  thread = std::thread([this] { forward(); });
}

AnswerPipe::~AnswerPipe() {
  llvm::outs().flush();
  close(STDOUT_FILENO);
  thread.join();
  close(reading);
  close(output);
}

/// Each message has a header, of which one field is its length in bytes, an
/// empty line and its text.
void AnswerPipe::forward() {
  llvm::raw_fd_ostream out(output, /*shouldClose=*/false, /*unbuffered=*/false);
  std::string text;
  char chunk[1 << 16];
  while (true) {
    ssize_t count = read(reading, chunk, sizeof(chunk));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      break;
    text.append(chunk, static_cast<size_t>(count));
    while (true) {
      size_t header = text.find("\r\n\r\n"), length = 0;
      StringRef fields = StringRef(text).take_front(header);
      if (header == std::string::npos ||
          fields.split("Content-Length:")
              .second.ltrim()
              .consumeInteger(10, length) ||
          text.size() < header + 4 + length)
        break;
      std::string answer =
          completeAnswer(StringRef(text).substr(header + 4, length));
      out << "Content-Length: " << answer.size() << "\r\n\r\n" << answer;
      text.erase(0, header + 4 + length);
    }
    out.flush();
  }
  out << text;
}
