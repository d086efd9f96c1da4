//===- Packing.h - Lifetimes in, offsets out --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_PLAN_PACKING_H
#define TESSERA_PASSES_PLAN_PACKING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>

namespace tessera::plan {

/// Bytes that are wanted from step `first` to step `last`, both included.
struct Block {
  int64_t bytes, first, last;
  int64_t offset = 0; ///< where they were placed
};

struct Packing {
  int64_t bytes = 0;      ///< end of the highest block
  int64_t lowerBound = 0; ///< most bytes wanted in one step
  llvm::StringRef heuristic;
};

/// Places \p blocks so that those wanted at the same time do not overlap, and
/// as low as possible: tries several orders of placement, each block going
/// into the tightest gap that fits (greedy best fit, Pisarchyk and Lee,
/// arXiv 2001.03288), and keeps the one that ends lowest. \p only names the
/// one order to try; empty: all. Blocks have more than 0 bytes.
/// O(orders · blocks · log(blocks)) where what is used at the same time is few
/// ranges of memory, as it is in layers that are alike; at worst
/// O(orders · blocks² · log(blocks)).
Packing pack(llvm::MutableArrayRef<Block> blocks, llvm::StringRef only = "");

/// The names of the orders.
llvm::ArrayRef<llvm::StringRef> getHeuristics();

} // namespace tessera::plan

#endif // TESSERA_PASSES_PLAN_PACKING_H
