//===- Environment.cpp - What the environment asks for --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include "runtime/core/Spelling.h"
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>
#include <vector>

namespace tessera::runtime {

const char *environmentText(const char *name) {
  const char *text = getenv(name);
  return text && *text ? text : nullptr;
}

int64_t environmentInteger(const char *name, int64_t fallback, int64_t least,
                           int64_t most) {
  const char *text = environmentText(name);
  if (!text)
    return fallback;
  char *end = nullptr;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (end == text || *end || errno || value < least || value > most)
    fatal("%s is '%s': it may be %" PRId64 " to %" PRId64 ", a whole number",
          name, text, least, most);
  return value;
}

bool environmentFlag(const char *name, bool fallback) {
  const char *text = environmentText(name);
  if (!text)
    return fallback;
  if (strcmp(text, "0") && strcmp(text, "1"))
    fatal("%s is '%s': it may be '0' or '1'", name, text);
  return *text == '1';
}

double timeoutSeconds() {
  const char *text = environmentText("TESSERA_TIMEOUT");
  if (!text)
    return 600;
  char *end = nullptr;
  double seconds = strtod(text, &end);
  if (end == text || *end || !std::isfinite(seconds) || !(seconds > 0))
    fatal("TESSERA_TIMEOUT is '%s': it takes a number of seconds above 0, such "
          "as 600",
          text);
  return seconds;
}

int wantedThreads() {
  const char *text = environmentText("OMP_NUM_THREADS");
  if (!text)
    return 0;
  char *end = nullptr;
  errno = 0;
  long threads = strtol(text, &end, 10);
  if (end == text || (*end && *end != ',') || errno || threads < 1)
    fatal("OMP_NUM_THREADS is '%s': it takes a whole number above 0; unset it "
          "for as many threads as there are cores",
          text);
  return static_cast<int>(std::min<long>(threads, INT_MAX));
}

const char *secretText() {
  // 16 hexadecimal digits and less are found by trying.
  constexpr size_t least = 32;
  const char *text = environmentText("TESSERA_SECRET");
  if (text && strlen(text) < least)
    fatal(
        "TESSERA_SECRET has %zu characters: it takes at least %zu that nobody "
        "guesses, such as the output of 'openssl rand -hex 32'",
        strlen(text), least);
  return text;
}

namespace {

void checkForm() {
  const char *text = environmentText("TESSERA_COMM");
  for (const char *form : {"shared", "messages", "nccl", "staged"})
    if (text && !strcmp(text, form))
      return;
  if (text)
    fatal("TESSERA_COMM is '%s': it may be 'shared' or 'messages', on GPUs "
          "'nccl' or 'staged'",
          text);
}

/// Of the tests' and benchmarks' scripts: no executable reads it.
constexpr char buildVariable[] = "TESSERA_BUILD";

const EnvironmentVariable variableTable[] = {
    {"TESSERA_TIMEOUT", "SECONDS", "how long a rank waits for its peers (600)",
     [] { (void)timeoutSeconds(); }},
    {"TESSERA_COMM", "FORM",
     "how ranks communicate: shared or messages; on GPUs nccl or staged",
     checkForm},
    {"TESSERA_SECRET", "TEXT",
     "what ranks on GPUs of several nodes know each other by, of 32 characters "
     "or more",
     [] { (void)secretText(); }},
    {"TESSERA_GRAPHS", "0|1", "run steps on GPUs as CUDA graphs (1)",
     [] { (void)environmentFlag("TESSERA_GRAPHS", true); }},
    {"TESSERA_GEMM_TRIALS", "N",
     "candidates of each GEMM on GPUs that are timed, 0 to 8 (8)",
     [] {
       (void)environmentInteger("TESSERA_GEMM_TRIALS", 0, 0,
                                mostGemmCandidates);
     }},
    {"TESSERA_COUNT_ALLOCATIONS", "0|1",
     "log the allocations of steps where a library counts them (0)",
     [] { (void)environmentFlag("TESSERA_COUNT_ALLOCATIONS", false); }},
};

} // namespace

std::span<const EnvironmentVariable> environmentVariables() {
  return variableTable;
}

void checkEnvironment() {
  std::vector<std::string> known = {buildVariable};
  for (const EnvironmentVariable &variable : variableTable)
    known.push_back(variable.name);
  for (char **entry = environ; *entry; ++entry) {
    std::string name(*entry, strcspn(*entry, "="));
    if (!name.starts_with("TESSERA_") ||
        std::find(known.begin(), known.end(), name) != known.end())
      continue;
    std::string nearest = nearestName(name, known);
    std::string guess =
        nearest.empty() ? "" : ": did you mean " + nearest + "?";
    warning("nothing reads %s, which the environment sets%s", name.c_str(),
            guess.c_str());
  }
  for (const EnvironmentVariable &variable : variableTable)
    if (getenv(variable.name))
      variable.check();
}

} // namespace tessera::runtime
