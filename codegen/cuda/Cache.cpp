//===- Cache.cpp - Kernels of a cache of keys and values --------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows of one slot take tiles (SlotAttention.h). Attention of rows that know
// nothing of each other: a block of threads has a row, a head of keys with some
// of the queries that share it, and the slot's positions or a part of them.
// Where rows and heads are too few to fill a GPU parts are many
// (nn-split-attention); where a part ends follows from the shapes alone. Time
// is that of memory, so keys and values are read once for all queries of the
// block and by whole accesses: a few lanes have a key, a warp several, and
// several more are on their way. Each group of lanes keeps an online softmax of
// its own keys (Dao et al., arXiv 2205.14135); at the end groups, then warps,
// then parts are merged in their order. A block's first key is a multiple of
// what it takes at a time, counted from the text's beginning, so that a row's
// sums have the same order wherever it is computed.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Cache.h"
#include "codegen/cuda/AttentionThread.h"
#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/RowGroups.h"
#include "codegen/cuda/SlotAttention.h"
#include "dialects/nn/AttentionParts.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

namespace {

/// Where the operands of an operation on a cache lie.
template <typename Op> class CachedRows {
public:
  CachedRows(Op op, ThreadBuilder &tb, const KernelBuffers &buffers)
      : op(op), tb(tb), dim(op.getHeadDim()),
        columns(op.getQkv().getType().getDimSize(1)) {
    qkv = tb.flatten(buffers.inputs[0]);
    slots = tb.flatten(buffers.inputs[2]);
    positions = tb.flatten(buffers.inputs[3]);
    count =
        tb.toIndex(tb.loadScalar(tb.flatten(buffers.inputs[4]), tb.index(0)));
  }

protected:
  Value read(Value numbers, Value row) {
    return tb.toIndex(tb.loadScalar(numbers, row));
  }
  /// The column of head \p head's queries, keys or values in row \p row.
  Value locate(Value row, Value head, int64_t which) {
    return tb.add(tb.add(tb.mul(row, columns), op.getColumn(which)),
                  tb.mul(head, op.getHeadStride()));
  }
  /// Position 0 of the keys (0) or values (1) of a slot's head.
  Value locateCached(Value slot, Value head, Value which) {
    int64_t keyHeads = op.getKeyHeads();
    Value first = tb.add(slot, tb.mul(which, op.getSlotCount()));
    return tb.mul(tb.add(tb.mul(first, keyHeads), head),
                  op.getSlotLength() * dim);
  }

  Op op;
  ThreadBuilder &tb;
  int64_t dim, columns;
  Value qkv, slots, positions, count;
};

/// A row's keys and values are one row of what is copied, whose heads lie as
/// the cache has them.
class CacheWriteEmitter : CachedRows<nn::CacheWriteOp> {
public:
  using CachedRows::CachedRows;

  static RowGroups getGroups(nn::CacheWriteOp op) {
    int64_t dim = op.getHeadDim();
    return {op.getRows(), 2 * op.getKeyHeads() * dim,
            TypeRange(op.getCache().getType()), dim};
  }

  void emit(Value cache) {
    cache = tb.flatten(cache);
    int64_t ofHeads = op.getKeyHeads() * dim;
    getGroups(op).emit(tb, [&](Value row, ArrayRef<RowGroups::Place> places) {
      tb.onlyIf(tb.isLess(row, count), [&] {
        Value slot = read(slots, row);
        Value offset = tb.mul(read(positions, row), dim);
        for (const RowGroups::Place &place : places) {
          Value which = tb.div(place.column, ofHeads);
          Value within = tb.rem(place.column, ofHeads);
          Value head = tb.div(within, dim), at = tb.rem(within, dim);
          Value isValue = tb.isEqual(which, tb.index(1));
          Value from =
              tb.select(isValue, locate(row, head, 2), locate(row, head, 1));
          Value vector = tb.loadRaw(qkv, tb.add(from, at));
          Value to = tb.add(locateCached(slot, head, which), offset);
          tb.onlyIf(place.exists,
                    [&] { tb.store(vector, cache, tb.add(to, at)); });
        }
      });
    });
  }
};

/// Who computes what of a row's attention.
struct Mapping {
  static constexpr int64_t threads = 128, warps = threads / warpSize;
  /// Elements that a lane has of all its queries, and of their sums.
  static constexpr int64_t kept = 32;
  /// Accesses of keys, and as many of values, that a lane has on their way.
  static constexpr int64_t inFlight = 4;
  /// Blocks that fill a large GPU, and the fewest keys that are worth one.
  static constexpr int64_t manyBlocks = 1024, fewestKeys = 256;

  int64_t rows, heads, keyHeads, dim, group;
  int64_t lanes;   ///< elements of an access of memory
  int64_t members; ///< lanes of a key
  int64_t vectors; ///< accesses of such a lane
  int64_t unroll;  ///< keys that it has on their way
  int64_t queries; ///< of a block
  int64_t sets;    ///< of queries, of those that share a head of keys
  int64_t parts;   ///< of a row: each has a block

  /// \p op is a CachedAttentionOp or a CachedAttentionPartsOp.
  template <typename Op>
  explicit Mapping(Op op)
      : rows(op.getRows()), heads(op.getHeads()), keyHeads(op.getKeyHeads()),
        dim(op.getHeadDim()), group(heads / keyHeads), parts(1) {
    lanes = getAccessLanes({op.getCache().getType().getElementType()}, dim);
    members = std::min<int64_t>(warpSize, llvm::PowerOf2Ceil(dim / lanes));
    vectors = llvm::divideCeil(dim / lanes, members);
    unroll = std::max<int64_t>(1, inFlight / vectors);
    int64_t most = std::max<int64_t>(1, kept / (vectors * lanes));
    sets = llvm::divideCeil(group, most);
    queries = llvm::divideCeil(group, sets);
    if constexpr (std::is_same_v<Op, nn::CachedAttentionPartsOp>)
      parts = op.getPartCount();
  }

  /// Positions of a part where a slot has \p context and parts fill the GPU.
  int64_t getPartLength(int64_t context) const {
    int64_t wanted = manyBlocks / (rows * keyHeads * sets);
    int64_t count = std::clamp<int64_t>(
        wanted, 1, std::max<int64_t>(1, context / fewestKeys));
    return llvm::alignTo(llvm::divideCeil(context, count), atATime());
  }

  /// Keys of a warp at a time, and of a block.
  int64_t ofWarp() const { return warpSize / members * unroll; }
  int64_t atATime() const { return warps * ofWarp(); }

  Grid getGrid() const {
    return {rows * parts * keyHeads * sets, threads, /*resident=*/3};
  }
};

/// The larger number, one of which is not NaN.
Value larger(ThreadBuilder &tb, Value a, Value b) {
  return arith::MaxNumFOp::create(tb.builder, tb.loc, a, b);
}

/// The first key that a token at \p position sees.
Value getFirstKey(ThreadBuilder &tb, Value position,
                  std::optional<uint64_t> window) {
  if (!window)
    return tb.index(0);
  return tb.max(tb.sub(position, tb.index(static_cast<int64_t>(*window) - 1)),
                tb.index(0));
}

/// \p Op is a CachedAttentionOp or a CachedAttentionPartsOp.
template <typename Op> class CachedAttentionEmitter : CachedRows<Op> {
  using Base = CachedRows<Op>;
  using Base::columns;
  using Base::count;
  using Base::dim;
  using Base::locate;
  using Base::locateCached;
  using Base::op;
  using Base::positions;
  using Base::qkv;
  using Base::read;
  using Base::slots;
  using Base::tb;

public:
  CachedAttentionEmitter(Op op, ThreadBuilder &tb, const KernelBuffers &buffers)
      : Base(op, tb, buffers), map(op), cache(tb.flatten(buffers.inputs[1])) {
    for (Value buffer : buffers.outputs)
      results.push_back(tb.flatten(buffer));
  }

  void emit() {
    Value number = tb.block();
    set = tb.rem(number, map.sets);
    number = tb.div(number, map.sets);
    keyHead = tb.rem(number, map.keyHeads);
    number = tb.div(number, map.keyHeads);
    row = tb.div(number, map.parts);
    position = read(positions, row);
    firstKey = getFirstKey(tb, position, op.getWindow());
    Value begin = tb.index(0), end = tb.add(position, 1);
    if constexpr (hasParts) {
      auto length = static_cast<int64_t>(op.getPartLength());
      part = tb.add(tb.div(firstKey, length), tb.rem(number, map.parts));
      begin = tb.mul(part, length);
      end = tb.min(end, tb.add(begin, length));
    }
    if (op.getWindow())
      begin =
          tb.max(begin, tb.mul(tb.div(firstKey, map.atATime()), map.atATime()));
    tb.onlyIf(tb.both(tb.isLess(row, count), tb.isLess(begin, end)),
              [&] { emitKeys(begin, end); });
  }

private:
  static constexpr bool hasParts =
      std::is_same_v<Op, nn::CachedAttentionPartsOp>;

  /// The head of query \p q of the block; one that exists. \p exists, where it
  /// is given, says whether it is its own.
  Value getHead(Value q, Value *exists = nullptr) {
    Value member = tb.add(tb.mul(set, map.queries), q);
    if (map.group % map.queries) {
      if (exists)
        *exists = tb.isLess(member, tb.index(map.group));
      member = tb.min(member, tb.index(map.group - 1));
    }
    return tb.add(tb.mul(keyHead, map.group), member);
  }

  /// The column of this lane's access number \p v of a head; one that exists.
  Value getColumn(int64_t v) {
    Value column = tb.mul(tb.add(member, v * map.members), map.lanes);
    return endsWithin(v) ? tb.min(column, tb.index(dim - map.lanes)) : column;
  }
  bool endsWithin(int64_t v) const {
    return (v + 1) * map.members * map.lanes > dim;
  }

  Value extract(Value vector, int64_t i) {
    return vector::ExtractOp::create(tb.builder, tb.loc, vector, i);
  }

  //===--------------------------------------------------------------------===//
  // Keys [begin, end)
  //===--------------------------------------------------------------------===//

  /// What a lane keeps: its part of the sums of weighted values, and of its
  /// group of lanes the largest score and the total of the weights.
  struct State {
    State(const Mapping &map, ValueRange all)
        : values(all), sums(MutableArrayRef(values).drop_back(2 * map.queries)),
          maxima(MutableArrayRef(values)
                     .take_back(2 * map.queries)
                     .take_front(map.queries)),
          totals(MutableArrayRef(values).take_back(map.queries)) {}
    SmallVector<Value> values;
    MutableArrayRef<Value> sums, maxima, totals;
  };

  void emitKeys(Value begin, Value end) {
    tb.lanes = map.lanes;
    Value lane = tb.rem(tb.thread(), warpSize);
    warp = tb.div(tb.thread(), warpSize);
    member = tb.rem(lane, map.members);
    ofKey = tb.div(lane, map.members);
    Value slot = read(slots, row);
    keys = locateCached(slot, keyHead, tb.index(0));
    values = locateCached(slot, keyHead, tb.index(1));
    loadQueries();

    SmallVector<Value> initial(map.queries * map.vectors * map.lanes,
                               tb.number(0));
    initial.append(map.queries, tb.number(codegen::maskedScore));
    initial.append(map.queries, tb.number(0));
    State state(map, tb.loop(tb.add(begin, tb.mul(warp, map.ofWarp())), end,
                             map.atATime(), initial,
                             [&](Value first, ValueRange carried) {
                               State next(map, carried);
                               addKeys(first, end, next);
                               return next.values;
                             }));
    mergeLanes(state);
    tb.barrier();
    mergeWarps();
  }

  void loadQueries() {
    Value scale = tb.splat(op.getScale().convertToDouble() * codegen::log2E);
    for (int64_t q = 0; q < map.queries; ++q) {
      Value head = getHead(tb.index(q));
      Value from = locate(row, head, 0);
      for (int64_t v = 0; v < map.vectors; ++v) {
        Value query = tb.load(qkv, tb.add(from, getColumn(v)));
        query = tb.mulf(query, scale);
        // Lanes past the head's end add nothing to a score.
        if (endsWithin(v)) {
          Value column = tb.mul(tb.add(member, v * map.members), map.lanes);
          query =
              tb.select(tb.isLess(column, tb.index(dim)), query, tb.splat(0.0));
        }
        queryVectors.push_back(query);
      }
      if (op.getAlibi())
        slopes.push_back(emitAlibiSlope(tb, map.heads, head));
    }
  }

  /// The keys of the warp from \p first on.
  void addKeys(Value first, Value end, State &state) {
    SmallVector<Value> places, keyVectors, valueVectors;
    for (int64_t u = 0; u < map.unroll; ++u) {
      Value key = tb.add(tb.add(first, u * (warpSize / map.members)), ofKey);
      places.push_back(key);
      // What lies past the end may never have been written.
      Value at = tb.mul(tb.min(key, tb.sub(end, tb.index(1))), dim);
      for (int64_t v = 0; v < map.vectors; ++v) {
        Value place = tb.add(at, getColumn(v));
        keyVectors.push_back(tb.loadRaw(cache, tb.add(keys, place)));
        valueVectors.push_back(tb.loadRaw(cache, tb.add(values, place)));
      }
    }
    SmallVector<Value> weights = addWeights(places, end, keyVectors, state);
    for (int64_t u = 0; u < map.unroll; ++u)
      for (int64_t v = 0; v < map.vectors; ++v) {
        Value value = tb.widen(valueVectors[u * map.vectors + v]);
        for (int64_t q = 0; q < map.queries; ++q)
          for (int64_t i = 0; i < map.lanes; ++i) {
            Value &sum = state.sums[(q * map.vectors + v) * map.lanes + i];
            sum = tb.fma(weights[q * map.unroll + u], extract(value, i), sum);
          }
      }
  }

  /// The weights of all queries and keys, by which \p state is brought up to
  /// date but for the sums, which decay.
  SmallVector<Value> addWeights(ArrayRef<Value> places, Value end,
                                ArrayRef<Value> keyVectors, State &state) {
    SmallVector<Value> scores(map.queries * map.unroll);
    for (int64_t u = 0; u < map.unroll; ++u) {
      SmallVector<Value> key;
      for (int64_t v = 0; v < map.vectors; ++v)
        key.push_back(tb.widen(keyVectors[u * map.vectors + v]));
      Value isSeen = tb.isLess(places[u], end);
      if (op.getWindow())
        isSeen =
            tb.both(isSeen, arith::CmpIOp::create(tb.builder, tb.loc,
                                                  arith::CmpIPredicate::sge,
                                                  places[u], firstKey));
      for (int64_t q = 0; q < map.queries; ++q) {
        Value sum = tb.number(0);
        for (int64_t v = 0; v < map.vectors; ++v)
          for (int64_t i = 0; i < map.lanes; ++i)
            sum = tb.fma(extract(queryVectors[q * map.vectors + v], i),
                         extract(key[v], i), sum);
        sum = tb.combineWarp(sum, map.members,
                             [&](Value a, Value b) { return tb.addf(a, b); });
        if (op.getAlibi())
          sum = tb.fma(tb.toF32(tb.toI32(tb.sub(places[u], position))),
                       slopes[q], sum);
        scores[q * map.unroll + u] =
            tb.select(isSeen, sum, tb.number(codegen::maskedScore));
      }
    }
    for (int64_t q = 0; q < map.queries; ++q) {
      MutableArrayRef<Value> own =
          MutableArrayRef(scores).slice(q * map.unroll, map.unroll);
      Value largest = state.maxima[q];
      for (Value score : own)
        largest = larger(tb, largest, score);
      Value decay = emitExp2(tb, tb.subf(state.maxima[q], largest));
      state.maxima[q] = largest;
      Value &total = state.totals[q];
      total = tb.mulf(total, decay);
      for (Value &score : own) {
        score = emitExp2(tb, tb.subf(score, largest));
        total = tb.addf(total, score);
      }
      int64_t size = map.vectors * map.lanes;
      for (Value &sum : state.sums.slice(q * size, size))
        sum = tb.mulf(sum, decay);
    }
    return scores;
  }

  //===--------------------------------------------------------------------===//
  // Merges
  //===--------------------------------------------------------------------===//

  /// Merges the groups of lanes of a warp into shared memory. One that has seen
  /// no key has a maximum so small that it counts for nothing.
  void mergeLanes(State &state) {
    Type f32 = tb.builder.getF32Type();
    int64_t size = map.vectors * map.lanes, sumsOfWarp = map.queries * dim;
    warpSums = tb.shared(Mapping::warps * sumsOfWarp, f32);
    warpNumbers = tb.shared(Mapping::warps * map.queries * 2, f32);
    auto isFirstLane = tb.isEqual(tb.rem(tb.thread(), warpSize), tb.index(0));
    for (int64_t q = 0; q < map.queries; ++q) {
      Value maximum = state.maxima[q];
      for (int64_t bit = warpSize / 2; bit >= map.members; bit /= 2)
        maximum = larger(tb, maximum, tb.shuffleXor(maximum, bit));
      Value decay = emitExp2(tb, tb.subf(state.maxima[q], maximum));
      for (Value &sum : state.sums.slice(q * size, size))
        sum = tb.mulf(sum, decay);
      Value total = tb.sumLanes(ValueRange{tb.mulf(state.totals[q], decay)},
                                warpSize / 2, map.members)
                        .numbers[0];
      tb.onlyIf(isFirstLane, [&] {
        Value place = tb.mul(tb.add(tb.mul(warp, map.queries), q), 2);
        tb.storeScalar(maximum, warpNumbers, place);
        tb.storeScalar(total, warpNumbers, tb.add(place, 1));
      });
    }
    ThreadBuilder::Spread spread =
        tb.sumLanes(state.sums, warpSize / 2, map.members);
    Value start = tb.mul(warp, sumsOfWarp);
    bool mayEnd = endsWithin(map.vectors - 1);
    for (auto [i, sum] : llvm::enumerate(spread.numbers)) {
      Value number = tb.add(spread.first, i);
      Value v = tb.rem(tb.div(number, map.lanes), map.vectors);
      Value column = tb.mul(tb.add(member, tb.mul(v, map.members)), map.lanes);
      column = tb.add(column, tb.rem(number, map.lanes));
      Value place = tb.add(tb.mul(tb.div(number, size), dim), column);
      tb.onlyIf(mayEnd ? tb.isLess(column, tb.index(dim)) : Value(),
                [&] { tb.storeScalar(sum, warpSums, tb.add(start, place)); });
    }
  }

  /// Merges the warps of the block: a thread has some columns of its queries.
  void mergeWarps() {
    tb.loop(tb.thread(), tb.index(map.queries * dim), Mapping::threads,
            [&](Value number) {
              Value q = tb.div(number, dim), column = tb.rem(number, dim);
              auto ofWarp = [&](int64_t w, int64_t which) {
                Value place = tb.add(tb.mul(q, 2), w * map.queries * 2 + which);
                return tb.loadScalar(warpNumbers, place);
              };
              Value maximum = ofWarp(0, 0);
              for (int64_t w = 1; w < Mapping::warps; ++w)
                maximum = larger(tb, maximum, ofWarp(w, 0));
              Value sum = tb.number(0), total = tb.number(0);
              for (int64_t w = 0; w < Mapping::warps; ++w) {
                Value decay = emitExp2(tb, tb.subf(ofWarp(w, 0), maximum));
                Value own = tb.loadScalar(
                    warpSums, tb.add(number, w * map.queries * dim));
                sum = tb.fma(own, decay, sum);
                total = tb.fma(ofWarp(w, 1), decay, total);
              }
              Value exists, head = getHead(q, &exists);
              tb.onlyIf(exists, [&] {
                storeResult(head, column, sum, maximum, total);
              });
            });
  }

  void storeResult(Value head, Value column, Value sum, Value maximum,
                   Value total) {
    Value place = tb.add(tb.mul(row, map.heads), head);
    if constexpr (!hasParts)
      return tb.storeScalar(tb.divf(sum, total), results[0],
                            tb.add(tb.mul(place, dim), column));
    place = tb.add(tb.mul(place, map.parts), tb.rem(part, map.parts));
    tb.storeScalar(sum, results[0], tb.add(tb.mul(place, dim), column));
    tb.onlyIf(tb.isEqual(column, tb.index(0)), [&] {
      tb.storeScalar(maximum, results[1], place);
      tb.storeScalar(total, results[2], place);
    });
  }

  Mapping map;
  Value cache;
  SmallVector<Value> results;
  Value set, keyHead, part; ///< of the block
  Value row, position, firstKey;
  Value warp, member, ofKey; ///< this lane's place in its group, and the group
  Value keys, values;        ///< position 0 of the slot's head
  SmallVector<Value> queryVectors, slopes;
  Value warpSums, warpNumbers; ///< what warps leave, in shared memory
};

struct CacheWriteKernel
    : KernelEmissionOpInterface::ExternalModel<CacheWriteKernel,
                                               nn::CacheWriteOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    return {CacheWriteEmitter::getGroups(cast<nn::CacheWriteOp>(op)).getGrid()};
  }
  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    CacheWriteEmitter(cast<nn::CacheWriteOp>(op), tb, buffers)
        .emit(buffers.outputs[0]);
  }
};

struct CachedAttentionKernel
    : KernelEmissionOpInterface::ExternalModel<CachedAttentionKernel,
                                               nn::CachedAttentionOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    auto attention = cast<nn::CachedAttentionOp>(op);
    if (attention.getOneSlot())
      return {getSlotAttentionGrid(attention)};
    return {Mapping(attention).getGrid()};
  }
  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    auto attention = cast<nn::CachedAttentionOp>(op);
    if (attention.getOneSlot())
      return emitSlotAttention(attention, tb, buffers);
    CachedAttentionEmitter(attention, tb, buffers).emit();
  }
};

struct CachedAttentionPartsKernel
    : KernelEmissionOpInterface::ExternalModel<CachedAttentionPartsKernel,
                                               nn::CachedAttentionPartsOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    return {Mapping(cast<nn::CachedAttentionPartsOp>(op)).getGrid()};
  }
  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    CachedAttentionEmitter(cast<nn::CachedAttentionPartsOp>(op), tb, buffers)
        .emit();
  }
};

/// A block has a row and a head, a thread a column of it.
struct MergeAttentionPartsKernel
    : KernelEmissionOpInterface::ExternalModel<MergeAttentionPartsKernel,
                                               nn::MergeAttentionPartsOp> {
  SmallVector<Grid> getGrids(Operation *op) const {
    auto merge = cast<nn::MergeAttentionPartsOp>(op);
    return {
        {merge.getRows() * merge.getHeads(),
         static_cast<int64_t>(llvm::alignTo(merge.getHeadDim(), warpSize))}};
  }

  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    auto merge = cast<nn::MergeAttentionPartsOp>(op);
    int64_t dim = merge.getHeadDim();
    Value row = tb.div(tb.block(), merge.getHeads()), column = tb.thread();
    Value count =
        tb.toIndex(tb.loadScalar(tb.flatten(buffers.inputs[4]), tb.index(0)));
    Value exists = tb.isLess(row, count);
    if (dim % warpSize)
      exists = tb.both(exists, tb.isLess(column, tb.index(dim)));
    tb.onlyIf(exists, [&] { emitColumn(merge, tb, buffers, row, column); });
  }

private:
  static void emitColumn(nn::MergeAttentionPartsOp op, ThreadBuilder &tb,
                         const KernelBuffers &buffers, Value row,
                         Value column) {
    int64_t dim = op.getHeadDim(), kept = op.getPartCount();
    auto length = static_cast<int64_t>(op.getPartLength());
    Value sums = tb.flatten(buffers.inputs[0]),
          maxima = tb.flatten(buffers.inputs[1]),
          totals = tb.flatten(buffers.inputs[2]);
    Value position =
        tb.toIndex(tb.loadScalar(tb.flatten(buffers.inputs[3]), row));
    Value first = getFirstKey(tb, position, op.getWindow());
    SmallVector<Value> none = {tb.number(codegen::maskedScore), tb.number(0),
                               tb.number(0)};
    SmallVector<Value> all = tb.loop(
        tb.div(first, length), tb.add(tb.div(position, length), 1), 1, none,
        [&](Value part, ValueRange before) {
          Value place = tb.add(tb.mul(tb.block(), kept), tb.rem(part, kept));
          Value ofPart = tb.loadScalar(maxima, place);
          Value maximum = larger(tb, before[0], ofPart);
          Value decay = emitExp2(tb, tb.subf(before[0], maximum));
          Value weight = emitExp2(tb, tb.subf(ofPart, maximum));
          Value total = tb.loadScalar(totals, place);
          Value sum = tb.loadScalar(sums, tb.add(tb.mul(place, dim), column));
          return SmallVector<Value>{
              maximum, tb.fma(total, weight, tb.mulf(before[1], decay)),
              tb.fma(sum, weight, tb.mulf(before[2], decay))};
        });
    tb.storeScalar(tb.divf(all[2], all[1]), tb.flatten(buffers.outputs[0]),
                   tb.add(tb.mul(tb.block(), dim), column));
  }
};

} // namespace

int64_t tessera::cuda::getAttentionPart(nn::CachedAttentionOp op) {
  int64_t context = op.getSlotLength();
  int64_t length = Mapping(op).getPartLength(context);
  auto window = static_cast<int64_t>(op.getWindow().value_or(INT64_MAX));
  return op.getOneSlot() || std::min(context, window) <= length ? 0 : length;
}

void tessera::cuda::registerCache(MLIRContext *context) {
  nn::CacheWriteOp::attachInterface<CacheWriteKernel>(*context);
  nn::CachedAttentionOp::attachInterface<CachedAttentionKernel>(*context);
  nn::CachedAttentionPartsOp::attachInterface<CachedAttentionPartsKernel>(
      *context);
  nn::MergeAttentionPartsOp::attachInterface<MergeAttentionPartsKernel>(
      *context);
}
