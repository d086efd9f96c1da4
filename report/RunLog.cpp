//===- RunLog.cpp - What a run has logged ---------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/RunLog.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <limits>

using namespace tessera;
using namespace llvm;

static Error refuse(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

Expected<LogLine> tessera::parseLogLine(StringRef text) {
  Expected<json::Value> value = json::parse(text);
  if (!value) {
    consumeError(value.takeError());
    return refuse("is no JSON");
  }
  const json::Object *object = value->getAsObject();
  std::optional<int64_t> step =
      object ? object->getInteger("step") : std::nullopt;
  if (!step || *step < 0)
    return refuse("has no \"step\"");
  LogLine line;
  line.step = *step;
  for (const auto &[name, field] : *object) {
    if (name == "step")
      continue;
    if (field.kind() == json::Value::Null)
      line.values.push_back(
          {name.str(), std::numeric_limits<double>::quiet_NaN()});
    else if (std::optional<double> number = field.getAsNumber())
      line.values.push_back({name.str(), *number});
  }
  // An object has its fields in no order.
  llvm::sort(line.values, llvm::less_first());
  return line;
}

void RunLog::add(const LogLine &line) {
  auto cut = [&](std::vector<int64_t> &steps) {
    while (!steps.empty() && steps.back() >= line.step)
      steps.pop_back();
  };
  if (!steps.empty() && steps.back() >= line.step) {
    cut(steps);
    for (auto &[name, one] : series) {
      cut(one.steps);
      one.values.resize(one.steps.size());
    }
  }
  steps.push_back(line.step);
  for (const auto &[name, value] : line.values) {
    LogSeries &one = series[name];
    one.steps.push_back(line.step);
    one.values.push_back(value);
  }
}

const LogSeries *RunLog::find(StringRef name) const {
  auto found = series.find(name.str());
  return found == series.end() || found->second.steps.empty() ? nullptr
                                                              : &found->second;
}

Expected<RunLog> tessera::readRunLog(StringRef path) {
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFileOrSTDIN(path, /*IsText=*/false,
                                   /*RequiresNullTerminator=*/false);
  if (std::error_code error = buffer.getError())
    return refuse(path + ": cannot be read: " + error.message() +
                  "; give a log, as train --log FILE writes it");
  StringRef text = (*buffer)->getBuffer();
  RunLog log;
  for (int64_t number = 1; text.contains('\n'); ++number) {
    auto [first, rest] = text.split('\n');
    text = rest;
    Expected<LogLine> line = parseLogLine(first);
    if (!line)
      return refuse(path + ":" + Twine(number) + ": " +
                    toString(line.takeError()) +
                    "; give a log, as train --log FILE writes it");
    log.add(*line);
  }
  if (log.getSteps().empty())
    return refuse(path + ": has no step yet; give a log, as train --log FILE "
                         "writes it");
  return log;
}
