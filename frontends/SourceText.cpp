//===- SourceText.cpp - Texts that are read once --------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/SourceText.h"
#include "frontends/ModuleText.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <vector>

using namespace tessera;
namespace fs = llvm::sys::fs;

static llvm::Error refuse(const llvm::Twine &reason) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), reason);
}

static llvm::Error cannotRead(std::error_code error, llvm::StringRef remedy) {
  return refuse("cannot be read: " + error.message() + "; " + remedy);
}

/// What \p text is, where it is none in UTF-8; empty where it may be one.
static llvm::StringRef nameEncoding(llvm::StringRef text) {
  using namespace llvm;
  // The mark of UTF-32 begins as that of UTF-16 does.
  if (text.starts_with(StringRef("\xFF\xFE\0\0", 4)) ||
      text.starts_with(StringRef("\0\0\xFE\xFF", 4)))
    return "text in UTF-32";
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return "text in UTF-16";
  size_t zero = text.find('\0');
  if (zero == StringRef::npos)
    return "";
  // Without a mark, every other byte of plain text is zero.
  bool isWide = text.size() >= 4 && text.size() % 2 == 0;
  size_t phase = zero % 2, pairs = std::min<size_t>(text.size() / 2, 64);
  for (size_t pair = 0; pair < pairs && isWide; ++pair)
    isWide = text[2 * pair + phase] == 0 && text[2 * pair + 1 - phase] != 0;
  return isWide ? "text in UTF-16" : "no text: it has bytes of zero";
}

llvm::Expected<SourceText> tessera::readSource(llvm::StringRef path,
                                               int64_t maxBytes,
                                               llvm::StringRef remedy) {
  SourceText source{path.str(), "", ""};
  fs::file_t file = fs::getStdinHandle();
  if (path == "-") {
    source.path = "<stdin>";
  } else {
    llvm::Expected<fs::file_t> opened = fs::openNativeFileForRead(path);
    if (!opened)
      return cannotRead(llvm::errorToErrorCode(opened.takeError()), remedy);
    file = *opened;
    if (fs::is_regular_file(path))
      source.folder = llvm::sys::path::parent_path(path).str();
  }
  std::vector<char> chunk(1 << 16);
  std::error_code error;
  while (true) {
    llvm::Expected<size_t> count = fs::readNativeFile(file, chunk);
    if (!count)
      error = llvm::errorToErrorCode(count.takeError());
    if (error || *count == 0)
      break;
    source.text.append(chunk.data(), *count);
    auto size = static_cast<int64_t>(source.text.size());
    if (size > maxBytes && maxBytes < maxModuleBytes &&
        isModuleText(source.text))
      maxBytes = maxModuleBytes;
    if (size > maxBytes)
      break;
  }
  if (path != "-")
    (void)fs::closeFile(file);
  if (error)
    return cannotRead(error, remedy);
  if (static_cast<int64_t>(source.text.size()) > maxBytes)
    return refuse("is longer than the " + llvm::Twine(maxBytes >> 20) +
                  " MiB that are read; give another file");
  if (llvm::StringRef what = nameEncoding(source.text); !what.empty())
    return refuse("is " + what + "; save it as text in UTF-8");
  if (llvm::StringRef(source.text).starts_with("\xEF\xBB\xBF"))
    source.text.erase(0, 3);
  return source;
}

bool tessera::isModuleText(llvm::StringRef text) {
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    line = line.ltrim();
    if (line.starts_with("\"builtin.module\"") || line.starts_with("func.func"))
      return true;
    // A field of that name would be followed by a colon or a message.
    if (line.consume_front("module") &&
        (line.starts_with(" {") || line.starts_with(" @") ||
         line.starts_with(" attributes")))
      return true;
    text = rest;
  }
  return false;
}

namespace {

/// How deep brackets stand within one another, and aliases of IR.
class Nesting {
public:
  explicit Nesting(unsigned limit) : limit(limit) {}

  /// False where the limit is met.
  bool open() { return note(++depth, 0); }
  void close() { depth -= depth > 0; }
  /// At an alias, #name or !name. It stands as deep as what it is an alias of
  /// does; what follows its definition, up to the next, counts as that.
  bool alias(llvm::StringRef name, bool isDefinition) {
    if (isDefinition && depth == 0) {
      defined = name;
      return true;
    }
    if (name == defined)
      return true;
    Extent extent = extents.lookup(name);
    return extent.parts <= maxAliasParts &&
           note(depth + 1 + extent.depth, 1 + extent.parts);
  }

private:
  struct Extent {
    unsigned depth = 0;
    uint64_t parts = 0; ///< aliases that it is written out of
  };

  bool note(unsigned reached, uint64_t parts) {
    if (!defined.empty()) {
      Extent &extent = extents[defined];
      extent.depth = std::max(extent.depth, reached);
      extent.parts += parts;
    }
    return reached < limit;
  }

  unsigned limit, depth = 0;
  llvm::StringRef defined;
  llvm::StringMap<Extent> extents;
};

} // namespace

size_t tessera::findNesting(llvm::StringRef text, unsigned depth,
                            llvm::StringRef comment) {
  Nesting nesting(depth);
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '"' || (c == '\'' && comment == "#")) {
      // A text ends on its line at the latest.
      for (++at; at < text.size() && text[at] != c && text[at] != '\n'; ++at)
        at += text[at] == '\\';
    } else if (text.substr(at).starts_with(comment)) {
      at = text.find('\n', at);
      if (at == llvm::StringRef::npos)
        return at;
    } else if (c == '(' || c == '[' || c == '{' || c == '<') {
      if (!nesting.open())
        return at;
    } else if (c == ')' || c == ']' || c == '}' || c == '>') {
      bool isArrow = c == '>' && ((at && text[at - 1] == '-') ||
                                  text.substr(at + 1).starts_with("="));
      if (!isArrow)
        nesting.close();
    } else if ((c == '#' || c == '!') && comment == "//") {
      llvm::StringRef name =
          text.substr(at, 1 + text.substr(at + 1)
                                  .take_while([](char c) {
                                    return llvm::isAlnum(c) || c == '_' ||
                                           c == '.' || c == '$';
                                  })
                                  .size());
      llvm::StringRef rest = text.substr(at + name.size()).ltrim();
      if (!nesting.alias(name, rest.starts_with("=")))
        return at;
      at += name.size() - 1;
    }
  }
  return llvm::StringRef::npos;
}
