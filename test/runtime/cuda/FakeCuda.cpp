//===- FakeCuda.cpp - A double of CUDA's driver ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions of libcuda.so.1 that the runtime uses; see FakeCuda.h. Streams,
// events and graphs are in FakeStreams.cpp.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/cuda/FakeCuda.h"
#include "test/codegen/cuda/Emulator.h"
#include "test/runtime/cuda/FakeStreams.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <string>
#include <sys/mman.h>
#include <vector>

using namespace tessera::fake;
namespace cuda = tessera::runtime::cuda;

namespace {

/// A range of device memory: its addresses cannot be touched, the memory behind
/// them lies elsewhere.
struct Allocation {
  size_t bytes;
  char *memory;
};

constexpr size_t reservedBytes = size_t(1) << 40;

struct Memory {
  char *reserved = static_cast<char *>(
      mmap(nullptr, reservedBytes, PROT_NONE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  size_t next = 0, used = 0;
  std::map<const char *, Allocation> allocations;

  static size_t total() {
    const char *text = getenv("FAKE_CUDA_MEMORY");
    return text ? strtoull(text, nullptr, 10) : size_t(1) << 30;
  }
  bool has(const char *address) const {
    return address >= reserved && address < reserved + reservedBytes;
  }
  /// The memory behind \p bytes at \p address; null where they are not within
  /// one allocation.
  char *find(const char *address, size_t bytes) const {
    auto after = allocations.upper_bound(address);
    if (after == allocations.begin())
      return nullptr;
    const auto &[begin, allocation] = *std::prev(after);
    size_t offset = address - begin;
    if (offset > allocation.bytes || bytes > allocation.bytes - offset)
      return nullptr;
    return allocation.memory + offset;
  }
};

Memory &memory() {
  static Memory memory;
  return memory;
}

int numberFrom(const char *variable, int otherwise) {
  const char *text = getenv(variable);
  return text ? atoi(text) : otherwise;
}

char *hostMemory(cuda::DevicePointer address, size_t bytes) {
  return memory().find(reinterpret_cast<const char *>(address), bytes);
}

struct Copy {
  char *to;
  const char *from;
  size_t bytes;
};

int runCopy(void *arguments) {
  auto *copy = static_cast<Copy *>(arguments);
  memmove(copy->to, copy->from, copy->bytes);
  return 1;
}

int issueCopy(CUstream_st *stream, const char *name, char *to, const char *from,
              size_t bytes) {
  if (!to || !from)
    return cuda::InvalidValue;
  Copy copy = {to, from, bytes};
  log(name, stream, ", \"bytes\": %zu", bytes);
  return fake_cuda_enqueue(stream, name, runCopy, &copy, sizeof copy);
}

struct Fill {
  char *to;
  int value;
  size_t bytes;
};

int runFill(void *arguments) {
  auto *fill = static_cast<Fill *>(arguments);
  memset(fill->to, fill->value, fill->bytes);
  return 1;
}

constexpr size_t mostParameters = 512;

/// The library that emulate-kernels writes: functions, and what runs them.
struct KernelLibrary {
  void *handle = nullptr;
  decltype(&tessera_emulate) emulate = nullptr;

  KernelLibrary() {
    const char *file = getenv("FAKE_CUDA_KERNELS");
    handle = file ? dlopen(file, RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (handle)
      emulate = reinterpret_cast<decltype(emulate)>(find("tessera_emulate"));
    if (!emulate) {
      fprintf(stderr, "fake CUDA: FAKE_CUDA_KERNELS names no library: %s\n",
              dlerror());
      abort();
    }
  }
  void *find(const char *name) const { return dlsym(handle, name); }
};

const KernelLibrary &kernelLibrary() {
  static const KernelLibrary library;
  return library;
}

struct Launch {
  tessera_emulated_kernel kernel;
  unsigned blocks, threads;
  char *parameters[mostParameters];
};

int runKernel(void *arguments) {
  auto *launch = static_cast<Launch *>(arguments);
  for (char *&parameter : launch->parameters)
    parameter = static_cast<char *>(fake_cuda_host(parameter));
  kernelLibrary().emulate(launch->kernel, launch->parameters, launch->blocks,
                          launch->threads);
  return 1;
}

} // namespace

void *fake_cuda_host(const void *address) {
  auto *place = static_cast<const char *>(address);
  if (!memory().has(place))
    return const_cast<void *>(address);
  char *host = memory().find(place, 0);
  if (!host) {
    fprintf(stderr, "fake CUDA: an operation has an illegal address\n");
    abort();
  }
  return host;
}

extern "C" {

int cuGetErrorString(int error, const char **text) {
  switch (error) {
  case cuda::InvalidValue:
    *text = "invalid argument";
    break;
  case cuda::OutOfMemory:
    *text = "out of memory";
    break;
  case cuda::CaptureUnsupported:
    *text = "operation not permitted when stream is capturing";
    break;
  case cuda::CaptureUnjoined:
    *text = "capturing stream has unjoined work";
    break;
  default:
    *text = "an error of the fake";
  }
  return cuda::Success;
}

int cuInit(unsigned) {
  return numberFrom("FAKE_CUDA_DEVICES", 1) ? cuda::Success : cuda::NoDevice;
}

int cuDriverGetVersion(int *version) {
  *version = numberFrom("FAKE_CUDA_VERSION", 13000);
  return cuda::Success;
}

int cuDeviceGetCount(int *count) {
  *count = numberFrom("FAKE_CUDA_DEVICES", 1);
  return cuda::Success;
}

int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return cuda::Success;
}

int cuDeviceGetName(char *name, int room, int) {
  snprintf(name, room, "Fake GPU");
  return cuda::Success;
}

int cuDeviceGetPCIBusId(char *name, int room, int device) {
  snprintf(name, room, "0000:%02x:00.0", device);
  return cuda::Success;
}

int cuDeviceGetAttribute(int *value, cuda::Attribute attribute, int) {
  int capability = numberFrom("FAKE_CUDA_CAPABILITY", 90);
  switch (attribute) {
  case cuda::ClockRate:
    *value = 1000000;
    return cuda::Success;
  case cuda::Multiprocessors:
    *value = 4;
    return cuda::Success;
  case cuda::CapabilityMajor:
    *value = capability / 10;
    return cuda::Success;
  case cuda::CapabilityMinor:
    *value = capability % 10;
    return cuda::Success;
  }
  return cuda::InvalidValue;
}

/// The device whose context is current.
static int currentDevice = 0;

int cuDevicePrimaryCtxRetain(CUctx_st **context, int device) {
  static char contexts[64];
  *context = reinterpret_cast<CUctx_st *>(&contexts[device]);
  currentDevice = device;
  return cuda::Success;
}

int cuCtxSetCurrent(CUctx_st *) { return cuda::Success; }

int cuCtxGetDevice(int *device) {
  *device = currentDevice;
  return cuda::Success;
}

int cuMemGetInfo_v2(size_t *available, size_t *total) {
  *total = Memory::total();
  *available = *total - memory().used;
  return cuda::Success;
}

int cuMemAlloc_v2(cuda::DevicePointer *address, size_t bytes) {
  if (int error = forbidInCapture())
    return error;
  log("cuMemAlloc", nullptr, ", \"bytes\": %zu", bytes);
  if (bytes == 0)
    return cuda::InvalidValue;
  Memory &all = memory();
  if (bytes > Memory::total() - all.used)
    return cuda::OutOfMemory;
  auto *place = static_cast<char *>(mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  // What a GPU's memory holds at first is anything.
  memset(place, 0xff, bytes);
  char *device = all.reserved + all.next;
  all.next += (bytes + (1 << 20)) / 512 * 512;
  all.used += bytes;
  all.allocations[device] = {bytes, place};
  *address = reinterpret_cast<cuda::DevicePointer>(device);
  return cuda::Success;
}

int cuMemFree_v2(cuda::DevicePointer address) {
  if (int error = forbidInCapture())
    return error;
  auto found =
      memory().allocations.find(reinterpret_cast<const char *>(address));
  if (found == memory().allocations.end())
    return cuda::InvalidValue;
  drain();
  munmap(found->second.memory, found->second.bytes);
  memory().used -= found->second.bytes;
  memory().allocations.erase(found);
  return cuda::Success;
}

int cuMemHostAlloc(void **address, size_t bytes, unsigned) {
  if (int error = forbidInCapture())
    return error;
  *address = malloc(bytes);
  return cuda::Success;
}

int cuMemFreeHost(void *address) {
  if (int error = forbidInCapture())
    return error;
  drain();
  free(address);
  return cuda::Success;
}

int cuMemcpyHtoDAsync_v2(cuda::DevicePointer to, const void *from, size_t bytes,
                         CUstream_st *stream) {
  return issueCopy(stream, "cuMemcpyHtoDAsync", hostMemory(to, bytes),
                   static_cast<const char *>(from), bytes);
}

int cuMemcpyDtoHAsync_v2(void *to, cuda::DevicePointer from, size_t bytes,
                         CUstream_st *stream) {
  return issueCopy(stream, "cuMemcpyDtoHAsync", static_cast<char *>(to),
                   hostMemory(from, bytes), bytes);
}

int cuMemcpyDtoDAsync_v2(cuda::DevicePointer to, cuda::DevicePointer from,
                         size_t bytes, CUstream_st *stream) {
  return issueCopy(stream, "cuMemcpyDtoDAsync", hostMemory(to, bytes),
                   hostMemory(from, bytes), bytes);
}

int cuMemsetD8Async(cuda::DevicePointer to, unsigned char value, size_t bytes,
                    CUstream_st *stream) {
  Fill fill = {hostMemory(to, bytes), value, bytes};
  if (!fill.to)
    return cuda::InvalidValue;
  log("cuMemsetD8Async", stream, ", \"bytes\": %zu", bytes);
  return fake_cuda_enqueue(stream, "cuMemsetD8Async", runFill, &fill,
                           sizeof fill);
}

int cuModuleLoadData(CUmod_st **module, const void *image) {
  if (int error = forbidInCapture())
    return error;
  if (!image)
    return cuda::InvalidImage;
  *module = static_cast<CUmod_st *>(kernelLibrary().handle);
  return cuda::Success;
}

int cuModuleGetFunction(CUfunc_st **function, CUmod_st *, const char *name) {
  void *address = kernelLibrary().find(name);
  *function = static_cast<CUfunc_st *>(address);
  return address ? cuda::Success : cuda::NotFound;
}

int cuLaunchKernel(CUfunc_st *function, unsigned blocks, unsigned blocksY,
                   unsigned blocksZ, unsigned threads, unsigned threadsY,
                   unsigned threadsZ, unsigned sharedBytes, CUstream_st *stream,
                   void **separate, void **list) {
  if (blocksY != 1 || blocksZ != 1 || threadsY != 1 || threadsZ != 1 ||
      !blocks || !threads || threads > 1024 || sharedBytes || separate || !list)
    return cuda::InvalidValue;
  Launch launch = {
      reinterpret_cast<tessera_emulated_kernel>(function), blocks, threads, {}};
  const void *parameters = nullptr;
  size_t bytes = 0;
  for (; *list != cuda::launchParameterEnd; list += 2) {
    if (list[0] == cuda::launchParameterBuffer)
      parameters = list[1];
    else if (list[0] == cuda::launchParameterBytes)
      bytes = *static_cast<size_t *>(list[1]);
    else
      return cuda::InvalidValue;
  }
  if (!parameters || bytes > sizeof launch.parameters)
    return cuda::InvalidValue;
  memcpy(launch.parameters, parameters, bytes);
  Dl_info info;
  const char *name =
      dladdr(reinterpret_cast<void *>(function), &info) && info.dli_sname
          ? info.dli_sname
          : "?";
  log("cuLaunchKernel", stream,
      ", \"kernel\": \"%s\", \"blocks\": %u, \"threads\": %u", name, blocks,
      threads);
  return fake_cuda_enqueue(stream, name, runKernel, &launch, sizeof launch);
}
}
