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

} // namespace

std::string packTrial(const Trial &trial) {
  Writer writer;
  packFields(writer, trial);
  return writer.bytes;
}

Trial unpackTrial(const std::string &bytes) {
  Reader reader(bytes);
  Trial trial;
  packFields(reader, trial);
  if (!reader.isAtEnd())
    Reader::refuse();
  return trial;
}

void shareTrials(Communicator &communicator, int64_t trials,
                 const std::function<Trial(int64_t)> &run,
                 const std::function<void(Trial)> &onDone) {
  int64_t ranks = communicator.size();
  if (ranks > trials)
    warning("%" PRId64 " of %" PRId64
            " ranks have no trial: there are %" PRId64,
            ranks - trials, ranks, trials);
  for (int64_t first = 0; first < trials; first += ranks) {
    int64_t mine = first + communicator.rank();
    std::string packed;
    if (mine < trials)
      packed = packTrial(run(mine));
    std::vector<std::string> all = communicator.collect(packed);
    for (int64_t i = first; i < std::min(first + ranks, trials); ++i)
      if (communicator.isRoot())
        onDone(unpackTrial(all[i - first]));
  }
}

} // namespace tessera::runtime
