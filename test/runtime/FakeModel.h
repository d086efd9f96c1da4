//===- FakeModel.h - The model of a program written by hand ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What FakeProgram.cpp computes: a small language model
// logits[v] = E[token] . U[v] + b[v] (+ c[v] for the first tokens) with its
// backward pass and AdamW. The macros FAKE_WORLD, FAKE_STAGE and
// FAKE_ACCUMULATION choose the form.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_RUNTIME_FAKEMODEL_H
#define TESSERA_TEST_RUNTIME_FAKEMODEL_H

#include <cmath>
#include <cstdint>
#include <cstring>

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

/// Enough for what oneDNN wants for so small a GEMM.
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

inline float *floats(char *arena, int64_t offset) {
  return reinterpret_cast<float *>(arena + offset);
}
inline double *doubles(char *arena, int64_t offset) {
  return reinterpret_cast<double *>(arena + offset);
}
inline const int32_t *integers(char *arena, int64_t offset) {
  return reinterpret_cast<const int32_t *>(arena + offset);
}

inline void clearLossKernel(char *const *args, int64_t, int64_t, char *) {
  *floats(args[0], layout.loss) = 0;
}

/// A row of E for each token.
inline void embeddingKernel(char *const *args, int64_t begin, int64_t end,
                            char *) {
  char *arena = args[0];
  for (int64_t row = begin; row < end; ++row)
    memcpy(floats(arena, layout.embedded) + row * hidden,
           floats(arena, layout.full[0]) +
               integers(arena, layout.tokens)[row] * hidden,
           4 * hidden);
}

/// Turns a row of logits into probabilities.
inline void softmaxKernel(char *const *args, int64_t begin, int64_t end,
                          char *) {
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
inline void gradientKernel(char *const *args, int64_t begin, int64_t end,
                           char *) {
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

inline void lossKernel(char *const *args, int64_t, int64_t, char *) {
  char *arena = args[0];
  const int32_t *targets = integers(arena, layout.targets);
  float *loss = floats(arena, layout.loss);
  for (int64_t row = 0; row < rows; ++row)
    *loss -= *floats(arena, layout.scale) *
             std::log(floats(
                 arena, layout.probabilities)[row * vocabulary + targets[row]]);
}

inline void spikeKernel(char *const *args, int64_t, int64_t, char *) {
  *floats(args[0], layout.loss) *= 10;
}

inline void nanKernel(char *const *args, int64_t, int64_t, char *) {
  *floats(args[0], layout.gradient[1]) = NAN;
}

/// The squared norm of this rank's gradients: args[1] and args[2].
inline void squareKernel(char *const *args, int64_t, int64_t, char *) {
  double sum = 0;
  for (int g = 0; g < 2; ++g)
    for (int64_t i = 0; i < shard[g]; ++i) {
      double d = floats(args[1 + g], 0)[i];
      sum += d * d;
    }
  *doubles(args[0], layout.norm) = sum;
}

inline void rootKernel(char *const *args, int64_t, int64_t, char *) {
  *floats(args[0], layout.gradNorm) =
      static_cast<float>(std::sqrt(*doubles(args[0], layout.normSum)));
}

/// AdamW on the parameters from args[1] to args[2], of which those before
/// args[3] decay, by the gradient and moments at args[4], args[5] and args[6].
inline void updateKernel(char *const *args, int64_t, int64_t, char *) {
  const float *hyper = floats(args[0], layout.hyper);
  float norm = *floats(args[0], layout.gradNorm);
  float clip = norm > 1 ? 1 / norm : 1;
  float *parameter = floats(args[1], 0), *end = floats(args[2], 0);
  const float *decayEnd = floats(args[3], 0), *gradient = floats(args[4], 0);
  float *m = floats(args[5], 0), *v = floats(args[6], 0);
  for (; parameter < end; ++parameter, ++gradient, ++m, ++v) {
    float d = *gradient * clip;
    *m = 0.9f * *m + 0.1f * d;
    *v = 0.95f * *v + 0.05f * d * d;
    float decay = parameter < decayEnd ? 0.1f : 0.0f;
    *parameter -=
        hyper[0] * (*m / hyper[1] / (std::sqrt(*v / hyper[2]) + 1e-8f) +
                    decay * *parameter);
  }
}

/// All kernels and over how many iterations they run. args[0] is the arena.
#define FAKE_KERNELS(X)                                                        \
  X(clearLoss, 1)                                                              \
  X(embedding, rows)                                                           \
  X(softmax, rows)                                                             \
  X(gradient, vocabulary)                                                      \
  X(loss, 1)                                                                   \
  X(spike, 1)                                                                  \
  X(nan, 1)                                                                    \
  X(square, 1)                                                                 \
  X(root, 1)                                                                   \
  X(update, 1)

#endif // TESSERA_TEST_RUNTIME_FAKEMODEL_H
