//===- CountedRows.h - Which rows of values are needed ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An argument with `nn.counted` has as many rows as a scalar input says when
// the program runs, and room for more. Two questions follow for each value: how
// many of its rows there are, which is passed on from operands to results, and
// how many are needed, which is passed on from users to operands. Rows are a
// prefix of a value's elements, so that a reshape changes nothing.
//
// A row is not needed only where no user needs it: the greatest solution of
// "a value needs what its users need of it", found in one walk from the end to
// the beginning, since programs are straight lines. An operation of which
// nothing is known needs all of its operands.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_KERNELS_COUNTEDROWS_H
#define TESSERA_PASSES_KERNELS_COUNTEDROWS_H

#include "dialects/nn/NN.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tessera::graph {
class CSROp;
} // namespace tessera::graph

namespace tessera::kernels {

/// The elements [0, count · unit) of a value: `unit` elements for each row that
/// is counted, by the program's count of that number. A larger number counts at
/// least as many rows.
struct CountedPrefix {
  unsigned count;
  int64_t unit;
};

/// What is needed of a value: a prefix, or all of it where there is none.
using Need = std::optional<CountedPrefix>;

/// What a count bounds in a launch or GEMM.
struct CountBound {
  enum Kind {
    Rows,  ///< of the results
    Sums,  ///< over rows, in a kernel
    Inner, ///< the inner size of a GEMM
  };
  Kind kind;
  unsigned count; ///< its number
  int64_t room;   ///< rows that there is room for
};

class CountedRows {
public:
  /// \p symbols of the module, which has the kernels that \p program launches.
  CountedRows(mlir::func::FuncOp program, const mlir::SymbolTable &symbols);

  /// Launches and GEMMs that a count bounds, in program order.
  llvm::ArrayRef<std::pair<mlir::Operation *, CountBound>> getBounds() const {
    return bounds;
  }
  /// The scalar of a count.
  mlir::Value getScalar(unsigned count) const { return scalars[count]; }

private:
  /// Values of a program, or of a kernel in one launch.
  struct Scope {
    llvm::DenseMap<mlir::Value, CountedPrefix> existing;
    llvm::DenseMap<mlir::Value, unsigned> counts; ///< values that are one
    llvm::DenseMap<mlir::Value, Need> needed; ///< absent: no use is known yet
    /// The sums over rows that a count bounds, where it bounds them all.
    std::optional<CountBound> sums;
  };
  struct OwnCount;
  struct GraphRows;

  void findExisting(mlir::Operation *op, Scope &scope);
  void findExistingOfLaunch(plan::LaunchOp launch, Scope &scope);
  void findNeeds(mlir::Operation *op, Scope &scope);
  void findNeedsOfLaunch(plan::LaunchOp launch, Scope &scope);
  void findNeedsOfGemm(plan::GemmOp gemm, Scope &scope);
  void findNeedsOfGraph(mlir::Operation *op, const GraphRows &rows,
                        Scope &scope);
  Scope enter(plan::LaunchOp launch, const Scope &outer,
              mlir::func::FuncOp &kernel);
  std::optional<CountBound> findRowBound(mlir::ResultRange results,
                                         const Scope &scope);
  std::optional<CountBound> findSumBound(mlir::func::FuncOp kernel,
                                         const Scope &scope);

  const mlir::SymbolTable *symbols;
  llvm::SmallVector<mlir::Value> scalars;
  std::vector<std::pair<mlir::Operation *, CountBound>> bounds;
};

} // namespace tessera::kernels

#endif // TESSERA_PASSES_KERNELS_COUNTEDROWS_H
