//===- Peer.cpp - Texts by llama.cpp --------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Serves bench/generate.py as bench/peer_generate.py does:
//
//   llama-peer MODEL.gguf THREADS TEXTS CONTEXT F32|F16
//
// with room for so many texts of so many tokens, in a cache of that type. Each
// line of standard input is a number of tokens to write, a number of texts and
// the ids of their prompts, which are equally long; the answer is a line of
// JSON: the milliseconds until each text has its first token, those of all
// later ones, the tokens, and the bytes of memory that the process has beside
// pages of files. All texts take a step in one call.
//
//===----------------------------------------------------------------------===//

#include "llama.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

using Ids = std::vector<llama_token>;

static double milliseconds() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] static void fail(const char *what) {
  std::fprintf(stderr, "llama-peer: %s\n", what);
  std::exit(1);
}

namespace {

/// The texts of a context, and the batch that is next.
class Texts {
public:
  Texts(llama_model *model, ggml_threadpool *threads, int threadCount,
        int count, int length, ggml_type cache)
      : vocabulary(llama_vocab_n_tokens(llama_model_get_vocab(model))),
        batch(llama_batch_init(std::max(length, count), 0, 1)) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = length * count;
    params.n_batch = std::max(length, count);
    params.n_seq_max = count;
    params.n_threads = params.n_threads_batch = threadCount;
    params.type_k = params.type_v = cache;
    context = llama_init_from_model(model, params);
    if (!context)
      fail("no context");
    llama_attach_threadpool(context, threads, threads);
  }
  ~Texts() {
    llama_batch_free(batch);
    llama_free(context);
  }

  void clear() { llama_memory_clear(llama_get_memory(context), false); }

  void add(llama_token token, int position, int text, bool wanted) {
    int row = batch.n_tokens++;
    batch.token[row] = token;
    batch.pos[row] = position;
    batch.n_seq_id[row] = 1;
    batch.seq_id[row][0] = text;
    batch.logits[row] = wanted;
  }

  void run() {
    if (llama_decode(context, batch))
      fail("llama_decode failed");
    batch.n_tokens = 0;
  }

  /// The likeliest token behind row \p row of the batch that ran.
  llama_token likeliest(int row) {
    const float *logits = llama_get_logits_ith(context, row);
    return static_cast<llama_token>(
        std::max_element(logits, logits + vocabulary) - logits);
  }

private:
  int vocabulary;
  llama_batch batch;
  llama_context *context;
};

} // namespace

/// What /proc says that the process has beside pages of files.
static long ownMemory() {
  std::ifstream status("/proc/self/status");
  long total = 0;
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:") || line.starts_with("RssShmem:"))
      total += std::atol(line.c_str() + line.find(':') + 1);
  return 1024 * total;
}

/// Writes \p count tokens behind each of the prompts, and the answer.
static void generate(Texts &texts, const std::vector<Ids> &prompts, int count) {
  std::vector<Ids> written(prompts.size());
  texts.clear();
  double begin = milliseconds();
  for (size_t i = 0; i < prompts.size(); ++i) {
    for (size_t p = 0; p < prompts[i].size(); ++p)
      texts.add(prompts[i][p], p, i, p + 1 == prompts[i].size());
    texts.run();
    written[i].push_back(texts.likeliest(prompts[i].size() - 1));
  }
  double prompted = milliseconds();
  for (int step = 1; step < count; ++step) {
    for (size_t i = 0; i < prompts.size(); ++i)
      texts.add(written[i].back(), prompts[i].size() + step - 1, i, true);
    texts.run();
    for (size_t i = 0; i < prompts.size(); ++i)
      written[i].push_back(texts.likeliest(i));
  }
  double end = milliseconds();
  std::printf("{\"prompt_ms\": %.6f, \"decode_ms\": %.6f, \"tokens\": [",
              prompted - begin, end - prompted);
  for (size_t i = 0; i < written.size(); ++i)
    for (size_t t = 0; t < written[i].size(); ++t)
      std::printf("%s%d%s",
                  t   ? ", "
                  : i ? ", ["
                      : "[",
                  written[i][t], t + 1 == written[i].size() ? "]" : "");
  std::printf("], \"memory\": %ld}\n", ownMemory());
  std::fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 6)
    fail("wants MODEL.gguf THREADS TEXTS CONTEXT F32|F16");
  int threadCount = std::atoi(argv[2]);
  ggml_type cache =
      argv[5] == std::string("F32") ? GGML_TYPE_F32 : GGML_TYPE_F16;
  llama_log_set(
      [](ggml_log_level level, const char *text, void *) {
        if (level == GGML_LOG_LEVEL_ERROR)
          std::fputs(text, stderr);
      },
      nullptr);
  llama_backend_init();
  llama_model_params params = llama_model_default_params();
  // In memory of its own, which the allocator may have in huge pages.
  params.load_mode = LLAMA_LOAD_MODE_NONE;
  llama_model *model = llama_model_load_from_file(argv[1], params);
  if (!model)
    fail("no model");
  ggml_threadpool_params pool = ggml_threadpool_params_default(threadCount);
  ggml_threadpool *threads = ggml_threadpool_new(&pool);
  {
    Texts texts(model, threads, threadCount, std::atoi(argv[3]),
                std::atoi(argv[4]), cache);
    std::puts("ready");
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line) && !line.empty();) {
      std::istringstream in(line);
      int count, textCount;
      in >> count >> textCount;
      Ids ids;
      for (llama_token id; in >> id;)
        ids.push_back(id);
      std::vector<Ids> prompts(textCount);
      size_t length = ids.size() / textCount;
      for (int i = 0; i < textCount; ++i)
        prompts[i].assign(ids.begin() + i * length,
                          ids.begin() + (i + 1) * length);
      generate(texts, prompts, count);
    }
  }
  llama_model_free(model);
  ggml_threadpool_free(threads);
}
