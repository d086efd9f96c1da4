//===- Device.h - A rank's GPU ----------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CUDA_DEVICE_H
#define TESSERA_RUNTIME_CUDA_DEVICE_H

#include "runtime/cuda/Driver.h"
#include "runtime/cuda/Pinned.h"
#include "runtime/program/Device.h"
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tessera::runtime::cuda {

inline DevicePointer toDevice(const char *address) {
  return reinterpret_cast<DevicePointer>(address);
}

/// How many sizes a counted GEMM is made for: each has an eighth of its room
/// more than the one before.
constexpr int countedSizes = 8;

/// One arena, a stream for computation and one for communication. An entry is
/// issued once as it is, captured into a graph when it runs again, and replayed
/// from then on; so for each of the sizes that its counted GEMMs have. A step
/// that is recorded (StepRecorder) is issued as it is, between events.
class GpuDevice final : public Device {
public:
  /// Opens GPU \p localRank modulo their number and loads the device's code.
  GpuDevice(const Manifest &manifest, int localRank);
  /// Frees the arena and what it has pinned; nothing may be pending.
  ~GpuDevice() override;

  char *allocateArena(const Program &program) override;
  void run(tessera_context &context, const tessera_entry &entry) override;
  bool isAsynchronous() const override { return true; }
  std::unique_ptr<StepClock> makeStepClock(int64_t marks) const override;
  char *beginInput(const tessera_context &context, const Slot &slot) override;
  void commitInput(const tessera_context &context, const Slot &slot) override;
  void read(void *destination, const char *address, int64_t bytes) override;
  std::vector<Setting> settings() const override { return rows; }
  double peakFlops() const override;
  int64_t memoryTaken() const override;

  /// Kernels, GEMMs, copies and inputs are issued to it.
  Stream compute() const { return computeStream; }
  /// The communicator's own.
  Stream communication() const { return communicationStream; }

  /// An event to order streams by.
  Event makeEvent() const;
  /// What is issued to \p after from here on waits for what was issued to
  /// \p before until here. \p event must not be in use by another order that is
  /// still to be waited for.
  void order(Stream before, Stream after, Event event) const;

  /// Waits until all that was issued to \p stream is complete, and calls the
  /// watch now and then. Not within an entry that is captured.
  void synchronize(Stream stream) const;
  /// Has \p poll(data, seconds) called now and then while the host waits for
  /// the GPU, `seconds` up to now; null: nothing is called. It exits the
  /// process where a peer has failed.
  void setWatch(void (*poll)(void *data, double seconds), void *data);

  /// Which size of a GEMM whose room is \p room parts holds as many as the
  /// input at \p count says, which the host has filled; the largest where it
  /// has not.
  int chooseSize(const int32_t *count, int64_t room);

  /// For a communicator that cannot be captured: entries are issued each time.
  void disableGraphs() { graphs = false; }

  char *arena() const { return arenaAddress; }
  int64_t arenaBytes() const { return arenaSize; }
  /// The GPU's number among those that this process sees.
  int ordinal() const { return number; }
  /// "GPU 0 (NVIDIA H100 80GB HBM3)", for messages.
  const std::string &name() const { return deviceName; }

  /// Launches kernel \p id of the manifest; see tessera_device_launch.
  void launch(int id, char *const *args, int count, char *scratch) const;

  /// Adds a row to what settings() reports.
  void addSetting(Setting setting) { rows.push_back(std::move(setting)); }

private:
  /// Pinned memory for one input: it is filled anew while the copy of what it
  /// held before is pending, so there are two halves.
  struct Staging {
    char *half[inputBuffers] = {};
    Event copied[inputBuffers] = {};
    int next = 0;
    int64_t bytes = 0;
    /// Of an input that is filled once; its memory goes with it.
    std::vector<char> once;
  };
  /// How an entry runs.
  struct EntryRun {
    bool ranOnce = false;
    /// The counts of its GEMMs, and of how many parts.
    std::vector<std::pair<const int32_t *, int64_t>> counts;
    /// By the sizes that follow from these; null where they were issued once.
    std::map<std::vector<int>, GraphExec> graphs;
  };

  void writePieces(char *address, int64_t bytes, Piece<char *> body,
                   void *data) override;
  void readPieces(const char *address, int64_t bytes, Piece<const char *> body,
                  void *data) override;
  /// Exits the process: the device's code does not run on this GPU.
  [[noreturn]] void refuse(const char *reason) const;
  Staging &stagingOf(const Slot &slot);
  void requireCapability() const;
  void loadKernels();
  /// Waits until \p query answers Success and not NotReady.
  template <typename Query> void waitFor(Query query) const;
  /// Per SM, for the type of the GEMMs' factors; 0: not known.
  int flopsPerClock() const;
  GraphExec capture(tessera_context &context, const tessera_entry &entry) const;

  const Manifest &manifest;
  int number = 0, major = 0, minor = 0, smCount = 0;
  double clockHertz = 0;
  std::string deviceName;
  Stream computeStream = nullptr, communicationStream = nullptr;
  char *bounce = nullptr; ///< pinned
  char *arenaAddress = nullptr;
  int64_t arenaSize = 0, availableBefore = 0;
  std::vector<KernelFunction> kernels; ///< by the manifest's table
  /// By the inputs that have been filled, of all programs in the arena.
  std::unordered_map<const Slot *, Staging> staging;
  std::unordered_map<const tessera_entry *, EntryRun> entries;
  EntryRun *firstRun = nullptr; ///< of the entry that is issued, if it is
  /// What inputs of one number hold, by their addresses.
  std::unordered_map<const char *, int32_t> numbers;
  bool graphs = true;
  void (*poll)(void *, double) = nullptr;
  void *pollData = nullptr;
  std::vector<Setting> rows;
};

/// The one that tessera_open_device has opened.
GpuDevice &device();

} // namespace tessera::runtime::cuda

#endif // TESSERA_RUNTIME_CUDA_DEVICE_H
