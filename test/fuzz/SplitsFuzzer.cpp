//===- SplitsFuzzer.cpp - Splits that may be anything ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An input is the text of a file of splits for a graph of twelve nodes, or two
// such graphs. It is refused with a reason, or its lists have the sizes and
// nodes that Splits.h promises and are written as they were read.
//
//===----------------------------------------------------------------------===//

#include "runtime/audit/Splits.h"
#include "test/fuzz/Exit.h"
#include "test/fuzz/JsonMutator.h"
#include "test/fuzz/PairMutator.h"
#include "test/fuzz/Scratch.h"
#include <algorithm>

using namespace tessera;
using namespace tessera::runtime;
using namespace tessera::fuzz;

/// The last node has no class.
static const std::vector<int32_t> labels = {0, 1, 0, 1, 0, 1,
                                            0, 1, 0, 1, 0, -1};

/// \p lists name \p count labelled nodes, none twice.
static void checkNodes(std::vector<std::vector<int32_t>> lists, size_t count) {
  std::vector<int32_t> nodes;
  for (const std::vector<int32_t> &list : lists)
    nodes.insert(nodes.end(), list.begin(), list.end());
  require(nodes.size() == count, "lists have their sizes");
  std::sort(nodes.begin(), nodes.end());
  require(std::adjacent_find(nodes.begin(), nodes.end()) == nodes.end(),
          "no node is there twice");
  for (int32_t node : nodes)
    require(node >= 0 && node < std::ssize(labels) && labels[node] >= 0,
            "a node has a class");
}

static void checkFile(const std::string &path, const SplitRules &rules) {
  SplitsFile file, again;
  std::string error;
  if (!readSplits(path, rules, file, error))
    return require(!error.empty(), "a refusal has a reason");
  require(!file.splits.empty(), "there are splits");
  for (const AuditSplit &split : file.splits)
    if (rules.shadowLabels.empty()) {
      checkNodes({split.targetTrain, split.targetTest, split.shadowTrain,
                  split.shadowTest},
                 10);
    } else {
      checkNodes({split.targetTrain, split.targetTest}, 5);
      checkNodes({split.shadowTrain, split.shadowTest}, 5);
    }
  static const std::string other = scratchPath("written.json");
  require(writeSplits(other, file, error), "splits are written");
  require(readSplits(other, rules, again, error) &&
              again.splits == file.splits && again.graph == file.graph,
          "splits read back the same");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const std::string path = scratchPath("splits.json");
  writeFile(path, {reinterpret_cast<const char *>(data), size});
  SplitRules rules{labels, 2, {.trainPerClass = 1, .test = 3}, {}};
  checkFile(path, rules);
  rules.shadowLabels = labels;
  rules.shadowClasses = rules.classes;
  rules.shadowSizes = rules.sizes;
  checkFile(path, rules);
  return 0;
}

std::string fuzz::mutatePair(const std::string &text, const std::string &other,
                             size_t most, Dice &dice) {
  std::optional<Json> tree = readTree(text);
  if (!tree || dice.oneIn(20))
    return mutateBytes(text, most);
  std::optional<Json> grafts = readTree(other);
  mutateTree(*tree, grafts ? *grafts : Json(), dice);
  return writeTree(*tree);
}
