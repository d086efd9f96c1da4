//===- PackedWeights.h - Weights in panels -----------------------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A matmul of some rows with weights gives each row N numbers, each a sum over
// K weights. Packed weights are panels of 16 such columns of the result, the
// last one with those that are left, one behind the other: a panel of w columns
// begins where the weights of those before it end, and has for each of the K
// inner indices its w weights, so that who computes all of a panel reads memory
// from its beginning to its end. Weights in bf16 lie in pairs, of two inner
// indices, as instructions take them: w pairs for indices 0 and 1, then for 2
// and 3; the last index of an odd K alone. The memory is as large as before.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_PROGRAM_PACKEDWEIGHTS_H
#define TESSERA_RUNTIME_PROGRAM_PACKEDWEIGHTS_H

#include "runtime/core/ElementType.h"
#include <cstdint>

struct tessera_context;

namespace tessera::runtime {

/// Columns of a panel.
inline constexpr int64_t panelWidth = 16;

/// Packs \p matrix in place, of \p rows rows and \p columns columns of \p type,
/// each of which has 16 or 32 bits. Panels are of its rows where \p ofRows, as
/// a matmul's with the transpose are, else of its columns.
void packWeights(ElementType type, int64_t rows, int64_t columns, bool ofRows,
                 void *matrix);

/// Packs all parameters of \p context that its manifest says are packed, and
/// that have just been filled, in the host's memory.
void packParameters(const tessera_context &context);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_PROGRAM_PACKEDWEIGHTS_H
