//===- CachedAttention.cpp - Attention to cached keys -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Attention takes a block of keys at a time, with an online softmax (Dao et
// al., arXiv 2205.14135). Blocks begin at multiples of their size, counted from
// the text's beginning, and each score, weight and sum is one chain of
// operations in one order, whichever is in the lanes: of one row keys, for its
// scores, and columns of the head, for its values; of many rows of one text the
// rows themselves, a tile of them. So a row has the same bits wherever it is
// computed.
//
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/AttentionTiles.h"
#include "codegen/cpu/CachedRows.h"
#include "codegen/cpu/Kernels.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Keys of a block, whole vectors of scores.
constexpr int64_t blockKeys = 64;
/// Rows of a tile, in the lanes of one register block.
constexpr int64_t tileRows = blockVectors * vectorLanes;
/// Up to so many rows each is computed alone: they are of different texts.
constexpr int64_t fewRows = 16;
/// What the maximum of no scores is: beside it one that is masked weighs 0.
constexpr double noMaximum = maskedScore / 2;

class CachedAttentionEmitter : CachedRows<nn::CachedAttentionOp> {
public:
  CachedAttentionEmitter(nn::CachedAttentionOp op, KernelBody &body)
      : CachedRows(op, body), group(op.getHeads() / op.getKeyHeads()),
        together(getTogether(group)), padded(vectors * vectorLanes) {}

  /// Queries of a group that are computed together: a divisor of their number.
  static int64_t getTogether(int64_t group) {
    return group % 4 == 0 ? 4 : group % 3 == 0 ? 3 : group % 2 == 0 ? 2 : 1;
  }
  static bool hasTiles(nn::CachedAttentionOp op) {
    return op.getRows() > fewRows;
  }
  static int64_t getIterations(nn::CachedAttentionOp op) {
    return CachedRows::getIterations(op, hasTiles(op) ? tileRows : 1);
  }
  static int64_t getScratchBytes(nn::CachedAttentionOp op) {
    int64_t padded = roundUp(op.getHeadDim(), vectorLanes);
    int64_t group = op.getHeads() / op.getKeyHeads();
    int64_t ofRow = group * (2 * padded + 2 * vectorLanes) +
                    blockKeys * padded + getTogether(group) * blockKeys;
    int64_t ofTile = group * 2 * (padded + 1) * tileRows +
                     2 * blockKeys * padded + blockKeys * tileRows;
    return (hasTiles(op) ? std::max(ofRow, ofTile) : ofRow) *
           static_cast<int64_t>(sizeof(float));
  }

  void emit() {
    cache = vb.flatten(body.inputs[1]);
    out = vb.flatten(body.outputs[0]);
    if (!hasTiles(op))
      return forRows(1, [&](Value head, Value row) { emitRow(head, row); });
    forRows(tileRows, [&](Value head, Value row) {
      OpBuilder &b = vb.builder;
      Value left = vb.min(vb.sub(count, row), vb.index(tileRows));
      auto choice = scf::IfOp::create(b, vb.loc, emitOneText(row, left),
                                      /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(choice.thenBlock());
      emitTile(head, row, left);
      b.setInsertionPointToStart(choice.elseBlock());
      vb.loop(row, vb.add(row, left), 1,
              [&](Value each) { emitRow(head, each); });
    });
  }

private:
  /// Whether \p left rows from \p row on are of one text.
  Value emitOneText(Value row, Value left) {
    OpBuilder &b = vb.builder;
    Value slot = vb.loadScalar(slots, row);
    Value yes = arith::ConstantOp::create(b, vb.loc, b.getBoolAttr(true));
    auto result = vb.loop(
        vb.index(0), left, 1, ValueRange(yes), [&](Value r, ValueRange so) {
          Value isSame =
              arith::CmpIOp::create(b, vb.loc, arith::CmpIPredicate::eq, slot,
                                    vb.loadScalar(slots, vb.add(row, r)));
          return SmallVector<Value>{
              arith::AndIOp::create(b, vb.loc, so.front(), isSame)};
        });
    return result.front();
  }

  double getScale() { return op.getScale().convertToDouble() * log2E; }

  /// The first key that the query at \p position sees.
  Value getFirst(Value position) {
    if (!op.getWindow())
      return vb.index(0);
    return vb.max(vb.add(vb.sub(position, vb.index(*op.getWindow())), 1),
                  vb.index(0));
  }

  /// What the score of key \p key begins with: ALiBi's bias, or 0. Both are
  /// vectors of i32.
  Value emitBias(Value key, Value position, Value slope) {
    if (!slope)
      return vb.splat(0.0);
    Value distance = vb.toF32(
        arith::SubIOp::create(vb.builder, vb.loc, key, position).getResult());
    return vb.mulf(distance, slope);
  }

  /// \p score where the query at \p position sees the key, else maskedScore.
  Value emitMasked(Value score, Value key, Value position) {
    OpBuilder &b = vb.builder;
    auto compare = [&](arith::CmpIPredicate predicate, Value x,
                       Value y) -> Value {
      return arith::CmpIOp::create(b, vb.loc, predicate, x, y);
    };
    Value isSeen = compare(arith::CmpIPredicate::sle, key, position);
    if (op.getWindow()) {
      Value first = arith::SubIOp::create(
          b, vb.loc, position, vb.splat(vb.toI32(vb.index(*op.getWindow()))));
      isSeen = arith::AndIOp::create(
          b, vb.loc, isSeen, compare(arith::CmpIPredicate::sgt, key, first));
    }
    return arith::SelectOp::create(b, vb.loc, isSeen, score,
                                   vb.splat(maskedScore));
  }

  Value getSlope(Value head) {
    return op.getAlibi() ? vb.splat(emitAlibiSlope(vb, op.getHeads(), head))
                         : Value();
  }

  /// A divisor of the head dimension by which loops unroll.
  int64_t getUnroll() { return dim % 4 == 0 ? 4 : dim % 2 == 0 ? 2 : 1; }

  //===--- one row --------------------------------------------------------===//

  /// The queries that share the key head \p head.
  void emitRow(Value head, Value row) {
    int64_t offset = 0;
    queries = vb.carve(body.scratch, offset, group * padded);
    sums = vb.carve(body.scratch, offset, group * padded);
    maxima = vb.carve(body.scratch, offset, group * vectorLanes);
    totals = vb.carve(body.scratch, offset, group * vectorLanes);
    keys = vb.carve(body.scratch, offset, blockKeys * padded);
    scores = vb.carve(body.scratch, offset, together * blockKeys);

    Value slot = read(slots, row), position = read(positions, row);
    Value firstKey = locateCached(slot, head, 0);
    Value firstValue = locateCached(slot, head, 1);
    Value firstQuery = vb.mul(head, group);
    vb.loop(0, group, 1, [&](Value g) { emitBegin(row, firstQuery, g); });
    Value begin = vb.mul(vb.div(getFirst(position), blockKeys), blockKeys);
    Value end = vb.add(position, 1);
    vb.loop(begin, end, blockKeys, [&](Value block) {
      Value there = vb.min(vb.sub(end, block), vb.index(blockKeys));
      Value start = vb.mul(block, dim);
      emitTransposedKeys(vb.add(firstKey, start), vb.add(firstValue, start),
                         there);
      vb.loop(0, group, together, [&](Value g) {
        emitBlockOfRow(block, there, position, vb.add(firstQuery, g), g,
                       firstKey, vb.add(firstValue, start));
      });
    });
    vb.loop(0, group, 1, [&](Value g) { emitEnd(row, firstQuery, g); });
  }

  void emitBegin(Value row, Value firstQuery, Value g) {
    Value query = locate(row, vb.add(firstQuery, g), 0);
    Value at = vb.mul(g, padded);
    for (auto [v, value] : llvm::enumerate(loadHead(qkv, query))) {
      Value place = vb.add(at, v * vectorLanes);
      vb.store(vb.mulf(value, vb.splat(getScale())), queries, place);
      vb.store(vb.splat(0.0), sums, place);
    }
    vb.storeScalar(vb.number(noMaximum), maxima, vb.mul(g, vectorLanes));
    vb.storeScalar(vb.number(0), totals, vb.mul(g, vectorLanes));
  }

  /// Keys of a block, of which \p there are there, as [dim, blockKeys]. The
  /// columns of those that are not are any numbers. Meanwhile the values come
  /// that begin at \p firstValue.
  void emitTransposedKeys(Value start, Value firstValue, Value there) {
    auto emitLanes = [&](Value key, bool isWhole) {
      Value from = vb.add(start, vb.mul(key, dim));
      Value value = vb.add(firstValue, vb.mul(key, dim));
      SmallVector<Value> offsets;
      for (int64_t r = 0; r < vectorLanes; ++r) {
        // The last one again in place of those that are not there.
        Value row = vb.index(r);
        if (!isWhole)
          row = vb.min(row, vb.sub(vb.sub(there, key), vb.index(1)));
        offsets.push_back(vb.mul(row, dim));
        prefetchHead(vb.add(value, offsets[r]));
      }
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> block;
        for (Value offset : offsets)
          block.push_back(loadCached(cache, vb.add(from, offset), v));
        block = vb.transpose(block);
        for (int64_t r = 0; r < std::min(vectorLanes, dim - v * vectorLanes);
             ++r)
          vb.store(block[r], keys,
                   vb.add(key, (v * vectorLanes + r) * blockKeys));
      }
    };
    Value whole = vb.mul(vb.div(there, vectorLanes), vectorLanes);
    vb.loop(vb.index(0), whole, vectorLanes,
            [&](Value key) { emitLanes(key, /*isWhole=*/true); });
    vb.loop(whole, there, vectorLanes,
            [&](Value key) { emitLanes(key, /*isWhole=*/false); });
  }

  /// Queries [g, g + together) of the group, the first of head \p head, with
  /// keys [block, block + there). Meanwhile the next block's keys come, of
  /// those that begin at \p firstKey.
  void emitBlockOfRow(Value block, Value there, Value position, Value head,
                      Value g, Value firstKey, Value firstValue) {
    constexpr int64_t parts = blockKeys / vectorLanes;
    SmallVector<Value> number, score;
    Value last = vb.splat(vb.toI32(position));
    for (int64_t v = 0; v < parts; ++v)
      number.push_back(
          vb.add(vb.splat(vb.toI32(block)), emitLaneNumbers(vb, v)));
    for (int64_t q = 0; q < together; ++q) {
      Value slope = getSlope(vb.add(head, q));
      for (int64_t v = 0; v < parts; ++v)
        score.push_back(emitBias(number[v], last, slope));
    }
    int64_t unroll = getUnroll();
    Value at = vb.mul(g, padded), lanes = vb.mul(g, vectorLanes);
    score = vb.loop(
        vb.index(0), vb.index(dim), unroll, score,
        [&](Value d, ValueRange values) {
          SmallVector<Value> next(values);
          for (int64_t i = 0; i < unroll; ++i) {
            Value column = vb.add(d, i);
            SmallVector<Value> key;
            for (int64_t v = 0; v < parts; ++v)
              key.push_back(vb.load(
                  keys, vb.add(vb.mul(column, blockKeys), v * vectorLanes)));
            for (int64_t q = 0; q < together; ++q) {
              Value query = vb.splat(vb.loadScalar(
                  queries, vb.add(at, vb.add(column, q * padded))));
              for (int64_t v = 0; v < parts; ++v) {
                Value &sum = next[q * parts + v];
                sum = vb.fma(query, key[v], sum);
              }
            }
          }
          return next;
        });
    SmallVector<Value> carried;
    for (int64_t q = 0; q < together; ++q) {
      MutableArrayRef<Value> of =
          MutableArrayRef(score).slice(q * parts, parts);
      emitSoftmax(of, number, last, vb.add(lanes, q * vectorLanes), q,
                  vb.add(at, q * padded), carried);
    }
    Value next = vb.add(block, blockKeys);
    carried =
        vb.loop(vb.index(0), there, 1, carried, [&](Value j, ValueRange old) {
          Value offset = vb.mul(j, dim);
          Value ahead = vb.min(vb.add(next, j), position);
          prefetchHead(vb.add(firstKey, vb.mul(ahead, dim)));
          SmallVector<Value> following;
          SmallVector<Value> value =
              loadCached(cache, vb.add(firstValue, offset));
          for (int64_t q = 0; q < together; ++q) {
            Value weight = vb.loadScalar(scores, vb.add(j, q * blockKeys));
            Value all = vb.splat(weight);
            ValueRange own = old.slice(q * (vectors + 1), vectors + 1);
            for (auto [o, v] : llvm::zip(own.drop_back(), value))
              following.push_back(vb.fma(all, v, o));
            following.push_back(vb.addf(own.back(), weight));
          }
          return following;
        });
    for (int64_t q = 0; q < together; ++q) {
      ValueRange own =
          ValueRange(carried).slice(q * (vectors + 1), vectors + 1);
      vb.storeScalar(own.back(), totals, vb.add(lanes, q * vectorLanes));
      for (auto [v, value] : llvm::enumerate(own.drop_back()))
        vb.store(value, sums, vb.add(at, q * padded + v * vectorLanes));
    }
  }

  /// The weights of a block's keys for query \p q of those that are together,
  /// from its \p score. Appends its sums before the block to \p carried, scaled
  /// by the new maximum: those of the values, then that of the weights.
  void emitSoftmax(MutableArrayRef<Value> score, ArrayRef<Value> number,
                   Value last, Value lanes, int64_t q, Value at,
                   SmallVector<Value> &carried) {
    Value oldMaximum = vb.splat(vb.loadScalar(maxima, lanes));
    Value largest = oldMaximum;
    for (auto [of, key] : llvm::zip(score, number)) {
      of = emitMasked(of, key, last);
      largest = vb.maxf(largest, of);
    }
    Value maximum = vector::ReductionOp::create(
        vb.builder, vb.loc, vector::CombiningKind::MAXNUMF, largest);
    vb.storeScalar(maximum, maxima, lanes);
    maximum = vb.splat(maximum);
    for (auto [v, of] : llvm::enumerate(score))
      vb.store(vb.exp2(vb.subf(of, maximum)), scores,
               vb.index(q * blockKeys + v * vectorLanes));
    Value decay = vb.exp2(vb.subf(oldMaximum, maximum));
    for (int64_t v = 0; v < vectors; ++v)
      carried.push_back(
          vb.mulf(vb.load(sums, vb.add(at, v * vectorLanes)), decay));
    carried.push_back(vb.mulf(
        vb.loadScalar(totals, lanes),
        vector::ExtractOp::create(vb.builder, vb.loc, decay, 0).getResult()));
  }

  /// Asks for the numbers of a head from \p start on.
  void prefetchHead(Value start) {
    auto type = cast<MemRefType>(cache.getType());
    int64_t line = 64 / (type.getElementTypeBitWidth() / 8);
    for (int64_t d = 0; d < dim; d += line)
      memref::PrefetchOp::create(vb.builder, vb.loc, cache, vb.add(start, d),
                                 /*isWrite=*/false, /*localityHint=*/2,
                                 /*isDataCache=*/true);
  }

  Value locateResult(Value row, Value head) {
    return vb.add(vb.mul(row, static_cast<int64_t>(op.getHeads()) * dim),
                  vb.mul(head, dim));
  }

  void emitEnd(Value row, Value firstQuery, Value g) {
    Value to = locateResult(row, vb.add(firstQuery, g));
    Value total = vb.splat(vb.loadScalar(totals, vb.mul(g, vectorLanes)));
    Value at = vb.mul(g, padded);
    for (int64_t v = 0; v < vectors; ++v)
      vb.store(vb.divf(vb.load(sums, vb.add(at, v * vectorLanes)), total), out,
               vb.add(to, v * vectorLanes), mask(v));
  }

  //===--- a tile of rows of one text -------------------------------------===//

  /// A query of each of \p left rows from \p row on is a lane; lanes behind
  /// them repeat the first.
  void emitTile(Value head, Value row, Value left) {
    int64_t offset = 0;
    queries = vb.carve(body.scratch, offset, group * padded * tileRows);
    sums = vb.carve(body.scratch, offset, group * padded * tileRows);
    maxima = vb.carve(body.scratch, offset, group * tileRows);
    totals = vb.carve(body.scratch, offset, group * tileRows);
    keys = vb.carve(body.scratch, offset, blockKeys * padded);
    values = vb.carve(body.scratch, offset, blockKeys * padded);
    scores = vb.carve(body.scratch, offset, blockKeys * tileRows);

    Value slot = read(slots, row);
    Value firstKey = locateCached(slot, head, 0);
    Value firstValue = locateCached(slot, head, 1);
    loadPositions(row, left);
    Value firstQuery = vb.mul(head, group);
    vb.loop(0, group, 1, [&](Value g) {
      emitBeginTile(row, left, vb.add(firstQuery, g), g);
    });
    Value begin =
        vb.mul(vb.div(getFirst(vb.toIndex(smallest)), blockKeys), blockKeys);
    Value end = vb.add(vb.toIndex(largest), 1);
    vb.loop(begin, end, blockKeys, [&](Value block) {
      Value there = vb.min(vb.sub(end, block), vb.index(blockKeys));
      Value whole =
          vb.mul(vb.div(vb.add(there, blockRows - 1), blockRows), blockRows);
      Value start = vb.mul(block, dim);
      emitPack(vb.add(firstKey, start), there, whole, keys);
      emitPack(vb.add(firstValue, start), there, whole, values);
      vb.loop(0, group, 1, [&](Value g) {
        emitBlockOfTile(block, whole, vb.add(firstQuery, g), g);
      });
    });
    vb.loop(0, group, 1,
            [&](Value g) { emitEndTile(row, left, vb.add(firstQuery, g), g); });
  }

  void loadPositions(Value row, Value left) {
    OpBuilder &b = vb.builder;
    Value first = vb.splat(vb.loadScalar(positions, row));
    lanePositions.clear();
    for (int64_t v = 0; v < blockVectors; ++v) {
      Value isThere = vb.mask(vb.sub(left, vb.index(v * vectorLanes)));
      lanePositions.push_back(vector::MaskedLoadOp::create(
          b, vb.loc, cast<VectorType>(first.getType()), positions,
          vb.add(row, v * vectorLanes), isThere, first));
    }
    auto reduce = [&](vector::CombiningKind kind) {
      Value result;
      for (Value lanes : lanePositions) {
        Value of = vector::ReductionOp::create(b, vb.loc, kind, lanes);
        result = result
                     ? vector::makeArithReduction(b, vb.loc, kind, result, of)
                     : of;
      }
      return result;
    };
    smallest = reduce(vector::CombiningKind::MINSI);
    largest = reduce(vector::CombiningKind::MAXSI);
  }

  void emitBeginTile(Value row, Value left, Value head, Value g) {
    Value start = vb.mul(g, padded * tileRows);
    for (int64_t lane = 0; lane < tileRows; lane += vectorLanes)
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> block;
        for (int64_t r = 0; r < vectorLanes; ++r) {
          Value which = vb.min(vb.index(lane + r), vb.sub(left, vb.index(1)));
          Value from =
              vb.add(locate(vb.add(row, which), head, 0), v * vectorLanes);
          block.push_back(
              vb.mulf(vb.load(qkv, from, mask(v)), vb.splat(getScale())));
        }
        block = vb.transpose(block);
        for (int64_t r = 0; r < vectorLanes; ++r)
          vb.store(block[r], queries,
                   vb.add(start, (v * vectorLanes + r) * tileRows + lane));
      }
    vb.loop(0, padded * tileRows, vectorLanes,
            [&](Value i) { vb.store(vb.splat(0.0), sums, vb.add(start, i)); });
    for (int64_t v = 0; v < blockVectors; ++v) {
      Value at = vb.add(vb.mul(g, tileRows), v * vectorLanes);
      vb.store(vb.splat(noMaximum), maxima, at);
      vb.store(vb.splat(0.0), totals, at);
    }
  }

  /// Rows of a head in fp32, [blockKeys, padded]: \p there from \p start on,
  /// then zeros up to \p whole.
  void emitPack(Value start, Value there, Value whole, Value to) {
    vb.loop(vb.index(0), there, 1, [&](Value j) {
      SmallVector<Value> row = loadCached(cache, vb.add(start, vb.mul(j, dim)));
      for (auto [v, value] : llvm::enumerate(row))
        vb.store(value, to, vb.add(vb.mul(j, padded), v * vectorLanes));
    });
    vb.loop(vb.mul(there, padded), vb.mul(whole, padded), vectorLanes,
            [&](Value at) { vb.store(vb.splat(0.0), to, at); });
  }

  /// Query \p g of the group of all lanes, head \p head, with \p whole keys
  /// from \p block on.
  void emitBlockOfTile(Value block, Value whole, Value head, Value g) {
    Value lanes = vb.mul(g, tileRows), start = vb.mul(g, padded * tileRows);
    Value slope = getSlope(head);
    SmallVector<Value> before, maximum, decay, total;
    for (int64_t v = 0; v < blockVectors; ++v)
      before.push_back(vb.load(maxima, vb.add(lanes, v * vectorLanes)));
    maximum = vb.loop(vb.index(0), whole, blockRows, before,
                      [&](Value r, ValueRange largest) {
                        return emitScores(block, r, start, slope, largest);
                      });
    for (int64_t v = 0; v < blockVectors; ++v) {
      Value at = vb.add(lanes, v * vectorLanes);
      vb.store(maximum[v], maxima, at);
      decay.push_back(vb.exp2(vb.subf(before[v], maximum[v])));
      total.push_back(vb.mulf(vb.load(totals, at), decay[v]));
    }
    total =
        vb.loop(vb.index(0), whole, 2, total, [&](Value r, ValueRange carried) {
          return emitWeights(r, maximum, carried);
        });
    for (int64_t v = 0; v < blockVectors; ++v)
      vb.store(total[v], totals, vb.add(lanes, v * vectorLanes));
    Matrix value{values, vb.index(0), 1, padded};
    Matrix weights{scores, vb.index(0), tileRows};
    Matrix sum{sums, start, tileRows};
    emitTileMatmul(vb, dim, blockVectors, vb.index(0), whole, 4, value, weights,
                   sum, decay);
  }

  /// Scores of a register block of keys, stored from row \p r of the block on.
  SmallVector<Value> emitScores(Value block, Value r, Value start, Value slope,
                                ValueRange maximum) {
    SmallVector<Value> numbers, score, next(maximum);
    Value key = vb.toI32(vb.add(block, r));
    for (int64_t i = 0; i < blockRows; ++i) {
      numbers.push_back(vb.splat(
          arith::AddIOp::create(vb.builder, vb.loc, key, vb.toI32(vb.index(i)))
              .getResult()));
      for (Value position : lanePositions)
        score.push_back(emitBias(numbers[i], position, slope));
    }
    Matrix a{keys, vb.mul(r, padded), padded};
    Matrix b{queries, start, tileRows};
    score = cpu::emitBlock(vb, blockRows, blockVectors, vb.index(0),
                           vb.index(dim), getUnroll(), a, b, score);
    for (int64_t i = 0; i < blockRows; ++i)
      for (int64_t v = 0; v < blockVectors; ++v) {
        Value of = emitMasked(score[i * blockVectors + v], numbers[i],
                              lanePositions[v]);
        vb.store(of, scores,
                 vb.add(vb.mul(vb.add(r, i), tileRows), v * vectorLanes));
        next[v] = vb.maxf(next[v], of);
      }
    return next;
  }

  /// The weights of keys r and r + 1; returns the sums with them.
  SmallVector<Value> emitWeights(Value r, ValueRange maximum,
                                 ValueRange carried) {
    SmallVector<Value> total(carried);
    for (int64_t i = 0; i < 2 * blockVectors; ++i) {
      Value at = vb.add(vb.mul(r, tileRows), i * vectorLanes);
      int64_t v = i % blockVectors;
      Value weight = vb.exp2(vb.subf(vb.load(scores, at), maximum[v]));
      total[v] = vb.addf(total[v], weight);
      vb.store(weight, scores, at);
    }
    return total;
  }

  void emitEndTile(Value row, Value left, Value head, Value g) {
    Value start = vb.mul(g, padded * tileRows);
    for (int64_t lane = 0; lane < tileRows; lane += vectorLanes) {
      Value total = vb.load(totals, vb.add(vb.mul(g, tileRows), lane));
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> block;
        for (int64_t r = 0; r < vectorLanes; ++r)
          block.push_back(vb.divf(
              vb.load(sums,
                      vb.add(start, (v * vectorLanes + r) * tileRows + lane)),
              total));
        block = vb.transpose(block);
        for (int64_t r = 0; r < vectorLanes; ++r) {
          Value isThere = arith::CmpIOp::create(vb.builder, vb.loc,
                                                arith::CmpIPredicate::slt,
                                                vb.index(lane + r), left);
          Value columns = arith::SelectOp::create(
              vb.builder, vb.loc, isThere, vb.index(dim - v * vectorLanes),
              vb.index(0));
          Value to = vb.add(locateResult(vb.add(row, lane + r), head),
                            v * vectorLanes);
          vb.store(block[r], out, to, vb.mask(columns));
        }
      }
    }
  }

  int64_t group;    ///< queries that share a key head
  int64_t together; ///< of which so many are computed together
  int64_t padded;   ///< columns of a head in whole vectors
  Value cache, out;
  // Of a row or a tile, in scratch memory; keys are transposed for a row.
  Value queries, sums, maxima, totals, scores, keys, values;
  /// Of a tile's lanes, and the least and the most of them.
  SmallVector<Value> lanePositions;
  Value smallest, largest;
};

struct CachedAttentionKernel
    : KernelEmissionOpInterface::ExternalModel<CachedAttentionKernel,
                                               nn::CachedAttentionOp> {
  int64_t getIterations(Operation *op) const {
    return CachedAttentionEmitter::getIterations(
        cast<nn::CachedAttentionOp>(op));
  }
  int64_t getScratchBytes(Operation *op) const {
    return CachedAttentionEmitter::getScratchBytes(
        cast<nn::CachedAttentionOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    CachedAttentionEmitter(cast<nn::CachedAttentionOp>(op), body).emit();
  }
};

} // namespace

void tessera::cpu::registerCachedAttention(MLIRContext *context) {
  nn::CachedAttentionOp::attachInterface<CachedAttentionKernel>(*context);
}
