//===- CachedTileAttention.cpp - A text and its cached keys -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In the lanes are rows of one text, a tile of them.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CachedAttention.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Rows of a tile, in the lanes of one register block.
constexpr int64_t tileRows = blockVectors * vectorLanes;

class TileAttention : CachedScores<nn::CachedAttentionOp> {
public:
  using CachedScores::CachedScores;

  static int64_t getIterations(nn::CachedAttentionOp op) {
    return CachedRows::getIterations(op, tileRows);
  }
  static int64_t getScratchBytes(nn::CachedAttentionOp op) {
    int64_t padded = roundUp(op.getHeadDim(), vectorLanes);
    int64_t group = op.getHeads() / op.getKeyHeads();
    int64_t states = hasParts(op) ? 2 : 1;
    return (group * (padded + states * (padded + 2)) * tileRows +
            2 * blockKeys * padded + blockKeys * tileRows) *
           static_cast<int64_t>(sizeof(float));
  }

  void emit() {
    out = vb.flatten(body.outputs[0]);
    forRows(tileRows, [&](Value head, Value row) {
      emitTile(head, row, vb.min(vb.sub(count, row), vb.index(tileRows)));
    });
  }

private:
  /// A query of each of \p left rows from \p row on is a lane; lanes behind
  /// them repeat the first.
  void emitTile(Value head, Value row, Value left) {
    carve();
    Value slot = read(slots, row);
    Value firstKey = locateCached(slot, head, 0);
    Value firstValue = locateCached(slot, head, 1);
    loadPositions(row, left);
    Value firstQuery = vb.mul(head, group);
    vb.loop(0, group, 1, [&](Value g) {
      emitBeginTile(row, left, vb.add(firstQuery, g), g);
    });
    Value first = getFirst(vb.toIndex(smallest));
    Value end = vb.add(vb.toIndex(largest), 1);
    auto emitKeys = [&](Value begin, Value end) {
      clear(part);
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
    };
    if (hasParts(op)) {
      clear(whole);
      forParts(first, end, partKeys, [&](Value begin, Value partEnd) {
        emitKeys(begin, partEnd);
        joinPart();
      });
    } else {
      emitKeys(getFirstBlock(vb.index(0), first), end);
    }
    vb.loop(0, group, 1,
            [&](Value g) { emitEndTile(row, left, vb.add(firstQuery, g), g); });
  }

  void carve() {
    int64_t offset = 0;
    auto next = [&](int64_t elements) {
      return vb.carve(body.scratch, offset, elements);
    };
    auto nextState = [&] {
      return SoftmaxState{next(group * padded * tileRows),
                          next(group * tileRows), next(group * tileRows)};
    };
    queries = next(group * padded * tileRows);
    part = nextState();
    keys = next(blockKeys * padded);
    values = next(blockKeys * padded);
    scores = next(blockKeys * tileRows);
    whole = hasParts(op) ? nextState() : part;
  }

  /// Sets \p state to that of no keys.
  void clear(const SoftmaxState &state) {
    auto fill = [&](Value buffer, int64_t elements, double number) {
      vb.loop(0, elements, vectorLanes,
              [&](Value at) { vb.store(vb.splat(number), buffer, at); });
    };
    fill(state.sums, group * padded * tileRows, 0);
    fill(state.maxima, group * tileRows, noMaximum);
    fill(state.totals, group * tileRows, 0);
  }

  /// The part's state joins that of those before it.
  void joinPart() {
    vb.loop(0, group * tileRows, vectorLanes, [&](Value at) {
      Joint joint(vb, vb.load(whole.maxima, at), vb.load(part.maxima, at));
      auto join = [&](Value of, Value ofPart, Value place) {
        vb.store(joint.join(vb.load(of, place), vb.load(ofPart, place)), of,
                 place);
      };
      join(whole.totals, part.totals, at);
      vb.store(joint.maximum, whole.maxima, at);
      Value lane = vb.rem(at, tileRows);
      Value first = vb.add(vb.mul(vb.sub(at, lane), padded), lane);
      vb.loop(0, padded, 1, [&](Value column) {
        join(whole.sums, part.sums, vb.add(first, vb.mul(column, tileRows)));
      });
    });
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
      before.push_back(vb.load(part.maxima, vb.add(lanes, v * vectorLanes)));
    maximum = vb.loop(vb.index(0), whole, blockRows, before,
                      [&](Value r, ValueRange largest) {
                        return emitScores(block, r, start, slope, largest);
                      });
    for (int64_t v = 0; v < blockVectors; ++v) {
      Value at = vb.add(lanes, v * vectorLanes);
      vb.store(maximum[v], part.maxima, at);
      decay.push_back(vb.exp2(vb.subf(before[v], maximum[v])));
      total.push_back(vb.mulf(vb.load(part.totals, at), decay[v]));
    }
    total =
        vb.loop(vb.index(0), whole, 2, total, [&](Value r, ValueRange carried) {
          return emitWeights(r, maximum, carried);
        });
    for (int64_t v = 0; v < blockVectors; ++v)
      vb.store(total[v], part.totals, vb.add(lanes, v * vectorLanes));
    Matrix value{values, vb.index(0), 1, padded};
    Matrix weights{scores, vb.index(0), tileRows};
    Matrix sum{part.sums, start, tileRows};
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
                              lanePositions[v], lanePositions[v]);
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
      Value total = vb.load(whole.totals, vb.add(vb.mul(g, tileRows), lane));
      for (int64_t v = 0; v < vectors; ++v) {
        SmallVector<Value> block;
        for (int64_t r = 0; r < vectorLanes; ++r)
          block.push_back(vb.divf(
              vb.load(whole.sums,
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

  Value out;
  // In scratch memory; of several parts all, else the one.
  Value queries, keys, values, scores;
  SoftmaxState part, whole;
  /// Of a tile's lanes, and the least and the most of them.
  SmallVector<Value> lanePositions;
  Value smallest, largest;
};

} // namespace

int64_t tessera::cpu::getTileIterations(nn::CachedAttentionOp op) {
  return TileAttention::getIterations(op);
}

int64_t tessera::cpu::getTileScratchBytes(nn::CachedAttentionOp op) {
  return TileAttention::getScratchBytes(op);
}

void tessera::cpu::emitTiles(nn::CachedAttentionOp op, KernelBody &body) {
  TileAttention(op, body).emit();
}
