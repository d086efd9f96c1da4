//===- DocumentTokens.h - Files of documents into tokens --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_DOCUMENTTOKENS_H
#define TESSERA_RUNTIME_TOKENIZER_DOCUMENTTOKENS_H

#include "runtime/tokenizer/DocumentJobs.h"
#include "runtime/tokenizer/Tokenizer.h"

namespace tessera::runtime {

/// How documents become tokens.
struct DocumentEncoding {
  DocumentForm form;
  EncodeOptions how;
  int32_t end = -1; ///< the token that ends a document; -1: none does
  unsigned threads = 1;
  bool showsProgress = true; ///< on the standard error
  /// Appends ids as they lie in a file; called by all threads.
  std::function<void(const std::vector<int32_t> &ids, std::string &bytes)> pack;
  /// Takes documents of \p lengths tokens, whose packed tokens are \p bytes, in
  /// order. False: it is not to go on.
  std::function<bool(const std::vector<int32_t> &lengths,
                     const std::string &bytes)>
      take;
};

/// What has been read.
struct DocumentTotals {
  int64_t documents = 0, tokens = 0;
  int64_t bytes = 0;         ///< of text
  int64_t repaired = 0;      ///< documents with bytes that are no UTF-8
  int64_t empty = 0;         ///< documents, which are left out
  std::string firstRepaired; ///< the file of the first one
  /// What a user is to know of them, for one each.
  std::vector<std::string> warnings() const;
};

/// Gives the tokens of the documents in \p files to encoding.take. False with
/// the reason, which names the place, in \p error: a file that cannot be read
/// or is known to be no text, a line that is no document, no document at all.
/// Empty documents are left out. Where take has returned false error is empty.
bool encodeDocuments(const Tokenizer &tokenizer, DocumentJobs &files,
                     const DocumentEncoding &encoding, DocumentTotals &totals,
                     std::string &error);

/// The id of \p token, which ends documents, in \p id. False with the reason in
/// \p error where it is empty or not there; \p tokenizer is called \p name.
bool findEnd(const Tokenizer &tokenizer, const std::string &name,
             const std::string &token, int32_t &id, std::string &error);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_DOCUMENTTOKENS_H
