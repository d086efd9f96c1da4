//===- DocumentFile.cpp - Documents, each by itself -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/DocumentFile.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/JsonCursor.h"
#include <algorithm>
#include <filesystem>
#include <memory>

namespace tessera::runtime {
namespace {

constexpr int64_t byteVocabulary = 256;
constexpr size_t mostTokens = size_t(1) << 30;

bool readBytes(const std::string &path, const DocumentText &how,
               std::string &bytes, std::string &error) {
  if (how.read)
    return how.read(path, bytes, error);
  std::unique_ptr<InputFile> file =
      InputFile::open(path, "the documents ", error);
  if (!file)
    return false;
  bytes.resize(file->size());
  return file->read(0, bytes.data(), std::ssize(bytes), error);
}

/// Makes tokens of \p document's text.
bool takeText(Document &document, int64_t vocabulary, const DocumentText &how,
              std::string &error) {
  if (how.encode) {
    if (how.encode(document.text, document.tokens, error))
      return true;
    error = "the document '" + document.name + "' cannot be split: " + error;
    return false;
  }
  if (vocabulary != byteVocabulary) {
    error = "the document '" + document.name +
            "' is a text, and the model has a vocabulary of " +
            std::to_string(vocabulary) +
            ": name a `tokenizer` in the specification and compile again, or "
            "give lines of JSON with \"tokens\" in place of \"text\"";
    return false;
  }
  for (char byte : document.text)
    document.tokens.push_back(static_cast<unsigned char>(byte));
  return true;
}

bool takeLine(const std::string &line, Document &document, int64_t vocabulary,
              const DocumentText &how, std::string &error) {
  try {
    JsonCursor::Json json = JsonCursor::parse(line, /*depth=*/4);
    JsonCursor cursor(json, "the document");
    if (!cursor.has("tokens")) {
      document.text = cursor.at("text").text(mostTokens);
      return takeText(document, vocabulary, how, error);
    }
    JsonCursor tokens = cursor.at("tokens");
    size_t count = tokens.length(1, mostTokens);
    for (size_t i = 0; i < count; ++i)
      document.tokens.push_back(
          static_cast<int32_t>(tokens.element(i).integer(0, vocabulary - 1)));
    document.text.assign(reinterpret_cast<const char *>(document.tokens.data()),
                         document.tokens.size() * sizeof(int32_t));
    return true;
  } catch (const std::exception &refusal) {
    error = "the document '" + document.name +
            "' cannot be read: " + refusal.what();
    return false;
  }
}

} // namespace

bool readDocuments(const std::string &path, int64_t vocabulary,
                   std::vector<Document> &documents, std::string &error,
                   const DocumentText &how) {
  namespace fs = std::filesystem;
  std::error_code code;
  if (fs::is_directory(path, code)) {
    std::vector<std::string> names;
    for (const fs::directory_entry &entry : fs::directory_iterator(path, code))
      names.push_back(entry.path().string());
    std::sort(names.begin(), names.end());
    for (const std::string &name : names) {
      Document document;
      document.name = name;
      if (!readBytes(name, how, document.text, error) ||
          !takeText(document, vocabulary, how, error))
        return false;
      documents.push_back(std::move(document));
    }
  } else {
    std::string lines;
    if (!readBytes(path, how, lines, error))
      return false;
    int64_t number = 0;
    for (size_t begin = 0; begin < lines.size();) {
      size_t end = std::min(lines.find('\n', begin), lines.size());
      std::string line = lines.substr(begin, end - begin);
      begin = end + 1;
      ++number;
      if (line.find_first_not_of(" \t\r") == std::string::npos)
        continue;
      Document document;
      document.name = path + ":" + std::to_string(number);
      if (!takeLine(line, document, vocabulary, how, error))
        return false;
      documents.push_back(std::move(document));
    }
  }
  if (documents.empty()) {
    error = "'" + path +
            "' has no documents: give a folder of files, or a "
            "file with a JSON object a line";
    return false;
  }
  for (const Document &document : documents)
    if (document.tokens.size() < 2) {
      error = "the document '" + document.name + "' has " +
              std::to_string(document.tokens.size()) +
              " tokens, and the first is predicted by nothing: leave it out";
      return false;
    }
  return true;
}

} // namespace tessera::runtime
