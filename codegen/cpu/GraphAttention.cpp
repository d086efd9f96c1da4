//===- GraphAttention.cpp - The kernels of attention over edges -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One iteration is one node, whose edges are taken in chunks. First a chunk's
// scores become weights, in scratch memory, with lanes over heads and edges
// alike; then its neighbours' rows are summed twice over with these weights,
// with lanes over columns. The softmax is online: a chunk that brings a larger
// maximum scales what the chunks before it have left.
//
// The backward pass is the same over the transposed graph. There the softmax's
// log-sum-exps are known, one per target.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/Attention.h"
#include "codegen/kernels/VectorBuilder.h"
#include "dialects/graph/Graph.h"
#include <numeric>

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

namespace {

/// Vectors of a row that both sums keep in registers.
constexpr int64_t rowVectors = 8;
/// Scores of a chunk, and the edges that they belong to at most.
constexpr int64_t scores = 512, mostEdges = 64;

/// A maximum that any score exceeds, and what scores beyond a chunk's end are:
/// both finite, since the difference of two infinities is no number.
constexpr double noMaximum = -1e30, noScore = -3e38;

/// Words of a call of Philox.
constexpr int64_t callWords = 4;

/// How the heads of an edge lie in scratch memory, and a chunk's edges.
struct ChunkShape {
  /// Heads, and places of an edge: a divisor of a vector, or whole vectors;
  /// with dropout they are whole calls of Philox.
  int64_t heads, stride;
  int64_t edges;

  ChunkShape(int64_t heads, bool drops)
      : heads(heads), stride(heads < vectorLanes
                                 ? std::max<int64_t>(llvm::PowerOf2Ceil(heads),
                                                     drops ? callWords : 1)
                                 : roundUp(heads, vectorLanes)),
        edges(std::clamp<int64_t>(scores / stride, 4, mostEdges)) {}

  /// Whether a vector holds the heads of several edges.
  bool packsEdges() const { return stride < vectorLanes; }
  /// Elements of an array over heads, and over edges and heads. A vector may
  /// start at any element.
  int64_t headElements() const {
    return roundUp(stride, vectorLanes) + vectorLanes;
  }
  int64_t edgeElements() const { return edges * stride + vectorLanes; }
  /// Calls of Philox for an edge; elements of an array over them, and of one
  /// over their words.
  int64_t calls() const { return stride / callWords; }
  int64_t callElements() const {
    return roundUp(edges * calls(), vectorLanes) + vectorLanes;
  }
  int64_t wordElements() const { return callWords * callElements(); }
};

/// A vector of a strip of columns.
struct StripVector {
  int64_t column; ///< its first, from the strip's first
  int64_t count;  ///< columns, vectorLanes at most
  /// Of each lane, from the strip's first head.
  SmallVector<int64_t> heads;
};

class GraphAttentionEmitter {
public:
  /// \p rows and \p columns: the arrays of the result's rows within the inputs.
  template <typename Op>
  GraphAttentionEmitter(Op op, KernelBody &body, bool isGradient)
      : vb(body.builder, body.loc), body(body), isGradient(isGradient),
        width(op.getInput().getType().getDimSize(1)),
        headWidth(op.getHeadWidth()), slope(op.getSlope().convertToDouble()),
        columns(op.getGraph().getType().getColumns()),
        rate(op.getRate().convertToDouble()), drops(op.getStream() != nullptr),
        shape(op.getHeads(), drops) {
    unsigned arrays = isGradient ? 3 : 0;
    rowStart = body.inputs[arrays];
    neighbors = body.inputs[arrays + 1];
    input = vb.flatten(body.inputs[6]);
    // What a node and its neighbours bring to a score.
    own = vb.flatten(body.inputs[isGradient ? 7 : 8]);
    others = vb.flatten(body.inputs[isGradient ? 8 : 7]);
    result = vb.flatten(body.outputs[0]);
    sloped = vb.flatten(body.outputs[isGradient ? 1 : 2]);
    perHead = vb.flatten(body.outputs[isGradient ? 2 : 3]);
    int64_t offset = 0;
    auto carve = [&](int64_t elements, Type type = {}) {
      return vb.carve(body.scratch, offset, elements, type);
    };
    if (drops) {
      ArrayRef<Value> draws =
          ArrayRef<Value>(body.inputs).drop_front(isGradient ? 11 : 9);
      stream = RandomStream::load(vb, draws.front());
      if (op.getIds())
        ids = draws.back();
      Type i32 = body.builder.getI32Type();
      repeats = carve(1, i32);
      calls = carve(shape.callElements(), i32);
      targets = carve(shape.callElements(), i32);
      words = carve(shape.wordElements(), i32);
    }
    weights = carve(shape.edgeElements());
    slopedWeights = carve(shape.edgeElements());
    sums = carve(shape.headElements());
    if (isGradient) {
      lse = vb.flatten(body.inputs[9]);
      delta = vb.flatten(body.inputs[10]);
      lses = carve(shape.edgeElements());
      deltas = carve(shape.edgeElements());
      return;
    }
    lse = vb.flatten(body.outputs[1]);
    for (Value *array : {&maxima, &slopes, &kept, &inverse})
      *array = carve(shape.headElements());
  }

  static int64_t getScratchBytes(int64_t heads, bool isGradient, bool drops) {
    ChunkShape shape(heads, drops);
    auto bytes = [](int64_t elements) { return roundUp(4 * elements, 64); };
    int64_t total = (isGradient ? 4 : 2) * bytes(shape.edgeElements()) +
                    (isGradient ? 1 : 5) * bytes(shape.headElements());
    if (drops)
      total += bytes(1) + 2 * bytes(shape.callElements()) +
               bytes(shape.wordElements());
    return total;
  }

  void emit() {
    vb.loop(body.begin, body.end, 1, [&](Value node) {
      Value begin = vb.toIndex(vb.loadScalar(rowStart, node));
      Value end = vb.toIndex(vb.loadScalar(rowStart, vb.add(node, 1)));
      ownNode = node;
      ownHeads = vb.mul(node, shape.heads);
      row = vb.mul(node, width);
      startRow();
      // A node without edges has an empty chunk.
      vb.loop(begin, vb.max(end, vb.add(begin, 1)), shape.edges,
              [&](Value first) {
                Value last = vb.min(vb.add(first, shape.edges), end);
                isFirst = arith::CmpIOp::create(
                    vb.builder, vb.loc, arith::CmpIPredicate::eq, first, begin);
                copyScores(first, last);
                if (drops)
                  drawWords(first, last);
                Value places = vb.mul(vb.sub(last, first), shape.stride);
                overHeads([&](Value head, Value mask) {
                  if (isGradient)
                    recomputeWeights(head, mask, places);
                  else
                    computeWeights(head, mask, places);
                });
                sumRows(first, last);
              });
      finishRow();
    });
  }

private:
  //===--- heads ----------------------------------------------------------===//

  /// Calls \p write for each vector of heads.
  void overHeads(function_ref<void(Value head, Value mask)> write) {
    vb.vectors(shape.heads, write);
  }

  /// The node's own numbers of \p array at \p head, repeated for each edge that
  /// a vector has.
  Value loadOwn(Value array, Value head, Value mask) {
    return repeat(vb.load(array, vb.add(ownHeads, head), mask));
  }

  Value repeat(Value vector) {
    if (!shape.packsEdges())
      return vector;
    SmallVector<int64_t> lanes;
    for (int64_t lane = 0; lane < vectorLanes; ++lane)
      lanes.push_back(lane % shape.stride);
    return vector::ShuffleOp::create(vb.builder, vb.loc, vector, vector, lanes);
  }

  /// Combines the lanes of each head; each gets the result.
  Value fold(Value vector, function_ref<Value(Value, Value)> combine) {
    for (int64_t distance = vectorLanes / 2; distance >= shape.stride;
         distance /= 2) {
      SmallVector<int64_t> lanes;
      for (int64_t lane = 0; lane < vectorLanes; ++lane)
        lanes.push_back((lane + distance) % vectorLanes);
      vector = combine(vector, vector::ShuffleOp::create(vb.builder, vb.loc,
                                                         vector, vector, lanes)
                                   .getResult());
    }
    return vector;
  }

  Value foldSum(Value vector) {
    return fold(vector, [&](Value a, Value b) { return vb.addf(a, b); });
  }

  void startRow() {
    if (drops)
      vb.storeScalar(makeInteger(0), repeats, vb.index(0));
    overHeads([&](Value head, Value) {
      vb.store(vb.splat(0.0), sums, head);
      if (isGradient)
        return;
      vb.store(vb.splat(noMaximum), maxima, head);
      vb.store(vb.splat(0.0), slopes, head);
    });
  }

  void finishRow() {
    overHeads([&](Value head, Value mask) {
      Value place = vb.add(ownHeads, head);
      Value sum = vb.load(sums, head);
      if (isGradient)
        return vb.store(sum, perHead, place, mask);
      Value isEmpty = compare(arith::CmpFPredicate::OEQ, sum, vb.splat(0.0));
      Value log = math::LogOp::create(vb.builder, vb.loc, sum);
      vb.store(
          select(isEmpty, vb.splat(0.0), vb.addf(vb.load(maxima, head), log)),
          lse, place, mask);
      vb.store(vb.mulf(vb.load(slopes, head), vb.load(inverse, head)), perHead,
               place, mask);
    });
  }

  //===--- scores ---------------------------------------------------------===//

  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(vb.builder, vb.loc, predicate, a, b);
  }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(vb.builder, vb.loc, condition, a, b);
  }
  Value exp(Value x) { return vb.exp2(vb.mulf(x, vb.splat(log2E))); }

  /// Brings what the neighbours of the edges from \p first to \p last have per
  /// head side by side.
  void copyScores(Value first, Value last) {
    SmallVector<std::pair<Value, Value>> copies = {{others, weights}};
    if (isGradient)
      copies.append({{lse, lses}, {delta, deltas}});
    // The places of the next edge are written after these.
    Value storeMask = shape.packsEdges() ? vb.mask(shape.stride) : Value();
    vb.loop(first, last, 1, [&](Value edge) {
      Value from = vb.mul(getNeighbor(edge), shape.heads);
      Value to = vb.mul(vb.sub(edge, first), shape.stride);
      overHeads([&](Value head, Value mask) {
        for (auto [array, copy] : copies)
          vb.store(vb.load(array, vb.add(from, head), mask), copy,
                   vb.add(to, head), storeMask);
      });
    });
  }

  Value getNeighbor(Value edge) {
    return vb.toIndex(vb.loadScalar(neighbors, edge));
  }

  //===--- dropout --------------------------------------------------------===//

  Value makeInteger(int64_t value) {
    return arith::ConstantOp::create(vb.builder, vb.loc,
                                     vb.builder.getI32IntegerAttr(value));
  }

  Value loadId(Value node) { return vb.toIndex(vb.loadScalar(ids, node)); }

  /// The random words of a chunk, by edge and head: see graph.attention.
  void drawWords(Value first, Value last) {
    Value before =
        vb.loadScalar(neighbors, vb.max(vb.add(first, -1), vb.index(0)));
    SmallVector<Value> start = {select(isFirst, makeInteger(-1), before),
                                vb.loadScalar(repeats, vb.index(0))};
    Value count =
        vb.loop(first, last, 1, start, [&](Value edge, ValueRange carried) {
          Value neighbor = vb.loadScalar(neighbors, edge);
          Value isRepeated = arith::CmpIOp::create(vb.builder, vb.loc,
                                                   arith::CmpIPredicate::eq,
                                                   neighbor, carried[0]);
          Value repeat = select(isRepeated, vb.add(carried[1], makeInteger(1)),
                                makeInteger(0));
          Value other = vb.toIndex(neighbor);
          Value source = isGradient ? ownNode : other;
          Value target = isGradient ? other : ownNode;
          if (ids)
            storeCounters(edge, first, loadId(source), loadId(target));
          else
            storeCounters(edge, first,
                          vb.add(source, vb.mul(vb.toIndex(repeat), columns)),
                          target);
          return SmallVector<Value>{neighbor, repeat};
        })[1];
    vb.storeScalar(count, repeats, vb.index(0));

    // Word w of call k is that of place 4 k + w.
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < vectorLanes / 2; ++lane) {
      low.append({lane, vectorLanes + lane});
      high.append(
          {vectorLanes / 2 + lane, vectorLanes + vectorLanes / 2 + lane});
    }
    auto interleave = [&](Value a, Value b, ArrayRef<int64_t> lanes) -> Value {
      return vector::ShuffleOp::create(vb.builder, vb.loc, a, b, lanes);
    };
    Value end = vb.mul(vb.sub(last, first), shape.calls());
    vb.loop(vb.index(0), end, vectorLanes, [&](Value call) {
      std::array<Value, callWords> drawn =
          emitPhilox(vb, stream, vb.load(calls, call), vb.load(targets, call));
      int64_t part = 0;
      for (ArrayRef<int64_t> half : {ArrayRef(low), ArrayRef(high)}) {
        Value even = interleave(drawn[0], drawn[2], half);
        Value odd = interleave(drawn[1], drawn[3], half);
        for (ArrayRef<int64_t> quarter : {ArrayRef(low), ArrayRef(high)})
          vb.store(interleave(even, odd, quarter), words,
                   vb.add(vb.mul(call, callWords), vectorLanes * part++));
      }
    });
  }

  /// Stores the counters of \p edge: its calls are those of row \p row of
  /// sample \p target.
  void storeCounters(Value edge, Value first, Value row, Value target) {
    auto steps = llvm::to_vector(llvm::seq<int32_t>(vectorLanes));
    Value lane = arith::ConstantOp::create(vb.builder, vb.loc,
                                           vb.builder.getI32VectorAttr(steps));
    int64_t callsOfRow = llvm::divideCeil(shape.heads, callWords);
    Value call = vb.toI32(vb.mul(row, callsOfRow));
    Value to = vb.mul(vb.sub(edge, first), shape.calls());
    // What lies behind an edge's calls is the next one's.
    for (int64_t at = 0; at < shape.calls(); at += vectorLanes) {
      Value place = vb.add(to, at);
      Value begin = vb.add(call, makeInteger(at));
      vb.store(vb.add(vb.splat(begin), lane), calls, place);
      vb.store(vb.splat(vb.toI32(target)), targets, place);
    }
  }

  /// \p weight, or 0 where the edge is dropped for the head.
  Value drop(Value weight, Value place) {
    if (!drops)
      return weight;
    return vb.mulf(weight, emitDropFactors(vb, rate, vb.load(words, place)));
  }

  //===--- weights --------------------------------------------------------===//

  /// A loop over the vectors of a chunk that hold the heads from \p head on.
  SmallVector<Value> overPlaces(Value head, Value places, ValueRange initial,
                                VectorBuilder::ReducingBody write) {
    return vb.loop(head, places, roundUp(shape.stride, vectorLanes), initial,
                   write);
  }

  /// \p vector up to the last edge of the chunk, \p other beyond it.
  Value upTo(Value places, Value place, Value vector, Value other) {
    if (!shape.packsEdges())
      return vector;
    return select(vb.mask(vb.sub(places, place)), vector, other);
  }

  Value leakyRelu(Value x) {
    Value isPositive = compare(arith::CmpFPredicate::OGT, x, vb.splat(0.0));
    return select(isPositive, x, vb.mulf(x, vb.splat(slope)));
  }
  /// Its derivative, which its result tells.
  Value getSlope(Value y) {
    Value isPositive = compare(arith::CmpFPredicate::OGT, y, vb.splat(0.0));
    return select(isPositive, vb.splat(1.0), vb.splat(slope));
  }

  void computeWeights(Value head, Value mask, Value places) {
    Value target = loadOwn(own, head, mask);
    Value before = vb.load(maxima, head);
    Value largest =
        overPlaces(head, places, before, [&](Value place, ValueRange carried) {
          Value score = leakyRelu(vb.addf(vb.load(weights, place), target));
          score = upTo(places, place, score, vb.splat(noScore));
          vb.store(score, weights, place);
          return SmallVector<Value>{vb.maxf(carried[0], score)};
        })[0];
    largest = fold(largest, [&](Value a, Value b) { return vb.maxf(a, b); });
    SmallVector<Value> zeros(2, vb.splat(0.0));
    SmallVector<Value> added =
        overPlaces(head, places, zeros, [&](Value place, ValueRange carried) {
          Value score = vb.load(weights, place);
          Value weight = exp(vb.subf(score, largest));
          Value scaled = vb.mulf(weight, getSlope(score));
          vb.store(drop(weight, place), weights, place);
          vb.store(drop(scaled, place), slopedWeights, place);
          return SmallVector<Value>{vb.addf(carried[0], weight),
                                    vb.addf(carried[1], scaled)};
        });
    Value decay = exp(vb.subf(before, largest));
    Value old = vb.mulf(vb.load(sums, head), decay);
    Value sum = vb.addf(old, foldSum(added[0]));
    Value isEmpty = compare(arith::CmpFPredicate::OEQ, sum, vb.splat(0.0));
    vb.store(largest, maxima, head);
    vb.store(sum, sums, head);
    vb.store(vb.fma(vb.load(slopes, head), decay, foldSum(added[1])), slopes,
             head);
    vb.store(old, kept, head);
    vb.store(select(isEmpty, vb.splat(0.0), vb.divf(vb.splat(1.0), sum)),
             inverse, head);
  }

  void recomputeWeights(Value head, Value mask, Value places) {
    Value source = loadOwn(own, head, mask);
    Value sum = overPlaces(
        head, places, vb.splat(0.0), [&](Value place, ValueRange carried) {
          Value score = leakyRelu(vb.addf(vb.load(weights, place), source));
          Value weight = exp(vb.subf(score, vb.load(lses, place)));
          Value scaled = vb.mulf(weight, getSlope(score));
          vb.store(drop(weight, place), weights, place);
          vb.store(drop(scaled, place), slopedWeights, place);
          Value more = vb.mulf(scaled, vb.load(deltas, place));
          return SmallVector<Value>{
              vb.addf(carried[0], upTo(places, place, more, vb.splat(0.0)))};
        })[0];
    vb.store(vb.addf(vb.load(sums, head), foldSum(sum)), sums, head);
  }

  //===--- columns --------------------------------------------------------===//

  /// The vectors of \p heads whole heads.
  SmallVector<StripVector> getVectors(int64_t heads) {
    SmallVector<StripVector> vectors;
    // Narrow heads share vectors; a wide one begins with a vector of its own.
    int64_t run = headWidth < vectorLanes ? heads * headWidth : headWidth;
    for (int64_t begin = 0; begin < heads * headWidth; begin += run)
      for (int64_t at = begin; at < begin + run; at += vectorLanes)
        vectors.push_back(
            getVector(at, std::min(vectorLanes, begin + run - at)));
    return vectors;
  }

  StripVector getVector(int64_t column, int64_t count) {
    StripVector vector{column, count, {}};
    for (int64_t lane = 0; lane < vectorLanes; ++lane)
      vector.heads.push_back((column + std::min(lane, count - 1)) / headWidth);
    return vector;
  }

  /// Heads of a strip: as many as fill its vectors, none left half full.
  int64_t getStripHeads() {
    if (headWidth >= vectorLanes)
      return std::max<int64_t>(1, rowVectors /
                                      llvm::divideCeil(headWidth, vectorLanes));
    int64_t whole = std::lcm(vectorLanes, headWidth);
    return std::max<int64_t>(1, rowVectors * vectorLanes / whole) * whole /
           headWidth;
  }

  void sumRows(Value first, Value last) {
    constexpr int64_t columnsAtOnce = rowVectors * vectorLanes;
    if (headWidth > columnsAtOnce) {
      int64_t whole = headWidth / columnsAtOnce * columnsAtOnce;
      vb.loop(0, shape.heads, 1, [&](Value head) {
        Value begin = vb.mul(head, headWidth);
        auto sum = [&](Value column, int64_t count) {
          SmallVector<StripVector> vectors;
          for (int64_t at = 0; at < count; at += vectorLanes)
            vectors.push_back({at, std::min(vectorLanes, count - at),
                               SmallVector<int64_t>(vectorLanes, 0)});
          sumStrip(first, last, head, vb.add(begin, column), vectors);
        };
        vb.loop(0, whole, columnsAtOnce,
                [&](Value at) { sum(at, columnsAtOnce); });
        if (whole < headWidth)
          sum(vb.index(whole), headWidth - whole);
      });
      return;
    }
    int64_t stripHeads = getStripHeads();
    int64_t whole = shape.heads / stripHeads * stripHeads;
    auto sum = [&](Value head, int64_t heads) {
      sumStrip(first, last, head, vb.mul(head, headWidth), getVectors(heads));
    };
    if (whole)
      vb.loop(0, whole, stripHeads, [&](Value head) { sum(head, stripHeads); });
    if (whole < shape.heads)
      sum(vb.index(whole), shape.heads - whole);
  }

  /// What each lane's head has in \p array, where the strip's first head lies
  /// at \p place.
  Value loadByColumn(Value array, Value place, const StripVector &vector) {
    int64_t head = vector.heads.front();
    Value from = vb.add(place, head);
    if (vector.heads.back() == head)
      return vb.splat(vb.loadScalar(array, from));
    SmallVector<int64_t> lanes;
    for (int64_t other : vector.heads)
      lanes.push_back(other - head);
    Value loaded = vb.load(array, from);
    return vector::ShuffleOp::create(vb.builder, vb.loc, loaded, loaded, lanes);
  }

  /// Adds the chunk's edges to the columns of a strip that begins at \p column,
  /// the first of head \p head.
  void sumStrip(Value first, Value last, Value head, Value column,
                ArrayRef<StripVector> vectors) {
    Value start = vb.add(row, column);
    auto mask = [&](const StripVector &vector) {
      return vb.mask(vector.count);
    };
    SmallVector<Value> totals;
    for (Value output : {result, sloped})
      for (const StripVector &vector : vectors) {
        Value total =
            vb.load(output, vb.add(start, vector.column), mask(vector));
        if (!isGradient)
          total = vb.mulf(total, loadByColumn(kept, head, vector));
        totals.push_back(select(isFirst, vb.splat(0.0), total));
      }
    size_t count = vectors.size();
    totals =
        vb.loop(first, last, 1, totals, [&](Value edge, ValueRange carried) {
          SmallVector<Value> next(carried);
          Value place = vb.add(vb.mul(vb.sub(edge, first), shape.stride), head);
          Value from = vb.add(vb.mul(getNeighbor(edge), width), column);
          for (auto [v, vector] : llvm::enumerate(vectors)) {
            Value numbers =
                vb.load(input, vb.add(from, vector.column), mask(vector));
            next[v] =
                vb.fma(loadByColumn(weights, place, vector), numbers, next[v]);
            next[count + v] = vb.fma(loadByColumn(slopedWeights, place, vector),
                                     numbers, next[count + v]);
          }
          return next;
        });
    for (auto [v, vector] : llvm::enumerate(vectors))
      for (auto [output, total] :
           {std::pair(result, totals[v]), {sloped, totals[count + v]}})
        vb.store(isGradient
                     ? total
                     : vb.mulf(total, loadByColumn(inverse, head, vector)),
                 output, vb.add(start, vector.column), mask(vector));
  }

  VectorBuilder vb;
  KernelBody &body;
  bool isGradient;
  int64_t width, headWidth;
  double slope;
  int64_t columns; ///< of the graph
  double rate;
  bool drops;
  ChunkShape shape;

  Value rowStart, neighbors, input, own, others, lse, delta;
  Value result, sloped, perHead;
  // Scratch memory over edges and heads.
  Value weights, slopedWeights, lses, deltas;
  // And over heads: of the edges so far the largest score, the sum of weights
  // (in the gradient: what is stored per head) and of weights times slopes; the
  // sum before this chunk, by its maximum; one over the sum.
  Value maxima, sums, slopes, kept, inverse;
  // Of dropout: how often the last edge came before, the counters of a chunk
  // and their words.
  RandomStream stream;
  Value ids; ///< of the columns; null where they are the columns
  Value repeats, calls, targets, words;
  // Of the current node: its number, where its heads and its row begin.
  Value ownNode, ownHeads, row, isFirst;
};

template <typename Op, bool isGradient>
struct GraphAttentionKernel : KernelEmissionOpInterface::ExternalModel<
                                  GraphAttentionKernel<Op, isGradient>, Op> {
  int64_t getIterations(Operation *op) const {
    return cast<RankedTensorType>(op->getResult(0).getType()).getDimSize(0);
  }
  int64_t getScratchBytes(Operation *op) const {
    auto attention = cast<Op>(op);
    return GraphAttentionEmitter::getScratchBytes(
        attention.getHeads(), isGradient, attention.getStream() != nullptr);
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    GraphAttentionEmitter(cast<Op>(op), body, isGradient).emit();
  }
};

} // namespace

void tessera::cpu::registerGraphAttention(MLIRContext *context) {
  graph::AttentionOp::attachInterface<
      GraphAttentionKernel<graph::AttentionOp, false>>(*context);
  graph::AttentionGradOp::attachInterface<
      GraphAttentionKernel<graph::AttentionGradOp, true>>(*context);
}
