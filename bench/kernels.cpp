//===- kernels.cpp - Speed of single kernels against the peak ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Prints, for kernels that are bound by memory, the bytes per second, and for
// GEMMs of tiles and for attention forward and backward the arithmetic per
// second on one thread and on all, its share of the multiply-add
// peak measured beside it, and the time that compiling takes. Attention's
// arithmetic counts visible pairs alone: 4 d operations forward, 10 d backward.
// Times are the threads' CPU time, so that other processes disturb less.
//
//   bench-kernels [--measurements FILE]
//                 [threads [gemm | memory | cache | part of a model's name]]
//
//===----------------------------------------------------------------------===//

#include "bench/Measurements.h"
#include "codegen/cpu/SmallGemm.h"
#include "driver/measure/FmaPeak.h"
#include "test/codegen/cpu/AttentionReference.h"
#include "test/codegen/cpu/CompiledKernel.h"
#include "test/codegen/cpu/Numbers.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sys/mman.h>
#include <thread>

using namespace mlir;
using namespace tessera;
using namespace tessera::test;

namespace {

/// Seconds of CPU time of the whole process.
double processSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Seconds that body(thread) takes on each of \p threads threads in each of
/// some runs: the slowest one's CPU time.
template <typename Body> std::vector<double> timeRuns(int threads, Body body) {
  std::vector<double> runs;
  double spent = 0;
  while (runs.size() < 5 || spent < 0.3) {
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
    runs.push_back(*llvm::max_element(seconds));
    spent += runs.back();
  }
  return runs;
}

double fastest(const std::vector<double> &runs) {
  return *llvm::min_element(runs);
}

std::string countThreads(int threads) {
  return std::to_string(threads) + (threads > 1 ? " threads" : " thread");
}

/// Memory as the runtime's arena has it: in huge pages where there are any.
struct Aligned {
  static constexpr size_t page = 2 << 20;

  explicit Aligned(size_t count) {
    size_t bytes = (count * sizeof(float) + page - 1) / page * page;
    data = static_cast<float *>(std::aligned_alloc(page, bytes));
    madvise(data, bytes, MADV_HUGEPAGE);
    std::fill(data, data + count, 0.01f);
  }
  ~Aligned() { std::free(data); }
  float *data;
};

/// Rates of \p work, in billions, in each of \p runs.
std::vector<double> getRates(double work, const std::vector<double> &runs) {
  std::vector<double> rates;
  for (double seconds : runs)
    rates.push_back(work / seconds / 1e9);
  return rates;
}

void report(Measurements &measurements, const std::string &name, double flops,
            const std::vector<double> &runs, int threads, double compile) {
  double peak = measureFmaPeak(threads), seconds = fastest(runs);
  std::printf("%-28s %-9s %9.3f ms %8.1f GFLOP/s  %5.1f %% of %.0f   "
              "compiled in %.2f s\n",
              name.c_str(), countThreads(threads).c_str(), seconds * 1e3,
              flops / seconds / 1e9, 100 * flops / seconds / peak, peak / 1e9,
              compile);
  std::fflush(stdout);
  std::string place = name + ", " + countThreads(threads);
  measurements.add(place, "Tessera", "arithmetic", "GFLOP/s",
                   getRates(flops, runs), "more");
  measurements.add(place, "peak", "arithmetic", "GFLOP/s", {peak / 1e9},
                   "more");
  measurements.add(place, "Tessera", "compilation", "s", {compile});
}

/// The runs of \p kernel on \p buffers, on one thread and on \p threads:
/// report(threads, runs).
template <typename Report>
void runKernel(CompiledKernel &kernel, std::vector<void *> &buffers,
               int threads, Report report) {
  auto *args = reinterpret_cast<char *const *>(buffers.data());
  Aligned scratch(threads * kernel.getScratchBytes() / 4);
  for (int count : {1, threads})
    report(count, timeRuns(count, [&](int t) {
             int64_t iterations = kernel.getIterations();
             kernel.getFunction()(args, iterations * t / count,
                                  iterations * (t + 1) / count,
                                  reinterpret_cast<char *>(scratch.data) +
                                      t * kernel.getScratchBytes());
           }));
}

void benchmarkAttention(Measurements &measurements, const char *name,
                        const AttentionCase &shape, bool gradient,
                        int threads) {
  double start = processSeconds();
  CompiledKernel kernel(shape.source(gradient));
  double compile = processSeconds() - start;
  size_t packed = shape.rows() * shape.columns();
  size_t hidden = shape.rows() * shape.hidden();
  Aligned qkv(packed), out(hidden),
      lse(shape.batch * shape.heads * shape.sequence), g(hidden),
      result(packed);
  std::vector<float> random = randomNumbers(packed, 1, 1);
  llvm::copy(random, qkv.data);
  std::fill_n(lse.data, shape.batch * shape.heads * shape.sequence, 10.0f);
  AttentionDraw draw(shape);
  std::vector<void *> buffers =
      gradient
          ? draw.insert({qkv.data, out.data, lse.data, g.data}, {result.data})
          : draw.insert({qkv.data}, {out.data, lse.data});
  double pairs = 0;
  for (int64_t i = 0; i < shape.sequence; ++i)
    for (int64_t j = 0; j < shape.sequence; ++j)
      pairs += shape.isVisible(i, j);
  double flops =
      pairs * shape.batch * shape.heads * shape.dim * (gradient ? 10 : 4);
  runKernel(kernel, buffers, threads, [&](int count, const auto &runs) {
    report(measurements,
           std::string(name) + (gradient ? " backward" : " forward"), flops,
           runs, count, compile);
  });
}

/// A kernel that moves \p bytes, as gigabytes per second.
void benchmarkMemory(Measurements &measurements, const std::string &name,
                     const std::string &source, std::vector<void *> buffers,
                     double bytes, int threads) {
  CompiledKernel kernel(source);
  runKernel(kernel, buffers, threads, [&](int count, const auto &runs) {
    double seconds = fastest(runs);
    std::printf("%-28s %-9s %9.3f ms %8.1f GB/s\n", name.c_str(),
                countThreads(count).c_str(), seconds * 1e3,
                bytes / seconds / 1e9);
    std::fflush(stdout);
    measurements.add(name + ", " + countThreads(count), "Tessera", "memory",
                     "GB/s", getRates(bytes, runs), "more");
  });
}

void benchmarkOptimizer(Measurements &measurements, int threads) {
  constexpr int64_t elements = 16 << 20;
  Aligned p(elements), g(elements), m(elements), v(elements);
  float clip = 1, hyper[] = {1e-3f, 0.1f, 0.05f, 1};
  int64_t decayEnd = elements / 2;
  std::string flat = tensor({elements});
  benchmarkMemory(
      measurements, "adamw",
      kernelText({flat, flat, flat, flat, "tensor<f32>", "tensor<4xf32>",
                  "tensor<1xi64>"},
                 {flat, flat, flat},
                 "%r0, %r1, %r2 = zero.update %a0, %a1 states %a2, %a3 by %a4, "
                 "%a5 using #optimizer.adamw<beta1 = 0.9, beta2 = 0.95, eps = "
                 "1.0e-8> ends %a6 lr_scales [1.0, 1.0] weight_decays [0.1, "
                 "0.0] : (" +
                     flat + ", " + flat + ", " + flat + ", " + flat +
                     ", tensor<f32>, tensor<4xf32>, tensor<1xi64>) -> (" +
                     flat + ", " + flat + ", " + flat + ")",
                 {0, 2, 3}),
      {p.data, g.data, m.data, v.data, &clip, hyper, &decayEnd, p.data, m.data,
       v.data},
      28.0 * elements, threads);
  std::vector<double> sums(elements / 65536);
  std::string partial = tensor({elements / 65536}, "f64");
  benchmarkMemory(measurements, "partial_sum_squares",
                  kernelText({flat}, {partial},
                             "%r0 = nn.partial_sum_squares %a0 : " + flat +
                                 " -> " + partial),
                  {g.data, sums.data()}, 4.0 * elements, threads);
}

/// Dropout beside a product with a number, in cache and in memory: 8 bytes move
/// for each element of both.
void benchmarkDropout(Measurements &measurements, int threads) {
  for (int64_t tokens : {64, 16384}) {
    constexpr int64_t width = 1024;
    Aligned x(tokens * width), y(tokens * width);
    Stream stream = someStream;
    std::vector<int32_t> samples = {5, 6};
    std::string full = tensor({tokens, width}),
                bits = tensor({tokens, width}, "i32");
    std::string constants =
        "%one = arith.constant dense<1.25> : " + full +
        "\n%zero = arith.constant dense<0.0> : " + full +
        "\n%limit = arith.constant dense<858993459> : " + bits + "\n";
    std::string place = tokens == 64 ? ", in cache" : "";
    benchmarkMemory(
        measurements, "scale" + place,
        kernelText({full}, {full},
                   constants + "%r0 = arith.mulf %a0, %one : " + full),
        {x.data, y.data}, 8.0 * tokens * width, threads);
    benchmarkMemory(
        measurements, "dropout" + place,
        kernelText({full, "tensor<1x4xi32>", "tensor<2xi32>"}, {full},
                   constants +
                       "%b = nn.random_bits %a1, %a2 : tensor<1x4xi32>, "
                       "tensor<2xi32> -> " +
                       bits + "\n%k = arith.cmpi uge, %b, %limit : " + bits +
                       "\n%f = arith.select %k, %one, %zero : " +
                       tensor({tokens, width}, "i1") + ", " + full +
                       "\n%r0 = arith.mulf %a0, %f : " + full),
        {x.data, stream.data(), samples.data(), y.data}, 8.0 * tokens * width,
        threads);
  }
}

void benchmarkRows(Measurements &measurements, int threads) {
  constexpr int64_t vocabulary = 50257, width = 768, tokens = 1024;
  Aligned table(vocabulary * width), rows(tokens * width);
  std::vector<int32_t> indices(tokens);
  for (int64_t i = 0; i < tokens; ++i)
    indices[i] = i * 7919 % vocabulary;
  std::string tableType = tensor({vocabulary, width}),
              rowType = tensor({tokens, width});
  benchmarkMemory(
      measurements, "scatter_add, gpt2-124m",
      kernelText({tableType, tensor({tokens}, "i32"), rowType}, {tableType},
                 "%r0 = nn.scatter_add %a2, %a1 into %a0 : " + rowType + ", " +
                     tensor({tokens}, "i32") + ", " + tableType,
                 {0}),
      {table.data, indices.data(), rows.data, table.data},
      12.0 * tokens * width, threads);
  for (int64_t features : {16, 7}) {
    constexpr int64_t nodes = 2708, edges = 13264;
    std::vector<int32_t> start(nodes + 1), source(edges);
    for (int64_t i = 0; i <= nodes; ++i)
      start[i] = static_cast<int32_t>(i * edges / nodes);
    for (int64_t e = 0; e < edges; ++e)
      source[e] = static_cast<int32_t>(e * 7919 % nodes);
    Aligned weight(edges);
    std::string pointer = tensor({nodes + 1}, "i32"),
                list = tensor({edges}, "i32"), weights = tensor({edges}),
                x = tensor({nodes, features});
    std::string csr = "!graph.csr<2708x2708, 13264>";
    benchmarkMemory(
        measurements, "aggregate, Cora x " + std::to_string(features),
        kernelText(
            {pointer, list, weights, pointer, list, weights, x}, {x},
            "%g = graph.csr %a0, %a1, %a2 transposed %a3, %a4, %a5 : " + csr +
                "\n%r0 = graph.aggregate %g, %a6 : " + csr + ", " + x),
        {start.data(), source.data(), weight.data, start.data(), source.data(),
         weight.data, rows.data, table.data},
        edges * (8.0 + 4 * features), threads);
  }
}

/// A token of one text, the last of its context, by one kernel and in parts.
/// Their merge takes less than the clock shows.
void benchmarkCache(Measurements &measurements, int64_t keyHeads,
                    int64_t context, int threads) {
  constexpr int64_t dim = 64, part = 512;
  int64_t columns = 3 * keyHeads * dim, numbers = 2 * keyHeads * context * dim;
  int64_t parts = context / part;
  Aligned qkv(columns), cache(numbers), result(keyHeads * dim),
      sums(keyHeads * parts * dim), maxima(keyHeads * parts),
      totals(keyHeads * parts);
  std::vector<float> random = randomNumbers(numbers, 1, 1);
  llvm::copy(random, cache.data);
  int32_t slot = 0, position = static_cast<int32_t>(context - 1), count = 1;
  std::string one = "tensor<1xi32>", ofQkv = tensor({1, columns}),
              ofCache = tensor({2, 1, keyHeads, context, dim}),
              ofResult = tensor({1, keyHeads * dim}),
              ofSums = tensor({1, keyHeads, parts, dim}),
              ofPart = tensor({1, keyHeads, parts});
  auto source = [&](const std::string &name, const std::string &after,
                    const std::vector<std::string> &results) {
    std::string text = "%r0", types = results[0];
    for (size_t i = 1; i < results.size(); ++i) {
      text += ", %r" + std::to_string(i);
      types += ", " + results[i];
    }
    text += " = nn." + name + " %a0, %a1 at %a2, %a3 count %a4 heads " +
            std::to_string(keyHeads) + " layout blocked scale 0.125" + after +
            " : " + ofQkv + ", " + ofCache + ", " + one + ", " + one + ", " +
            one + " -> " + types;
    return kernelText({ofQkv, ofCache, one, one, one}, results, text);
  };
  std::string name = std::to_string(keyHeads) + " x " + std::to_string(context);
  std::vector<void *> operands = {qkv.data, cache.data, &slot, &position,
                                  &count};
  auto with = [&](std::initializer_list<void *> results) {
    std::vector<void *> all = operands;
    all.insert(all.end(), results);
    return all;
  };
  benchmarkMemory(measurements, "cached_attention, " + name,
                  source("cached_attention", "", {ofResult}),
                  with({result.data}), 4.0 * numbers, threads);
  benchmarkMemory(measurements, "its parts, " + name,
                  source("cached_attention_parts", " parts of 512",
                         {ofSums, ofPart, ofPart}),
                  with({sums.data, maxima.data, totals.data}), 4.0 * numbers,
                  threads);
}

void benchmarkGemm(Measurements &measurements, int64_t rows, int64_t columns,
                   int64_t inner) {
  double start = processSeconds();
  CompiledModule compiled;
  ModuleOp module = compiled.parse();
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto flat = [&](int64_t count) -> Type {
    return MemRefType::get({count}, builder.getF32Type());
  };
  Location loc = builder.getUnknownLoc();
  auto function = func::FuncOp::create(
      builder, loc, "gemm",
      builder.getFunctionType({flat(rows * inner), flat(inner * columns),
                               flat(rows * columns), builder.getIndexType()},
                              {}));
  Block *block = function.addEntryBlock();
  builder.setInsertionPointToStart(block);
  codegen::VectorBuilder vb(builder, loc);
  Value zero = vb.index(0);
  vb.loop(zero, block->getArgument(3), 1, [&](Value) {
    cpu::emitTileMatmul(vb, rows, columns / codegen::vectorLanes, zero,
                        vb.index(inner), 4,
                        {block->getArgument(0), zero, inner},
                        {block->getArgument(1), zero, columns},
                        {block->getArgument(2), zero, columns});
  });
  func::ReturnOp::create(builder, loc);
  compiled.compile();
  auto run = reinterpret_cast<void (*)(float *, float *, float *, int64_t)>(
      compiled.lookup("gemm"));
  double compile = processSeconds() - start;
  Aligned a(rows * inner), b(inner * columns), c(rows * columns);
  int64_t repeat = 20000000 / (rows * columns * inner) + 1;
  std::vector<double> runs =
      timeRuns(1, [&](int) { run(a.data, b.data, c.data, repeat); });
  std::string name = "gemm " + std::to_string(rows) + " x " +
                     std::to_string(columns) + " x " + std::to_string(inner);
  report(measurements, name, 2.0 * rows * columns * inner * repeat, runs, 1,
         compile);
}

} // namespace

int main(int argc, char **argv) {
  Measurements measurements(argc, argv);
  int threads =
      argc > 1 ? std::atoi(argv[1]) : std::thread::hardware_concurrency();
  std::string wanted = argc > 2 ? argv[2] : "";
  if (wanted.empty() || wanted == "gemm") {
    benchmarkGemm(measurements, 64, 32, 64);
    benchmarkGemm(measurements, 64, 64, 64);
    benchmarkGemm(measurements, 32, 32, 64);
    benchmarkGemm(measurements, 64, 48, 32);
  }
  if (wanted.empty() || wanted == "memory") {
    benchmarkOptimizer(measurements, threads);
    benchmarkRows(measurements, threads);
    benchmarkDropout(measurements, threads);
  }
  if (wanted.empty() || wanted == "cache") {
    benchmarkCache(measurements, 1, 512, threads);
    benchmarkCache(measurements, 1, 4096, threads);
    benchmarkCache(measurements, 2, 4096, threads);
  }
  struct {
    const char *name;
    AttentionCase shape;
  } cases[] = {{"bloom 4x256", {8, 8, 256, 32, true, true, true}},
               {"gpt2-124m, T 256", {4, 12, 256, 64, false}},
               {"gpt2-124m, T 256, dropout",
                {4, 12, 256, 64, false, true, false, "f32", 0.1}},
               {"gpt2-124m, T 1024", {4, 12, 1024, 64, false}},
               {"bloom-560m, T 256", {1, 16, 256, 64, true, true, true}},
               {"head dim 128, T 2048", {1, 4, 2048, 128, false}},
               {"head dim 128, T 2048, one key head",
                {1, 4, 2048, 128, false, true, false, "f32", 0, 1}},
               {"head dim 128, T 2048, window 512",
                {1, 4, 2048, 128, false, true, false, "f32", 0, 0, 512}},
               {"qwen2-0.5b, T 1024",
                {1, 14, 1024, 64, false, true, false, "f32", 0, 2}}};
  for (auto &[name, shape] : cases)
    if (std::string(name).find(wanted) != std::string::npos)
      for (bool gradient : {false, true})
        benchmarkAttention(measurements, name, shape, gradient, threads);
  return 0;
}
