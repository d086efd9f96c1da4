//===- Emulator.cpp - Runs grids of threads on a CPU ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cuda/Emulator.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>
#include <vector>

using namespace tessera::test;

// Saves the registers that a call keeps and the stack of who runs, and goes on
// with those of \p next.
extern "C" void tessera_switch_stack(void **save, void *next);
asm(R"(
.text
.globl tessera_switch_stack
.type tessera_switch_stack, @function
tessera_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size tessera_switch_stack, .-tessera_switch_stack
)");

namespace {

constexpr int64_t warpSize = 32, mostThreads = 1024;
constexpr int64_t sharedBytes = 48 << 10;
constexpr int64_t stackBytes = 64 << 10;

enum class State { Runs, AtBarrier, AtShuffle, Done };

/// What a thread's function is given comes first, so that its address is the
/// fiber's.
struct Fiber : tessera_emulated_thread {
  State state = State::Done;
  void *stack = nullptr;
  int64_t bits = 0;
  int32_t lane = 0;
};

[[noreturn]] void fail(const Fiber &fiber, const char *what) {
  fprintf(stderr, "emulated kernel: block %lld, thread %lld: %s\n",
          static_cast<long long>(fiber.block),
          static_cast<long long>(fiber.thread), what);
  exit(1);
}

/// The block that runs; one at a time in a process's thread.
class Block {
public:
  static Block &get() {
    static thread_local Block block;
    return block;
  }

  void run(EmulatedKernel function, char *const *arguments, int64_t number,
           int64_t threads, ThreadOrder order);
  void yield(Fiber &fiber, State state) {
    fiber.state = state;
    tessera_switch_stack(&fiber.stack, scheduler);
  }

private:
  Block();
  static void begin();
  void resume(Fiber &fiber) {
    current = &fiber;
    fiber.state = State::Runs;
    tessera_switch_stack(&scheduler, fiber.stack);
  }
  void runWarp(int64_t first, int64_t end, ThreadOrder order);

  std::vector<Fiber> fibers;
  char *stacks;
  std::vector<char> shared;
  void *scheduler = nullptr;
  Fiber *current = nullptr;
  EmulatedKernel kernel = nullptr;
  char *const *args = nullptr;
};

Block::Block() : fibers(mostThreads), shared(sharedBytes + 64) {
  stacks = static_cast<char *>(
      mmap(nullptr, mostThreads * stackBytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (stacks == MAP_FAILED) {
    perror("emulated kernel: no memory for stacks");
    exit(1);
  }
}

/// Where a fiber starts.
void Block::begin() {
  Block &block = get();
  Fiber &self = *block.current;
  block.kernel(block.args, &self);
  block.yield(self, State::Done);
}

void Block::run(EmulatedKernel function, char *const *arguments, int64_t number,
                int64_t threads, ThreadOrder order) {
  kernel = function;
  args = arguments;
  auto address = reinterpret_cast<uintptr_t>(shared.data());
  char *memory = shared.data() + (64 - address % 64) % 64;
  memset(memory, 0xff, sharedBytes);
  for (int64_t i = 0; i < threads; ++i) {
    Fiber &fiber = fibers[i];
    fiber.block = number;
    fiber.thread = i;
    fiber.shared = memory;
    fiber.state = State::Runs;
    // Six registers, the address to return to, and the alignment of a call.
    auto *top = reinterpret_cast<void **>(stacks + (i + 1) * stackBytes) - 2;
    *top = reinterpret_cast<void *>(&Block::begin);
    fiber.stack = top - 6;
  }
  int64_t warps = (threads + warpSize - 1) / warpSize;
  for (bool running = true; running;) {
    for (int64_t i = 0; i < warps; ++i) {
      int64_t warp = order == ThreadOrder::Ascending ? i : warps - 1 - i;
      runWarp(warp * warpSize, std::min(threads, (warp + 1) * warpSize), order);
    }
    int64_t waiting = std::count_if(
        fibers.begin(), fibers.begin() + threads,
        [](const Fiber &fiber) { return fiber.state == State::AtBarrier; });
    running = waiting > 0;
    if (running && waiting < threads)
      fail(*std::find_if(
               fibers.begin(), fibers.begin() + threads,
               [](const Fiber &fiber) { return fiber.state == State::Done; }),
           "ended while others wait at a barrier");
    for (int64_t i = 0; i < threads && running; ++i)
      fibers[i].state = State::Runs;
  }
}

/// Runs the threads of a warp until each is done or at a barrier.
void Block::runWarp(int64_t first, int64_t end, ThreadOrder order) {
  for (;;) {
    int64_t exchanging = 0;
    for (int64_t i = first; i < end; ++i) {
      Fiber &fiber =
          fibers[order == ThreadOrder::Ascending ? i : first + end - 1 - i];
      if (fiber.state == State::Runs)
        resume(fiber);
      exchanging += fiber.state == State::AtShuffle;
    }
    if (exchanging == 0)
      return;
    int64_t values[warpSize];
    for (int64_t i = first; i < end; ++i) {
      if (fibers[i].state != State::AtShuffle)
        fail(fibers[i], "is not there when its warp exchanges registers");
      values[i - first] = fibers[i].bits;
    }
    for (int64_t i = first; i < end; ++i) {
      if (fibers[i].lane < 0 || fibers[i].lane >= end - first)
        fail(fibers[i], "reads the register of a thread that does not exist");
      fibers[i].bits = values[fibers[i].lane];
      fibers[i].state = State::Runs;
    }
  }
}

} // namespace

void tessera_emulated_barrier(tessera_emulated_thread *thread) {
  Block::get().yield(*static_cast<Fiber *>(thread), State::AtBarrier);
}

int64_t tessera_emulated_shuffle(tessera_emulated_thread *thread, int64_t bits,
                                 int32_t lane) {
  auto &fiber = *static_cast<Fiber *>(thread);
  fiber.bits = bits;
  fiber.lane = lane;
  Block::get().yield(fiber, State::AtShuffle);
  return fiber.bits;
}

// Fragments as the PTX ISA has them ("Matrix fragments for mma.m16n8k16"). With
// g = lane / 4 and t = lane % 4, a lane has
//
//   A, 16 x 16: rows g and g + 8 by turns, two numbers each: columns 2t and
//               2t + 1, then 2t + 8 and 2t + 9
//   B, 16 x 8:  column g, rows 2t, 2t + 1, 2t + 8, 2t + 9
//   C, 16 x 8:  rows g, then g + 8, columns 2t and 2t + 1
//
// and of each matrix that ldmatrix loads row g, columns 2t and 2t + 1, or,
// transposed, column g, rows 2t and 2t + 1.

/// The 64 bits at \p place of lane \p lane.
static void exchange(tessera_emulated_thread *thread, const uint16_t *place,
                     int32_t lane, uint16_t *result) {
  int64_t bits;
  memcpy(&bits, place, sizeof(bits));
  bits = tessera_emulated_shuffle(thread, bits, lane);
  memcpy(result, &bits, sizeof(bits));
}

static float toFloat(uint16_t bits, bool isBFloat) {
  if (isBFloat) {
    uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float number;
    memcpy(&number, &wide, sizeof(number));
    return number;
  }
  _Float16 number;
  memcpy(&number, &bits, sizeof(number));
  return number;
}

void tessera_emulated_mma(tessera_emulated_thread *thread, const uint16_t *a,
                          const uint16_t *b, float *c, int32_t isBFloat) {
  auto lane = static_cast<int32_t>(thread->thread % warpSize);
  int32_t g = lane / 4, t = lane % 4;
  // This lane's rows of A and columns of B, from those that have parts of them.
  float rows[2][16], columns[2][16];
  for (int32_t other = 0; other < 4; ++other) {
    uint16_t numbers[8];
    for (int32_t half : {0, 1})
      exchange(thread, a + 4 * half, 4 * g + other, numbers + 4 * half);
    for (int32_t i = 0; i < 8; ++i)
      rows[i / 2 % 2][2 * other + i % 2 + i / 4 * 8] =
          toFloat(numbers[i], isBFloat);
    for (int32_t j : {0, 1}) {
      exchange(thread, b, 4 * (2 * t + j) + other, numbers);
      for (int32_t i = 0; i < 4; ++i)
        columns[j][2 * other + i % 2 + i / 2 * 8] =
            toFloat(numbers[i], isBFloat);
    }
  }
  for (int32_t i : {0, 1})
    for (int32_t j : {0, 1})
      for (int32_t k = 0; k < 16; ++k)
        c[2 * i + j] += rows[i][k] * columns[j][k];
}

void tessera_emulated_ldmatrix(tessera_emulated_thread *thread,
                               const uint16_t *row, int32_t transpose,
                               uint16_t *result) {
  auto lane = static_cast<int32_t>(thread->thread % warpSize);
  int32_t g = lane / 4, t = lane % 4;
  auto own = reinterpret_cast<int64_t>(row);
  for (int32_t matrix = 0; matrix < 4; ++matrix)
    for (int32_t j : {0, 1}) {
      int32_t r = transpose ? 2 * t + j : g, column = transpose ? g : 2 * t + j;
      int64_t address = tessera_emulated_shuffle(thread, own, 8 * matrix + r);
      result[2 * matrix + j] =
          reinterpret_cast<const uint16_t *>(address)[column];
    }
}

void tessera_emulate(tessera_emulated_kernel kernel, char *const *args,
                     int64_t blocks, int64_t threads) {
  emulate(kernel, args, blocks, threads);
}

void tessera::test::emulate(EmulatedKernel kernel, char *const *args,
                            int64_t blocks, int64_t threads,
                            ThreadOrder order) {
  Block &block = Block::get();
  for (int64_t i = 0; i < blocks; ++i)
    block.run(kernel, args,
              order == ThreadOrder::Ascending ? i : blocks - 1 - i, threads,
              order);
}
