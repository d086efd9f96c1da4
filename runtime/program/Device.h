//===- Device.h - Where a rank's arena lies and its entries run -*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One interface with two forms, each in an archive of its own: the CPU (host/),
// whose arena is the process's memory, and an NVIDIA GPU (cuda/), whose arena
// only the GPU can read, in the order in which work is issued.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_DEVICE_H
#define TESSERA_RUNTIME_PROGRAM_DEVICE_H

#include "runtime/abi.h"
#include "runtime/program/Manifest.h"
#include "runtime/program/StepClock.h"
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace tessera::runtime {

class Device {
public:
  virtual ~Device() = default;

  /// Makes the arena of \p program for this rank, zeroed. Exits the process
  /// where it does not fit. Called once, by the communicator where there is
  /// one.
  virtual char *allocateArena(const Program &program) = 0;

  /// Runs \p entry on \p context's arena, or issues it behind what was issued
  /// before.
  virtual void run(tessera_context &context, const tessera_entry &entry) = 0;
  /// True where `run` returns before the entry has run, so that the time which
  /// a call takes says nothing.
  virtual bool isAsynchronous() const = 0;

  /// What times the work of steps that are recorded, each of at most \p marks
  /// marks; null where `run` returns once the entry has run. Lives no longer
  /// than the device.
  virtual std::unique_ptr<StepClock> makeStepClock(int64_t marks) const {
    (void)marks;
    return nullptr;
  }

  /// Where the host writes \p slot, an input of \p context's program, its old
  /// content being undefined; commitInput brings it into the arena, before what
  /// is issued after and behind what was issued before.
  virtual char *beginInput(const tessera_context &context,
                           const Slot &slot) = 0;
  virtual void commitInput(const tessera_context &context,
                           const Slot &slot) = 0;

  /// Memory for what fills inputs before \p context's program is run: the
  /// largest piece of the arena where neither states nor inputs lie, its
  /// content being undefined. Empty where the arena is not the host's.
  virtual std::span<char> spareMemory(const tessera_context &) { return {}; }

  /// Copies \p bytes at \p address of the arena to the host once all that was
  /// issued is complete.
  virtual void read(void *destination, const char *address, int64_t bytes) = 0;

  /// Has \p body(host, begin, end) write the bytes [begin, end) of the \p bytes
  /// at \p address to `host`, piece by piece in order. Pieces begin at
  /// multiples of 64 bytes.
  template <typename Body>
  void write(char *address, int64_t bytes, Body &&body) {
    writePieces(address, bytes, &callPiece<Body, char *>, &body);
  }

  /// Has \p body(host, begin, end) read them in the same way.
  template <typename Body>
  void readPieces(const char *address, int64_t bytes, Body &&body) {
    readPieces(address, bytes, &callPiece<Body, const char *>, &body);
  }

  /// What `train` reports of the device: a row's name and its text.
  using Setting = std::pair<std::string, std::string>;
  virtual std::vector<Setting> settings() const = 0;

  /// Floating-point operations per second that the program's GEMMs could reach
  /// at best; 0 where it is not known.
  virtual double peakFlops() const = 0;

  /// Bytes of the device's own memory that have been taken since just before
  /// the arena was; -1 where the arena is the process's memory.
  virtual int64_t memoryTaken() const { return -1; }

protected:
  template <typename Host>
  using Piece = void (*)(void *data, Host host, int64_t begin, int64_t end);
  virtual void writePieces(char *address, int64_t bytes, Piece<char *> body,
                           void *data) = 0;
  virtual void readPieces(const char *address, int64_t bytes,
                          Piece<const char *> body, void *data) = 0;

private:
  template <typename Body, typename Host>
  static void callPiece(void *data, Host host, int64_t begin, int64_t end) {
    (*static_cast<std::remove_reference_t<Body> *>(data))(host, begin, end);
  }
};

} // namespace tessera::runtime

/// Defined by the archive linked: opens the device of the rank that is number
/// \p localRank of its node. Exits the process with the remedy where there is
/// none. It lives until the process exits.
extern "C" tessera::runtime::Device *
tessera_open_device(const tessera::runtime::Manifest *manifest, int localRank);

#endif // TESSERA_RUNTIME_PROGRAM_DEVICE_H
