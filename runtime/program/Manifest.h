//===- Manifest.h - The manifest as data ---------------------- -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The embedded JSON text (docs/manifest.md) read once at start-up. Offsets and
// sizes are bytes, counts are elements.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_MANIFEST_H
#define TESSERA_RUNTIME_PROGRAM_MANIFEST_H

#include "runtime/abi.h"
#include "runtime/core/ElementType.h"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tessera::runtime {

/// Rotary positions: radians that each pair of a head's columns is rotated by
/// from one position to the next, empty where there are none, and what cosines
/// and sines are multiplied by.
struct Rotary {
  std::vector<double> frequencies;
  double factor = 1;
};

struct Model {
  std::string kind;   ///< "transformer" or "gnn"
  std::string family; ///< "bloom", "gpt2", "gcn"
  int64_t vocabulary = 0, sequence = 0;
  int64_t nodes = 0, edges = 0, features = 0, classes = 0;
  int64_t featureEntries = 0; ///< room for those of sparse features
  bool normalizeFeatures = false;
  bool selfLoops = true;
  std::string normalization = "symmetric";
  Rotary rotary;
  bool isGraph() const { return kind == "gnn"; }
};

/// What the optimizer keeps of each element of a parameter.
struct OptimizerState {
  std::string name;    ///< in states
  std::string savedAs; ///< in checkpoints
};

/// A number of a step that the optimizer reads.
struct OptimizerScalar {
  enum class Kind {
    LearningRate, ///< by the schedule
    Correction,   ///< 1 - base^t
    Step          ///< t, the number of this update, counted from 1
  };
  Kind kind = Kind::LearningRate;
  double base = 0;
};

struct Optimizer {
  std::string kind; ///< "adamw"
  double lr = 0;
  std::vector<OptimizerState> states;
  std::vector<OptimizerScalar> scalars;
  /// All that the specification says of it, for people: "eps 1e-08, lr 0.001".
  std::string settings;
};

struct ScheduleSpec {
  std::string kind = "constant"; ///< "constant" or "cosine"
  int64_t warmupSteps = 0, decaySteps = 0;
  double minLr = 0;
  bool countsSamples = false; ///< by the two below, not the two above
  int64_t warmupSamples = 0, decaySamples = 0;
};

/// Of how many segments of the forward pass how many are recomputed in the
/// backward pass, as a whole or as far as it is cheap.
struct Recomputation {
  int64_t segments = 0, whole = 0, cheap = 0;
};

/// How the global batch grows; see globalBatchAt.
struct BatchRamp {
  int64_t start = 0, increment = 0 /* 0: no ramp */, samples = 0;
};

/// How the loss is scaled in fp16; an initial scale of 0: it is not.
struct LossScaling {
  double initial = 0, minimum = 1;
  int64_t window = 1000, hysteresis = 2;
};

/// How neighbourhoods of a graph's nodes are sampled.
struct Sampling {
  std::vector<int64_t> fanOut; ///< by hop from the seeds; -1: all edges
  int64_t batch = 0;           ///< seeds of a micro-batch
  bool replace = false;        ///< edges are drawn with replacement
};

struct Training {
  int world = 1, stage = 0;
  /// Consecutive ranks that states are partitioned over.
  int shardRanks = 1;
  int64_t microBatch = 1, accumulation = 1, globalBatch = 1;
  uint64_t seed = 1;
  int64_t steps = 0;
  /// Steps in a row that may be skipped where the loss or the gradient is not
  /// finite; 0: the first one ends the run.
  int64_t maxSkips = 0;
  Optimizer optimizer;
  ScheduleSpec schedule;
  LossScaling lossScaling;
  BatchRamp ramp;
  Recomputation recomputed;
  /// None: a step learns from a whole graph, or from texts.
  std::optional<Sampling> sampling;
};

/// How a matrix lies as 8-bit integers (docs/manifest.md). A block is numbers
/// one after the other along dimension `along`, with one scale; the other
/// dimension's places are columns, of which tiles have some side by side.
struct WeightBlocks {
  int64_t along = 0;
  int64_t elements = 0; ///< of a block
  int64_t columns = 0;  ///< of a tile
  int64_t together = 0; ///< a column's elements that lie together
  int64_t offset = 0;   ///< added to each integer
  int64_t group = 0;    ///< of a column's blocks, whose scales lie together
  int64_t tileBytes = 0;
  int64_t first = 0; ///< row of the whole matrix that this one begins with
};

/// A named tensor in a group.
struct GroupTensor {
  std::string name;
  std::vector<int64_t> shape;
  int group = 0;
  /// Elements from the group's start; of what lies in blocks bytes, to the
  /// whole matrix.
  int64_t offset = 0;
  std::optional<WeightBlocks> blocks;
  int64_t elements() const;
};

struct Parameter : GroupTensor {
  bool decay = false;
  std::string init;     ///< "normal", "uniform", "constant"
  double initValue = 0; ///< standard deviation, bound or value
  /// The tensors that files of weights hold of it, one behind the other: ranges
  /// of its rows, or the parameter itself.
  std::vector<GroupTensor> parts;
  /// Of what it has panels in memory, "rows" or "columns"
  /// (runtime/program/PackedWeights.h); empty: it has none.
  std::string packed;
};

struct Group {
  std::string name;
  int64_t elements = 0, padded = 0;
  /// Where each class of parameters but the last ends, elements from the
  /// group's start.
  std::vector<int64_t> classEnds;
};

struct Gemm {
  int id = 0;
  int64_t m = 0, n = 0, k = 0, lda = 0, ldb = 0, ldc = 0;
  bool transposeA = false, transposeB = false;
  /// Of the factors and the bias, and of the result.
  ElementType type = ElementType::F32, resultType = ElementType::F32;
  bool bias = false, accumulate = false;
  std::string epilogue = "none"; ///< "none" or "gelu"
  /// Of which size a count says how much there is, in `room` equal parts.
  enum class Counted { Nothing, Rows, Inner } counted = Counted::Nothing;
  int64_t room = 0;
  int64_t scratch = 0;
  bool local = false; ///< runs on the calling thread alone, within a kernel
};

/// A kernel of the device: its function and its grid.
struct Kernel {
  std::string name;
  int64_t blocks = 1, threads = 1;
};

/// The states of all optimizers.
inline const std::string parameterState = "parameter",
                         gradientState = "gradient", masterState = "master";

/// A piece of persistent memory: a group's parameters, gradients, master or
/// what its optimizer keeps, whole or this rank's shard of padded / shardRanks
/// elements.
struct State {
  std::string name;
  int group = 0;
  int64_t offset = 0, elements = 0;
  ElementType type = ElementType::F32;
  bool sharded = false;
  /// Of a cache, else empty: keys and values, slots, heads, positions and
  /// columns.
  std::vector<int64_t> shape;
};

/// An input or output of a program.
struct Slot {
  std::string name, type, when;
  std::vector<int64_t> shape;
  int64_t offset = 0;
  /// Of an input that is filled once: no step reads it, and its memory is used
  /// for other things.
  bool isUnread = false;
  int64_t elements() const;
  int64_t bytes() const;
};

enum class CollectiveKind { AllGather, ReduceScatter, AllReduce };

struct Collective {
  int id = 0;
  CollectiveKind kind = CollectiveKind::AllGather;
  int group = -1;
  std::string groupName; ///< for messages
  int64_t elements = 0;
  /// Among how many ranks (0: all), and how far apart these are.
  int ranks = 0, step = 1;
  /// Source and destination lie rank mod step times this number of bytes
  /// further.
  int64_t stride = 0;
  ElementType type = ElementType::F32;
  /// Differs from the source's type in a reduce_scatter out of place alone.
  ElementType destinationType = ElementType::F32;
  int64_t source = 0, destination = 0;
  bool inPlace = false, accumulate = false;
  int64_t bytes = 0; ///< that a rank receives each time
  int64_t times = 1; ///< that it runs in a step
  int64_t elementSize() const { return sizeOf(type); }
};

struct Program {
  std::string name;
  /// The program whose arena it shares, to run between its steps; empty: it has
  /// one of its own.
  std::string within;
  int world = 1, stage = 0;
  int64_t arenaBytes = 0, alignment = 64;
  /// The rank's file: where it is mapped, from the arena's start, and its size.
  int64_t offloadOffset = 0, offloadBytes = 0;
  /// Bytes by category, in the order of docs/manifest.md.
  std::vector<std::pair<std::string, int64_t>> memory;
  std::vector<State> states;
  std::vector<Slot> inputs, outputs;
  std::vector<Collective> collectives;
  int64_t flops = 0;

  /// Null where the program has no such state, input or output.
  const State *state(const std::string &name, int group) const;
  const Slot *input(const std::string &name) const;
  const Slot *output(const std::string &name) const;
};

/// A defense that an audit tries: its kind, "nsd", "lbp", "vanpd", "rounding",
/// "temperature" or "label_only", and the numbers that it reads.
struct AuditDefense {
  std::string kind;
  int64_t neighbors = 0, bins = 0, digits = 0;
  double beta = 0, temperature = 0;
};

/// What an executable audits, as the specification says it.
struct AuditSettings {
  std::string setting;          ///< "tstf" or "tsts"
  std::string query;            ///< "matched" or "reference"
  int64_t nodes = 0, edges = 0; ///< of the whole graph
  int64_t trainNodesPerClass = 0, testNodes = 0;
  int64_t testNodesPerClass = 0; ///< 0: testNodes of all classes together
  int64_t attackEpochs = 0, attackBatch = 0, topK = 0;
  std::string attackInput; ///< "posteriors", "sorted", "top_k", "label_only"
  bool standardize = false;
  int64_t liraShadows = 0; ///< 0: LiRA does not attack
  std::vector<AuditDefense> defenses;
  bool withoutEdges = false;
  /// Of a shadow on a graph of its own, and of the sets of its nodes.
  struct ShadowGraph {
    int64_t nodes = 0, edges = 0;
    int64_t trainNodesPerClass = 0, testNodes = 0;
    int64_t testNodesPerClass = 0; ///< 0: testNodes of all classes together
  };
  std::optional<ShadowGraph> shadow;
};

/// A field of a published model's config.json.
struct ConfigField {
  /// The first is written; "a.b" is a field of an object.
  std::vector<std::string> names;
  std::string value;               ///< as JSON
  std::vector<std::string> others; ///< names of the same value, as JSON
  /// Whether the same weights are another model where it differs.
  bool decides = true;
  /// Whether null is a value, rather than what a file without it means.
  bool isNullable = false;
  bool isWritten = true; ///< rather than compared alone
};

struct Manifest {
  std::string name;
  /// Of an audit's target alone.
  std::optional<AuditSettings> audit;
  Model model;
  Training training;
  std::string cpu;
  int threads = 0;      ///< 0: cores / ranks of the node
  int maxThreads = 512; ///< The plan's scratch memory is for that many threads.
  std::vector<Parameter> parameters;
  std::map<std::string, std::string> tied; ///< name -> parameter it is
  std::vector<Group> groups;
  std::vector<Gemm> gemms;
  std::string device; ///< "cuda"; empty: the CPU
  /// What the device's code is compiled for: "sm_80", "sm_90a".
  std::vector<std::string> architectures;
  std::vector<Kernel> kernels;
  std::map<std::string, Program> programs;
  /// What determines the mathematics of a run, by the specification's names;
  /// empty where the compiler did not say it.
  std::map<std::string, std::string> fingerprint;

  /// The config.json of the model as a published folder; empty where
  /// transformers has none of its kind.
  std::vector<ConfigField> config;

  /// The model's entries, which end in one with a null name.
  const tessera_entry *entries = nullptr;

  int64_t parameterCount() const;
  /// The parts of all parameters, in order.
  std::vector<const GroupTensor *> parts() const;
  /// The named program; exits the process where the executable has none.
  const Program &program(const std::string &name) const;
};

/// Reads the text of a manifest, of the model with \p entries; exits the
/// process on one that this runtime does not understand.
Manifest parseManifest(const char *text,
                       const tessera_entry *entries = nullptr);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_MANIFEST_H
