//===- Driver.h - The functions of CUDA's driver ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_CUDA_DRIVER_H
#define TESSERA_RUNTIME_CUDA_DRIVER_H

#include "runtime/cuda/Api.h"
#include "runtime/cuda/Library.h"

namespace tessera::runtime::cuda {

/// libcuda.so.1. A call exits the process on an error, with the driver's words.
struct Driver {
  Driver();

  Library library;
  const Function<int, const char **> getErrorString{library,
                                                    "cuGetErrorString"};
  const Function<unsigned> init{library, "cuInit"};
  const Function<int *> driverGetVersion{library, "cuDriverGetVersion"};
  const Function<int *> deviceGetCount{library, "cuDeviceGetCount"};
  const Function<int *, int> deviceGet{library, "cuDeviceGet"};
  const Function<char *, int, int> deviceGetName{library, "cuDeviceGetName"};
  const Function<int *, Attribute, int> deviceGetAttribute{
      library, "cuDeviceGetAttribute"};
  const Function<Context *, int> devicePrimaryCtxRetain{
      library, "cuDevicePrimaryCtxRetain"};
  const Function<Context> ctxSetCurrent{library, "cuCtxSetCurrent"};

  const Function<size_t *, size_t *> memGetInfo{library, "cuMemGetInfo_v2"};
  const Function<DevicePointer *, size_t> memAlloc{library, "cuMemAlloc_v2"};
  const Function<DevicePointer> memFree{library, "cuMemFree_v2"};
  const Function<void **, size_t, unsigned> memHostAlloc{library,
                                                         "cuMemHostAlloc"};
  const Function<void *> memFreeHost{library, "cuMemFreeHost"};
  const Function<DevicePointer, const void *, size_t, Stream> memcpyHtoDAsync{
      library, "cuMemcpyHtoDAsync_v2"};
  const Function<void *, DevicePointer, size_t, Stream> memcpyDtoHAsync{
      library, "cuMemcpyDtoHAsync_v2"};
  const Function<DevicePointer, DevicePointer, size_t, Stream> memcpyDtoDAsync{
      library, "cuMemcpyDtoDAsync_v2"};
  const Function<DevicePointer, unsigned char, size_t, Stream> memsetD8Async{
      library, "cuMemsetD8Async"};

  const Function<Stream *, unsigned> streamCreate{library, "cuStreamCreate"};
  const Function<Stream> streamSynchronize{library, "cuStreamSynchronize"};
  const Function<Stream> streamQuery{library, "cuStreamQuery"};
  const Function<Stream, Event, unsigned> streamWaitEvent{library,
                                                          "cuStreamWaitEvent"};
  const Function<Event *, unsigned> eventCreate{library, "cuEventCreate"};
  const Function<Event> eventDestroy{library, "cuEventDestroy_v2"};
  const Function<Event, Stream> eventRecord{library, "cuEventRecord"};
  const Function<Event> eventSynchronize{library, "cuEventSynchronize"};
  const Function<Event> eventQuery{library, "cuEventQuery"};
  const Function<float *, Event, Event> eventElapsedTime{library,
                                                         "cuEventElapsedTime"};

  const Function<Module *, const void *> moduleLoadData{library,
                                                        "cuModuleLoadData"};
  const Function<KernelFunction *, Module, const char *> moduleGetFunction{
      library, "cuModuleGetFunction"};
  const Function<KernelFunction, unsigned, unsigned, unsigned, unsigned,
                 unsigned, unsigned, unsigned, Stream, void **, void **>
      launchKernel{library, "cuLaunchKernel"};

  const Function<Stream, CaptureMode> streamBeginCapture{
      library, "cuStreamBeginCapture_v2"};
  const Function<Stream, Graph *> streamEndCapture{library,
                                                   "cuStreamEndCapture"};
  const Function<GraphExec *, Graph, unsigned long long> graphInstantiate{
      library, "cuGraphInstantiateWithFlags"};
  const Function<GraphExec, Stream> graphLaunch{library, "cuGraphLaunch"};
  const Function<Graph> graphDestroy{library, "cuGraphDestroy"};
};

/// Opens the library at the first call.
const Driver &driver();

} // namespace tessera::runtime::cuda

#endif // TESSERA_RUNTIME_CUDA_DRIVER_H
