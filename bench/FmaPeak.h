//===- FmaPeak.h - The multiply-add peak of this machine --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_BENCH_FMAPEAK_H
#define TESSERA_BENCH_FMAPEAK_H

/// Floating-point operations a second, fp32 multiply-adds out of registers on
/// \p threads threads, a multiply-add counted as two; the best of some tries.
double measureFmaPeak(int threads);

/// Processor time of the calling thread.
double threadSeconds();

#endif // TESSERA_BENCH_FMAPEAK_H
