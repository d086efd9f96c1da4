//===- GraphAttention.cpp - The kernels of attention over edges -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A group of threads has a node's row, lanes over columns, and walks over the
// node's edges. Each thread weighs an edge for the heads of its own columns: a
// score is two numbers, which costs less than an exchange between threads. The
// softmax is online, edgesAtOnce edges at a time.
//
// The backward pass is the same over the transposed graph. There the softmax's
// log-sum-exps are known, one per target.
//
//===----------------------------------------------------------------------===//

#include "codegen/cuda/Kernels.h"
#include "codegen/cuda/RowGroups.h"
#include "codegen/kernels/Attention.h"
#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cuda;

namespace {

/// Edges whose rows are on their way at a time.
constexpr int64_t edgesAtOnce = 4;

/// A maximum that any score exceeds, and the score of an edge that is not
/// there: both finite, since the difference of two infinities is no number.
constexpr double noMaximum = -1e30, noScore = -3e38;

/// What the vectors of a thread have summed, vector by vector.
struct Sums {
  SmallVector<Value> rows, sloped; ///< vectors of columns
  /// Of their heads: the forward pass's largest score and sum of weights.
  SmallVector<Value> maxima, weights;
  SmallVector<Value> perHead; ///< what is stored per head

  SmallVector<Value> pack() const {
    SmallVector<Value> all;
    for (const SmallVector<Value> *values :
         {&rows, &sloped, &maxima, &weights, &perHead})
      llvm::append_range(all, *values);
    return all;
  }
  static Sums unpack(ValueRange all, size_t places) {
    Sums sums;
    for (SmallVector<Value> *values : {&sums.rows, &sums.sloped, &sums.maxima,
                                       &sums.weights, &sums.perHead}) {
      llvm::append_range(*values, all.take_front(places));
      all = all.drop_front(places);
    }
    return sums;
  }
};

/// An edge that a thread is at: its neighbour, and whether there is one (null:
/// there is). With dropout, how many edges from the same node came right
/// before.
struct Edge {
  Value neighbor, exists, repeat;
};

class GraphAttentionThread {
public:
  template <typename Op> static RowGroups getGroups(Op op) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    return {type.getDimSize(0), type.getDimSize(1), type, op.getHeadWidth()};
  }

  template <typename Op>
  GraphAttentionThread(Op op, ThreadBuilder &tb, const KernelBuffers &buffers,
                       bool isGradient)
      : tb(tb), groups(getGroups(op)), isGradient(isGradient),
        width(op.getInput().getType().getDimSize(1)),
        headWidth(op.getHeadWidth()), heads(op.getHeads()),
        slope(op.getSlope().convertToDouble()),
        columns(op.getGraph().getType().getColumns()),
        rate(op.getRate().convertToDouble()), drops(op.getStream() != nullptr) {
    if (drops) {
      ArrayRef<Value> draws =
          ArrayRef<Value>(buffers.inputs).drop_front(isGradient ? 11 : 9);
      stream = codegen::RandomStream::load(tb, draws.front());
      if (op.getIds())
        ids = draws.back();
    }
    // The graph is its six arrays: those of the rows, then the transpose's.
    unsigned arrays = isGradient ? 3 : 0;
    rowStart = buffers.inputs[arrays];
    neighbors = buffers.inputs[arrays + 1];
    input = tb.flatten(buffers.inputs[6]);
    // What a node and its neighbours bring to a score.
    own = tb.flatten(buffers.inputs[isGradient ? 7 : 8]);
    others = tb.flatten(buffers.inputs[isGradient ? 8 : 7]);
    if (isGradient)
      delta = tb.flatten(buffers.inputs[10]);
    lse = tb.flatten(isGradient ? buffers.inputs[9] : buffers.outputs[1]);
    result = tb.flatten(buffers.outputs[0]);
    sloped = tb.flatten(buffers.outputs[isGradient ? 1 : 2]);
    perHead = tb.flatten(buffers.outputs[isGradient ? 2 : 3]);
  }

  void emit() {
    groups.emit(tb, [&](Value node, ArrayRef<RowGroups::Place> places) {
      emitRow(node, places);
    });
  }

private:
  Value exp(Value x) {
    return math::Exp2Op::create(tb.builder, tb.loc,
                                tb.mulf(x, tb.number(codegen::log2E)));
  }
  Value isPositive(Value x) {
    return arith::CmpFOp::create(tb.builder, tb.loc, arith::CmpFPredicate::OGT,
                                 x, tb.number(0));
  }
  /// \p value where \p edge is, else \p other.
  Value ifThere(const Edge &edge, Value value, double other) {
    return edge.exists ? tb.select(edge.exists, value, tb.number(other))
                       : value;
  }

  void emitRow(Value node, ArrayRef<RowGroups::Place> places) {
    Value begin = tb.toIndex(tb.loadScalar(rowStart, node));
    Value end = tb.toIndex(tb.loadScalar(rowStart, tb.add(node, 1)));
    Value ownHeads = tb.mul(node, heads), row = tb.mul(node, width);
    columnHeads.clear();
    ownScores.clear();
    for (const RowGroups::Place &place : places) {
      columnHeads.push_back(tb.div(place.column, headWidth));
      ownScores.push_back(
          tb.loadScalar(own, tb.add(ownHeads, columnHeads.back())));
    }
    size_t count = places.size();
    Sums sums;
    sums.rows.assign(count, tb.splat(0.0));
    sums.sloped = sums.rows;
    sums.maxima.assign(count, tb.number(noMaximum));
    sums.weights.assign(count, tb.number(0));
    sums.perHead = sums.weights;
    ownNode = node;
    Value last = tb.add(end, -1);
    SmallVector<Value> start = sums.pack();
    // The edge before and how often it had come before.
    if (drops)
      start.append({tb.index(-1), tb.index(0)});
    SmallVector<Value> summed = tb.loop(
        begin, end, edgesAtOnce, start, [&](Value first, ValueRange carried) {
          // Past the last edge it is loaded once more, and not added.
          SmallVector<Edge> edges;
          Edge before;
          if (drops)
            before = {carried[carried.size() - 2], {}, carried.back()};
          for (int64_t i = 0; i < edgesAtOnce; ++i) {
            Value number = tb.add(first, i);
            Value exists = i ? tb.isLess(number, end) : Value();
            number = i ? tb.min(number, last) : number;
            Edge edge{tb.toIndex(tb.loadScalar(neighbors, number)), exists, {}};
            if (drops) {
              Value isRepeated = tb.isEqual(edge.neighbor, before.neighbor);
              edge.repeat =
                  tb.select(isRepeated, tb.add(before.repeat, 1), tb.index(0));
              before = edge;
            }
            edges.push_back(edge);
          }
          SmallVector<Value> next =
              addEdges(edges, places, Sums::unpack(carried, count));
          if (drops)
            next.append({before.neighbor, before.repeat});
          return next;
        });
    sums = Sums::unpack(summed, count);
    for (size_t p = 0; p < count; ++p)
      tb.onlyIf(places[p].exists,
                [&] { storePlace(places[p], p, row, ownHeads, sums); });
  }

  SmallVector<Value> addEdges(ArrayRef<Edge> edges,
                              ArrayRef<RowGroups::Place> places, Sums sums) {
    SmallVector<SmallVector<Value>> numbers;
    for (const Edge &edge : edges) {
      Value row = tb.mul(edge.neighbor, width);
      SmallVector<Value> &loaded = numbers.emplace_back();
      for (const RowGroups::Place &place : places)
        loaded.push_back(tb.load(input, tb.add(row, place.column)));
    }
    for (size_t p = 0; p < places.size(); ++p) {
      SmallVector<Value> weights, slopes;
      if (isGradient)
        recomputeWeights(edges, p, sums, weights, slopes);
      else
        computeWeights(edges, p, sums, weights, slopes);
      for (size_t i = 0; i < edges.size(); ++i) {
        Value weight = drop(weights[i], edges[i], p);
        Value scaled = tb.mulf(weight, slopes[i]);
        sums.rows[p] = tb.fma(tb.splat(weight), numbers[i][p], sums.rows[p]);
        sums.sloped[p] =
            tb.fma(tb.splat(scaled), numbers[i][p], sums.sloped[p]);
      }
    }
    return sums.pack();
  }

  /// The score of an edge for the head of place \p p, and the slope of
  /// LeakyReLU there.
  std::pair<Value, Value> getScore(const Edge &edge, size_t p) {
    Value other = tb.loadScalar(others, getPlace(edge, p));
    Value x = tb.addf(other, ownScores[p]);
    Value positive = isPositive(x);
    return {tb.select(positive, x, tb.mulf(x, tb.number(slope))),
            tb.select(positive, tb.number(1), tb.number(slope))};
  }

  /// \p weight, or 0 where \p edge is dropped for the head of place \p p: see
  /// graph.attention.
  Value drop(Value weight, const Edge &edge, size_t p) {
    if (!drops)
      return weight;
    Value source = isGradient ? ownNode : edge.neighbor;
    Value target = isGradient ? edge.neighbor : ownNode;
    Value row;
    if (ids) {
      row = tb.toIndex(tb.loadScalar(ids, source));
      target = tb.toIndex(tb.loadScalar(ids, target));
    } else {
      row = tb.add(source, tb.mul(edge.repeat, columns));
    }
    Value call = tb.mul(row, llvm::divideCeil(heads, 4));
    Value bits = codegen::emitRandomBits(
        tb, stream, tb.toI32(call), tb.toI32(target), tb.toI32(columnHeads[p]));
    return tb.mulf(weight, codegen::emitDropFactors(tb, rate, bits));
  }

  /// Where the neighbour's number for the head of place \p p lies.
  Value getPlace(const Edge &edge, size_t p) {
    return tb.add(tb.mul(edge.neighbor, heads), columnHeads[p]);
  }

  /// Scales what place \p p has summed to the edges' maximum, and adds the
  /// weights of the edges.
  void computeWeights(ArrayRef<Edge> edges, size_t p, Sums &sums,
                      SmallVector<Value> &weights, SmallVector<Value> &slopes) {
    Value largest = sums.maxima[p];
    for (const Edge &edge : edges) {
      auto [score, slope] = getScore(edge, p);
      weights.push_back(ifThere(edge, score, noScore));
      slopes.push_back(slope);
      largest = tb.maxf(largest, weights.back());
    }
    Value decay = exp(tb.subf(sums.maxima[p], largest));
    sums.maxima[p] = largest;
    for (Value *sum : {&sums.weights[p], &sums.perHead[p]})
      *sum = tb.mulf(*sum, decay);
    for (Value *sum : {&sums.rows[p], &sums.sloped[p]})
      *sum = tb.mulf(*sum, tb.splat(decay));
    for (auto [weight, slope] : llvm::zip(weights, slopes)) {
      weight = exp(tb.subf(weight, largest));
      sums.weights[p] = tb.addf(sums.weights[p], weight);
      sums.perHead[p] = tb.fma(weight, slope, sums.perHead[p]);
    }
  }

  void recomputeWeights(ArrayRef<Edge> edges, size_t p, Sums &sums,
                        SmallVector<Value> &weights,
                        SmallVector<Value> &slopes) {
    for (const Edge &edge : edges) {
      auto [score, slope] = getScore(edge, p);
      Value place = getPlace(edge, p);
      Value weight = exp(tb.subf(score, tb.loadScalar(lse, place)));
      weights.push_back(ifThere(edge, weight, 0));
      slopes.push_back(slope);
      sums.perHead[p] = tb.fma(tb.mulf(weights.back(), slope),
                               tb.loadScalar(delta, place), sums.perHead[p]);
    }
  }

  void storePlace(const RowGroups::Place &place, size_t p, Value row,
                  Value ownHeads, const Sums &sums) {
    Value rows = sums.rows[p], slopes = sums.sloped[p];
    Value head = sums.perHead[p], isEmpty;
    if (!isGradient) {
      Value one = tb.number(1), none = tb.number(0);
      isEmpty = arith::CmpFOp::create(
          tb.builder, tb.loc, arith::CmpFPredicate::OEQ, sums.weights[p], none);
      Value inverse = tb.divf(one, tb.select(isEmpty, one, sums.weights[p]));
      rows = tb.mulf(rows, tb.splat(inverse));
      slopes = tb.mulf(slopes, tb.splat(inverse));
      head = tb.mulf(head, inverse);
    }
    tb.store(rows, result, tb.add(row, place.column));
    tb.store(slopes, sloped, tb.add(row, place.column));
    // The first columns of a head store what the head has.
    Value begin = tb.mul(columnHeads[p], headWidth);
    tb.onlyIf(tb.isEqual(place.column, begin), [&] {
      Value at = tb.add(ownHeads, columnHeads[p]);
      tb.storeScalar(head, perHead, at);
      if (isGradient)
        return;
      Value log = math::LogOp::create(
          tb.builder, tb.loc,
          tb.select(isEmpty, tb.number(1), sums.weights[p]));
      Value largest = tb.select(isEmpty, tb.number(0), sums.maxima[p]);
      tb.storeScalar(tb.addf(largest, log), lse, at);
    });
  }

  ThreadBuilder &tb;
  RowGroups groups;
  bool isGradient;
  int64_t width, headWidth, heads;
  double slope;
  int64_t columns; ///< of the graph
  double rate;
  bool drops;
  codegen::RandomStream stream;
  Value ids; ///< of the columns; null where they are the columns
  Value ownNode;
  Value rowStart, neighbors, input, own, others, lse, delta;
  Value result, sloped, perHead;
  /// Of each place: its head, and the node's own number for it.
  SmallVector<Value> columnHeads, ownScores;
};

template <typename Op, bool isGradient>
struct GraphAttentionKernel : KernelEmissionOpInterface::ExternalModel<
                                  GraphAttentionKernel<Op, isGradient>, Op> {
  SmallVector<Grid> getGrids(Operation *op) const {
    return {GraphAttentionThread::getGroups(cast<Op>(op)).getGrid()};
  }
  void emitThread(Operation *op, unsigned, ThreadBuilder &tb,
                  const KernelBuffers &buffers) const {
    GraphAttentionThread(cast<Op>(op), tb, buffers, isGradient).emit();
  }
};

} // namespace

void tessera::cuda::registerGraphAttention(MLIRContext *context) {
  graph::AttentionOp::attachInterface<
      GraphAttentionKernel<graph::AttentionOp, false>>(*context);
  graph::AttentionGradOp::attachInterface<
      GraphAttentionKernel<graph::AttentionGradOp, true>>(*context);
}
