//===- AttributeNames.h - Names of attributes that rooms share --*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attributes of functions, their arguments and results, launches and GEMMs that
// one room writes and another reads. Those of programs are in ZeroDialect.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DIALECTS_ATTRIBUTENAMES_H
#define TESSERA_DIALECTS_ATTRIBUTENAMES_H

#include "llvm/ADT/StringRef.h"

namespace tessera {

/// Of an argument, a string: the input's name.
inline constexpr llvm::StringLiteral inputAttrName = "nn.input";
/// Of an argument, a unit: the runtime fills the input once, before the first
/// step.
inline constexpr llvm::StringLiteral filledOnceAttrName = "nn.filled_once";
/// Of an argument, a unit: it is no input of a program that does not read it.
inline constexpr llvm::StringLiteral onlyIfReadAttrName = "nn.only_if_read";
/// Of an argument, a string: the name of the input, one number, that says how
/// many of its rows there are. The runtime fills those beyond: gradients of
/// what is computed from them are 0.
inline constexpr llvm::StringLiteral countedAttrName = "nn.counted";
/// Of a result, a string: the output's name.
inline constexpr llvm::StringLiteral outputAttrName = "nn.output";

/// Of a function: it is a kernel. A unit, but for a function of a device the
/// kernel's name.
inline constexpr llvm::StringLiteral kernelAttrName = "plan.kernel";
/// Of a kernel's result, a unit: it is added to what is there.
inline constexpr llvm::StringLiteral accumulateAttrName = "plan.accumulate";
/// Of a kernel's result, integers: the arguments that it may overwrite.
inline constexpr llvm::StringLiteral inPlaceAttrName = "plan.inplace";
/// Of a kernel and its launches, an integer: how often its loop runs.
inline constexpr llvm::StringLiteral iterationsAttrName = "plan.iterations";
/// Of a kernel, its launches and GEMMs, an integer: bytes of scratch memory.
inline constexpr llvm::StringLiteral scratchAttrName = "plan.scratch";
/// Of a kernel, an integer: its floating-point operations.
inline constexpr llvm::StringLiteral flopsAttrName = "plan.flops";

/// Of a GEMM, a collective's start and a function of a device, an integer: its
/// number in the manifest (assign-ids).
inline constexpr llvm::StringLiteral idAttrName = "plan.id";

} // namespace tessera

#endif // TESSERA_DIALECTS_ATTRIBUTENAMES_H
