//===- RowGroups.cpp - Groups of threads that own rows ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/RowGroups.h"

using namespace mlir;
using namespace tessera::cuda;

static constexpr int64_t threads = 256;
/// Elements of a row that a thread keeps in registers.
static constexpr int64_t kept = 8;

int64_t tessera::cuda::getAccessLanes(TypeRange types, int64_t count) {
  int64_t lanes = 1;
  for (Type type : types)
    lanes =
        std::max(lanes, 8 * accessBytes /
                            getElementTypeOrSelf(type).getIntOrFloatBitWidth());
  while (count % lanes)
    lanes /= 2;
  return lanes;
}

RowGroups::RowGroups(int64_t rows, int64_t width, TypeRange types,
                     int64_t block)
    : rows(rows), width(width),
      lanes(getAccessLanes(types, block ? block : width)) {
  int64_t all = width / lanes;
  group = std::min<int64_t>(warpSize, llvm::PowerOf2Ceil(all));
  vectors = std::clamp<int64_t>(llvm::divideCeil(all, group), 1, kept / lanes);
  strips = llvm::divideCeil(all, group * vectors);
}

Grid RowGroups::getGrid() const {
  return {
      static_cast<int64_t>(llvm::divideCeil(rows * strips, threads / group)),
      threads};
}

void RowGroups::emit(
    ThreadBuilder &tb,
    function_ref<void(Value row, ArrayRef<Place>)> body) const {
  tb.lanes = lanes;
  Value member = tb.rem(tb.thread(), group);
  Value number =
      tb.add(tb.mul(tb.block(), threads / group), tb.div(tb.thread(), group));
  Value first = tb.add(tb.mul(tb.rem(number, strips), vectors * group), member);
  bool isEven = width % (group * vectors * lanes) == 0;
  SmallVector<Place> places;
  for (int64_t v = 0; v < vectors; ++v) {
    Place place = {tb.mul(tb.add(first, v * group), lanes), {}};
    if (!isEven) {
      place.exists = tb.isLess(place.column, tb.index(width));
      place.column = tb.min(place.column, tb.index(width - lanes));
    }
    places.push_back(place);
  }
  Value exists;
  if (rows * strips % (threads / group))
    exists = tb.isLess(number, tb.index(rows * strips));
  tb.onlyIf(exists, [&] { body(tb.div(number, strips), places); });
}
