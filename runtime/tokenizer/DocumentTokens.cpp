//===- DocumentTokens.cpp - Files of documents into tokens ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/DocumentTokens.h"
#include "runtime/core/ProgressLine.h"
#include "runtime/core/Text.h"
#include "runtime/core/Utf8.h"

namespace tessera::runtime {
namespace {

struct ThreadState {
  TokenizerScratch scratch;
  std::vector<int32_t> ids;
};

void encodeJob(const Tokenizer &tokenizer, const DocumentEncoding &encoding,
               ThreadState &state, DocumentJob &job) {
  job.forEach(encoding.form, [&](std::string_view text) {
    job.bytes += static_cast<int64_t>(text.size());
    if (text.empty()) {
      ++job.empty;
      return true;
    }
    job.repaired += !isUtf8(text);
    state.ids.clear();
    std::string reason;
    if (!tokenizer.encode(text, encoding.how, state.scratch, state.ids,
                          reason)) {
      job.error = "the text " + job.place() + " cannot be split: " + reason;
      return false;
    }
    if (encoding.end >= 0)
      state.ids.push_back(encoding.end);
    if (state.ids.size() > size_t(INT32_MAX)) {
      job.error = "the text " + job.place() + " has more than 2^31 - 1 tokens";
      return false;
    }
    job.lengths.push_back(static_cast<int32_t>(state.ids.size()));
    job.tokens += static_cast<int64_t>(state.ids.size());
    encoding.pack(state.ids, job.packed);
    return true;
  });
  job.text = std::string();
}

/// How far the work is.
std::string describe(double part, const DocumentTotals &totals,
                     double seconds) {
  return std::to_string(int(100 * part)) + " %, " +
         countText(totals.documents) + " documents, " +
         countText(totals.tokens) + " tokens, " +
         byteText(double(totals.bytes) / seconds) + "/s of text";
}

} // namespace

std::vector<std::string> DocumentTotals::warnings() const {
  std::vector<std::string> all;
  if (repaired)
    all.push_back(countText(repaired) +
                  " documents have bytes that are no UTF-8, which count as "
                  "U+FFFD; the first is in '" +
                  firstRepaired + "'");
  if (empty)
    all.push_back(countText(empty) + " empty documents are left out");
  return all;
}

bool encodeDocuments(const Tokenizer &tokenizer, DocumentJobs &files,
                     const DocumentEncoding &encoding, DocumentTotals &totals,
                     std::string &error) {
  std::vector<ThreadState> states(encoding.threads);
  ProgressLine progress;
  bool goesOn = true;
  bool isRead = files.run(
      [&](DocumentJob &job, unsigned thread) {
        encodeJob(tokenizer, encoding, states[thread], job);
      },
      [&](DocumentJob &job) {
        error = job.error;
        if (!error.empty())
          return false;
        if (job.repaired && !totals.repaired)
          totals.firstRepaired = job.file;
        totals.documents += std::ssize(job.lengths);
        totals.tokens += job.tokens;
        totals.bytes += job.bytes;
        totals.repaired += job.repaired;
        totals.empty += job.empty;
        goesOn = encoding.take(job.lengths, job.packed);
        if (encoding.showsProgress)
          progress.show([&](double seconds) {
            return describe(job.progress, totals, seconds);
          });
        return goesOn;
      },
      error);
  progress.end();
  if (!isRead || !error.empty() || !goesOn)
    return false;
  if (totals.documents == 0)
    error = "there is no text in the files";
  return error.empty();
}

bool findEnd(const Tokenizer &tokenizer, const std::string &name,
             const std::string &token, int32_t &id, std::string &error) {
  id = token.empty() ? -1 : tokenizer.idOf(token);
  if (token.empty())
    error = "nothing says which token ends a document: give --end=TOKEN or "
            "--no-end (tokenizer_config.json beside the tokenizer would say it "
            "as eos_token)";
  else if (id < 0)
    error = name + " has no token '" + token +
            "' to end a document with: --end=TOKEN names another, --no-end "
            "leaves it out";
  return id >= 0;
}

} // namespace tessera::runtime
