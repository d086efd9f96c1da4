//===- FmaPeak.h - The multiply-add peak of this machine --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Floating-point operations per second of multiply-adds out of registers, with
// the widest vectors that this CPU has; a multiply-add counts as two.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_MEASURE_FMAPEAK_H
#define TESSERA_DRIVER_MEASURE_FMAPEAK_H

/// Of the calling thread in fp32, by its CPU time: one try.
double measureFmaRate();

/// The same for products of bf16 numbers summed in fp32; 0 where the CPU
/// has no instruction for them.
double measureBf16Rate();

/// Of \p threads threads in fp32: the best of some tries.
double measureFmaPeak(int threads);

/// The same for products of bf16 numbers; 0 where measureBf16Rate() is.
double measureBf16Peak(int threads);

/// Processor time of the calling thread, in seconds.
double threadSeconds();

#endif // TESSERA_DRIVER_MEASURE_FMAPEAK_H
