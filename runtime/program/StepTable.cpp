//===- StepTable.cpp - What the steps of training are ---------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/StepTable.h"
#include "runtime/core/Error.h"
#include "runtime/files/JsonCursor.h"
#include <limits>

namespace tessera::runtime {

/// Values of the table stand so deep within one another.
static constexpr int maxDepth = 8;
static constexpr size_t most = 1 << 24; ///< of steps, layers and the like
static constexpr int64_t largest = std::numeric_limits<int64_t>::max();

static StepTable::Work readWork(const JsonCursor &from) {
  StepTable::Work work;
  work.name = from.at("name").anyText(1 << 16);
  work.kind = from.at("kind").anyText(1 << 16);
  if (from.has("flops"))
    work.flops = from.at("flops").integer(0, largest);
  if (from.has("bytes"))
    work.bytes = from.at("bytes").integer(0, largest);
  if (from.has("collective"))
    work.collective = from.at("collective").integer(0, most);
  return work;
}

/// Adds the step [work, layer, memory in use, calls], of one call where they
/// are not given.
static void readStep(const JsonCursor &from, StepTable &table) {
  size_t length = from.length(3, 4);
  auto number = static_cast<int32_t>(table.steps.size());
  StepTable::Step step;
  step.work = static_cast<int32_t>(
      from.element(0).integer(0, std::ssize(table.works) - 1));
  step.layer = static_cast<int32_t>(
      from.element(1).integer(0, std::ssize(table.layers) - 1));
  step.memory = from.element(2).integer(0, largest);
  int64_t calls = length == 4 ? from.element(3).integer(0, most) : 1;
  table.steps.push_back(step);
  table.stepOfCall.insert(table.stepOfCall.end(), calls, number);
}

static void read(const JsonCursor &from, StepTable &table) {
  JsonCursor works = from.at("works"), layers = from.at("layers"),
             sections = from.at("sections");
  for (size_t i = 0, e = works.length(0, most); i < e; ++i)
    table.works.push_back(readWork(works.element(i)));
  for (size_t i = 0, e = layers.length(0, most); i < e; ++i)
    table.layers.push_back(layers.element(i).anyText(1 << 16));
  for (size_t i = 0, e = sections.length(0, 64); i < e; ++i) {
    JsonCursor section = sections.element(i), steps = section.at("steps");
    auto first = static_cast<int32_t>(table.stepOfCall.size());
    for (size_t j = 0, count = steps.length(0, most); j < count; ++j)
      readStep(steps.element(j), table);
    auto end = static_cast<int32_t>(table.stepOfCall.size());
    table.sections.push_back({section.at("name").text(64), first, end - first});
  }
}

StepTable StepTable::parse(const std::string &text) {
  StepTable table;
  std::string reason;
  try {
    JsonCursor::Json json = JsonCursor::parse(text, maxDepth);
    read(JsonCursor(json), table);
  } catch (const std::exception &error) {
    reason = error.what();
  }
  if (!reason.empty())
    fatal("the embedded table of steps is broken (%s): compile the "
          "specification again with this version of tessera",
          reason.c_str());
  return table;
}

} // namespace tessera::runtime
