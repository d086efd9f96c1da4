//===- AuditRanks.cpp - Ranks that share the trials of an audit -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditRanks.h"
#include "runtime/core/Error.h"
#include <algorithm>
#include <cinttypes>
#include <cstring>
#include <type_traits>

namespace tessera::runtime {
namespace {

// Both have an operator for each type that a trial is made of; packFields says
// once which fields there are.

class Writer {
public:
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void operator()(const T &value) {
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
  }
  void operator()(const std::string &text) {
    (*this)(text.size());
    bytes += text;
  }
  template <typename T> void operator()(const std::vector<T> &values) {
    (*this)(values.size());
    for (const T &value : values)
      (*this)(value);
  }
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void operator()(const std::vector<T> &values) {
    (*this)(values.size());
    bytes.append(reinterpret_cast<const char *>(values.data()),
                 values.size() * sizeof(T));
  }
  template <typename T> void operator()(const std::optional<T> &value) {
    (*this)(value.has_value());
    if (value)
      (*this)(*value);
  }
  template <typename T>
    requires(!std::is_trivially_copyable_v<T>)
  void operator()(const T &value) {
    packFields(*this, value);
  }

  std::string bytes;
};

class Reader {
public:
  explicit Reader(const std::string &bytes) : bytes(bytes) {}

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void operator()(T &value) {
    take(&value, 1, sizeof value);
  }
  void operator()(std::string &text) {
    text.resize(count(1));
    take(text.data(), text.size(), 1);
  }
  template <typename T> void operator()(std::vector<T> &values) {
    values.resize(count(1));
    for (T &value : values)
      (*this)(value);
  }
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  void operator()(std::vector<T> &values) {
    values.resize(count(sizeof(T)));
    take(values.data(), values.size(), sizeof(T));
  }
  template <typename T> void operator()(std::optional<T> &value) {
    bool isThere = false;
    (*this)(isThere);
    if (isThere)
      (*this)(value.emplace());
  }
  template <typename T>
    requires(!std::is_trivially_copyable_v<T>)
  void operator()(T &value) {
    packFields(*this, value);
  }

  bool isAtEnd() const { return at == bytes.size(); }
  [[noreturn]] static void refuse() {
    fatal(
        "a rank has sent another kind of trial: start all ranks from the same "
        "executable, with the same arguments");
  }

private:
  void take(void *values, size_t number, size_t size) {
    if (number > (bytes.size() - at) / size)
      refuse();
    if (number == 0)
      return; // an empty vector has no address
    memcpy(values, bytes.data() + at, number * size);
    at += number * size;
  }
  /// Of elements of at least \p size bytes each.
  size_t count(size_t size) {
    size_t number = 0;
    (*this)(number);
    if (number > (bytes.size() - at) / size)
      refuse();
    return number;
  }

  const std::string &bytes;
  size_t at = 0;
};

/// \p T or a const \p T, as the fields are read or written.
template <typename Given, typename T>
concept Is = std::is_same_v<std::remove_const_t<Given>, T>;

template <typename Pack>
void packFields(Pack &pack, Is<AttackScores> auto &it) {
  pack(it.members);
  pack(it.nonMembers);
}
template <typename Pack> void packFields(Pack &pack, Is<Posteriors> auto &it) {
  pack(it.rows);
  pack(it.classes);
  pack(it.values);
}
template <typename Pack> void packFields(Pack &pack, Is<Answers> auto &it) {
  pack(it.posteriors);
  pack(it.labels);
  pack(it.degrees);
  pack(it.homophily);
}
template <typename Pack> void packFields(Pack &pack, Is<RunAnswers> auto &it) {
  pack(it.targetMembers);
  pack(it.targetNonMembers);
  pack(it.shadowMembers);
  pack(it.shadowNonMembers);
}
template <typename Pack>
void packFields(Pack &pack, Is<MemberAnswers> auto &it) {
  pack(it.members);
  pack(it.nonMembers);
}
template <typename Pack>
void packFields(Pack &pack, Is<ModelAnswers::OfQuery> auto &it) {
  pack(it.plain);
  pack(it.sampled);
}
template <typename Pack>
void packFields(Pack &pack, Is<ModelAnswers> auto &it) {
  pack(it.queries);
  pack(it.accuracy);
}
template <typename Pack> void packFields(Pack &pack, Is<LiraAnswers> auto &it) {
  pack(it.confidence);
  pack(it.isMember);
}
template <typename Pack> void packFields(Pack &pack, Is<TrialModel> auto &it) {
  pack(it.answers);
  pack(it.lira);
  pack(it.seconds);
}
template <typename Pack> void packFields(Pack &pack, Is<TrialAttack> auto &it) {
  pack(it.scores);
  pack(it.fixed);
  pack(it.seconds);
}
template <typename Pack>
void packFields(Pack &pack, Is<QueryTrial::Defended> auto &it) {
  pack(it.adaptive);
  pack(it.fixed);
  pack(it.labelLoss);
  pack(it.distortion);
}
template <typename Pack> void packFields(Pack &pack, Is<QueryTrial> auto &it) {
  pack(it.attack);
  pack(it.lira);
  pack(it.answers);
  pack(it.defenses);
}
template <typename Pack>
void packFields(Pack &pack, Is<Trial::WithoutEdges> auto &it) {
  pack(it.target);
  pack(it.attack);
}
template <typename Pack> void packFields(Pack &pack, Is<AuditRun> auto &it) {
  pack(it.seed);
  pack(it.split);
  pack(it.target);
  pack(it.shadow);
}
template <typename Pack> void packFields(Pack &pack, Is<Trial> auto &it) {
  pack(it.run);
  pack(it.queries);
  pack(it.withoutEdges);
  pack(it.seconds);
}

template <typename T> std::string packValue(const T &value) {
  Writer writer;
  writer(value);
  return writer.bytes;
}

template <typename T> T unpackValue(const std::string &bytes) {
  Reader reader(bytes);
  T value;
  reader(value);
  if (!reader.isAtEnd())
    Reader::refuse();
  return value;
}

/// The parts 0 to \p count - 1, each by \p run on one of the ranks, in their
/// order on all of them.
template <typename Part, typename Run>
std::vector<Part> shareParts(Communicator &communicator, int64_t count,
                             const Run &run) {
  int64_t ranks = communicator.size();
  std::vector<Part> mine;
  for (int64_t i = communicator.rank(); i < count; i += ranks)
    mine.push_back(run(i));
  std::vector<std::vector<Part>> all;
  for (const std::string &bytes : communicator.collect(packValue(mine)))
    all.push_back(unpackValue<std::vector<Part>>(bytes));
  std::vector<Part> parts;
  for (int64_t i = 0; i < count; ++i) {
    if (i / ranks >= std::ssize(all[i % ranks]))
      Reader::refuse();
    parts.push_back(std::move(all[i % ranks][i / ranks]));
  }
  return parts;
}

/// Fewer trials than ranks, whose parts all of them share.
std::vector<Trial> shareRest(Communicator &communicator,
                             std::span<const TrialParts> trials,
                             const std::function<void(int64_t)> &onBegin) {
  int64_t modelCount = trials.front().modelCount();
  int64_t attackCount = trials.front().attackCount();
  int64_t most = std::ssize(trials) * std::max(modelCount, attackCount);
  if (int64_t ranks = communicator.size(); ranks > most)
    warning("%" PRId64 " of %" PRId64 " ranks have nothing to do", ranks - most,
            ranks);
  auto models = shareParts<TrialModel>(
      communicator, std::ssize(trials) * modelCount, [&](int64_t i) {
        onBegin(i / modelCount);
        return trials[i / modelCount].runModel(i % modelCount);
      });
  auto modelsOf = [&](int64_t trial) {
    return std::span(models).subspan(trial * modelCount, modelCount);
  };
  auto attacks = shareParts<TrialAttack>(
      communicator, std::ssize(trials) * attackCount, [&](int64_t i) {
        int64_t trial = i / attackCount;
        onBegin(trial);
        return trials[trial].runAttack(i % attackCount, modelsOf(trial));
      });
  std::vector<Trial> finished;
  for (int64_t i = 0; communicator.isRoot() && i < std::ssize(trials); ++i)
    finished.push_back(trials[i].finish(
        modelsOf(i), std::span(attacks).subspan(i * attackCount, attackCount)));
  return finished;
}

} // namespace

std::string packTrial(const Trial &trial) { return packValue(trial); }

Trial unpackTrial(const std::string &bytes) {
  return unpackValue<Trial>(bytes);
}

void shareTrials(Communicator &communicator, const AuditSetup &setup,
                 std::span<const AuditSplit> splits,
                 const std::function<void(int64_t)> &onBegin,
                 const std::function<void(Trial)> &onDone) {
  int64_t ranks = communicator.size(), trials = std::ssize(splits);
  int64_t first = 0;
  for (; first + ranks <= trials; first += ranks) {
    int64_t mine = first + communicator.rank();
    onBegin(mine);
    std::string packed = packTrial(runTrial(setup, splits[mine]));
    for (const std::string &bytes : communicator.collect(packed))
      if (communicator.isRoot())
        onDone(unpackTrial(bytes));
  }
  if (first == trials)
    return;
  std::vector<TrialParts> rest;
  for (const AuditSplit &split : splits.subspan(first))
    rest.emplace_back(setup, split);
  for (Trial &trial : shareRest(communicator, rest, [&](int64_t number) {
         onBegin(first + number);
       }))
    onDone(std::move(trial));
}

} // namespace tessera::runtime
