//===- ThreadBuilder.h - Writes the code of one thread ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels of a GPU are written as the code of one of many threads, with
// upstream's `gpu` dialect: numbers of block and thread, exchange within a warp
// of 32 threads, memory that a block shares, and barriers. The rest is what
// kernels of a CPU are made of, on shorter vectors: a thread's vector is what
// one access of memory moves, 16 bytes.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_CUDA_THREADBUILDER_H
#define TESSERA_CODEGEN_CUDA_THREADBUILDER_H

#include "codegen/kernels/VectorBuilder.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace tessera::cuda {

/// Threads that run in step and exchange registers.
constexpr int64_t warpSize = 32;
/// Bytes of one access of memory.
constexpr int64_t accessBytes = 16;

/// Combines two numbers; must be commutative to the bit.
using Combine = llvm::function_ref<mlir::Value(mlir::Value a, mlir::Value b)>;

/// Writes into \p function; vectors have \p lanes lanes, and positions of
/// vectors in memory are multiples of them.
class ThreadBuilder : public codegen::VectorBuilder {
public:
  ThreadBuilder(mlir::OpBuilder &builder, mlir::gpu::GPUFuncOp function,
                int64_t lanes = 1);

  /// The number of this block and of this thread in its block, of type index.
  mlir::Value block() const { return blockNumber; }
  mlir::Value thread() const { return threadNumber; }

  /// All threads of the block come here before any goes on, and see what the
  /// others wrote.
  void barrier();

  /// \p scalar (32 or 64 bits) of the lane whose number differs in the bits of
  /// \p offset, which is under warpSize. All threads of the warp take part.
  mlir::Value shuffleXor(mlir::Value scalar, int64_t offset);

  /// The same of lane number \p lane, an i32.
  mlir::Value shuffle(mlir::Value scalar, mlir::Value lane);

  /// Combines \p scalar over groups of \p size consecutive threads, a power of
  /// two up to warpSize; each thread gets the result, with the same bits.
  mlir::Value combineWarp(mlir::Value scalar, int64_t size, Combine combine);

  /// combineWarp over all \p threads of the block, a multiple of warpSize (or a
  /// power of two below). \p neutral changes nothing. Each call has shared
  /// memory of its own; it holds one barrier.
  mlir::Value combineBlock(mlir::Value scalar, int64_t threads,
                           mlir::Value neutral, Combine combine);

  /// Numbers of which a lane has a part: those from number `first` on.
  struct Spread {
    llvm::SmallVector<mlir::Value> numbers;
    mlir::Value first;
  };
  /// The sums of each of \p numbers over lanes whose numbers differ in the bits
  /// from \p high down to \p low, powers of two. Pairs are added bit by bit
  /// from \p high on, in an order that does not depend on how many numbers
  /// there are; with each bit a lane keeps half of them, as long as they can be
  /// halved.
  Spread sumLanes(mlir::ValueRange numbers, int64_t high, int64_t low);

  /// \p count elements of memory that the block's threads share; 48 KiB are
  /// there for a kernel. Only loads and stores may use it.
  mlir::Value shared(int64_t count, mlir::Type type);

  /// Writes what is done where \p condition holds; always where it is null.
  void onlyIf(mlir::Value condition, llvm::function_ref<void()> body);

  // Conditions and choices.
  mlir::Value isLess(mlir::Value a, mlir::Value b);
  mlir::Value isEqual(mlir::Value a, mlir::Value b);
  /// Null stands for true.
  mlir::Value both(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);

private:
  mlir::gpu::GPUFuncOp function;
  mlir::Value blockNumber, threadNumber;
};

} // namespace tessera::cuda

#endif // TESSERA_CODEGEN_CUDA_THREADBUILDER_H
