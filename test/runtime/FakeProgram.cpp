//===- FakeProgram.cpp - An emitted program written by hand ---------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stands for the object that the compiler emits: the model of FakeModel.h, at
// every ZeRO stage. With the macro FAKE_CUDA it is for a GPU, whose kernels are
// in a library of their own (cuda/FakeKernels.cpp).
//
// The environment may ask for trouble on the last rank: FAKE_NAN=3,4 makes a
// gradient NaN in the third and fourth step of the process, FAKE_SPIKE=40 makes
// a loss ten times as large. FAKE_NON_FINITE=skip changes the manifest, and
// FAKE_STEP_MS=2 makes each step last so long.
//
//===----------------------------------------------------------------------===//

#include "runtime/abi.h"
#include "test/runtime/FakeModel.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <unistd.h>

namespace {

// Collectives by number: reduce-scatters 0 and 1, gathers 2 and 3 (of
// gradients at stage 0, of parameters after it), the loss, the norm.
enum { Scatter = 0, Gather = 2, LossReduce = 4, NormReduce = 5 };

enum KernelNumber {
#define NUMBER(name, count) name##Number,
  FAKE_KERNELS(NUMBER)
#undef NUMBER
};

#ifdef FAKE_CUDA
constexpr bool onGpu = true;

void launch(tessera_context *context, KernelNumber number,
            std::initializer_list<char *> args) {
  tessera_device_launch(context, number, args.begin(),
                        static_cast<int32_t>(args.size()), nullptr);
}
#else
constexpr bool onGpu = false;

struct {
  tessera_kernel run;
  int64_t count;
} const kernels[] = {
#define KERNEL(name, count) {name##Kernel, count},
    FAKE_KERNELS(KERNEL)
#undef KERNEL
};

void launch(tessera_context *context, KernelNumber number,
            std::initializer_list<char *> args) {
  tessera_launch(context, kernels[number].run, args.begin(),
                 kernels[number].count, nullptr, 0);
}
#endif

void collective(tessera_context *context, int id) {
  tessera_collective_start(context, id);
  tessera_collective_wait(context, id);
  tessera_collective_fence(context, id);
}

/// Whether the environment's list \p name has the step that runs.
int64_t steps = 0;
bool asked(tessera_context *context, const char *name) {
  const char *list = onGpu ? nullptr : getenv(name);
  while (list && tessera_rank(context) == world - 1) {
    if (atoll(list) == steps)
      return true;
    list = strchr(list, ',');
    list += list != nullptr;
  }
  return false;
}

void begin(tessera_context *context, char *arena) {
  ++steps;
  if (const char *milliseconds = getenv("FAKE_STEP_MS"))
    usleep(static_cast<useconds_t>(1000 * atof(milliseconds)));
  launch(context, clearLossNumber, {arena});
  for (int g = 0; g < 2; ++g) {
    tessera_zero(context, arena + layout.gradient[g], 4 * padded[g]);
    if (stage >= 2)
      tessera_zero(context, arena + layout.gradientPart[g], 4 * shard[g]);
  }
}

void micro(tessera_context *context, char *arena) {
  if (stage == 3)
    for (int g = 0; g < 2; ++g)
      collective(context, Gather + g);
  launch(context, embeddingNumber, {arena});
  tessera_gemm(context, 0, arena + layout.embedded, arena + layout.full[1],
               arena + layout.full[1] + 4 * biasOffset, nullptr,
               arena + layout.probabilities, arena + layout.scratch);
  launch(context, softmaxNumber, {arena});
  launch(context, gradientNumber, {arena});
  launch(context, lossNumber, {arena});
  if (asked(context, "FAKE_SPIKE"))
    launch(context, spikeNumber, {arena});
  if (asked(context, "FAKE_NAN"))
    launch(context, nanNumber, {arena});
  if (stage >= 2)
    for (int g = 0; g < 2; ++g) {
      collective(context, Scatter + g);
      tessera_zero(context, arena + layout.gradient[g], 4 * padded[g]);
    }
}

char *ownGradient(tessera_context *context, char *arena, int g) {
  return stage >= 2 ? arena + layout.gradientPart[g]
                    : arena + layout.gradient[g] +
                          4 * tessera_rank(context) * shard[g];
}

void reduce(tessera_context *context, char *arena) {
  if (stage < 2)
    for (int g = 0; g < 2; ++g)
      collective(context, Scatter + g);
  launch(
      context, squareNumber,
      {arena, ownGradient(context, arena, 0), ownGradient(context, arena, 1)});
  if (stage == 0)
    for (int g = 0; g < 2; ++g)
      collective(context, Gather + g);
  collective(context, NormReduce);
  collective(context, LossReduce);
  launch(context, rootNumber, {arena});
}

void update(tessera_context *context, char *arena) {
  for (int g = 0; g < 2; ++g) {
    int64_t first = stage == 0 ? 0 : tessera_rank(context) * shard[g];
    int64_t count = stage == 0 ? padded[g] : shard[g];
    char *parameter = stage == 3 ? arena + layout.part[g]
                                 : arena + layout.full[g] + 4 * first;
    char *gradient = stage == 0 ? arena + layout.gradient[g]
                                : ownGradient(context, arena, g);
    launch(context, updateNumber,
           {arena, parameter, parameter + 4 * count,
            parameter + 4 * std::clamp<int64_t>(decayed - first, 0, count),
            gradient, arena + layout.moment1[g], arena + layout.moment2[g]});
    if (stage == 1 || stage == 2)
      collective(context, Gather + g);
  }
}

} // namespace

// NOLINTBEGIN(misc-use-internal-linkage): other objects read these.
/// The manifest's text, written before main runs.
char manifest[1 << 15] __asm__("tessera_manifest");
/// The features that its code would use, which FAKE_CPU_FEATURES names.
char cpuFeatures[256] __asm__("tessera_cpu_features");
// NOLINTEND(misc-use-internal-linkage)

namespace {

std::string format(const char *pattern, auto... values) {
  char text[2048];
  snprintf(text, sizeof text, pattern, values...);
  return text;
}

__attribute__((constructor)) void writeManifest() {
  const char *features = getenv("FAKE_CPU_FEATURES");
  snprintf(cpuFeatures, sizeof cpuFeatures, "%s", features ? features : "");
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
)";
  auto setting = [](const char *variable, const char *missing) {
    return getenv(variable) ? getenv(variable) : missing;
  };
  text += format(R"("target": {"kind": "cpu", "cpu": "native", "threads": %s},
)",
                 setting("FAKE_THREADS", "0"));
  text += format(R"("fingerprint": {"training.global_batch": "%d",
 "training.optimizer.lr": "%s", "transformer.heads": "%s",
 "transformer.sequence_length": "%s"},
)",
                 int(batch * world * accumulation), setting("FAKE_LR", "0.05"),
                 setting("FAKE_HEADS", "4"), setting("FAKE_SEQUENCE", "16"));
  if (getenv("FAKE_NO_FINGERPRINT"))
    text.resize(text.rfind("\"fingerprint\""));
  text += R"("optimizer": {"kind": "adamw", "states": [
 {"name": "moment1", "saved_as": "exp_avg"},
 {"name": "moment2", "saved_as": "exp_avg_sq"}],
 "scalars": [{"kind": "learning_rate"}, {"kind": "correction", "base": 0.9},
 {"kind": "correction", "base": 0.95}, {"kind": "step"}]},
)";
  text += R"("parameters": [
 {"name": "table.weight", "shape": [256, 8], "decay": true, "init": {"kind": "normal", "std": 0.5}, "group": 0, "offset": 0},
 {"name": "output.weight", "shape": [256, 8], "decay": true, "init": {"kind": "uniform", "bound": 0.5}, "group": 1, "offset": 0},
 {"name": "output.bias", "shape": [256], "decay": false, "init": {"kind": "constant", "value": 0.25}, "group": 1, "offset": 2048},
 {"name": "output.correction", "shape": [5], "decay": false, "init": {"kind": "constant", "value": 0}, "group": 1, "offset": 2304}],
"tied": {"lm_head.weight": "table.weight"},
)";
  text += format(
      R"("groups": [{"name": "table", "elements": 2048, "padded": %d, "class_ends": [2048]},
 {"name": "output", "elements": 2309, "padded": %d, "class_ends": [2048]}],
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
        id == NormReduce ? "" : ",");
  };
  for (int g = 0; g < 2; ++g)
    entry(Scatter + g, "reduce_scatter", g, padded[g], "f32",
          layout.gradient[g],
          stage >= 2 ? layout.gradientPart[g] : layout.gradient[g], stage < 2,
          stage >= 2);
  for (int g = 0; g < 2; ++g)
    entry(Gather + g, "all_gather", g, padded[g], "f32",
          stage == 3 ? layout.part[g] : 0,
          stage == 0 ? layout.gradient[g] : layout.full[g], stage != 3, false);
  entry(LossReduce, "all_reduce", -1, 1, "f32", layout.loss, layout.lossSum,
        false, false);
  entry(NormReduce, "all_reduce", -1, 1, "f64", layout.norm, layout.normSum,
        false, false);
  text += R"(], "flops": 1000000}})";
  if (onGpu) {
    text +=
        R"(, "device": {"kind": "cuda", "architectures": ["sm_80"]}, "kernels": [)";
#define DESCRIBE(name, count)                                                  \
  text += R"({"name": "fake_)" #name R"(", "blocks": 1, "threads": 1},)";
    FAKE_KERNELS(DESCRIBE)
#undef DESCRIBE
    text.back() = ']';
  }
  text += "}";
  if (text.size() >= sizeof manifest)
    __builtin_trap();
  memcpy(manifest, text.c_str(), text.size() + 1);
}

} // namespace

#ifdef FAKE_CUDA
const char tessera_device_image[] = ".version 8.0";
#endif
const tessera_entry tessera_entries[] = {{"train.begin", begin},
                                         {"train.micro", micro},
                                         {"train.reduce", reduce},
                                         {"train.update", update},
                                         {nullptr, nullptr}};
