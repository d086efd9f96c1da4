//===- Timeline.cpp - When the steps of a plan run --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/Timeline.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::plan;

namespace {

/// Walks a program's steps and keeps two clocks: the rank's and its link's.
class Simulation {
public:
  Simulation(ProgramOp program, CostModel &model)
      : program(program), model(model) {}

  Timeline run() {
    for (Operation &op : program.getBody().front()) {
      if (auto section = dyn_cast<SectionOp>(op)) {
        enter(section);
      } else if (isStep(&op)) {
        timeline.starts.push_back(now);
        timeline.messages.push_back(0);
        write(&op);
      }
    }
    timeline.starts.push_back(now);
    if (!timeline.sections.empty())
      timeline.sections.back().end = now;
    Prediction &all = timeline.prediction;
    all.step = all.compute + all.memory + all.launch + all.exposed;
    for (auto *kinds : {&computing, &communicating})
      for (auto &[name, kind] : *kinds)
        all.kinds.push_back(std::move(kind));
    return std::move(timeline);
  }

private:
  using Kinds = llvm::MapVector<StringRef, Prediction::Kind>;

  void enter(SectionOp section) {
    if (!timeline.sections.empty())
      timeline.sections.back().end = now;
    times = section.getTimes();
    timeline.sections.push_back({section.getName().str(), now, now, times});
  }

  void count(Kinds &kinds, StringRef name, double seconds, double busy,
             double flops, double bytes, int64_t runs) {
    Prediction::Kind &kind = kinds[name];
    kind.name = name.str();
    kind.times += runs * times;
    kind.seconds += seconds * times;
    kind.busy += busy * times;
    kind.flops += flops * times;
    kind.bytes += bytes * times;
  }

  void write(Operation *op) {
    if (auto start = dyn_cast<StartOp>(op))
      return begin(start);
    if (auto wait = dyn_cast<WaitOp>(op))
      return end(cast<StartOp>(wait.getToken().getDefiningOp()));
    StepCost cost = model.getCost(op);
    if (cost.total() == 0)
      return;
    timeline.compute.push_back({op, cost.kind, now, now + cost.total(), cost});
    now += cost.total();
    Prediction &all = timeline.prediction;
    (cost.arithmetic >= cost.memory ? all.compute : all.memory) +=
        times * std::max(cost.arithmetic, cost.memory);
    all.launch += times * cost.launch;
    count(computing, cost.kind, cost.total(), cost.total(), cost.flops,
          cost.bytes, 1);
  }

  void begin(StartOp start) {
    CollectiveCost cost = model.getCost(start);
    StringRef kind = stringifyCollective(start.getKind());
    count(communicating, kind, 0, cost.beside + cost.atWait, 0, cost.received,
          1);
    timeline.prediction.communication += times * (cost.beside + cost.atWait);
    if (cost.beside == 0)
      return;
    double from = std::max(now, linkFree);
    linkFree = from + cost.beside;
    arrival[start] = linkFree;
    timeline.messages.back() = cost.beside;
    timeline.communication.push_back({start, kind, from, linkFree, {}});
  }

  void end(StartOp start) {
    CollectiveCost cost = model.getCost(start);
    StringRef kind = stringifyCollective(start.getKind());
    double before = now;
    auto arrived = arrival.find(start);
    if (arrived != arrival.end())
      now = std::max(now, arrived->second);
    if (cost.atWait > 0) {
      timeline.communication.push_back(
          {start, kind, now, now + cost.atWait, {}});
      now += cost.atWait;
    }
    timeline.prediction.exposed += times * (now - before);
    count(communicating, kind, now - before, 0, 0, 0, 0);
  }

  ProgramOp program;
  CostModel &model;
  Timeline timeline;
  double now = 0, linkFree = 0;
  int64_t times = 1;
  DenseMap<Operation *, double> arrival;
  Kinds computing, communicating;
};

} // namespace

Timeline Timeline::make(ProgramOp program, CostModel &model) {
  return Simulation(program, model).run();
}
