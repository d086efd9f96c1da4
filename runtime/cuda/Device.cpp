//===- Device.cpp - A rank's GPU ------------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/cuda/Device.h"
#include "runtime/core/Environment.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/cuda/Pinned.h"
#include "runtime/cuda/StepClock.h"
#include "runtime/program/Context.h"
#include "runtime/program/StepRecorder.h"
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sched.h>

namespace tessera::runtime::cuda {

/// Graphs of an entry; what has other sizes is issued each time.
static constexpr size_t mostGraphs = 32;
/// The CUDA version whose cuBLASLt is opened.
static constexpr int neededVersion = 13000;

static GpuDevice *opened = nullptr;

GpuDevice &device() { return *opened; }

/// 90 of "sm_90a".
static int numberOf(const std::string &architecture) {
  size_t digit = architecture.find_first_of("0123456789");
  return digit == architecture.npos ? 0 : atoi(architecture.c_str() + digit);
}

GpuDevice::GpuDevice(const Manifest &manifest, int localRank)
    : manifest(manifest), graphs(environmentFlag("TESSERA_GRAPHS", true)) {
  const Driver &cuda = driver();
  int count = 0, version = 0;
  int error = cuda.init.attempt(0);
  if (error == Success)
    cuda.deviceGetCount(&count);
  else if (error != NoDevice)
    cuda.library.fail("cuInit", error);
  if (count == 0)
    fatal("this machine has no NVIDIA GPU that this process may use: look at "
          "'nvidia-smi' and CUDA_VISIBLE_DEVICES");
  number = localRank % count;
  int handle = 0;
  char text[256] = "";
  cuda.deviceGet(&handle, number);
  cuda.deviceGetName(text, sizeof text, handle);
  deviceName = "GPU " + std::to_string(number) + " (" + text + ")";
  auto read = [&](Attribute attribute) {
    int value = 0;
    cuda.deviceGetAttribute(&value, attribute, handle);
    return value;
  };
  major = read(CapabilityMajor);
  minor = read(CapabilityMinor);
  smCount = read(Multiprocessors);
  clockHertz = 1e3 * read(ClockRate);
  cuda.driverGetVersion(&version);
  if (version < neededVersion)
    fatal("the driver of %s is for CUDA %d.%d, and this executable needs one "
          "for %d.%d: install driver 580 or a newer one",
          name().c_str(), version / 1000, version % 1000 / 10,
          neededVersion / 1000, neededVersion % 1000 / 10);
  requireCapability();

  Context primary = nullptr;
  cuda.devicePrimaryCtxRetain(&primary, handle);
  cuda.ctxSetCurrent(primary);
  cuda.streamCreate(&computeStream, StreamNonBlocking);
  cuda.streamCreate(&communicationStream, StreamNonBlocking);
  void *pinned = nullptr;
  cuda.memHostAlloc(&pinned, bounceBytes, 0);
  bounce = static_cast<char *>(pinned);
  loadKernels();

  snprintf(text, sizeof text, "%s of %d, sm_%d%d, driver for CUDA %d.%d",
           name().c_str(), count, major, minor, version / 1000,
           version % 1000 / 10);
  addSetting({"device", text});
  if (double peak = peakFlops()) {
    snprintf(text, sizeof text,
             "%.1f TFLOP/s (%d SMs x %.3f GHz x %d); MFU = a step's operations "
             "/ (its seconds x peak)",
             peak * 1e-12, smCount, clockHertz * 1e-9, flopsPerClock());
    addSetting({"peak", text});
  }
}

GpuDevice::~GpuDevice() {
  for (auto &[slot, place] : staging)
    for (char *half : place.half)
      if (half)
        driver().memFreeHost(half);
  driver().memFreeHost(bounce);
  if (arenaAddress)
    driver().memFree(toDevice(arenaAddress));
}

void GpuDevice::refuse(const char *reason) const {
  std::string list;
  for (const std::string &architecture : manifest.architectures)
    list += (list.empty() ? "" : ", ") + architecture;
  fatal("this executable is compiled for %s, and %s is sm_%d%d%s: compile it "
        "with --set target.cuda.arch=sm_%d%d",
        list.c_str(), name().c_str(), major, minor, reason, major, minor);
}

void GpuDevice::requireCapability() const {
  auto runs = [&](const std::string &architecture) {
    return numberOf(architecture) <= 10 * major + minor;
  };
  if (std::none_of(manifest.architectures.begin(), manifest.architectures.end(),
                   runs))
    refuse("");
}

/// The device's code of the model that \p manifest describes.
static const char *imageOf(const Manifest &manifest) {
  for (const tessera_model *model = tessera_models; model && model->name;
       ++model)
    if (model->entries == manifest.entries)
      return model->device_image;
  return tessera_device_image;
}

void GpuDevice::loadKernels() {
  if (manifest.kernels.empty())
    return;
  Module module = nullptr;
  int error = driver().moduleLoadData.attempt(&module, imageOf(manifest));
  if (error == NoBinaryForGpu || error == InvalidPtx ||
      error == UnsupportedPtxVersion)
    refuse(", for which the driver finds no code");
  if (error)
    driver().library.fail("cuModuleLoadData", error);
  for (const Kernel &kernel : manifest.kernels) {
    KernelFunction function = nullptr;
    if (driver().moduleGetFunction.attempt(&function, module,
                                           kernel.name.c_str()))
      fatal("the device's code has no kernel '%s': compile the specification "
            "again",
            kernel.name.c_str());
    kernels.push_back(function);
  }
}

char *GpuDevice::allocateArena(const Program &program) {
  size_t bytes = std::max<int64_t>(program.arenaBytes, 1);
  size_t available = 0, total = 0;
  driver().memGetInfo(&available, &total);
  DevicePointer address = 0;
  int error = OutOfMemory;
  if (bytes <= available)
    error = driver().memAlloc.attempt(&address, bytes);
  if (error == OutOfMemory)
    fatal("the plan needs %.3f GB on %s, which has %.3f GB free of %.3f GB: "
          "end what else uses it, or use more ranks, a higher ZeRO stage or a "
          "smaller micro-batch",
          double(bytes) * 1e-9, name().c_str(), double(available) * 1e-9,
          double(total) * 1e-9);
  if (error)
    driver().library.fail("cuMemAlloc", error);
  availableBefore = static_cast<int64_t>(available);
  arenaAddress = reinterpret_cast<char *>(address);
  arenaSize = static_cast<int64_t>(bytes);
  driver().memsetD8Async(address, 0, bytes, computeStream);
  synchronize(computeStream);
  for (const Slot &slot : program.inputs)
    stagingOf(slot);
  return arenaAddress;
}

int64_t GpuDevice::memoryTaken() const {
  size_t available = 0, total = 0;
  driver().memGetInfo(&available, &total);
  // Others may have given memory back meanwhile.
  return std::max<int64_t>(availableBefore - static_cast<int64_t>(available),
                           0);
}

void GpuDevice::run(tessera_context &context, const tessera_entry &entry) {
  if (!graphs)
    return entry.run(&context, context.arena);
  EntryRun &state = entries[&entry];
  auto chosen = [&] {
    std::vector<int> sizes;
    for (auto [count, room] : state.counts)
      sizes.push_back(chooseSize(count, room));
    return sizes;
  };
  // What runs first is issued as it is: libraries load code when they need it
  // first, which is not allowed in a capture.
  if (!state.ranOnce) {
    firstRun = &state;
    entry.run(&context, context.arena);
    firstRun = nullptr;
    state.ranOnce = true;
    state.graphs[chosen()] = nullptr;
    return;
  }
  if (StepRecorder::active)
    return entry.run(&context, context.arena);
  std::vector<int> sizes = chosen();
  auto found = state.graphs.find(sizes);
  if (found == state.graphs.end()) {
    if (state.graphs.size() < mostGraphs)
      state.graphs[sizes] = nullptr;
    return entry.run(&context, context.arena);
  }
  if (!found->second)
    found->second = capture(context, entry);
  driver().graphLaunch(found->second, computeStream);
}

int GpuDevice::chooseSize(const int32_t *count, int64_t room) {
  if (firstRun) {
    std::pair use(count, room);
    auto &counts = firstRun->counts;
    if (std::find(counts.begin(), counts.end(), use) == counts.end())
      counts.push_back(use);
  }
  auto known = numbers.find(reinterpret_cast<const char *>(count));
  if (known == numbers.end())
    return countedSizes - 1;
  int64_t parts = std::clamp<int64_t>(known->second, 1, room);
  return static_cast<int>((parts * countedSizes - 1) / room);
}

std::unique_ptr<StepClock> GpuDevice::makeStepClock(int64_t marks) const {
  return std::make_unique<GpuStepClock>(*this, marks);
}

GraphExec GpuDevice::capture(tessera_context &context,
                             const tessera_entry &entry) const {
  Graph graph = nullptr;
  GraphExec result = nullptr;
  driver().streamBeginCapture(computeStream, CaptureThreadLocal);
  entry.run(&context, context.arena);
  driver().streamEndCapture(computeStream, &graph);
  driver().graphInstantiate(&result, graph, 0);
  driver().graphDestroy(graph);
  return result;
}

GpuDevice::Staging &GpuDevice::stagingOf(const Slot &slot) {
  auto [found, isNew] = staging.try_emplace(&slot);
  Staging &place = found->second;
  if (!isNew)
    return place;
  place.bytes = slot.bytes();
  if (slot.when != "load")
    for (int i = 0; i < inputBuffers; ++i) {
      void *pinned = nullptr;
      driver().memHostAlloc(&pinned, std::max<int64_t>(place.bytes, 1), 0);
      place.half[i] = static_cast<char *>(pinned);
      place.copied[i] = makeEvent();
    }
  return place;
}

char *GpuDevice::beginInput(const tessera_context &, const Slot &slot) {
  Staging &place = stagingOf(slot);
  if (slot.when == "load") {
    place.once.resize(place.bytes);
    return place.once.data();
  }
  Event copied = place.copied[place.next];
  waitFor([&] { return driver().eventQuery.attempt(copied); });
  return place.half[place.next];
}

void GpuDevice::commitInput(const tessera_context &context, const Slot &slot) {
  Staging &place = stagingOf(slot);
  char *address = context.arena + slot.offset;
  if (slot.when == "load") {
    write(address, place.bytes, [&](char *host, int64_t begin, int64_t end) {
      memcpy(host, place.once.data() + begin, end - begin);
    });
    place.once = {};
    return;
  }
  if (slot.type == "i32" && slot.elements() == 1)
    memcpy(&numbers[address], place.half[place.next], sizeof(int32_t));
  {
    RecordedWork recorded(Span::copy);
    driver().memcpyHtoDAsync(toDevice(address), place.half[place.next],
                             place.bytes, computeStream);
  }
  driver().eventRecord(place.copied[place.next], computeStream);
  place.next ^= 1;
}

void GpuDevice::read(void *destination, const char *address, int64_t bytes) {
  Device::readPieces(
      address, bytes, [&](const char *host, int64_t begin, int64_t end) {
        memcpy(static_cast<char *>(destination) + begin, host, end - begin);
      });
}

void GpuDevice::writePieces(char *address, int64_t bytes, Piece<char *> body,
                            void *data) {
  for (int64_t begin = 0; begin < bytes; begin += bounceBytes) {
    int64_t end = std::min(begin + bounceBytes, bytes);
    body(data, bounce, begin, end);
    driver().memcpyHtoDAsync(toDevice(address + begin), bounce, end - begin,
                             computeStream);
    synchronize(computeStream);
  }
}

void GpuDevice::readPieces(const char *address, int64_t bytes,
                           Piece<const char *> body, void *data) {
  for (int64_t begin = 0; begin < bytes; begin += bounceBytes) {
    int64_t end = std::min(begin + bounceBytes, bytes);
    driver().memcpyDtoHAsync(bounce, toDevice(address + begin), end - begin,
                             computeStream);
    synchronize(computeStream);
    body(data, bounce, begin, end);
  }
}

Event GpuDevice::makeEvent() const {
  Event event = nullptr;
  driver().eventCreate(&event, EventDisableTiming);
  return event;
}

void GpuDevice::order(Stream before, Stream after, Event event) const {
  driver().eventRecord(event, before);
  driver().streamWaitEvent(after, event, 0);
}

template <typename Query> void GpuDevice::waitFor(Query query) const {
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin = Clock::now(), last = begin;
  while (int error = query()) {
    if (error != NotReady)
      driver().library.fail("work on the GPU", error);
    sched_yield();
    Clock::time_point now = Clock::now();
    if (!poll || now - last < std::chrono::milliseconds(50))
      continue;
    poll(pollData, std::chrono::duration<double>(now - begin).count());
    last = now;
  }
}

void GpuDevice::synchronize(Stream stream) const {
  waitFor([&] { return driver().streamQuery.attempt(stream); });
}

void GpuDevice::setWatch(void (*wanted)(void *data, double seconds),
                         void *data) {
  poll = wanted;
  pollData = data;
}

int GpuDevice::flopsPerClock() const {
  bool tensorCores = std::any_of(
      manifest.gemms.begin(), manifest.gemms.end(),
      [](const Gemm &gemm) { return gemm.type != ElementType::F32; });
  if (!tensorCores)
    return major == 8 && minor == 0 ? 128 : 256;
  switch (major) {
  case 8:
    return minor == 0 ? 2048 : 1024;
  case 9:
    return 4096;
  case 10:
    return 8192;
  default:
    return 0;
  }
}

double GpuDevice::peakFlops() const {
  return smCount * clockHertz * flopsPerClock();
}

void GpuDevice::launch(int id, char *const *args, int count,
                       char *scratch) const {
  // Kernels have addresses as parameters, which so lie one behind the other as
  // the driver wants them.
  static constexpr int most = 500;
  char *parameters[most + 1];
  if (count > most)
    fatal("kernel '%s' has %d parameters, and at most %d are supported",
          manifest.kernels[id].name.c_str(), count, most);
  std::copy_n(args, count, parameters);
  parameters[count] = scratch;
  size_t bytes = sizeof(char *) * (count + 1);
  void *list[] = {launchParameterBuffer, parameters, launchParameterBytes,
                  &bytes, launchParameterEnd};
  const Kernel &kernel = manifest.kernels[id];
  driver().launchKernel(kernels[id], static_cast<unsigned>(kernel.blocks), 1, 1,
                        static_cast<unsigned>(kernel.threads), 1, 1, 0,
                        computeStream, nullptr, list);
}

} // namespace tessera::runtime::cuda

tessera::runtime::Device *
tessera_open_device(const tessera::runtime::Manifest *manifest, int localRank) {
  using namespace tessera::runtime::cuda;
  opened = new GpuDevice(*manifest, localRank);
  return opened;
}

void tessera_device_launch(tessera_context *, int32_t id, char *const *args,
                           int32_t count, char *scratch) {
  tessera::runtime::RecordedCall recorded;
  tessera::runtime::cuda::device().launch(id, args, count, scratch);
}

void tessera_zero(tessera_context *, char *address, int64_t bytes) {
  using namespace tessera::runtime::cuda;
  tessera::runtime::RecordedCall recorded;
  driver().memsetD8Async(toDevice(address), 0, bytes, device().compute());
}

void tessera_copy(tessera_context *, char *destination, const char *source,
                  int64_t bytes) {
  using namespace tessera::runtime::cuda;
  tessera::runtime::RecordedCall recorded;
  driver().memcpyDtoDAsync(toDevice(destination), toDevice(source), bytes,
                           device().compute());
}
