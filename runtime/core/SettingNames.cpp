//===- SettingNames.cpp - What others call settings -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/SettingNames.h"
#include <algorithm>

namespace tessera::runtime {
namespace {

// clang-format off
constexpr SettingName settings[] = {
    {"lr learning-rate", "training.optimizer.lr", "3e-4"},
    {"min-lr", "training.schedule.min_lr", "3e-5"},
    {"batch-size", "training.global_batch training.micro_batch", "32 8"},
    {"global-batch global-batch-size train-batch-size", "training.global_batch", "32"},
    {"micro-batch micro-batch-size device-batch-size per-device-train-batch-size "
     "train-micro-batch-size-per-gpu gradient-accumulation-steps grad-accum",
     "training.micro_batch", "8"},
    {"optimizer optim", "training.optimizer.kind", "ADAMW"},
    {"weight-decay wd", "training.optimizer.weight_decay", "0.1"},
    {"beta1 adam-beta1", "training.optimizer.beta1", "0.9"},
    {"beta2 adam-beta2", "training.optimizer.beta2", "0.95"},
    {"eps epsilon adam-eps adam-epsilon", "training.optimizer.eps", "1e-8"},
    {"momentum", "training.optimizer.momentum", "0.9"},
    {"clip clip-grad grad-clip max-grad-norm gradient-clipping", "training.clip", "1"},
    {"schedule scheduler lr-scheduler lr-scheduler-type lr-decay-style",
     "training.schedule.kind", "COSINE"},
    {"warmup warmup-steps warmup-iters lr-warmup-iters num-warmup-steps",
     "training.schedule.warmup_steps", "100"},
    {"decay-steps lr-decay-iters", "training.schedule.decay_steps", "10000"},
    {"precision dtype bf16 fp16 mixed-precision", "training.precision.compute", "BF16"},
    {"recompute gradient-checkpointing activation-checkpointing "
     "checkpoint-activations recompute-activations",
     "training.recompute", "LAYER"},
    {"memory-limit", "training.memory_limit", "24GB"},
    {"zero zero-stage stage", "parallel.zero_stage", "3"},
    {"world world-size ranks nproc nproc-per-node num-gpus num-processes",
     "parallel.world", "8"},
    {"offload cpu-offload", "parallel.offload", "OPTIMIZER"},
    {"sequence-length seq-len seq-length block-size context-length max-seq-length",
     "transformer.sequence_length", "1024"},
    {"vocabulary vocab-size", "transformer.vocabulary", "50257"},
    {"layers num-layers n-layer num-hidden-layers", "transformer.layers gnn.layers", "12 2"},
    {"hidden hidden-size hidden-dim hidden-channels n-embd d-model",
     "transformer.hidden gnn.hidden", "768 64"},
    {"heads num-heads n-head num-attention-heads", "transformer.heads gnn.heads", "12 8"},
    {"dropout hidden-dropout", "transformer.hidden_dropout gnn.dropout", "0.1 0.5"},
    {"attention-dropout", "transformer.attention_dropout gnn.attention_dropout", "0.1 0.6"},
    {"threads num-threads", "target.cpu.threads", "8"},
    {"cuda gpu device", "target.cuda.arch", "sm_90a"},
    {"tokenizer tokenizer-name", "tokenizer", "tokenizer.json"},
};

/// Options of executables, and what others call them.
constexpr std::string_view options[][2] = {
    {"max-steps max-iters train-iters num-steps iterations", "--steps"},
    {"dataset data-dir data-path train-data train-file", "--data"},
    {"init-from load model model-name-or-path", "--init"},
    {"output-dir out-dir checkpoint-path ckpt-dir", "--checkpoint-dir"},
    {"save-steps save-interval save-every ckpt-every", "--checkpoint-every"},
    {"resume-from-checkpoint resume-from", "--resume"},
    {"max-new-tokens max-length n-predict", "--max-tokens"},
    {"num-samples num-return-sequences", "--samples"},
};
// clang-format on

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

bool hasWord(std::string_view text, std::string_view word) {
  std::vector<std::string_view> words = split(text);
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// "--Learning_rate=3e-4" as "learning-rate".
std::string plainName(std::string_view name) {
  name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
  std::string plain(name.substr(0, name.find('=')));
  for (char &letter : plain)
    letter = letter == '_'                    ? '-'
             : letter >= 'A' && letter <= 'Z' ? char(letter - 'A' + 'a')
                                              : letter;
  return plain;
}

} // namespace

std::span<const SettingName> settingNames() { return settings; }

std::string settingFor(std::string_view name) {
  std::string plain = plainName(name), text;
  for (const SettingName &setting : settings) {
    if (!hasWord(setting.names, plain))
      continue;
    std::vector<std::string_view> fields = split(setting.fields),
                                  values = split(setting.values);
    for (size_t i = 0; i < fields.size(); ++i)
      text.append(i > 0 ? " or " : "")
          .append("--set ")
          .append(fields[i])
          .append("=")
          .append(values[i]);
    return text;
  }
  return text;
}

std::string optionFor(std::string_view name) {
  std::string plain = plainName(name);
  for (auto [names, option] : options)
    if (hasWord(names, plain))
      return std::string(option);
  return "";
}

} // namespace tessera::runtime
