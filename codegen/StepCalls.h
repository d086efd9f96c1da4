//===- StepCalls.h - How steps become calls ---------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_CODEGEN_STEPCALLS_H
#define TESSERA_CODEGEN_STEPCALLS_H

#include "dialects/plan/Plan.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tessera {

/// Bytes of the arena from \p begin to \p end.
struct ArenaRange {
  int64_t begin, end;
};

/// The ranges of the file that \p buffers fill without a gap of a page: each is
/// fetched or evicted by one call.
llvm::SmallVector<ArenaRange> getFileRanges(mlir::ValueRange buffers);

/// How often \p step calls the runtime (runtime/abi.h). What a launch makes of
/// its kernel its target says: Target::getCallCount.
int64_t getCallCount(mlir::Operation *step);

/// A constant of the bytes of \p text and a NUL, where \p builder stands.
mlir::LLVM::GlobalOp createText(mlir::OpBuilder &builder, mlir::Location loc,
                                llvm::StringRef name,
                                mlir::LLVM::Linkage linkage,
                                llvm::StringRef text);

} // namespace tessera

#endif // TESSERA_CODEGEN_STEPCALLS_H
