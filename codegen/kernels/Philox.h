//===- Philox.h - Random bits in kernels ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Philox4x32-10 on vectors (runtime/core/Random.h), for nn.random_bits and for
// kernels that draw by themselves. An element's bits are those of the runtime's
// function, in whatever lane it lies.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_KERNELS_PHILOX_H
#define TESSERA_CODEGEN_KERNELS_PHILOX_H

#include "codegen/kernels/VectorBuilder.h"
#include <array>

namespace tessera::codegen {

/// What all elements of a draw share: numbers of 32 bits.
struct RandomStream {
  mlir::Value step, draw;
  std::array<mlir::Value, 2> key;

  /// Loads an operand `stream`: see nn.random_bits.
  static RandomStream load(VectorBuilder &vb, mlir::Value buffer);
};

/// The words that counter (\p call, \p sample, stream.step, stream.draw) gives,
/// one call for each lane: \p call and \p sample are numbers of 32 bits or
/// vectors of them, of one type, which the words have too.
std::array<mlir::Value, 4> emitPhilox(VectorBuilder &vb,
                                      const RandomStream &stream,
                                      mlir::Value call, mlir::Value sample);

/// The bits of element \p element of \p sample, counted as nn.random_bits does
/// in a row: word element mod 4 of call \p firstCall + element div 4. All are
/// of one type as above, for places that are not neighbours.
mlir::Value emitRandomBits(VectorBuilder &vb, const RandomStream &stream,
                           mlir::Value firstCall, mlir::Value sample,
                           mlir::Value element);

/// The bits of vb.lanes elements that follow one another from \p element on, a
/// multiple of the lanes or of 4; \p firstCall and \p sample are numbers of
/// 32 bits, \p element is a position. With 4 lanes or more a call gives four
/// lanes, and a round is one product, one shuffle, one shift and an exclusive
/// or for the whole vector.
mlir::Value emitRandomRow(VectorBuilder &vb, const RandomStream &stream,
                          mlir::Value firstCall, mlir::Value sample,
                          mlir::Value element);

} // namespace tessera::codegen

#endif // TESSERA_CODEGEN_KERNELS_PHILOX_H
