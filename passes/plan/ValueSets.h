//===- ValueSets.h - Values at places of buffers ----------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which values have which bytes of which buffer, and whether a value may go to
// a place without disturbing another that is needed at the same time.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_PASSES_PLAN_VALUESETS_H
#define TESSERA_PASSES_PLAN_VALUESETS_H

#include "dialects/plan/Plan.h"
#include "dialects/zero/Zero.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace tessera::plan {

/// How many bytes later a part begins on the next rank along each axis: of the
/// grid of replicas x shards, and among secondary ranks.
struct Stride {
  int64_t shard = 0, replica = 0, secondary = 0;

  bool operator==(const Stride &) const = default;
  Stride operator+(const Stride &other) const {
    return {shard + other.shard, replica + other.replica,
            secondary + other.secondary};
  }
  Stride operator-(const Stride &other) const {
    return {shard - other.shard, replica - other.replica,
            secondary - other.secondary};
  }
};

/// Bytes [offset + rank · stride, ...) of a buffer.
struct Place {
  int64_t set = -1, offset = 0;
  Stride stride = {};
};

/// What is known of a buffer as a whole.
struct BufferFacts {
  int64_t bytes = 0;
  /// Keeps its content over sections that repeat and from step to step.
  bool persistent = false;
  /// Holds a running sum: cleared when a step begins.
  bool accumulates = false;
  /// Is a program's input or holds one of its outputs.
  bool port = false;
  /// A collective reads or writes it.
  bool communicates = false;
  /// The name of the state that it is, if it is one; else null.
  mlir::StringAttr state;
  mlir::FlatSymbolRefAttr group;
  mlir::Type element;
};

/// Buffers as sets of values, of which one may be joined to another.
class ValueSets {
public:
  Place getPlace(mlir::Value value);
  /// Sets by number; those that became part of another have no bytes.
  const BufferFacts &getFacts(int64_t set) { return entries[set].facts; }
  int64_t size() { return entries.size(); }
  /// The value that set \p number was made for, null for a state.
  mlir::Value getValue(int64_t number) { return entries[number].value; }

  /// True where \p operand (of a bucket, concat, store or collective) could
  /// not be computed in its place and must be copied there.
  bool needsCopy(mlir::OpOperand &operand) { return copies.contains(&operand); }
  /// Where it is to be copied.
  Place getTarget(mlir::OpOperand &operand);
  /// The part of a gathered group that is kept.
  Place getKept(zero::KeepOp keep);

protected:
  ValueSets(mlir::func::FuncOp program, int64_t world);

  /// Positions of operations in the block between which bytes matter.
  struct Lifetime {
    int64_t first = 0, last = 0;
    bool overlaps(Lifetime other) const {
      return last >= other.first && other.last >= first;
    }
  };
  struct Entry : Lifetime {
    mlir::Value value;
    int64_t bytes = 0;
    /// This entry's place in its parent; roots are their own parents.
    int64_t parent = 0, offset = 0;
    Stride stride;
    /// Values of one class are the same data: views of each other.
    int64_t data = 0;
    /// At roots: all entries of the set, in what positions those up to each
    /// matter, and whether it may not move.
    llvm::SmallVector<int64_t, 1> members;
    llvm::SmallVector<Lifetime, 1> reach;
    bool fixed = false;
    BufferFacts facts;
  };

  /// Makes a set of \p bytes for \p value.
  int64_t add(mlir::Value value, int64_t bytes);
  Place find(int64_t entry);
  void unite(int64_t child, Place where);
  /// Adds \p members to those of \p root.
  void append(Entry &root, llvm::ArrayRef<int64_t> members);
  void makeView(mlir::Value view, mlir::Value of, int64_t offset,
                Stride stride);
  /// The stride of parts of \p bytes along \p axis.
  Stride getPartStride(zero::Axis axis, int64_t bytes);
  /// Puts \p value's set at \p where if that disturbs no value; \p same:
  /// its data is then the data of \p same.
  bool tryPut(mlir::Value value, Place where, mlir::Value same);
  void putOrCopy(mlir::OpOperand &operand, Place where, mlir::Value same);

  mlir::func::FuncOp program;
  int64_t world, shards, secondary;
  std::vector<Entry> entries;
  llvm::DenseMap<mlir::Value, int64_t> numbers;
  mlir::SymbolTableCollection symbols;

private:
  int64_t findData(int64_t entry);
  /// Whether, with the root \p set put at \p where, some of its values are
  /// in the way of others there; \p data and \p same count as one.
  bool collides(int64_t set, Place where, int64_t data, int64_t same);
  /// Bytes from the first to the last rank's part.
  int64_t getSpan(Stride stride) {
    return (shards - 1) * stride.shard + (world / shards - 1) * stride.replica +
           (secondary - 1) * stride.secondary;
  }
  bool conflicts(const Entry &a, int64_t aBegin, const Entry &b, int64_t bBegin,
                 Stride aStride, Stride bStride);
  bool mayOverwrite(const Entry &next, const Entry &previous);

  llvm::DenseMap<mlir::OpOperand *, std::pair<int64_t, Place>> copies;
};

/// The arguments of \p kernel that its result \p result may overwrite.
llvm::SmallVector<int64_t> getInPlaceArguments(mlir::func::FuncOp kernel,
                                               int64_t result);

} // namespace tessera::plan

#endif // TESSERA_PASSES_PLAN_VALUESETS_H
