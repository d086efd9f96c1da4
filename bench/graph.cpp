//===- graph.cpp - Time of loading a graph's edges ------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// bench-graph GRAPH [ROUNDS]: opens and checks a graph's file, then makes both
// compressed forms, in one thread. Prints each round's CPU time, in ms.
//
//===----------------------------------------------------------------------===//

#include "runtime/data/Adjacency.h"
#include "runtime/data/GraphFile.h"
#include "runtime/program/Communicator.h"
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

using namespace tessera::runtime;
/// The CPU time of this process.
static double milliseconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e3 * double(time.tv_sec) + 1e-6 * double(time.tv_nsec);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: bench-graph GRAPH [ROUNDS]\n");
    return 1;
  }
  int rounds = argc > 2 ? atoi(argv[2]) : 1;
  char *arena = nullptr;
  for (int round = 0; round < rounds; ++round) {
    double begin = milliseconds();
    std::string error;
    NodeWeights nodes;
    AdjacencyForm form;
    auto file = GraphFile::open(argv[1], error);
    if (!file || !weighNodes(*file, form, nodes, error)) {
      fprintf(stderr, "bench-graph: error: %s\n", error.c_str());
      return 1;
    }
    double open = milliseconds() - begin;
    int64_t rows = file->shape().nodes + 1;
    int64_t edges = file->shape().edges + file->shape().nodes;
    // Touched before a graph is loaded, as a run's is.
    if (!arena)
      arena = mapPrivateArena(4 * (2 * rows + 4 * edges));
    char *next = arena;
    auto take = [&](int64_t count) {
      return reinterpret_cast<int32_t *>(std::exchange(next, next + 4 * count));
    };
    auto takeRows = [&] {
      SparseRows result{take(rows), take(edges), nullptr};
      result.weight = reinterpret_cast<float *>(take(edges));
      return result;
    };
    SparseRows forward = takeRows(), transpose = takeRows();
    begin = milliseconds();
    buildAdjacency(*file, form, nodes, forward, transpose);
    printf("open %.1f build %.1f\n", open, milliseconds() - begin);
  }
  return 0;
}
