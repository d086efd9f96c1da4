//===- FakeProgram.cpp - An emitted program written by hand ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stands for the object that the compiler emits: a small language model
// logits[v] = E[token] . U[v] + b[v] (+ c[v] for the first tokens) with its
// backward pass and AdamW, at every ZeRO stage. The macros FAKE_WORLD,
// FAKE_STAGE and FAKE_ACCUMULATION choose the form.
//
// The environment may ask for trouble on the last rank: FAKE_NAN=3,4 makes a
// gradient NaN in the third and fourth step of the process, FAKE_SPIKE=40 makes
// a loss ten times as large. FAKE_NON_FINITE=skip changes the manifest, and
// FAKE_STEP_MS=2 makes each step last so long.
//
//===----------------------------------------------------------------------===//

#include "runtime/abi.h"
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

namespace {

constexpr int64_t world = FAKE_WORLD, stage = FAKE_STAGE,
                  accumulation = FAKE_ACCUMULATION;
constexpr int64_t vocabulary = 256, hidden = 8, sequence = 16, batch = 2,
                  rows = batch * sequence, corrections = 5;

constexpr int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Group 0: E. Group 1: U, b, then c.
constexpr int64_t tableElements = vocabulary * hidden;
constexpr int64_t biasOffset = tableElements;
constexpr int64_t correctionOffset = biasOffset + vocabulary;
constexpr int64_t padded[2] = {
    roundUp(tableElements, 16 * world),
    roundUp(correctionOffset + corrections, 16 * world)};
constexpr int64_t shard[2] = {padded[0] / world, padded[1] / world};
constexpr int64_t decayed = tableElements;

/// Enough for what oneDNN wants for so small a product.
constexpr int64_t scratchBytes = 1 << 21;

/// Offsets in the arena, in bytes.
struct Layout {
  int64_t full[2], part[2], gradient[2], gradientPart[2], moment1[2],
      moment2[2];
  int64_t tokens, targets, scale, hyper, loss, lossSum, gradNorm, norm, normSum,
      embedded, probabilities, scratch, bytes;
};

constexpr Layout makeLayout() {
  Layout layout{};
  int64_t next = 0;
  auto take = [&](int64_t bytes) {
    int64_t at = next;
    next = roundUp(next + bytes, 64);
    return at;
  };
  for (int g = 0; g < 2; ++g) {
    int64_t held = stage == 0 ? padded[g] : shard[g];
    layout.part[g] = stage == 3 ? take(4 * shard[g]) : 0;
    layout.gradientPart[g] = stage >= 2 ? take(4 * shard[g]) : 0;
    layout.moment1[g] = take(4 * held);
    layout.moment2[g] = take(4 * held);
    layout.full[g] = take(4 * padded[g]);
    layout.gradient[g] = take(4 * padded[g]);
  }
  layout.tokens = take(4 * rows);
  layout.targets = take(4 * rows);
  layout.scale = take(4);
  layout.hyper = take(16);
  layout.loss = take(4);
  layout.lossSum = take(4);
  layout.gradNorm = take(4);
  layout.norm = take(8);
  layout.normSum = take(8);
  layout.embedded = take(4 * rows * hidden);
  layout.scratch = take(scratchBytes);
  layout.probabilities = take(4 * rows * vocabulary);
  layout.bytes = next;
  return layout;
}
constexpr Layout layout = makeLayout();

float *floats(char *arena, int64_t offset) {
  return reinterpret_cast<float *>(arena + offset);
}
double *doubles(char *arena, int64_t offset) {
  return reinterpret_cast<double *>(arena + offset);
}
const int32_t *integers(char *arena, int64_t offset) {
  return reinterpret_cast<const int32_t *>(arena + offset);
}

// Collectives by number: reduce-scatters 0 and 1, gathers 2 and 3 (of
// gradients at stage 0, of parameters after it), the loss, the norm.
enum { scatter = 0, gather = 2, lossReduce = 4, normReduce = 5 };

void collective(tsr_context *context, int id) {
  tsr_collective_start(context, id);
  tsr_collective_wait(context, id);
  tsr_collective_fence(context, id);
}

/// A row of E for each token.
void embeddingKernel(char *const *args, int64_t begin, int64_t end, char *) {
  char *arena = args[0];
  for (int64_t row = begin; row < end; ++row)
    memcpy(floats(arena, layout.embedded) + row * hidden,
           floats(arena, layout.full[0]) +
               integers(arena, layout.tokens)[row] * hidden,
           4 * hidden);
}

/// Turns a row of logits into probabilities.
void softmaxKernel(char *const *args, int64_t begin, int64_t end, char *) {
  char *arena = args[0];
  const float *output = floats(arena, layout.full[1]);
  for (int64_t row = begin; row < end; ++row) {
    float *p = floats(arena, layout.probabilities) + row * vocabulary;
    float largest = -INFINITY, total = 0;
    for (int64_t v = 0; v < corrections; ++v)
      p[v] += output[correctionOffset + v];
    for (int64_t v = 0; v < vocabulary; ++v)
      largest = std::fmax(largest, p[v]);
    for (int64_t v = 0; v < vocabulary; ++v)
      total += p[v] = std::exp(p[v] - largest);
    for (int64_t v = 0; v < vocabulary; ++v)
      p[v] /= total;
  }
}

/// Gradients of row v of U, of b[v], c[v] and of row v of E.
void gradientKernel(char *const *args, int64_t begin, int64_t end, char *) {
  char *arena = args[0];
  float scale = *floats(arena, layout.scale);
  const int32_t *tokens = integers(arena, layout.tokens);
  const int32_t *targets = integers(arena, layout.targets);
  const float *table = floats(arena, layout.full[0]);
  const float *output = floats(arena, layout.full[1]);
  float *tableGradient = floats(arena, layout.gradient[0]);
  float *outputGradient = floats(arena, layout.gradient[1]);
  const float *p = floats(arena, layout.probabilities);
  for (int64_t v = begin; v < end; ++v)
    for (int64_t row = 0; row < rows; ++row) {
      float d = scale * (p[row * vocabulary + v] - (targets[row] == v));
      outputGradient[biasOffset + v] += d;
      if (v < corrections)
        outputGradient[correctionOffset + v] += d;
      for (int64_t h = 0; h < hidden; ++h)
        outputGradient[v * hidden + h] += d * table[tokens[row] * hidden + h];
      if (tokens[row] != v)
        continue;
      for (int64_t u = 0; u < vocabulary; ++u) {
        float e = scale * (p[row * vocabulary + u] - (targets[row] == u));
        for (int64_t h = 0; h < hidden; ++h)
          tableGradient[v * hidden + h] += e * output[u * hidden + h];
      }
    }
}

/// Whether the environment's list \p name has the step that runs.
int64_t steps = 0;
bool asked(tsr_context *context, const char *name) {
  const char *list = getenv(name);
  while (list && tsr_rank(context) == world - 1) {
    if (atoll(list) == steps)
      return true;
    list = strchr(list, ',');
    list += list != nullptr;
  }
  return false;
}

void begin(tsr_context *context, char *arena) {
  ++steps;
  if (const char *milliseconds = getenv("FAKE_STEP_MS"))
    usleep(static_cast<useconds_t>(1000 * atof(milliseconds)));
  *floats(arena, layout.loss) = 0;
  for (int g = 0; g < 2; ++g) {
    tsr_zero(context, arena + layout.gradient[g], 4 * padded[g]);
    if (stage >= 2)
      tsr_zero(context, arena + layout.gradientPart[g], 4 * shard[g]);
  }
}

void micro(tsr_context *context, char *arena) {
  if (stage == 3)
    for (int g = 0; g < 2; ++g)
      collective(context, gather + g);
  char *args[] = {arena};
  tsr_launch(context, embeddingKernel, args, rows, nullptr, 0);
  tsr_gemm(context, 0, arena + layout.embedded, arena + layout.full[1],
           arena + layout.full[1] + 4 * biasOffset, nullptr,
           arena + layout.probabilities, arena + layout.scratch);
  tsr_launch(context, softmaxKernel, args, rows, nullptr, 0);
  tsr_launch(context, gradientKernel, args, vocabulary, nullptr, 0);
  const int32_t *targets = integers(arena, layout.targets);
  float *loss = floats(arena, layout.loss);
  for (int64_t row = 0; row < rows; ++row)
    *loss -= *floats(arena, layout.scale) *
             std::log(floats(
                 arena, layout.probabilities)[row * vocabulary + targets[row]]);
  if (asked(context, "FAKE_SPIKE"))
    *loss *= 10;
  if (asked(context, "FAKE_NAN"))
    *floats(arena, layout.gradient[1]) = NAN;
  if (stage >= 2)
    for (int g = 0; g < 2; ++g) {
      collective(context, scatter + g);
      tsr_zero(context, arena + layout.gradient[g], 4 * padded[g]);
    }
}

float *ownGradient(tsr_context *context, char *arena, int g) {
  return stage >= 2
             ? floats(arena, layout.gradientPart[g])
             : floats(arena, layout.gradient[g]) + tsr_rank(context) * shard[g];
}

void reduce(tsr_context *context, char *arena) {
  double sum = 0;
  for (int g = 0; g < 2; ++g) {
    if (stage < 2)
      collective(context, scatter + g);
    const float *own = ownGradient(context, arena, g);
    for (int64_t i = 0; i < shard[g]; ++i)
      sum += double(own[i]) * own[i];
    if (stage == 0)
      collective(context, gather + g);
  }
  *doubles(arena, layout.norm) = sum;
  collective(context, normReduce);
  collective(context, lossReduce);
  *floats(arena, layout.gradNorm) =
      static_cast<float>(std::sqrt(*doubles(arena, layout.normSum)));
}

void update(tsr_context *context, char *arena) {
  const float *hyper = floats(arena, layout.hyper);
  float norm = *floats(arena, layout.gradNorm);
  float clip = norm > 1 ? 1 / norm : 1;
  for (int g = 0; g < 2; ++g) {
    int64_t first = stage == 0 ? 0 : tsr_rank(context) * shard[g];
    int64_t count = stage == 0 ? padded[g] : shard[g];
    float *parameter = stage == 3 ? floats(arena, layout.part[g])
                                  : floats(arena, layout.full[g]) + first;
    const float *gradient = stage == 0 ? floats(arena, layout.gradient[g])
                                       : ownGradient(context, arena, g);
    float *m = floats(arena, layout.moment1[g]);
    float *v = floats(arena, layout.moment2[g]);
    for (int64_t i = 0; i < count; ++i) {
      float d = gradient[i] * clip;
      m[i] = 0.9f * m[i] + 0.1f * d;
      v[i] = 0.95f * v[i] + 0.05f * d * d;
      float decay = first + i < decayed ? 0.1f : 0.0f;
      parameter[i] -=
          hyper[0] * (m[i] / hyper[1] / (std::sqrt(v[i] / hyper[2]) + 1e-8f) +
                      decay * parameter[i]);
    }
    if (stage == 1 || stage == 2)
      collective(context, gather + g);
  }
}

} // namespace

/// The manifest's text, written before main runs.
char manifest[1 << 14] __asm__("tessera_manifest");

namespace {

std::string format(const char *pattern, auto... values) {
  char text[2048];
  snprintf(text, sizeof text, pattern, values...);
  return text;
}

__attribute__((constructor)) void writeManifest() {
  std::string text = format(
      R"({"tessera": 1, "name": "fake",
"model": {"kind": "transformer", "family": "fake", "vocabulary": %d, "sequence": %d},
"training": {"world": %d, "stage": %d, "micro_batch": %d, "accumulation": %d,
 "global_batch": %d, "seed": 7, "steps": 12, "non_finite": "%s", "max_skips": 2,
)",
      int(vocabulary), int(sequence), int(world), int(stage), int(batch),
      int(accumulation), int(batch * world * accumulation),
      getenv("FAKE_NON_FINITE") ? getenv("FAKE_NON_FINITE") : "stop");
  text +=
      R"("optimizer": {"kind": "adamw", "lr": 0.05, "beta1": 0.9, "beta2": 0.95,
 "eps": 1e-8, "weight_decay": 0.1, "clip": 1.0},
"schedule": {"kind": "cosine", "warmup_steps": 3, "decay_steps": 30, "min_lr": 0.005}},
"target": {"kind": "cpu", "cpu": "native", "threads": 0},
"parameters": [
 {"name": "table.weight", "shape": [256, 8], "decay": true, "init": {"kind": "normal", "std": 0.5}, "group": 0, "offset": 0},
 {"name": "output.weight", "shape": [256, 8], "decay": true, "init": {"kind": "uniform", "bound": 0.5}, "group": 1, "offset": 0},
 {"name": "output.bias", "shape": [256], "decay": false, "init": {"kind": "constant", "value": 0.25}, "group": 1, "offset": 2048},
 {"name": "output.correction", "shape": [5], "decay": false, "init": {"kind": "constant", "value": 0}, "group": 1, "offset": 2304}],
"tied": {"lm_head.weight": "table.weight"},
)";
  text += format(
      R"("groups": [{"name": "table", "elements": 2048, "padded": %d, "decay_elements": 2048},
 {"name": "output", "elements": 2309, "padded": %d, "decay_elements": 2048}],
"gemms": [{"id": 0, "m": 32, "n": 256, "k": 8, "transpose_b": true, "lda": 8, "ldb": 8, "ldc": 256, "bias": true, "scratch": 2097152}],
 "programs": {"train": {"world": %d, "stage": %d, "arena_bytes": %d,
 "memory": {"activations": %d}, "states": [
)",
      int(padded[0]), int(padded[1]), int(world), int(stage), int(layout.bytes),
      int(layout.bytes));
  for (int g = 0; g < 2; ++g) {
    auto state = [&](const char *name, int64_t offset, bool sharded) {
      text += format(
          R"( {"state": "%s", "group": %d, "offset": %d, "elements": %d, "sharded": %s},
)",
          name, g, int(offset), int(sharded ? shard[g] : padded[g]),
          sharded ? "true" : "false");
    };
    state("parameter", stage == 3 ? layout.part[g] : layout.full[g],
          stage == 3);
    state("gradient", stage >= 2 ? layout.gradientPart[g] : layout.gradient[g],
          stage >= 2);
    state("moment1", layout.moment1[g], stage >= 1);
    state("moment2", layout.moment2[g], stage >= 1);
  }
  text.resize(text.size() - 2);
  text += format(R"(], "inputs": [
 {"name": "tokens", "type": "i32", "shape": [2, 16], "offset": %d, "when": "micro"},
 {"name": "targets", "type": "i32", "shape": [2, 16], "offset": %d, "when": "micro"},
 {"name": "scale", "type": "f32", "shape": [], "offset": %d, "when": "begin"},
 {"name": "hyper", "type": "f32", "shape": [4], "offset": %d, "when": "update"}],
"outputs": [{"name": "loss", "type": "f32", "shape": [], "offset": %d},
 {"name": "grad_norm", "type": "f32", "shape": [], "offset": %d}],
"collectives": [
)",
                 int(layout.tokens), int(layout.targets), int(layout.scale),
                 int(layout.hyper), int(layout.lossSum), int(layout.gradNorm));
  auto entry = [&](int id, const char *kind, int group, int64_t elements,
                   const char *type, int64_t source, int64_t destination,
                   bool inPlace, bool accumulate) {
    text += format(
        R"( {"id": %d, "kind": "%s", "group": %d, "elements": %d, "type": "%s", "source": %d, "destination": %d, "in_place": %s, "accumulate": %s, "bytes": 0}%s
)",
        id, kind, group, int(elements), type, int(source), int(destination),
        inPlace ? "true" : "false", accumulate ? "true" : "false",
        id == normReduce ? "" : ",");
  };
  for (int g = 0; g < 2; ++g)
    entry(scatter + g, "reduce_scatter", g, padded[g], "f32",
          layout.gradient[g],
          stage >= 2 ? layout.gradientPart[g] : layout.gradient[g], stage < 2,
          stage >= 2);
  for (int g = 0; g < 2; ++g)
    entry(gather + g, "all_gather", g, padded[g], "f32",
          stage == 3 ? layout.part[g] : 0,
          stage == 0 ? layout.gradient[g] : layout.full[g], stage != 3, false);
  entry(lossReduce, "all_reduce", -1, 1, "f32", layout.loss, layout.lossSum,
        false, false);
  entry(normReduce, "all_reduce", -1, 1, "f64", layout.norm, layout.normSum,
        false, false);
  text += R"(], "flops": 1000000}}})";
  if (text.size() >= sizeof manifest)
    __builtin_trap();
  memcpy(manifest, text.c_str(), text.size() + 1);
}

} // namespace

const tsr_entry tessera_entries[] = {{"train.begin", begin},
                                     {"train.micro", micro},
                                     {"train.reduce", reduce},
                                     {"train.update", update},
                                     {nullptr, nullptr}};
