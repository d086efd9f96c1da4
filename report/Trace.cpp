//===- Trace.cpp - What a profile has recorded ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/Trace.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>

using namespace tessera;
using namespace llvm;

static constexpr StringLiteral remedy =
    "; give a trace, as train --profile FILE writes it";

std::vector<int64_t> Trace::getRanks() const {
  std::vector<int64_t> ranks;
  for (const Step &step : steps)
    if (ranks.empty() || ranks.back() != step.rank)
      ranks.push_back(step.rank);
  return ranks;
}

const Trace::Step &Trace::getMedian(int64_t rank) const {
  SmallVector<const Step *> own;
  for (const Step &step : steps)
    if (step.rank == rank)
      own.push_back(&step);
  llvm::sort(own, [](const Step *one, const Step *other) {
    return std::pair(one->seconds(), one->number) <
           std::pair(other->seconds(), other->number);
  });
  return *own[(own.size() - 1) / 2];
}

namespace {

/// Reads the events of a trace.
class Reader {
public:
  Error read(const json::Object &object);

  Trace trace;

private:
  Error read(const json::Object &event, size_t number);
  Error place();

  struct Placed {
    int64_t rank;
    Trace::Event event;
  };
  std::vector<Placed> events;
};

} // namespace

static Error refuse(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

Error Reader::read(const json::Object &event, size_t number) {
  if (event.getString("ph").value_or("") != "X")
    return Error::success();
  auto fail = [&](const Twine &what) {
    return refuse("event " + Twine(number) + " " + what);
  };
  std::optional<double> begin = event.getNumber("ts"),
                        length = event.getNumber("dur");
  std::optional<int64_t> rank = event.getInteger("pid"),
                         row = event.getInteger("tid");
  std::optional<StringRef> name = event.getString("name"),
                           kind = event.getString("cat");
  if (!begin || !length || !std::isfinite(*begin) || !(*length >= 0) ||
      !std::isfinite(*length))
    return fail("has no time");
  if (!rank || *rank < 0 || !row || *row < Trace::Steps || *row > Trace::Host)
    return fail("is of no rank or row");
  if (!name || !kind)
    return fail("has no name");
  Trace::Event read;
  read.name = name->str();
  read.kind = kind->str();
  read.row = static_cast<Trace::Row>(*row);
  read.begin = 1e-6 * *begin;
  read.end = 1e-6 * (*begin + *length);
  if (const json::Object *arguments = event.getObject("args")) {
    read.layer = arguments->getString("layer").value_or("").str();
    read.planStep = arguments->getInteger("plan_step").value_or(-1);
    read.micro = arguments->getInteger("micro_batch").value_or(0);
    read.flops = arguments->getNumber("flops").value_or(0);
    read.bytes = arguments->getNumber("bytes").value_or(0);
    // Of a whole step its number.
    if (read.kind == "step")
      read.micro = arguments->getInteger("step").value_or(0);
  }
  read.isAside = trace.isOnDevice &&
                 (read.row == Trace::Communication || read.row == Trace::Host);
  read.waits = trace.isOnDevice
                   ? name->starts_with("wait ") || name->starts_with("fence ")
                   : read.row == Trace::Communication;
  events.push_back({*rank, std::move(read)});
  return Error::success();
}

/// Gives each event to the step that it is in.
Error Reader::place() {
  llvm::stable_sort(events, [](const Placed &one, const Placed &other) {
    return std::tuple(one.rank, one.event.begin, -one.event.end) <
           std::tuple(other.rank, other.event.begin, -other.event.end);
  });
  for (Placed &placed : events) {
    Trace::Event &event = placed.event;
    if (event.kind == "step") {
      trace.steps.push_back(
          {placed.rank, event.micro, event.begin, event.end, {}, {}});
      continue;
    }
    if (trace.steps.empty() || trace.steps.back().rank != placed.rank)
      return refuse("'" + event.name + "' of rank " + Twine(placed.rank) +
                    " is in no step");
    Trace::Step &step = trace.steps.back();
    (event.kind == "section" ? step.sections : step.events)
        .push_back(std::move(event));
  }
  if (trace.steps.empty())
    return refuse("has no step");
  return Error::success();
}

Error Reader::read(const json::Object &object) {
  const json::Array *list = object.getArray("traceEvents");
  const json::Object *run = object.getObject("otherData");
  if (!list || !run || run->getInteger("tessera_trace") != 1)
    return refuse("is a trace of something else");
  trace.model = run->getString("model").value_or("").str();
  trace.isOnDevice = run->getBoolean("device").value_or(false);
  trace.world = run->getInteger("world").value_or(1);
  trace.stage = run->getInteger("stage").value_or(0);
  trace.threads = run->getInteger("threads").value_or(1);
  trace.microBatches = run->getInteger("micro_batches").value_or(1);
  trace.reserved = run->getInteger("reserved_bytes").value_or(0);
  trace.uncertainty = 1e-6 * run->getNumber("clock_uncertainty_us").value_or(0);
  for (auto [number, value] : llvm::enumerate(*list)) {
    const json::Object *event = value.getAsObject();
    if (!event)
      return refuse("event " + Twine(number) + " is no object");
    if (Error error = read(*event, number))
      return error;
  }
  return place();
}

Expected<std::optional<Trace>> tessera::readTrace(StringRef path) {
  // A log may come from a pipe, which gives its bytes once.
  if (!sys::fs::is_regular_file(path))
    return std::nullopt;
  ErrorOr<std::unique_ptr<MemoryBuffer>> buffer =
      MemoryBuffer::getFile(path, /*IsText=*/false,
                            /*RequiresNullTerminator=*/false);
  if (std::error_code error = buffer.getError())
    return refuse(path + ": cannot be read: " + error.message() + remedy);
  StringRef text = (*buffer)->getBuffer().ltrim();
  // Lines of a log are objects, too.
  if (!text.starts_with("{") ||
      !text.take_front(1 << 16).contains("\"traceEvents\""))
    return std::nullopt;
  Expected<json::Value> value = json::parse(text);
  if (!value)
    return refuse(path + ": " + toString(value.takeError()) + remedy);
  const json::Object *object = value->getAsObject();
  Reader reader;
  if (!object)
    return refuse(path + ": is no object" + remedy);
  if (Error error = reader.read(*object))
    return refuse(path + ": " + toString(std::move(error)) + remedy);
  return std::move(reader.trace);
}
