//===- FakeStreams.cpp - Streams of the double of CUDA's driver -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A stream is a queue. An operation runs when something waits for it: the host,
// or another stream by an event. A graph's operations run in an order that its
// dependencies allow and that is far from the one they were issued in. So what
// the program's events leave open is done late, and a forgotten event shows.
//
// Times are those of a GPU on which streams run beside each other: an operation
// begins once it is issued, what was issued to its stream before has ended, and
// what its stream waits for has happened; it takes as long as `durationOf`
// says, or as it takes here. Nobody sees that something is done before that
// time.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/cuda/FakeStreams.h"
#include "test/runtime/cuda/FakeCuda.h"
#include "test/runtime/cuda/FakeObjects.h"
#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace cuda = tessera::runtime::cuda;

/// Operations of a graph that something depends on.
using Nodes = std::set<size_t>;

using Clock = std::chrono::steady_clock;

namespace {

/// When a stream came to a place.
struct Moment {
  Clock::time_point time;
};

struct Operation {
  std::string name;
  fake_cuda_operation run = nullptr;
  std::vector<char> arguments;
  // An operation without `run` records an event or waits for a place in a
  // stream.
  std::shared_ptr<Moment> recorded, awaited;
  CUstream_st *other = nullptr;
  uint64_t place = 0;
  Clock::time_point issued;
};

} // namespace

struct CUgraph_st {
  struct Node {
    Operation operation;
    Nodes needs;
  };
  std::vector<Node> nodes;
  CUstream_st *origin = nullptr;
  std::set<CUstream_st *> streams;
  bool invalid = false;
};

struct CUgraphExec_st {
  std::vector<CUgraph_st::Node> nodes;
};

struct CUstream_st {
  int number = 0;
  std::deque<Operation> queue;
  uint64_t issued = 0, done = 0;
  Clock::time_point time;      ///< when what is done has ended
  CUgraph_st *graph = nullptr; ///< that is captured from it
  Nodes last;                  ///< what its next operation depends on
};

struct CUevent_st {
  int number = 0;
  CUstream_st *stream = nullptr; ///< null: never recorded
  uint64_t place = 0;
  CUgraph_st *graph = nullptr; ///< of the capture that recorded it
  Nodes nodes;
  bool timed = true;
  std::shared_ptr<Moment> moment; ///< of the last record
};

namespace tessera::fake {
namespace {

std::vector<std::unique_ptr<CUstream_st>> &streams =
    *new std::vector<std::unique_ptr<CUstream_st>>;
Objects<CUevent_st> &events = *new Objects<CUevent_st>;
Objects<CUgraph_st> &graphs = *new Objects<CUgraph_st>;
Objects<CUgraphExec_st> &executables = *new Objects<CUgraphExec_st>;
CUgraph_st *capture = nullptr;

FILE *logFile() {
  static FILE *file = [] {
    const char *path = getenv("FAKE_CUDA_LOG");
    return path ? fopen(path, "a") : nullptr;
  }();
  return file;
}

void put(const char *key, const char *name, CUstream_st *stream,
         const char *rest) {
  if (!logFile())
    return;
  fprintf(logFile(), "{\"%s\": \"%s\"", key, name);
  if (stream)
    fprintf(logFile(), ", \"stream\": %d", stream->number);
  fprintf(logFile(), "%s}\n", rest);
  fflush(logFile());
}

/// How long the operation \p name takes at least, a kernel's where no library
/// has it.
Clock::duration durationOf(const std::string &name) {
  using std::chrono::microseconds;
  if (name.starts_with("nccl"))
    return microseconds(100);
  if (name.starts_with("cublas"))
    return microseconds(30);
  if (name.starts_with("cu"))
    return microseconds(5);
  return microseconds(10);
}

/// Runs what was issued to \p stream up to its \p place, in all at most \p most
/// operations; false where it does not get there.
bool advance(CUstream_st *stream, uint64_t place, int most = INT32_MAX) {
  while (stream->done < place) {
    if (most-- == 0)
      return false;
    Operation &operation = stream->queue.front();
    Clock::time_point begin = std::max(stream->time, operation.issued);
    if (operation.run) {
      Clock::time_point really = Clock::now();
      if (!operation.run(operation.arguments.data()))
        return false;
      begin += std::max(durationOf(operation.name), Clock::now() - really);
      put("run", operation.name.c_str(), stream, "");
    } else if (operation.recorded) {
      operation.recorded->time = begin;
    } else if (!advance(operation.other, operation.place)) {
      return false;
    } else {
      begin = std::max(begin, operation.awaited->time);
    }
    stream->time = begin;
    stream->queue.pop_front();
    ++stream->done;
  }
  return true;
}

void finish(CUstream_st *stream, uint64_t place) {
  while (!advance(stream, place))
    usleep(50);
  std::this_thread::sleep_until(stream->time);
}

int issue(CUstream_st *stream, Operation operation) {
  if (CUgraph_st *graph = stream->graph) {
    graph->nodes.push_back({std::move(operation), stream->last});
    stream->last = {graph->nodes.size() - 1};
    return cuda::Success;
  }
  operation.issued = Clock::now();
  stream->queue.push_back(std::move(operation));
  ++stream->issued;
  while (isEager() && !advance(stream, stream->issued))
    usleep(50);
  return cuda::Success;
}

/// One run of a graph.
struct GraphRun {
  std::vector<CUgraph_st::Node> nodes;
  std::vector<bool> done;
};

/// The node to run next: the one issued last of those that may run; with eager
/// order the one issued first.
size_t nextNode(const GraphRun &run) {
  size_t next = run.nodes.size();
  for (size_t i = 0; i < run.nodes.size(); ++i) {
    bool ready = !run.done[i];
    for (size_t need : run.nodes[i].needs)
      ready = ready && run.done[need];
    if (!ready)
      continue;
    next = i;
    if (isEager())
      break;
  }
  return next;
}

int runGraph(void *arguments) {
  GraphRun *run = *static_cast<GraphRun **>(arguments);
  for (size_t i; (i = nextNode(*run)) < run->nodes.size();) {
    Operation &operation = run->nodes[i].operation;
    if (!operation.run(operation.arguments.data()))
      return 0;
    put("run", operation.name.c_str(), nullptr, ", \"graph\": true");
    run->done[i] = true;
  }
  delete run;
  return 1;
}

int invalidate(CUgraph_st *graph) {
  graph->invalid = true;
  return cuda::CaptureUnsupported;
}

/// All that \p nodes depend on, and they themselves.
Nodes ancestors(const CUgraph_st &graph, const Nodes &nodes) {
  Nodes all = nodes;
  std::vector<size_t> open(nodes.begin(), nodes.end());
  while (!open.empty()) {
    size_t node = open.back();
    open.pop_back();
    for (size_t need : graph.nodes[node].needs)
      if (all.insert(need).second)
        open.push_back(need);
  }
  return all;
}

/// What a query says of \p stream up to its \p place.
int query(CUstream_st *stream, uint64_t place) {
  bool isDone = advance(stream, place, 1) && stream->time <= Clock::now();
  return isDone ? cuda::Success : cuda::NotReady;
}

} // namespace

bool isEager() {
  static const bool eager = [] {
    const char *order = getenv("FAKE_CUDA_ORDER");
    return order && !strcmp(order, "eager");
  }();
  return eager;
}

void drain() {
  for (auto &stream : streams)
    finish(stream.get(), stream->issued);
}

int forbidInCapture() { return capture ? invalidate(capture) : cuda::Success; }

void log(const char *name, CUstream_st *stream) {
  put("call", name, stream, "");
}

void log(const char *name, CUstream_st *stream, const char *format, ...) {
  char rest[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(rest, sizeof rest, format, arguments);
  va_end(arguments);
  put("call", name, stream, rest);
}

} // namespace tessera::fake

using namespace tessera::fake;

int fake_cuda_enqueue(CUstream_st *stream, const char *name,
                      fake_cuda_operation operation, const void *arguments,
                      size_t bytes) {
  if (!stream)
    return cuda::InvalidHandle;
  put("issue", name, stream, "");
  auto *begin = static_cast<const char *>(arguments);
  Operation wanted;
  wanted.name = name;
  wanted.run = operation;
  wanted.arguments.assign(begin, begin + bytes);
  return issue(stream, std::move(wanted));
}

extern "C" {

int cuStreamCreate(CUstream_st **stream, unsigned) {
  streams.push_back(std::make_unique<CUstream_st>());
  *stream = streams.back().get();
  (*stream)->number = static_cast<int>(streams.size());
  return cuda::Success;
}

int cuStreamSynchronize(CUstream_st *stream) {
  log("cuStreamSynchronize", stream);
  if (stream->graph)
    return invalidate(stream->graph);
  finish(stream, stream->issued);
  return cuda::Success;
}

int cuStreamQuery(CUstream_st *stream) {
  if (stream->graph)
    return invalidate(stream->graph);
  return query(stream, stream->issued);
}

int cuStreamWaitEvent(CUstream_st *stream, CUevent_st *event, unsigned) {
  log("cuStreamWaitEvent", stream, ", \"event\": %d", event->number);
  if (!event->stream)
    return cuda::Success;
  if (!event->graph && stream->graph) {
    stream->graph->invalid = true;
    return cuda::CaptureIsolation;
  }
  if (!event->graph) {
    Operation wait;
    wait.awaited = event->moment;
    wait.other = event->stream;
    wait.place = event->place;
    return issue(stream, std::move(wait));
  }
  if (event->graph != capture || (stream->graph && stream->graph != capture))
    return cuda::CapturedEvent;
  // The stream joins the capture.
  stream->graph = capture;
  capture->streams.insert(stream);
  stream->last.insert(event->nodes.begin(), event->nodes.end());
  return cuda::Success;
}

int cuEventCreate(CUevent_st **event, unsigned flags) {
  static int number = 0;
  *event = events.make();
  (*event)->number = ++number;
  (*event)->timed = !(flags & cuda::EventDisableTiming);
  return cuda::Success;
}

int cuEventDestroy_v2(CUevent_st *event) {
  // A record of it may be in a queue yet.
  if (event->stream && !event->graph)
    finish(event->stream, event->place);
  events.destroy(event);
  return cuda::Success;
}

int cuEventRecord(CUevent_st *event, CUstream_st *stream) {
  log("cuEventRecord", stream, ", \"event\": %d", event->number);
  event->stream = stream;
  event->graph = stream->graph;
  if (stream->graph) {
    event->nodes = stream->last;
    return cuda::Success;
  }
  event->place = stream->issued + 1;
  event->moment = std::make_shared<Moment>();
  Operation record;
  record.recorded = event->moment;
  return issue(stream, std::move(record));
}

int cuEventQuery(CUevent_st *event) {
  if (event->graph)
    return event->graph == capture ? invalidate(capture)
                                   : int(cuda::CapturedEvent);
  return event->stream ? query(event->stream, event->place)
                       : int(cuda::Success);
}

int cuEventSynchronize(CUevent_st *event) {
  log("cuEventSynchronize", nullptr, ", \"event\": %d", event->number);
  if (event->graph)
    return event->graph == capture ? invalidate(capture)
                                   : int(cuda::CapturedEvent);
  if (event->stream)
    finish(event->stream, event->place);
  return cuda::Success;
}

int cuEventElapsedTime(float *milliseconds, CUevent_st *begin,
                       CUevent_st *end) {
  for (CUevent_st *event : {begin, end}) {
    if (!event->timed || !event->stream || event->graph)
      return cuda::InvalidHandle;
    if (event->stream->done < event->place)
      return cuda::NotReady;
  }
  *milliseconds = std::chrono::duration<float, std::milli>(end->moment->time -
                                                           begin->moment->time)
                      .count();
  return cuda::Success;
}

int cuStreamBeginCapture_v2(CUstream_st *stream, cuda::CaptureMode) {
  log("cuStreamBeginCapture", stream);
  if (capture)
    return cuda::CaptureUnsupported;
  capture = graphs.make();
  capture->origin = stream;
  capture->streams = {stream};
  stream->graph = capture;
  stream->last.clear();
  return cuda::Success;
}

int cuStreamEndCapture(CUstream_st *stream, CUgraph_st **result) {
  log("cuStreamEndCapture", stream);
  CUgraph_st *graph = std::exchange(capture, nullptr);
  if (!graph || graph->origin != stream)
    return cuda::InvalidValue;
  bool joined = ancestors(*graph, stream->last).size() == graph->nodes.size();
  for (CUstream_st *member : graph->streams) {
    member->graph = nullptr;
    member->last.clear();
  }
  *result = nullptr;
  if (graph->invalid)
    return cuda::CaptureInvalidated;
  if (!joined)
    return cuda::CaptureUnjoined;
  *result = graph;
  return cuda::Success;
}

int cuGraphInstantiateWithFlags(CUgraphExec_st **result, CUgraph_st *graph,
                                unsigned long long) {
  if (int error = forbidInCapture())
    return error;
  *result = executables.make(graph->nodes);
  return cuda::Success;
}

int cuGraphDestroy(CUgraph_st *) {
  // Events name the graph that they were captured in: it stays.
  return cuda::Success;
}

int cuGraphLaunch(CUgraphExec_st *exec, CUstream_st *stream) {
  log("cuGraphLaunch", stream, ", \"operations\": %zu", exec->nodes.size());
  if (stream->graph)
    return invalidate(stream->graph);
  auto *run =
      new GraphRun{exec->nodes, std::vector<bool>(exec->nodes.size(), false)};
  return fake_cuda_enqueue(stream, "cuGraphLaunch", runGraph, &run, sizeof run);
}
}
