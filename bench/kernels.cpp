//===- kernels.cpp - Speed of single kernels against the peak ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints, for products of tiles and for attention forward and backward, the
// arithmetic a second on one thread and on all, its share of the multiply-add
// peak measured beside it, and the time that compiling takes. Attention's
// arithmetic counts visible pairs alone: 4 d operations forward, 10 d backward.
// Times are the threads' processor time, so that other processes disturb less.
//
//   bench-kernels [threads [part of a name]]
//
//===----------------------------------------------------------------------===//

#include "bench/FmaPeak.h"
#include "codegen/cpu/SmallGemm.h"
#include "test/codegen/cpu/AttentionReference.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

namespace {

/// Seconds of processor time of the whole process.
double processSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Seconds that body(thread) takes on each of \p threads threads: the slowest
/// one's processor time, of some runs the fastest.
template <typename Body> double fastest(int threads, Body body) {
  double best = 1e30, spent = 0;
  for (int round = 0; round < 5 || spent < 0.3; ++round) {
    std::vector<double> seconds(threads);
    auto timed = [&](int t) {
      double start = threadSeconds();
      body(t);
      seconds[t] = threadSeconds() - start;
    };
    std::vector<std::thread> pool;
    for (int t = 1; t < threads; ++t)
      pool.emplace_back(timed, t);
    timed(0);
    for (std::thread &thread : pool)
      thread.join();
    double slowest = *std::max_element(seconds.begin(), seconds.end());
    best = std::min(best, slowest);
    spent += slowest;
  }
  return best;
}

struct Aligned {
  explicit Aligned(size_t count)
      : data(static_cast<float *>(
            std::aligned_alloc(64, (count * 4 + 127) / 64 * 64))) {
    std::fill(data, data + count, 0.01f);
  }
  ~Aligned() { std::free(data); }
  float *data;
};

void report(const char *name, double flops, double seconds, int threads,
            double compile) {
  double peak = measureFmaPeak(threads);
  std::printf("%-28s %d thread%s %9.3f ms %8.1f GFLOP/s  %5.1f %% of %.0f   "
              "compiled in %.2f s\n",
              name, threads, threads > 1 ? "s" : " ", seconds * 1e3,
              flops / seconds / 1e9, 100 * flops / seconds / peak, peak / 1e9,
              compile);
  std::fflush(stdout);
}

void benchmarkAttention(const char *name, const AttentionCase &shape,
                        bool gradient, int threads) {
  double start = processSeconds();
  CompiledKernel kernel(shape.source(gradient));
  double compile = processSeconds() - start;
  size_t packed = shape.rows() * 3 * shape.hidden();
  size_t hidden = shape.rows() * shape.hidden();
  Aligned qkv(packed), out(hidden),
      lse(shape.batch * shape.heads * shape.sequence), g(hidden),
      result(packed);
  std::vector<float> random = randomNumbers(packed, 1, 1);
  std::copy(random.begin(), random.end(), qkv.data);
  std::fill_n(lse.data, shape.batch * shape.heads * shape.sequence, 10.0f);
  std::vector<void *> buffers = {qkv.data, out.data, lse.data};
  if (gradient)
    buffers = {qkv.data, out.data, lse.data, g.data, result.data};
  auto *args = reinterpret_cast<char *const *>(buffers.data());
  Aligned scratch(threads * kernel.getScratchBytes() / 4);
  double pairs = shape.causal ? shape.sequence * (shape.sequence + 1) / 2.0
                              : double(shape.sequence) * shape.sequence;
  double flops =
      pairs * shape.batch * shape.heads * shape.dim * (gradient ? 10 : 4);
  for (int count : {1, threads}) {
    double seconds = fastest(count, [&](int t) {
      int64_t iterations = kernel.getIterations();
      kernel.getFunction()(args, iterations * t / count,
                           iterations * (t + 1) / count,
                           reinterpret_cast<char *>(scratch.data) +
                               t * kernel.getScratchBytes());
    });
    report((std::string(name) + (gradient ? " backward" : " forward")).c_str(),
           flops, seconds, count, compile);
  }
}

void benchmarkProduct(int64_t rows, int64_t columns, int64_t inner) {
  double start = processSeconds();
  CompiledModule compiled;
  ModuleOp module = compiled.parse();
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto flat = [&](int64_t count) -> Type {
    return MemRefType::get({count}, builder.getF32Type());
  };
  Location loc = builder.getUnknownLoc();
  auto function = func::FuncOp::create(
      builder, loc, "product",
      builder.getFunctionType({flat(rows * inner), flat(inner * columns),
                               flat(rows * columns), builder.getIndexType()},
                              {}));
  Block *block = function.addEntryBlock();
  builder.setInsertionPointToStart(block);
  cpu::VectorBuilder vb(builder, loc);
  Value zero = vb.index(0);
  vb.loop(zero, block->getArgument(3), 1, [&](Value) {
    cpu::emitProduct(vb, rows, columns / cpu::kLanes, zero, vb.index(inner), 4,
                     {block->getArgument(0), zero, inner},
                     {block->getArgument(1), zero, columns},
                     {block->getArgument(2), zero, columns});
  });
  func::ReturnOp::create(builder, loc);
  compiled.compile();
  auto run = reinterpret_cast<void (*)(float *, float *, float *, int64_t)>(
      compiled.lookup("product"));
  double compile = processSeconds() - start;
  Aligned a(rows * inner), b(inner * columns), c(rows * columns);
  int64_t repeat = 20000000 / (rows * columns * inner) + 1;
  double seconds =
      fastest(1, [&](int) { run(a.data, b.data, c.data, repeat); });
  std::string name = "product " + std::to_string(rows) + " x " +
                     std::to_string(columns) + " x " + std::to_string(inner);
  report(name.c_str(), 2.0 * rows * columns * inner * repeat, seconds, 1,
         compile);
}

} // namespace

int main(int argc, char **argv) {
  int threads =
      argc > 1 ? std::atoi(argv[1]) : std::thread::hardware_concurrency();
  std::string wanted = argc > 2 ? argv[2] : "";
  if (wanted.empty() || wanted == "product") {
    benchmarkProduct(64, 32, 64);
    benchmarkProduct(64, 64, 64);
    benchmarkProduct(32, 32, 64);
    benchmarkProduct(64, 48, 32);
  }
  struct {
    const char *name;
    AttentionCase shape;
  } cases[] = {{"bloom 4x256", {8, 8, 256, 32, true, true, true}},
               {"gpt2-124m, T 256", {4, 12, 256, 64, false}},
               {"gpt2-124m, T 1024", {4, 12, 1024, 64, false}},
               {"bloom-560m, T 256", {1, 16, 256, 64, true, true, true}}};
  for (auto &[name, shape] : cases)
    if (std::string(name).find(wanted) != std::string::npos)
      for (bool gradient : {false, true})
        benchmarkAttention(name, shape, gradient, threads);
  return 0;
}
