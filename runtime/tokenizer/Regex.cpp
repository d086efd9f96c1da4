//===- Regex.cpp - Regular expressions, as tokenizers write them ----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/Regex.h"
#include "runtime/core/Utf8.h"
#include <mutex>
#include <oniguruma.h>

namespace tessera::runtime {
namespace {

std::string describe(int code, OnigErrorInfo *info = nullptr) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
  int length = info ? onig_error_code_to_str(text, code, info)
                    : onig_error_code_to_str(text, code);
  return {reinterpret_cast<const char *>(text), static_cast<size_t>(length)};
}

const OnigUChar *bytesOf(std::string_view text) {
  return reinterpret_cast<const OnigUChar *>(text.data());
}

} // namespace

std::unique_ptr<Regex> Regex::compile(const std::string &pattern,
                                      std::string &error) {
  // The library's tables are made once, and compiling is not for two threads.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  static const int initialised = [] {
    OnigEncoding encoding = ONIG_ENCODING_UTF8;
    return onig_initialize(&encoding, 1);
  }();
  regex_t *compiled = nullptr;
  OnigErrorInfo info;
  const OnigUChar *begin = bytesOf(pattern);
  int code =
      initialised != ONIG_NORMAL
          ? initialised
          : onig_new(&compiled, begin, begin + pattern.size(), ONIG_OPTION_NONE,
                     ONIG_ENCODING_UTF8, ONIG_SYNTAX_RUBY, &info);
  if (code != ONIG_NORMAL) {
    error = describe(code, &info);
    return nullptr;
  }
  return std::unique_ptr<Regex>(new Regex(compiled));
}

Regex::~Regex() { onig_free(static_cast<regex_t *>(compiled)); }

Regex::Matches::Matches(const Regex &regex, std::string_view text)
    : regex(regex), text(text), region(onig_region_new()),
      lastEnd(std::string_view::npos) {}

Regex::Matches::~Matches() {
  onig_region_free(static_cast<OnigRegion *>(region), 1);
}

bool Regex::Matches::next(Range &match) {
  const OnigUChar *begin = bytesOf(text), *end = begin + text.size();
  auto *found = static_cast<OnigRegion *>(region);
  while (from <= text.size()) {
    int at = onig_search(static_cast<regex_t *>(regex.compiled), begin, end,
                         begin + from, end, found, ONIG_OPTION_NONE);
    if (at == ONIG_MISMATCH)
      return false;
    if (at < 0) {
      reason = describe(at);
      return false;
    }
    match = {static_cast<size_t>(found->beg[0]),
             static_cast<size_t>(found->end[0])};
    if (match.begin == match.end && match.end == lastEnd) {
      from += from < text.size() ? utf8Length(text[from]) : 1;
      continue;
    }
    from = lastEnd = match.end;
    return true;
  }
  return false;
}

} // namespace tessera::runtime
