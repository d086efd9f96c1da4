//===- GemmPieces.h - Counted GEMMs in pieces of fixed sizes ----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The library wants to know the sizes of a GEMM long before it runs, a count is
// known when it does. So a GEMM with counted rows has a piece for 64, 128, 256,
// ... rows, of which those run that make up the count; and one with a counted
// inner size adds up blocks of one size, the last one shorter and filled up
// with zeros. Each row is in the same block for any count, so that a sum has
// the bits that it has where everything beyond the count is 0. A long GEMM
// (LongGemm.h) has its own blocks and takes any count, as do one with few
// columns (NarrowGemm.h) and a large one in fp32 (BlockedGemm.h).
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_HOST_GEMMPIECES_H
#define TESSERA_RUNTIME_HOST_GEMMPIECES_H

#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// Multiples of which pieces of rows begin at.
inline constexpr int64_t pieceRows = 64;
/// The inner size of a block. oneDNN 2.6.3 itself adds up blocks of 512 on
/// AVX-512, where it does not divide a sum among threads.
inline constexpr int64_t innerBlock = 512;
/// Of which the last block may have a multiple: zeros that it is filled up with
/// cost time.
inline constexpr int64_t innerStep = 64;

/// What \p gemm is made of, by its count: for rows one of each size, from small
/// to large; for an inner size two of each size that a block may have, from
/// small to large: one that is a first block, and one that is added to others;
/// without a count, or where it is long, narrow or blocked, \p gemm itself.
std::vector<Gemm> getPieces(const Gemm &gemm);

/// The piece of \p pieces, of rows, that runs from row \p begin of \p rows on,
/// where \p left more rows are wanted (1 at least): it may compute some more.
int choosePiece(const std::vector<Gemm> &pieces, int64_t begin, int64_t left,
                int64_t rows);

/// Of a counted inner size: bytes of the last block's copy of a, and of b, and
/// of the blocks' sum where it is then added to what c holds.
struct BlockCopies {
  int64_t a = 0, b = 0, sum = 0;
  int64_t all() const { return a + b + sum; }
};
BlockCopies getBlockCopies(const Gemm &gemm);

/// Where a GEMM's matrices lie, the bias too where it has one, and its scratch
/// memory.
struct GemmMatrices {
  const char *a, *b, *bias;
  char *c, *scratch;
};

/// Runs the first \p parts of the `room` equal parts of the size that \p gemm
/// counts: calls \p run with \p data, a number of \p pieces, which are
/// getPieces(gemm), and its matrices. The scratch memory begins with
/// getBlockCopies(gemm).
void runPieces(const Gemm &gemm, const std::vector<Gemm> &pieces, int64_t parts,
               const GemmMatrices &at,
               void (*run)(void *data, int piece, const GemmMatrices &at),
               void *data);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_HOST_GEMMPIECES_H
