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
/// many of its rows there are; its shape has room for more. The runtime fills
/// those beyond so that what is computed from them adds 0 to each sum over
/// rows: nothing else depends on them, and they may be left out
/// (plan-bound-rows). Several such numbers stand among the arguments with the
/// smallest first.
inline constexpr llvm::StringLiteral countedAttrName = "nn.counted";
/// Of a program, or of a matmul of one, a string: of its activations' rows
/// there are as many as the input of that name says, one number. Where they are
/// few, or where weights are packed, what a row becomes depends on no other
/// row, to the bit: matmuls are nn.row_matmul.
inline constexpr llvm::StringLiteral rowCountAttrName = "nn.row_count";
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
/// Of a kernel's last argument, an integer R: it holds how many of the R rows
/// of the results are wanted.
inline constexpr llvm::StringLiteral countsRowsAttrName = "plan.counts_rows";
/// Of a kernel's last argument, an integer R: it holds how many of the R rows
/// that the kernel sums over there are.
inline constexpr llvm::StringLiteral countsSumsAttrName = "plan.counts_sums";
/// Of a kernel and its launches, integers [argument, numerator, denominator]:
/// the kernel's loop runs only as often as the number in that argument says,
/// times numerator over denominator, rounded up.
inline constexpr llvm::StringLiteral countedIterationsAttrName =
    "plan.counted_iterations";
/// Of a kernel, an integer: its floating-point operations.
inline constexpr llvm::StringLiteral flopsAttrName = "plan.flops";

/// Of a GEMM, a collective's start and a function of a device, an integer: its
/// number in the manifest (plan-assign-ids).
inline constexpr llvm::StringLiteral idAttrName = "plan.id";

} // namespace tessera

#endif // TESSERA_DIALECTS_ATTRIBUTENAMES_H
