//===- DocumentFile.h - Documents, each by itself ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_DATA_DOCUMENTFILE_H
#define TESSERA_RUNTIME_DATA_DOCUMENTFILE_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace tessera::runtime {

/// A document as a model reads it.
struct Document {
  std::string name; ///< its file, or file and line
  std::string text; ///< its bytes, or those of its tokens
  std::vector<int32_t> tokens;
};

/// How a model with a tokenizer reads texts; each is false with the reason in
/// `error`.
struct DocumentText {
  std::function<bool(const std::string &path, std::string &text,
                     std::string &error)>
      read;
  std::function<bool(const std::string &text, std::vector<int32_t> &tokens,
                     std::string &error)>
      encode;
};

/// Reads the documents at \p path: the files of a folder, by name, or the lines
/// of a file, each a JSON object with "text" or "tokens". Texts are read as
/// \p how says; without it a text's bytes are its tokens where \p vocabulary is
/// 256, and refused elsewhere. False with the
/// reason, which names the document, in \p error: where there is none, or one
/// has less than two tokens or one outside the vocabulary.
bool readDocuments(const std::string &path, int64_t vocabulary,
                   std::vector<Document> &documents, std::string &error,
                   const DocumentText &how = {});

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_DATA_DOCUMENTFILE_H
