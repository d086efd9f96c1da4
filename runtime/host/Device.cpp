//===- Device.cpp - The CPU as a rank's device ----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/Device.h"
#include "runtime/core/Team.h"
#include "runtime/core/Threads.h"
#include "runtime/program/Context.h"
#include <algorithm>
#include <cstring>

namespace tessera::runtime {
namespace {

/// The arena is memory of this process: all is done in place and at once.
class HostDevice final : public Device {
public:
  char *allocateArena(const Program &program) override {
    requireMemory(program.arenaBytes, 1);
    return mapPrivateArena(program.arenaBytes);
  }

  void run(tessera_context &context, const tessera_entry &entry) override {
    auto run = [&] { entry.run(&context, context.arena); };
    // The library of GEMMs has teams of its own.
    if (context.manifest->gemms.empty())
      withTeam(run);
    else
      run();
  }
  bool isAsynchronous() const override { return false; }

  char *beginInput(const tessera_context &context, const Slot &slot) override {
    return context.arena + slot.offset;
  }
  void commitInput(const tessera_context &, const Slot &) override {}

  std::span<char> spareMemory(const tessera_context &context) override {
    const Program &program = *context.program;
    std::vector<std::pair<int64_t, int64_t>> held; // begin, end
    auto hold = [&](const Program &other) {
      for (const State &state : other.states)
        held.emplace_back(state.offset,
                          state.offset + state.elements * sizeOf(state.type));
      for (const Slot &input : other.inputs)
        held.emplace_back(input.offset, input.offset + input.bytes());
    };
    hold(program);
    // What programs of the same arena keep.
    if (context.manifest)
      for (const auto &[name, other] : context.manifest->programs)
        if (other.within == program.name || name == program.within)
          hold(other);
    held.emplace_back(program.arenaBytes, program.arenaBytes);
    std::sort(held.begin(), held.end());
    int64_t free = 0;
    std::span<char> largest;
    for (auto [begin, end] : held) {
      // What is offloaded lies behind the arena.
      begin = std::min(begin, program.arenaBytes);
      if (begin - free > std::ssize(largest))
        largest = {context.arena + free, context.arena + begin};
      free = std::max(free, end);
    }
    return largest;
  }

  void read(void *destination, const char *address, int64_t bytes) override {
    parallelFor(bytes, 1 << 18, [&](int64_t begin, int64_t end) {
      memcpy(static_cast<char *>(destination) + begin, address + begin,
             end - begin);
    });
  }

  std::vector<Setting> settings() const override { return {}; }
  double peakFlops() const override { return 0; }

private:
  void writePieces(char *address, int64_t bytes, Piece<char *> body,
                   void *data) override {
    body(data, address, 0, bytes);
  }
  void readPieces(const char *address, int64_t bytes, Piece<const char *> body,
                  void *data) override {
    body(data, address, 0, bytes);
  }
};

} // namespace
} // namespace tessera::runtime

tessera::runtime::Device *
tessera_open_device(const tessera::runtime::Manifest *, int) {
  static tessera::runtime::HostDevice device;
  return &device;
}
