//===- Splits.cpp - Members and non-members of an audit -------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Splits.h"
#include "runtime/audit/Draws.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/JsonCursor.h"
#include "runtime/files/Output.h"
#include <algorithm>
#include <memory>

namespace tessera::runtime {

namespace {

/// What is drawn for one model; train is null where it has been trained.
struct Side {
  std::vector<int32_t> *train, *test;
};

} // namespace

static std::string times(size_t count, int64_t size) {
  return std::to_string(count) + " x " + std::to_string(size);
}

/// Draws \p sides, which share no node, from a graph with \p labels, without
/// the nodes \p taken. \p graph numbers the graphs of one split.
static bool drawSides(std::span<const int32_t> labels, int64_t classes,
                      const SplitSizes &sizes, uint64_t seed, uint64_t graph,
                      std::span<const int32_t> taken,
                      const std::vector<Side> &sides, std::string &error) {
  std::vector<bool> isTaken(labels.size());
  for (int32_t node : taken)
    isTaken[node] = true;
  std::vector<std::vector<int32_t>> members(classes);
  for (size_t node = 0; node < labels.size(); ++node)
    if (labels[node] >= 0 && !isTaken[node])
      members[labels[node]].push_back(static_cast<int32_t>(node));

  size_t trained = std::count_if(sides.begin(), sides.end(),
                                 [](const Side &side) { return side.train; });
  int64_t perClass = sizes.test ? 0 : sizes.testPerClass;
  int64_t wanted =
      int64_t(trained) * sizes.trainPerClass + int64_t(sides.size()) * perClass;
  std::vector<int32_t> rest;
  for (int64_t c = 0; c < classes; ++c) {
    std::vector<int32_t> &nodes = members[c];
    if (std::ssize(nodes) < wanted) {
      error = "class " + std::to_string(c) + " has " +
              std::to_string(nodes.size()) + " nodes" +
              (taken.empty() ? "" : " beside the target's members") + ", " +
              times(trained, sizes.trainPerClass) + " for training" +
              (perClass ? " and " + times(sides.size(), perClass) +
                              " for tests are " + std::to_string(wanted)
                        : " are " + std::to_string(wanted)) +
              ": lower train_nodes_per_class" +
              (perClass ? " or test_nodes_per_class" : "");
      return false;
    }
    Draws draws(seed, Draw::Splits, graph, c);
    draws.shuffle(std::span(nodes), wanted);
    auto at = nodes.begin();
    auto take = [&](std::vector<int32_t> *list, int64_t count) {
      if (!list)
        return;
      list->insert(list->end(), at, at + count);
      at += count;
    };
    for (const Side &side : sides)
      take(side.train, sizes.trainPerClass);
    for (const Side &side : sides)
      take(side.test, perClass);
    // In an order that does not depend on the shuffle's.
    std::sort(at, nodes.end());
    rest.insert(rest.end(), at, nodes.end());
  }
  if (sizes.test) {
    int64_t drawn = int64_t(sides.size()) * sizes.test;
    if (std::ssize(rest) < drawn) {
      error = std::to_string(rest.size()) +
              " nodes with a class are left for tests, " +
              times(sides.size(), sizes.test) + " are " +
              std::to_string(drawn) +
              ": lower test_nodes or train_nodes_per_class";
      return false;
    }
    Draws draws(seed, Draw::Splits, graph, classes);
    draws.shuffle(std::span(rest), drawn);
    auto at = rest.begin();
    for (const Side &side : sides) {
      side.test->assign(at, at + sizes.test);
      at += sizes.test;
    }
  }
  for (const Side &side : sides)
    for (std::vector<int32_t> *list : {side.train, side.test})
      if (list)
        std::sort(list->begin(), list->end());
  return true;
}

bool drawSplit(const SplitRules &rules, uint64_t seed,
               std::span<const int32_t> members, AuditSplit &split,
               std::string &error) {
  split = {seed, {members.begin(), members.end()}, {}, {}, {}};
  Side target{members.empty() ? &split.targetTrain : nullptr,
              &split.targetTest};
  Side shadow{&split.shadowTrain, &split.shadowTest};
  auto draw = [&](std::span<const int32_t> labels, uint64_t graph,
                  std::span<const int32_t> taken,
                  const std::vector<Side> &sides) {
    bool isOther = graph > 0;
    return drawSides(labels, isOther ? rules.shadowClasses : rules.classes,
                     isOther ? rules.shadowSizes : rules.sizes, seed, graph,
                     taken, sides, error);
  };
  bool drawn = rules.shadowLabels.empty()
                   ? draw(rules.labels, 0, members, {target, shadow})
                   : draw(rules.labels, 0, members, {target}) &&
                         draw(rules.shadowLabels, 1, {}, {shadow});
  if (!drawn)
    error = "no split can be drawn: " + error;
  return drawn;
}

/// The most bytes of a file of splits: 16 M nodes.
static constexpr int64_t mostBytes = 1 << 28;

namespace {

/// The lists of a split by their names.
struct NamedList {
  const char *name;
  std::vector<int32_t> AuditSplit::*list;
  bool isShadow, isTrain;
};

} // namespace

static constexpr NamedList lists[] = {
    {"target_train", &AuditSplit::targetTrain, false, true},
    {"target_test", &AuditSplit::targetTest, false, false},
    {"shadow_train", &AuditSplit::shadowTrain, true, true},
    {"shadow_test", &AuditSplit::shadowTest, true, false},
};

/// Reads the list at \p cursor of nodes with \p labels; \p isUsed says which
/// the split has named.
static std::vector<int32_t> readNodes(const JsonCursor &cursor,
                                      std::span<const int32_t> labels,
                                      size_t count, const std::string &reason,
                                      std::vector<bool> &isUsed) {
  size_t length = cursor.length(0, mostBytes);
  if (length != count)
    cursor.refuse("an array of " + std::to_string(count) + " nodes (" + reason +
                  "), not of " + std::to_string(length) + ",");
  std::vector<int32_t> nodes;
  nodes.reserve(count);
  for (size_t i = 0; i < length; ++i) {
    JsonCursor element = cursor.element(i);
    int64_t node = element.integer(0, std::ssize(labels) - 1);
    if (labels[node] < 0)
      element.refuse("a node with a class");
    if (isUsed[node])
      element.refuse("a node that this split has not named before");
    isUsed[node] = true;
    nodes.push_back(static_cast<int32_t>(node));
  }
  return nodes;
}

static SplitsFile convert(const JsonCursor &cursor, const SplitRules &rules) {
  static constexpr size_t mostSplits = 100000;
  SplitsFile file;
  if (cursor.has("graph"))
    file.graph = cursor.at("graph").text(4096);
  JsonCursor splits = cursor.at("splits");
  std::vector<uint64_t> seeds;
  for (size_t i = 0, n = splits.length(1, mostSplits); i < n; ++i) {
    JsonCursor each = splits.element(i);
    AuditSplit &split = file.splits.emplace_back();
    split.seed = each.at("seed").natural();
    if (std::find(seeds.begin(), seeds.end(), split.seed) != seeds.end())
      each.at("seed").refuse("one that no split before has");
    seeds.push_back(split.seed);
    bool isOneGraph = rules.shadowLabels.empty();
    std::vector<bool> isUsed(rules.labels.size());
    std::vector<bool> isUsedByShadow(rules.shadowLabels.size());
    for (const NamedList &list : lists) {
      bool isOther = list.isShadow && !isOneGraph;
      const SplitSizes &sizes = isOther ? rules.shadowSizes : rules.sizes;
      int64_t classes = isOther ? rules.shadowClasses : rules.classes;
      split.*list.list = readNodes(
          each.at(list.name), isOther ? rules.shadowLabels : rules.labels,
          list.isTrain ? sizes.trainNodes(classes) : sizes.testNodes(classes),
          list.isTrain ? "train_nodes_per_class for each class"
          : sizes.test ? "test_nodes"
                       : "test_nodes_per_class for each class",
          isOther ? isUsedByShadow : isUsed);
    }
  }
  return file;
}

bool readSplits(const std::string &path, const SplitRules &rules,
                SplitsFile &file, std::string &error) {
  std::unique_ptr<InputFile> content =
      InputFile::open(path, "the splits ", error);
  if (!content)
    return false;
  auto refuse = [&](const std::string &reason) {
    error = "the splits '" + path + "' cannot be used: " + reason;
    return false;
  };
  if (content->size() > mostBytes)
    return refuse("the file has more than " + std::to_string(mostBytes) +
                  " bytes");
  std::string text;
  if (!content->readAll(text, error))
    return false;
  try {
    JsonCursor::Json json = JsonCursor::parse(text, 4);
    file = convert(JsonCursor(json), rules);
  } catch (const JsonCursor::Refusal &refusal) {
    return refuse(refusal.what());
  }
  return true;
}

bool writeSplits(const std::string &path, const SplitsFile &file,
                 std::string &error) {
  auto quoted = [](const std::string &text) {
    return JsonCursor::Json(text).dump(
        -1, ' ', false, JsonCursor::Json::error_handler_t::replace);
  };
  std::string text = "{\n";
  if (!file.graph.empty())
    text += "  \"graph\": " + quoted(file.graph) + ",\n";
  text += "  \"splits\": [";
  const char *before = "\n";
  for (const AuditSplit &split : file.splits) {
    text += before + ("    {\"seed\": " + std::to_string(split.seed));
    for (const NamedList &list : lists) {
      text += std::string(",\n     \"") + list.name + "\": [";
      const char *comma = "";
      for (int32_t node : split.*list.list) {
        text += comma + std::to_string(node);
        comma = ", ";
      }
      text += "]";
    }
    text += "}";
    before = ",\n";
  }
  text += "\n  ]\n}\n";
  OutputFile output;
  if (output.open(path, std::ssize(text)) &&
      output.write(text.data(), std::ssize(text)) && output.commit())
    return true;
  error = output.error();
  return false;
}

} // namespace tessera::runtime
