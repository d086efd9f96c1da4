//===- CachedRowAttention.cpp - A row and its cached keys -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In the lanes are keys of a block, for its scores, and columns of the head,
// for its values.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/CachedAttention.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

template <typename Op> class RowAttention : CachedScores<Op> {
  using Base = CachedScores<Op>;
  using Base::body;
  using Base::cache;
  using Base::count;
  using Base::dim;
  using Base::group;
  using Base::op;
  using Base::padded;
  using Base::positions;
  using Base::qkv;
  using Base::rows;
  using Base::slots;
  using Base::vb;
  using Base::vectors;

public:
  RowAttention(Op op, KernelBody &body)
      : Base(op, body), together(getTogether(group)) {}

  /// Queries of a group that are computed together: a divisor of their number.
  static int64_t getTogether(int64_t group) {
    return group % 4 == 0 ? 4 : group % 3 == 0 ? 3 : group % 2 == 0 ? 2 : 1;
  }
  /// With memory for \p states states.
  static int64_t getScratchBytes(Op op, int64_t states) {
    int64_t padded = roundUp(op.getHeadDim(), vectorLanes);
    int64_t group = op.getHeads() / op.getKeyHeads();
    return (group * (padded + states * (padded + 2 * vectorLanes)) +
            blockKeys * padded + getTogether(group) * blockKeys) *
           static_cast<int64_t>(sizeof(float));
  }

  /// All keys of rows.
  void emitRows() {
    Value out = vb.flatten(body.outputs[0]);
    this->forRows(1, [&](Value head, Value row) {
      carve();
      beginRow(head, row);
      Value first = this->getFirst(position), end = vb.add(position, 1);
      if (!hasParts(op)) {
        clear(part);
        emitKeys(this->getFirstBlock(vb.index(0), first), end);
        return storeRow(row, part, out);
      }
      clear(whole);
      this->forParts(first, end, partKeys, [&](Value begin, Value partEnd) {
        clear(part);
        emitKeys(begin, partEnd);
        joinPart();
      });
      storeRow(row, whole, out);
    });
  }

  /// Parts of rows. Of the parts that there are threads get equal shares.
  void emitParts() {
    auto length = static_cast<int64_t>(op.getPartLength());
    int64_t keyHeads = op.getKeyHeads();
    auto getRange = [&](Value row) {
      Value at = this->read(positions, row);
      Value first = vb.div(this->getFirst(at), length);
      return std::pair(first, vb.sub(vb.add(vb.div(at, length), 1), first));
    };
    Value all = vb.loop(
        vb.index(0), count, 1, vb.index(0), [&](Value row, ValueRange sum) {
          Value parts = getRange(row).second;
          return SmallVector<Value>{vb.add(sum[0], vb.mul(parts, keyHeads))};
        })[0];
    auto getShare = [&](Value iteration) {
      return vb.div(
          arith::MulIOp::create(vb.builder, vb.loc, iteration, all).getResult(),
          body.iterations);
    };
    Value begin = getShare(body.begin), end = getShare(body.end);
    vb.loop(vb.index(0), count, 1, vb.index(0),
            [&](Value row, ValueRange before) {
              auto [first, parts] = getRange(row);
              Value ofRow = vb.mul(parts, keyHeads);
              vb.loop(vb.max(vb.sub(begin, before[0]), vb.index(0)),
                      vb.min(vb.sub(end, before[0]), ofRow), 1,
                      [&, first = first, parts = parts](Value number) {
                        Value head = arith::DivUIOp::create(vb.builder, vb.loc,
                                                            number, parts);
                        Value which = arith::RemUIOp::create(vb.builder, vb.loc,
                                                             number, parts);
                        emitPart(row, head, vb.add(first, which), length);
                      });
              return SmallVector<Value>{vb.add(before[0], ofRow)};
            });
  }

private:
  void emitPart(Value row, Value head, Value number, int64_t length) {
    carve();
    beginRow(head, row);
    clear(part);
    Value start = vb.mul(number, length);
    emitKeys(this->getFirstBlock(start, this->getFirst(position)),
             vb.min(vb.add(position, 1), vb.add(start, length)));
    int64_t kept = op.getPartCount();
    Value place = vb.mul(row, static_cast<int64_t>(op.getHeads()));
    Value partSums = vb.flatten(body.outputs[0]);
    Value partMaxima = vb.flatten(body.outputs[1]);
    Value partTotals = vb.flatten(body.outputs[2]);
    vb.loop(0, group, 1, [&](Value g) {
      Value to = vb.add(vb.mul(vb.add(place, vb.add(firstQuery, g)), kept),
                        vb.rem(number, kept));
      Value lanes = vb.mul(g, vectorLanes);
      vb.storeScalar(vb.loadScalar(part.maxima, lanes), partMaxima, to);
      vb.storeScalar(vb.loadScalar(part.totals, lanes), partTotals, to);
      for (int64_t v = 0; v < vectors; ++v)
        vb.store(vb.load(part.sums, vb.add(vb.mul(g, padded), v * vectorLanes)),
                 partSums, vb.add(vb.mul(to, dim), v * vectorLanes),
                 this->mask(v));
    });
  }

  void carve() {
    int64_t offset = 0;
    auto next = [&](int64_t elements) {
      return vb.carve(body.scratch, offset, elements);
    };
    auto nextState = [&] {
      return SoftmaxState{next(group * padded), next(group * vectorLanes),
                          next(group * vectorLanes)};
    };
    queries = next(group * padded);
    part = nextState();
    keys = next(blockKeys * padded);
    scores = next(together * blockKeys);
    if constexpr (std::is_same_v<Op, nn::CachedAttentionOp>)
      if (hasParts(op))
        whole = nextState();
  }

  /// The queries of row \p row that share the key head \p head.
  void beginRow(Value head, Value row) {
    Value slot = this->read(slots, row);
    position = this->read(positions, row);
    firstKey = this->locateCached(slot, head, 0);
    firstValue = this->locateCached(slot, head, 1);
    firstQuery = vb.mul(head, group);
    vb.loop(0, group, 1, [&](Value g) {
      Value query = this->locate(row, vb.add(firstQuery, g), 0);
      for (auto [v, value] : llvm::enumerate(this->loadHead(qkv, query)))
        vb.store(vb.mulf(value, vb.splat(this->getScale())), queries,
                 vb.add(vb.mul(g, padded), v * vectorLanes));
    });
  }

  /// Sets \p state to that of no keys.
  void clear(const SoftmaxState &state) {
    vb.loop(0, group, 1, [&](Value g) {
      Value at = vb.mul(g, padded), lanes = vb.mul(g, vectorLanes);
      for (int64_t v = 0; v < vectors; ++v)
        vb.store(vb.splat(0.0), state.sums, vb.add(at, v * vectorLanes));
      vb.storeScalar(vb.number(noMaximum), state.maxima, lanes);
      vb.storeScalar(vb.number(0), state.totals, lanes);
    });
  }

  /// The part's state joins that of those before it.
  void joinPart() {
    vb.loop(0, group, 1, [&](Value g) {
      Value at = vb.mul(g, padded), lanes = vb.mul(g, vectorLanes);
      auto read = [&](Value buffer) {
        return vb.splat(vb.loadScalar(buffer, lanes));
      };
      auto write = [&](Value vector, Value buffer) {
        vb.storeScalar(vector::ExtractOp::create(vb.builder, vb.loc, vector, 0)
                           .getResult(),
                       buffer, lanes);
      };
      Joint joint(vb, read(whole.maxima), read(part.maxima));
      write(joint.join(read(whole.totals), read(part.totals)), whole.totals);
      write(joint.maximum, whole.maxima);
      for (int64_t v = 0; v < vectors; ++v) {
        Value place = vb.add(at, v * vectorLanes);
        vb.store(
            joint.join(vb.load(whole.sums, place), vb.load(part.sums, place)),
            whole.sums, place);
      }
    });
  }

  /// Keys [begin, end) of the row, of a part at most.
  void emitKeys(Value begin, Value end) {
    vb.loop(begin, end, blockKeys, [&](Value block) {
      Value there = vb.min(vb.sub(end, block), vb.index(blockKeys));
      Value start = vb.mul(block, dim);
      emitTransposedKeys(vb.add(firstKey, start), vb.add(firstValue, start),
                         there);
      vb.loop(0, group, together, [&](Value g) { emitBlock(block, there, g); });
    });
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
          block.push_back(this->loadCached(cache, vb.add(from, offset), v));
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

  /// Queries [g, g + together) of the group with keys [block, block + there).
  /// Meanwhile the next block's keys come.
  void emitBlock(Value block, Value there, Value g) {
    constexpr int64_t parts = blockKeys / vectorLanes;
    Value head = vb.add(firstQuery, g);
    SmallVector<Value> number, score;
    Value query = vb.splat(vb.toI32(position));
    Value last = vb.splat(vb.toI32(vb.sub(vb.add(block, there), vb.index(1))));
    for (int64_t v = 0; v < parts; ++v)
      number.push_back(
          vb.add(vb.splat(vb.toI32(block)), emitLaneNumbers(vb, v)));
    for (int64_t q = 0; q < together; ++q) {
      Value slope = this->getSlope(vb.add(head, q));
      for (int64_t v = 0; v < parts; ++v)
        score.push_back(this->emitBias(number[v], query, slope));
    }
    int64_t unroll = this->getUnroll();
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
              Value factor = vb.splat(vb.loadScalar(
                  queries, vb.add(at, vb.add(column, q * padded))));
              for (int64_t v = 0; v < parts; ++v) {
                Value &sum = next[q * parts + v];
                sum = vb.fma(factor, key[v], sum);
              }
            }
          }
          return next;
        });
    SmallVector<Value> carried;
    for (int64_t q = 0; q < together; ++q) {
      MutableArrayRef<Value> of =
          MutableArrayRef(score).slice(q * parts, parts);
      emitSoftmax(of, number, last, query, vb.add(lanes, q * vectorLanes), q,
                  vb.add(at, q * padded), carried);
    }
    Value next = vb.add(block, blockKeys), start = vb.mul(block, dim);
    carried =
        vb.loop(vb.index(0), there, 1, carried, [&](Value j, ValueRange old) {
          Value offset = vb.mul(j, dim);
          Value ahead = vb.min(vb.add(next, j), position);
          prefetchHead(vb.add(firstKey, vb.mul(ahead, dim)));
          SmallVector<Value> following;
          SmallVector<Value> value = this->loadCached(
              cache, vb.add(vb.add(firstValue, start), offset));
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
      vb.storeScalar(own.back(), part.totals, vb.add(lanes, q * vectorLanes));
      for (auto [v, value] : llvm::enumerate(own.drop_back()))
        vb.store(value, part.sums, vb.add(at, q * padded + v * vectorLanes));
    }
  }

  /// The weights of a block's keys for query \p q of those that are together,
  /// from its \p score. Appends its sums before the block to \p carried, scaled
  /// by the new maximum: those of the values, then that of the weights.
  void emitSoftmax(MutableArrayRef<Value> score, ArrayRef<Value> number,
                   Value last, Value query, Value lanes, int64_t q, Value at,
                   SmallVector<Value> &carried) {
    Value oldMaximum = vb.splat(vb.loadScalar(part.maxima, lanes));
    Value largest = oldMaximum;
    for (auto [of, key] : llvm::zip(score, number)) {
      of = this->emitMasked(of, key, last, query);
      largest = vb.maxf(largest, of);
    }
    Value maximum = vector::ReductionOp::create(
        vb.builder, vb.loc, vector::CombiningKind::MAXNUMF, largest);
    vb.storeScalar(maximum, part.maxima, lanes);
    maximum = vb.splat(maximum);
    for (auto [v, of] : llvm::enumerate(score))
      vb.store(vb.exp2(vb.subf(of, maximum)), scores,
               vb.index(q * blockKeys + v * vectorLanes));
    Value decay = vb.exp2(vb.subf(oldMaximum, maximum));
    for (int64_t v = 0; v < vectors; ++v)
      carried.push_back(
          vb.mulf(vb.load(part.sums, vb.add(at, v * vectorLanes)), decay));
    carried.push_back(vb.mulf(
        vb.loadScalar(part.totals, lanes),
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

  void storeRow(Value row, const SoftmaxState &state, Value out) {
    vb.loop(0, group, 1, [&](Value g) {
      Value to = this->locateResult(row, vb.add(firstQuery, g));
      Value total =
          vb.splat(vb.loadScalar(state.totals, vb.mul(g, vectorLanes)));
      Value at = vb.mul(g, padded);
      for (int64_t v = 0; v < vectors; ++v)
        vb.store(
            vb.divf(vb.load(state.sums, vb.add(at, v * vectorLanes)), total),
            out, vb.add(to, v * vectorLanes), this->mask(v));
    });
  }

  int64_t together; ///< queries that are computed together
  // In scratch memory; keys are transposed.
  Value queries, keys, scores;
  SoftmaxState part, whole;
  // Of the row and key head at hand.
  Value position, firstKey, firstValue, firstQuery;
};

} // namespace

int64_t tessera::cpu::getRowScratchBytes(nn::CachedAttentionOp op) {
  return RowAttention<nn::CachedAttentionOp>::getScratchBytes(
      op, hasParts(op) ? 2 : 1);
}

void tessera::cpu::emitRows(nn::CachedAttentionOp op, KernelBody &body) {
  RowAttention(op, body).emitRows();
}

int64_t tessera::cpu::getRowScratchBytes(nn::CachedAttentionPartsOp op) {
  return RowAttention<nn::CachedAttentionPartsOp>::getScratchBytes(op, 1);
}

void tessera::cpu::emitParts(nn::CachedAttentionPartsOp op, KernelBody &body) {
  RowAttention(op, body).emitParts();
}
