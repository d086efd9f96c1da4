//===- Limits.cpp - What numbers of a specification may be ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/spec/Limits.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <limits>

using namespace tessera::spec;
using Need = Limit::Need;
using Low = Limit::Low;

static constexpr double infinite = std::numeric_limits<double>::max();

// The upper limits keep every byte count of a plan within 63 bits.
static constexpr Limit limits[] = {
    {"transformer.vocabulary", Need::Required, 1, Low::Closed, 16777216},
    {"transformer.layers", Need::Required, 1, Low::Closed, 1000},
    {"transformer.hidden", Need::Required, 1, Low::Closed, 131072},
    {"transformer.heads", Need::Required, 1, Low::Closed, 131072},
    {"transformer.sequence_length", Need::Required, 1, Low::Closed, 16777216},
    {"transformer.position_capacity", Need::Optional, 1, Low::Closed, 16777216},
    {"transformer.feed_forward", Need::Optional, 1, Low::Closed, 524288},
    {"transformer.layer_norm.eps", Need::Optional, 0, Low::Open, 1},
    {"transformer.rms_norm.eps", Need::Optional, 0, Low::Open, 1},
    {"transformer.kv_heads", Need::Optional, 1, Low::Closed, 131072},
    {"transformer.head_dim", Need::Optional, 1, Low::Closed, 131072},
    {"transformer.window", Need::Optional, 1, Low::Closed, 16777216},
    {"transformer.window_from", Need::Optional, 0, Low::Closed, 999},
    {"transformer.rotary.theta", Need::Optional, 1, Low::Open, 1e12},
    {"transformer.rotary.factor", Need::Optional, 1, Low::Closed, 1e6},
    {"transformer.rotary.original_length", Need::Optional, 1, Low::Closed,
     16777216},
    {"transformer.rotary.low_turns", Need::Optional, 0, Low::Open, 1e6},
    {"transformer.rotary.high_turns", Need::Optional, 0, Low::Open, 1e6},
    {"transformer.rotary.beta_fast", Need::Optional, 0, Low::Open, 1e6},
    {"transformer.rotary.beta_slow", Need::Optional, 0, Low::Open, 1e6},
    {"transformer.rotary.attention_factor", Need::Optional, 0, Low::Open, 1e3},
    {"transformer.rotary.mscale", Need::Optional, 0, Low::Closed, 1e3},
    {"transformer.rotary.mscale_all_dim", Need::Optional, 0, Low::Closed, 1e3},
    {"transformer.initialization.std", Need::Optional, 0, Low::Open, 10},
    {"transformer.hidden_dropout", Need::Optional, 0, Low::Closed, 0.999999},
    {"transformer.attention_dropout", Need::Optional, 0, Low::Closed, 0.999999},
    {"generation.batch", Need::Optional, 1, Low::Closed, 4096},
    {"generation.context", Need::Optional, 1, Low::Closed, 16777216},
    {"gnn.layers", Need::Required, 1, Low::Closed, 100},
    {"gnn.hidden", Need::Optional, 1, Low::Closed, 131072},
    {"gnn.heads", Need::Optional, 1, Low::Closed, 131072},
    {"gnn.dropout", Need::Optional, 0, Low::Closed, 0.999999},
    {"gnn.attention_dropout", Need::Optional, 0, Low::Closed, 0.999999},
    {"gnn.output_heads", Need::Optional, 1, Low::Closed, 1024},
    {"gnn.negative_slope", Need::Optional, 0, Low::Closed, 1},
    {"gnn.nodes", Need::Optional, 1, Low::Closed, 2147483647},
    {"gnn.edges", Need::Optional, 0, Low::Closed, 2147483647},
    {"gnn.features", Need::Optional, 1, Low::Closed, 131072},
    {"gnn.classes", Need::Optional, 1, Low::Closed, 131072},
    {"gnn.feature_entries", Need::Optional, 0, Low::Closed, 2147483647},
    {"gnn.train_nodes", Need::Optional, 0, Low::Closed, 2147483647},
    {"gnn.train_edges", Need::Optional, 0, Low::Closed, 2147483647},
    {"gnn.hops", Need::Optional, 1, Low::Closed, 100},
    {"gnn.eps", Need::Optional, -1000, Low::Closed, 1000},
    {"gnn.l2_layers", Need::Optional, 0, Low::Closed, 100},
    {"training.global_batch", Need::Optional, 1, Low::Closed, 16777216},
    {"training.micro_batch", Need::Optional, 1, Low::Closed, 16777216},
    {"training.steps", Need::Required, 1, Low::Closed, 1e12},
    {"training.seed", Need::Optional, 0, Low::Closed, 9007199254740992},
    {"training.clip", Need::Optional, 0, Low::Closed, infinite},
    {"training.l2_penalty", Need::Optional, 0, Low::Closed, 1e6},
    {"training.precision.loss_scale.initial", Need::Optional, 1, Low::Closed,
     1.7e38},
    {"training.precision.loss_scale.window", Need::Optional, 1, Low::Closed,
     1e12},
    {"training.precision.loss_scale.hysteresis", Need::Optional, 1, Low::Closed,
     1e6},
    {"training.precision.loss_scale.minimum", Need::Optional, 1, Low::Closed,
     1.7e38},
    {"sampling.fan_out", Need::Optional, -1, Low::Closed, 2147483647},
    {"training.sampling.batch", Need::Optional, 1, Low::Closed, 16777216},
    {"training.max_skips", Need::Optional, 1, Low::Closed, 1e12},
    {"training.optimizer.lr", Need::Required, 0, Low::Closed, 1e6},
    {"training.optimizer.beta1", Need::Optional, 0, Low::Closed, 0.999999},
    {"training.optimizer.beta2", Need::Optional, 0, Low::Closed, 0.999999},
    {"training.optimizer.eps", Need::Optional, 0, Low::Open, 1},
    {"training.optimizer.momentum", Need::Optional, 0, Low::Closed, 0.999999},
    {"training.optimizer.weight_decay", Need::Optional, 0, Low::Closed, 1e6},
    {"training.schedule.warmup_steps", Need::Optional, 0, Low::Closed, 1e12},
    {"training.schedule.decay_steps", Need::Optional, 1, Low::Closed, 1e12},
    {"training.schedule.min_lr", Need::Optional, 0, Low::Closed, 1e6},
    {"training.schedule.warmup_samples", Need::Optional, 0, Low::Closed, 1e15},
    {"training.schedule.decay_samples", Need::Optional, 1, Low::Closed, 1e15},
    {"training.batch_ramp.start", Need::Optional, 1, Low::Closed, 16777216},
    {"training.batch_ramp.increment", Need::Optional, 1, Low::Closed, 16777216},
    {"training.batch_ramp.samples", Need::Optional, 1, Low::Closed, 1e15},
    {"parallel.world", Need::Optional, 1, Low::Closed, 65536},
    {"parallel.zero_stage", Need::Optional, 0, Low::Closed, 3},
    {"parallel.prefetch", Need::Optional, 0, Low::Closed, 1000},
    {"parallel.bucket_bytes", Need::Optional, 0, Low::Closed, 1e12},
    {"parallel.persistence_threshold", Need::Optional, 0, Low::Closed, 1e12},
    {"parallel.gather_bytes", Need::Optional, 0, Low::Closed, 1e12},
    {"parallel.shard_ranks", Need::Optional, 2, Low::Closed, 65536},
    {"parallel.secondary_ranks", Need::Optional, 2, Low::Closed, 65536},
    {"parallel.prefetch_bytes", Need::Optional, 0, Low::Closed, 1e12},
    {"target.cpu.threads", Need::Optional, 0, Low::Closed, 4096},
    {"audit.train_nodes_per_class", Need::Optional, 1, Low::Closed, 2147483647},
    {"audit.test_nodes", Need::Optional, 1, Low::Closed, 2147483647},
    {"audit.test_nodes_per_class", Need::Optional, 1, Low::Closed, 2147483647},
    {"audit.edge_capacity", Need::Optional, 0, Low::Closed, 2147483647},
    {"audit.shadow.train_nodes_per_class", Need::Optional, 1, Low::Closed,
     2147483647},
    {"audit.shadow.test_nodes", Need::Optional, 1, Low::Closed, 2147483647},
    {"audit.shadow.test_nodes_per_class", Need::Optional, 1, Low::Closed,
     2147483647},
    {"audit.attack.epochs", Need::Optional, 1, Low::Closed, 1e6},
    {"audit.attack.batch", Need::Optional, 1, Low::Closed, 1e6},
    {"audit.attack.lr", Need::Optional, 0, Low::Open, 1e6},
    {"audit.attack.top_k", Need::Optional, 1, Low::Closed, 131072},
    {"audit.attack.shadows", Need::Optional, 2, Low::Closed, 10000},
    {"defense.neighbors", Need::Optional, 1, Low::Closed, 2147483647},
    {"defense.bins", Need::Optional, 1, Low::Closed, 131072},
    {"defense.beta", Need::Optional, 0, Low::Open, 1e6},
    {"defense.digits", Need::Optional, 0, Low::Closed, 9},
    {"defense.temperature", Need::Optional, 0, Low::Open, 1e6},
    {"machine.cores", Need::Optional, 1, Low::Closed, 4096},
    {"machine.ranks_per_node", Need::Optional, 1, Low::Closed, 65536},
    {"machine.fp32_gflops", Need::Optional, 0, Low::Open, 1e9},
    {"machine.bf16_gflops", Need::Optional, 0, Low::Open, 1e9},
    {"machine.fp32_gemm_gflops", Need::Optional, 0, Low::Open, 1e9},
    {"machine.bf16_gemm_gflops", Need::Optional, 0, Low::Open, 1e9},
    {"machine.memory_gbytes", Need::Optional, 0, Low::Open, 1e9},
    {"machine.cache_gbytes", Need::Optional, 0, Low::Open, 1e9},
    {"machine.cache_mib", Need::Optional, 0, Low::Closed, 1e9},
    {"machine.launch_us", Need::Optional, 0, Low::Closed, 1e6},
    {"machine.intra_node.latency_us", Need::Optional, 0, Low::Closed, 1e6},
    {"machine.intra_node.gbytes", Need::Optional, 0, Low::Open, 1e9},
    {"machine.inter_node.latency_us", Need::Optional, 0, Low::Closed, 1e6},
    {"machine.inter_node.gbytes", Need::Optional, 0, Low::Open, 1e9},
};

bool Limit::allows(double value) const {
  bool above = lowEnd == Low::Open ? value > low : value >= low;
  return above && value <= high;
}

std::string Limit::getRemedy(bool isWhole) const {
  std::string remedy = isWhole ? "give a whole number " : "give a number ";
  if (lowEnd == Low::Open)
    remedy += "above " + getNumberText(low);
  else
    remedy += (high == infinite ? "not below " : "from ") + getNumberText(low);
  if (high != infinite)
    remedy +=
        (lowEnd == Low::Open ? " and up to " : " to ") + getNumberText(high);
  return remedy;
}

llvm::ArrayRef<Limit> tessera::spec::getLimits() { return limits; }

const Limit &tessera::spec::getLimit(llvm::StringRef path) {
  for (const Limit &limit : limits)
    if (limit.path == path)
      return limit;
  llvm::report_fatal_error("the field '" + path + "' has no limit");
}

std::string tessera::spec::getNumberText(double value) {
  if (std::abs(value) < 1e15 && value == std::trunc(value))
    return std::to_string(static_cast<int64_t>(value));
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}
