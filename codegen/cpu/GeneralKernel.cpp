//===- GeneralKernel.cpp - Kernels of rows and columns ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A kernel by rows computes one row after the other: first its reductions, in
// as many passes over the row as they depend on each other, then the results
// that have an element a column. A kernel by columns computes strips of columns
// and sums over all rows in blocks, which keeps rounding errors small. Vectors
// have kLanes lanes; what is left at the end of a row is masked. Values of 16
// bits are held in fp32, already rounded: what a kernel computes does not
// depend on which values are stored.

#include "codegen/cpu/GeneralKernel.h"
#include "codegen/cpu/VectorBuilder.h"
#include "dialects/nn/IterationSpace.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::cpu;
using namespace tessera::nn;

namespace {

/// Elements of a block where a kernel is elementwise throughout.
constexpr int64_t kBlock = 1024;
/// Columns of a strip.
constexpr int64_t kStrip = 4 * kLanes;
/// Rows that are summed before they are added to the strip's total.
constexpr int64_t kRowBlock = 128;

struct Shape {
  IterationSpace space;
  /// True if rows and columns do not matter: one long row, in blocks.
  bool flat = false;
};

Shape getShape(func::FuncOp kernel) {
  Shape shape;
  bool positional = false;
  nn::ReduceOp reduction;
  kernel.walk([&](Operation *op) {
    if (auto reduce = dyn_cast<nn::ReduceOp>(op))
      reduction = reduce;
    if (auto broadcast = dyn_cast<nn::BroadcastOp>(op))
      positional |= cast<RankedTensorType>(broadcast.getInput().getType())
                        .getNumElements() != 1;
    positional |= isa<nn::GatherOp, nn::IotaOp>(op);
  });
  if (reduction) {
    shape.space = getReductionSpace(reduction);
    return shape;
  }
  Value result = kernel.getBody().front().getTerminator()->getOperand(0);
  shape.space = getElementwiseSpace(result);
  if (!positional) {
    shape.flat = true;
    shape.space = {1, shape.space.rows * shape.space.columns, false};
  }
  return shape;
}

/// The part of a row or strip that one vector covers.
struct Lanes {
  Value column;  ///< index of the first
  Value mask;    ///< null: all lanes
  int64_t count; ///< lanes that count
};

class Emitter {
public:
  Emitter(func::FuncOp kernel, KernelBody &body)
      : kernel(kernel), body(body), builder(body.builder), loc(body.loc),
        vb(body), shape(getShape(kernel)), columns(shape.space.columns) {
    for (auto [argument, buffer] :
         llvm::zip(kernel.getArguments(), body.inputs))
      buffers[argument] = flatten(buffer);
    for (Value buffer : body.outputs)
      outputs.push_back(flatten(buffer));
    results = llvm::to_vector(
        kernel.getBody().front().getTerminator()->getOperands());
    for (auto reduce : kernel.getBody().front().getOps<nn::ReduceOp>())
      reductions.push_back(reduce);
  }

  void emit() {
    if (shape.flat)
      return emitFlat();
    if (shape.space.byColumns)
      return emitByColumns();
    loop(body.begin, body.end, 1, {}, [&](Value row, ValueRange) {
      emitRow(row, columns);
      return SmallVector<Value>();
    });
  }

private:
  //===--------------------------------------------------------------------===//
  // Small pieces
  //===--------------------------------------------------------------------===//

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Value add(Value a, Value b) {
    return arith::AddIOp::create(builder, loc, a, b);
  }
  Value mul(Value a, int64_t factor) {
    return factor == 1 ? a
                       : arith::MulIOp::create(builder, loc, a, index(factor));
  }

  /// A loop with carried values; \p write returns their next values.
  SmallVector<Value>
  loop(Value from, Value to, int64_t step, ValueRange carried,
       function_ref<SmallVector<Value>(Value, ValueRange)> write) {
    auto loop =
        scf::ForOp::create(builder, loc, from, to, index(step), carried);
    OpBuilder::InsertionGuard guard(builder);
    // Without carried values the loop's end is there already.
    if (carried.empty())
      builder.setInsertionPoint(loop.getBody()->getTerminator());
    else
      builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next =
        write(loop.getInductionVar(), loop.getRegionIterArgs());
    if (!carried.empty())
      scf::YieldOp::create(builder, loc, next);
    return SmallVector<Value>(loop.getResults());
  }

  /// \p buffer as one long row.
  Value flatten(Value buffer) {
    if (!buffer)
      return buffer;
    auto type = cast<MemRefType>(buffer.getType());
    if (type.getRank() == 1)
      return buffer;
    auto flat = MemRefType::get({type.getNumElements()}, type.getElementType());
    return memref::ReinterpretCastOp::create(
        builder, loc, flat, buffer, /*offset=*/0,
        ArrayRef<int64_t>{type.getNumElements()}, ArrayRef<int64_t>{1});
  }

  /// The type that \p value's elements have in registers.
  Type elementType(Value value) {
    Type type = cast<RankedTensorType>(value.getType()).getElementType();
    bool isNarrow = isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32;
    return isNarrow ? builder.getF32Type() : type;
  }
  VectorType vectorType(Value value) {
    return VectorType::get({kLanes}, elementType(value));
  }
  Value splat(Value scalar) {
    return vector::BroadcastOp::create(
        builder, loc, VectorType::get({kLanes}, scalar.getType()), scalar);
  }

  /// All lanes, or the first \p count of them.
  Lanes makeLanes(Value column, int64_t count) {
    Lanes lanes{column, {}, count};
    if (count < kLanes)
      lanes.mask = vector::CreateMaskOp::create(
          builder, loc, VectorType::get({kLanes}, builder.getI1Type()),
          ValueRange{index(count)});
    return lanes;
  }

  /// \p held, a number or vector, rounded as the type of \p value says.
  Value round(Value value, Value held) {
    Type element = cast<RankedTensorType>(value.getType()).getElementType();
    return isa<FloatType>(element) ? vb.widen(vb.narrow(held, element)) : held;
  }

  /// \p op on other types. Products and sums must not contract: which of them
  /// share a kernel depends on the ZeRO stage, their bits must not.
  Value cloneElementwise(Operation *op, ValueRange operands, Type type) {
    bool isCast = isa<arith::ExtFOp, arith::TruncFOp>(op);
    if (isCast && operands[0].getType() == type)
      return round(op->getResult(0), operands[0]);
    IRMapping mapping;
    mapping.map(op->getOperands(), operands);
    Operation *clone = builder.clone(*op, mapping);
    clone->setLoc(loc);
    clone->getResult(0).setType(type);
    return round(op->getResult(0), clone->getResult(0));
  }

  /// The number that a constant holds everywhere, as it is in registers.
  TypedAttr getNumber(arith::ConstantOp constant) {
    auto splat = cast<SplatElementsAttr>(constant.getValue());
    Type type = elementType(constant.getResult());
    if (auto number = dyn_cast<FloatType>(type)) {
      APFloat value = splat.getSplatValue<APFloat>();
      bool losesInfo;
      value.convert(number.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                    &losesInfo);
      return FloatAttr::get(type, value);
    }
    return splat.getSplatValue<TypedAttr>();
  }

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  /// A value with one element a row, in the current row.
  Value evaluateRow(Value value, Role role) {
    Operation *op = value.getDefiningOp();
    auto known = rowValues.find(value);
    if (known != rowValues.end())
      return known->second;
    Value result;
    if (!op) {
      Value position = index(0);
      if (role.kind == RoleKind::Row)
        position =
            role.factor == 1
                ? row
                : arith::DivUIOp::create(builder, loc, row, index(role.factor));
      result = vb.loadScalar(buffers.lookup(value), position);
    } else if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      result = arith::ConstantOp::create(builder, loc, getNumber(constant));
    } else if (auto broadcast = dyn_cast<nn::BroadcastOp>(op)) {
      result = evaluateRow(broadcast.getInput(), {RoleKind::Scalar, 1});
    } else if (isTransparent(op) || isa<nn::AccumulateOp>(op)) {
      result = evaluateRow(op->getOperand(0), role);
    } else {
      SmallVector<Value> operands;
      for (Value operand : op->getOperands())
        operands.push_back(evaluateRow(operand, role));
      result = cloneElementwise(op, operands, elementType(value));
    }
    return rowValues[value] = result;
  }

  /// A value with one element a column or an element a row and column.
  Value evaluate(Value value, Role role, const Lanes &lanes) {
    std::pair key(value, static_cast<unsigned>(role.kind));
    auto known = vectorValues.find(key);
    if (known != vectorValues.end())
      return known->second;
    Value result = compute(value, role, lanes);
    return vectorValues[key] = result;
  }

  Value compute(Value value, Role role, const Lanes &lanes) {
    if (role.kind == RoleKind::Row || role.kind == RoleKind::Scalar)
      return splat(evaluateRow(value, role));
    Operation *op = value.getDefiningOp();
    if (!op)
      return vb.load(buffers.lookup(value), getPosition(role, lanes),
                     lanes.mask);
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      return arith::ConstantOp::create(
          builder, loc,
          DenseElementsAttr::get(vectorType(value),
                                 Attribute(getNumber(constant))));
    if (auto broadcast = dyn_cast<nn::BroadcastOp>(op))
      return evaluate(broadcast.getInput(),
                      *getBroadcastRole(broadcast, shape.space, role), lanes);
    if (isTransparent(op) || isa<nn::AccumulateOp>(op))
      return evaluate(op->getOperand(0), role, lanes);
    if (auto gather = dyn_cast<nn::GatherOp>(op)) {
      Value from = evaluateRow(gather.getIndices(), {RoleKind::Row, 1});
      Value position = arith::IndexCastOp::create(builder, loc,
                                                  builder.getIndexType(), from);
      return vb.load(buffers.lookup(gather.getTable()),
                     add(mul(position, columns), lanes.column), lanes.mask);
    }
    if (isa<nn::IotaOp>(op)) {
      auto steps = llvm::to_vector(llvm::seq<int32_t>(kLanes));
      Value lane = arith::ConstantOp::create(builder, loc,
                                             builder.getI32VectorAttr(steps));
      Value first = arith::IndexCastOp::create(
          builder, loc, builder.getI32Type(), lanes.column);
      return add(splat(first), lane);
    }
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(evaluate(operand, role, lanes));
    return cloneElementwise(op, operands, vectorType(value));
  }

  Value getPosition(Role role, const Lanes &lanes) {
    if (role.kind == RoleKind::Full)
      return row ? add(mul(row, columns), lanes.column) : lanes.column;
    if (role.factor == 1)
      return lanes.column;
    Value from = arith::RemUIOp::create(builder, loc, row, index(role.factor));
    return add(mul(from, columns), lanes.column);
  }

  //===--------------------------------------------------------------------===//
  // Reductions
  //===--------------------------------------------------------------------===//

  Value neutral(nn::ReduceOp reduce) {
    auto type = vectorType(reduce.getResult());
    auto element = cast<FloatType>(type.getElementType());
    APFloat value = reduce.getKind() == nn::Reduction::Sum
                        ? APFloat::getZero(element.getFloatSemantics())
                        : APFloat::getInf(element.getFloatSemantics(), true);
    return arith::ConstantOp::create(builder, loc,
                                     DenseElementsAttr::get(type, value));
  }

  Value combine(nn::ReduceOp reduce, Value a, Value b) {
    if (reduce.getKind() == nn::Reduction::Sum)
      return arith::AddFOp::create(builder, loc, a, b);
    // A NaN must come through, or a diverged run would look well.
    return arith::MaximumFOp::create(builder, loc, a, b);
  }

  /// The reduction's operand at \p lanes, neutral in lanes that do not count.
  Value evaluateOperand(nn::ReduceOp reduce, const Lanes &lanes) {
    Value value = evaluate(reduce.getInput(), {RoleKind::Full, 1}, lanes);
    if (!lanes.mask)
      return value;
    return arith::SelectOp::create(builder, loc, lanes.mask, value,
                                   neutral(reduce));
  }

  /// Passes over the row before \p value is known.
  unsigned getDepth(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op)
      return 0;
    auto known = depths.find(value);
    if (known != depths.end())
      return known->second;
    unsigned depth = 0;
    for (Value operand : op->getOperands())
      depth = std::max(depth, getDepth(operand));
    depth += isa<nn::ReduceOp>(op);
    return depths[value] = depth;
  }

  //===--------------------------------------------------------------------===//
  // By rows
  //===--------------------------------------------------------------------===//

  /// Runs \p write over the \p size columns of a row, \p unroll vectors at a
  /// time while there are enough. \p write gets the vectors of one round and
  /// the carried values and returns the next ones.
  SmallVector<Value> overColumns(
      int64_t size, int64_t unroll, SmallVector<Value> carried,
      function_ref<SmallVector<Value>(ArrayRef<Lanes>, ValueRange)> write) {
    int64_t column = 0;
    for (int64_t vectors : {unroll, int64_t(1)}) {
      int64_t step = vectors * kLanes;
      int64_t stop = column + (size - column) / step * step;
      if (column == stop)
        continue;
      carried = loop(index(column), index(stop), step, carried,
                     [&](Value at, ValueRange values) {
                       vectorValues.clear();
                       SmallVector<Lanes> round;
                       for (int64_t i = 0; i < vectors; ++i)
                         round.push_back(makeLanes(
                             i ? add(at, index(i * kLanes)) : at, kLanes));
                       return write(round, values);
                     });
      column = stop;
    }
    if (column < size) {
      vectorValues.clear();
      carried = write(makeLanes(index(column), size - column), carried);
    }
    vectorValues.clear();
    return carried;
  }

  void emitRow(Value at, int64_t size) {
    row = at;
    rowValues.clear();
    unsigned passes = 0;
    for (nn::ReduceOp reduce : reductions)
      passes = std::max(passes, getDepth(reduce.getResult()));
    for (unsigned pass = 1; pass <= passes; ++pass)
      reduceRow(pass, size);

    SmallVector<unsigned> wide;
    for (auto [i, result] : llvm::enumerate(results)) {
      if (shape.flat || !findReduction(result)) {
        wide.push_back(i);
        continue;
      }
      Value value = evaluateRow(result, {RoleKind::Row, 1});
      if (accumulates(i)) {
        Value old = vb.loadScalar(outputs[i], row);
        value = arith::AddFOp::create(builder, loc, old, value);
      }
      vb.storeScalar(value, outputs[i], row);
    }
    if (wide.empty())
      return;
    // What one value a row costs is paid once, before the columns.
    prepareRows(wide);
    overColumns(size, 2, {}, [&](ArrayRef<Lanes> round, ValueRange) {
      for (const Lanes &lanes : round) {
        vectorValues.clear();
        SmallVector<Value> values;
        for (unsigned i : wide)
          values.push_back(evaluate(results[i], {RoleKind::Full, 1}, lanes));
        for (auto [i, value] : llvm::zip(wide, values))
          storeWide(i, value, getPosition({RoleKind::Full, 1}, lanes), lanes);
      }
      return SmallVector<Value>();
    });
  }

  bool accumulates(unsigned result) {
    return static_cast<bool>(kernel.getResultAttr(result, "plan.accumulate"));
  }

  void storeWide(unsigned result, Value value, Value position,
                 const Lanes &lanes) {
    if (accumulates(result))
      value = vb.addf(vb.load(outputs[result], position, lanes.mask), value);
    vb.store(value, outputs[result], position, lanes.mask);
  }

  /// Evaluates every row value that the values \p wanted are made of, so that
  /// it stands before the loop over columns.
  void prepareRows(ArrayRef<unsigned> wanted) {
    SmallVector<Value> values;
    for (unsigned i : wanted)
      values.push_back(results[i]);
    prepare(values);
  }

  void prepare(ArrayRef<Value> values) {
    DenseSet<Value> seen;
    SmallVector<std::pair<Value, Role>> work;
    for (Value value : values)
      work.push_back({value, {RoleKind::Full, 1}});
    while (!work.empty()) {
      auto [value, role] = work.pop_back_val();
      if (role.kind == RoleKind::Row || role.kind == RoleKind::Scalar) {
        evaluateRow(value, role);
        continue;
      }
      Operation *op = value.getDefiningOp();
      if (!op || !seen.insert(value).second || isa<nn::ReduceOp>(op))
        continue;
      if (auto gather = dyn_cast<nn::GatherOp>(op)) {
        evaluateRow(gather.getIndices(), {RoleKind::Row, 1});
        continue;
      }
      auto broadcast = dyn_cast<nn::BroadcastOp>(op);
      for (Value operand : op->getOperands())
        work.push_back({operand, broadcast ? *getBroadcastRole(
                                                 broadcast, shape.space, role)
                                           : role});
    }
  }

  void reduceRow(unsigned pass, int64_t size) {
    SmallVector<nn::ReduceOp> current;
    SmallVector<Value> operands;
    for (nn::ReduceOp reduce : reductions)
      if (getDepth(reduce.getResult()) == pass) {
        current.push_back(reduce);
        operands.push_back(reduce.getInput());
      }
    prepare(operands);
    int64_t count = current.size();
    // Several sums at once hide the latency of an addition.
    int64_t unroll = size < 4 * kLanes ? 1 : count > 2 ? 2 : 4;
    SmallVector<Value> sums;
    for (int64_t i = 0; i < unroll; ++i)
      for (nn::ReduceOp reduce : current)
        sums.push_back(neutral(reduce));
    sums = overColumns(
        size, unroll, sums, [&](ArrayRef<Lanes> round, ValueRange carried) {
          SmallVector<Value> next(carried);
          for (auto [i, lanes] : llvm::enumerate(round)) {
            vectorValues.clear();
            for (auto [j, reduce] : llvm::enumerate(current)) {
              Value &sum = next[i * count + j];
              sum = combine(reduce, sum, evaluateOperand(reduce, lanes));
            }
          }
          return next;
        });
    for (auto [j, reduce] : llvm::enumerate(current)) {
      Value total = sums[j];
      for (int64_t i = 1; i < unroll; ++i)
        total = combine(reduce, total, sums[i * count + j]);
      rowValues[reduce.getResult()] =
          round(reduce.getResult(), reduceLanes(reduce, total));
    }
  }

  /// Halves the vector until one lane is left.
  Value reduceLanes(nn::ReduceOp reduce, Value value) {
    for (int64_t width = kLanes / 2; width >= 1; width /= 2) {
      auto low = llvm::to_vector(llvm::seq<int64_t>(width));
      auto high = llvm::to_vector(llvm::seq<int64_t>(width, 2 * width));
      Value a = vector::ShuffleOp::create(builder, loc, value, value, low);
      Value b = vector::ShuffleOp::create(builder, loc, value, value, high);
      value = combine(reduce, a, b);
    }
    return vector::ExtractOp::create(builder, loc, value, 0);
  }

  //===--------------------------------------------------------------------===//
  // Elementwise throughout
  //===--------------------------------------------------------------------===//

  void emitFlat() {
    int64_t whole = columns / kBlock, rest = columns % kBlock;
    auto block = [&](Value at, int64_t size) {
      // Each block is a row of its own; positions count from its start.
      int64_t all = columns;
      columns = kBlock;
      emitRow(at, size);
      columns = all;
    };
    loop(body.begin, body.end, 1, {}, [&](Value at, ValueRange) {
      onLast(
          at, whole, rest, [&] { block(at, kBlock); },
          [&] { block(at, rest); });
      return SmallVector<Value>();
    });
  }

  /// Iterations 0 to \p whole - 1 are full, the one after is the \p rest.
  void onLast(Value iteration, int64_t whole, int64_t rest,
              function_ref<void()> writeWhole, function_ref<void()> writeRest) {
    if (rest == 0)
      return writeWhole();
    if (whole == 0)
      return writeRest();
    Value isWhole = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::ult, iteration, index(whole));
    auto branch = scf::IfOp::create(builder, loc, isWhole, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    writeWhole();
    builder.setInsertionPointToStart(branch.elseBlock());
    writeRest();
  }

  //===--------------------------------------------------------------------===//
  // By columns
  //===--------------------------------------------------------------------===//

  void emitByColumns() {
    int64_t whole = columns / kStrip, rest = columns % kStrip;
    loop(body.begin, body.end, 1, {}, [&](Value at, ValueRange) {
      Value column = mul(at, kStrip);
      onLast(
          at, whole, rest, [&] { emitStrip(column, kStrip); },
          [&] { emitStrip(column, rest); });
      return SmallVector<Value>();
    });
  }

  void emitStrip(Value column, int64_t size) {
    SmallVector<Lanes> strip;
    for (int64_t at = 0; at < size; at += kLanes)
      strip.push_back(makeLanes(at ? add(column, index(at)) : column,
                                std::min(kLanes, size - at)));
    auto zeros = [&] {
      SmallVector<Value> sums;
      for (size_t i = 0; i < strip.size(); ++i)
        for (nn::ReduceOp reduce : reductions)
          sums.push_back(neutral(reduce));
      return sums;
    };
    auto overRows = [&](Value from, Value to) {
      return loop(from, to, 1, zeros(), [&](Value at, ValueRange carried) {
        row = at;
        rowValues.clear();
        SmallVector<Value> next(carried);
        for (auto [i, lanes] : llvm::enumerate(strip)) {
          vectorValues.clear();
          for (auto [j, reduce] : llvm::enumerate(reductions)) {
            Value &sum = next[i * reductions.size() + j];
            sum = combine(reduce, sum, evaluateOperand(reduce, lanes));
          }
        }
        return next;
      });
    };
    auto addTo = [&](ValueRange totals, ArrayRef<Value> sums) {
      SmallVector<Value> next;
      for (auto [k, pair] : llvm::enumerate(llvm::zip(totals, sums)))
        next.push_back(combine(reductions[k % reductions.size()],
                               std::get<0>(pair), std::get<1>(pair)));
      return next;
    };
    int64_t rows = shape.space.rows, even = rows / kRowBlock * kRowBlock;
    SmallVector<Value> totals = zeros();
    if (even)
      totals =
          loop(index(0), index(even), kRowBlock, totals,
               [&](Value at, ValueRange carried) {
                 return addTo(carried, overRows(at, add(at, index(kRowBlock))));
               });
    if (even < rows)
      totals = addTo(totals, overRows(index(even), index(rows)));

    row = {};
    rowValues.clear();
    for (auto [i, lanes] : llvm::enumerate(strip)) {
      vectorValues.clear();
      for (auto [j, reduce] : llvm::enumerate(reductions))
        vectorValues[{reduce.getResult(),
                      static_cast<unsigned>(RoleKind::Column)}] =
            round(reduce.getResult(), totals[i * reductions.size() + j]);
      SmallVector<Value> values;
      for (Value result : results)
        values.push_back(evaluate(result, {RoleKind::Column, 1}, lanes));
      for (auto [k, value] : llvm::enumerate(values))
        storeWide(k, value, lanes.column, lanes);
    }
  }

  func::FuncOp kernel;
  KernelBody &body;
  OpBuilder &builder;
  Location loc;
  VectorBuilder vb;
  Shape shape;
  int64_t columns;
  DenseMap<Value, Value> buffers;
  SmallVector<Value> outputs, results;
  SmallVector<nn::ReduceOp> reductions;
  DenseMap<Value, unsigned> depths;
  Value row;                        ///< current row; null: none
  DenseMap<Value, Value> rowValues; ///< scalars in the current row
  /// Vectors at the current lanes, by value and kind of role.
  DenseMap<std::pair<Value, unsigned>, Value> vectorValues;
};

} // namespace

int64_t cpu::getGeneralIterations(func::FuncOp kernel) {
  Shape shape = getShape(kernel);
  if (shape.flat)
    return llvm::divideCeil(shape.space.columns, kBlock);
  if (shape.space.byColumns)
    return llvm::divideCeil(shape.space.columns, kStrip);
  return shape.space.rows;
}

int64_t cpu::getGeneralFlops(func::FuncOp kernel) {
  int64_t flops = 0;
  for (Operation &op : kernel.getBody().front()) {
    if (op.getNumResults() != 1 || isTransparent(&op) ||
        isa<arith::ConstantOp, nn::BroadcastOp, nn::GatherOp, nn::IotaOp>(op))
      continue;
    Value counted = isa<nn::ReduceOp>(op) ? op.getOperand(0) : op.getResult(0);
    auto type = cast<RankedTensorType>(counted.getType());
    if (isa<FloatType>(type.getElementType()))
      flops += type.getNumElements();
  }
  return flops;
}

void cpu::emitGeneralKernel(func::FuncOp kernel, KernelBody &body) {
  Emitter(kernel, body).emit();
}
