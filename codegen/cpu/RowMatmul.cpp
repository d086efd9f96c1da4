//===- RowMatmul.cpp - Matmuls with packed weights --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights come from memory once, as one stream a thread, and meet all rows; of
// many rows, a block of which takes turns with others, from the second cache.
// Lanes are columns of the result: an element is one chain of multiply-adds
// along the inner dimension. How many rows and panels are computed side by side
// is only which chains go on at a time, so all have the same bits.
//
// With AVX512-BF16 a step of a chain takes two weights in bf16, by an
// instruction that has its own rounding; elsewhere they are two steps in fp32.
//
//===----------------------------------------------------------------------===//

#include "codegen/ObjectEmission.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/kernels/VectorBuilder.h"
#include "dialects/nn/NN.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "runtime/program/PackedWeights.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::codegen;
using namespace tessera::cpu;

static_assert(runtime::panelWidth == vectorLanes);

namespace {

/// Rows that are computed side by side. With three panels, 24 chains leave
/// registers for what they multiply.
constexpr int64_t tileRows = 8;
/// Rows of an iteration at most.
constexpr int64_t blockOfRows = 128;

/// How long before its use a panel's line is asked for, from so many rows on:
/// with fewer a CPU begins to load enough by itself.
constexpr int64_t bytesAhead = 8192;
constexpr int64_t rowsToPrefetch = 6;

/// What is read of the weights in one step of a chain: inner indices, 1 or 2.
/// Packed weights in bf16 lie in pairs.
int64_t getStep(nn::RowMatmulOp op) {
  return op.getPacked() && getElementTypeOrSelf(op.getB()).isBF16() ? 2 : 1;
}

bool isNarrow(Value value) {
  return getElementTypeOrSelf(value).getIntOrFloatBitWidth() < 32;
}

class RowMatmulEmitter {
public:
  RowMatmulEmitter(nn::RowMatmulOp op, KernelBody &body)
      : vb(body.builder, body.loc), op(op), body(body), rows(op.getRows()),
        inner(op.getInner()), columns(op.getColumns()), step(getStep(op)),
        hasDots(step == 2 && getElementTypeOrSelf(op.getA()).isBF16() &&
                hasCpuFeature(op->getParentOfType<ModuleOp>(), "avx512bf16")) {
    a = vb.flatten(body.inputs[0]);
    b = vb.flatten(body.inputs[1]);
    Value read =
        vb.toIndex(vb.loadScalar(vb.flatten(body.inputs[2]), vb.index(0)));
    count = vb.min(read, vb.index(rows));
    if (op.getBias())
      bias = vb.flatten(body.inputs[3]);
    out = vb.flatten(body.outputs[0]);
    if (isNarrow(op.getA()) && !hasDots) {
      int64_t offset = 0;
      wide = vb.carve(body.scratch, offset, getWideElements(op));
    }
  }

  /// Panels of an iteration.
  static int64_t getPanels(nn::RowMatmulOp op) {
    return op.getRows() > tileRows ? 3 : 2;
  }
  static int64_t getRowBlocks(nn::RowMatmulOp op) {
    return llvm::divideCeil(op.getRows(), blockOfRows);
  }
  static int64_t getIterations(nn::RowMatmulOp op) {
    return llvm::divideCeil(op.getColumns(), getPanels(op) * vectorLanes) *
           getRowBlocks(op);
  }
  /// Rows of a tile in fp32: the plan does not depend on whether the CPU can do
  /// without.
  static int64_t getWideElements(nn::RowMatmulOp op) {
    return std::min(op.getRows(), tileRows) * op.getInner();
  }
  static int64_t getScratchBytes(nn::RowMatmulOp op) {
    return isNarrow(op.getA()) ? roundUp(4 * getWideElements(op), 64) : 0;
  }

  void emit() {
    int64_t panels = getPanels(op), blocks = getRowBlocks(op);
    if (wide && rows <= tileRows)
      emitWideRows(vb.index(0), count);
    int64_t whole = columns / (panels * vectorLanes);
    int64_t rest = columns % (panels * vectorLanes);
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      // Blocks of rows follow one another, while their weights are in cache.
      Value group = vb.div(iteration, blocks);
      Value row = vb.mul(vb.rem(iteration, blocks), blockOfRows);
      Value column = vb.mul(group, panels * vectorLanes);
      if (!rest)
        return emitBlock(row, column, panels, vectorLanes);
      Value isWhole =
          arith::CmpIOp::create(vb.builder, vb.loc, arith::CmpIPredicate::slt,
                                group, vb.index(whole));
      auto choice = scf::IfOp::create(vb.builder, vb.loc, isWhole,
                                      /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(vb.builder);
      if (whole) {
        vb.builder.setInsertionPointToStart(choice.thenBlock());
        emitBlock(row, column, panels, vectorLanes);
      }
      vb.builder.setInsertionPointToStart(choice.elseBlock());
      if (rest >= vectorLanes)
        emitBlock(row, column, rest / vectorLanes, vectorLanes);
      if (rest % vectorLanes)
        emitBlock(row, vb.add(column, rest / vectorLanes * vectorLanes), 1,
                  rest % vectorLanes);
    });
  }

private:
  /// Rows [row, row + blockOfRows) as far as they are there, \p panels panels
  /// of \p width columns from \p column on.
  void emitBlock(Value row, Value column, int64_t panels, int64_t width) {
    Value end = count;
    if (rows > blockOfRows)
      end = vb.min(count, vb.add(row, blockOfRows));
    vb.loop(row, end, tileRows, [&](Value first) {
      emitRows(first, vb.sub(end, first), column, panels, width);
    });
  }

  /// Rows from \p row on, \p left or as many as a tile has.
  void emitRows(Value row, Value left, Value column, int64_t panels,
                int64_t width) {
    int64_t most = std::min(rows, tileRows);
    if (most == 1)
      return emitTile(row, 1, column, panels, width);
    SmallVector<int64_t> cases;
    for (int64_t number = 1; number < most; ++number)
      cases.push_back(number);
    auto choice = scf::IndexSwitchOp::create(vb.builder, vb.loc, TypeRange(),
                                             left, cases, cases.size());
    OpBuilder::InsertionGuard guard(vb.builder);
    auto fill = [&](Region &region, int64_t number) {
      vb.builder.createBlock(&region);
      emitTile(row, number, column, panels, width);
      scf::YieldOp::create(vb.builder, vb.loc);
    };
    for (auto [region, number] : llvm::zip(choice.getCaseRegions(), cases))
      fill(region, number);
    fill(choice.getDefaultRegion(), most);
  }

  void emitTile(Value row, int64_t number, Value column, int64_t panels,
                int64_t width) {
    Value aStart = vb.mul(row, inner);
    if (wide && rows > tileRows)
      emitWideRows(row, vb.index(number));
    if (wide)
      aStart = vb.index(0);
    SmallVector<Value> sums(number * panels, vb.splat(0.0));
    // Panels come from memory where there is one tile of rows.
    bool prefetches = op.getPacked() && rows <= tileRows &&
                      number >= rowsToPrefetch && width == vectorLanes;
    // Few chains are taken several steps at a time.
    int64_t unroll = number * panels > 12 ? 2 : 4;
    auto advance = [&](Value k, int64_t steps, int64_t by, ValueRange values) {
      SmallVector<Value> next(values);
      for (int64_t i = 0; i < steps; ++i)
        emitStep(next, aStart, number, vb.add(k, i * by), by, column, panels,
                 width);
      return next;
    };
    int64_t whole = inner / (step * unroll) * (step * unroll);
    int64_t left = inner - whole;
    if (whole)
      sums = vb.loop(vb.index(0), vb.index(whole), step * unroll, sums,
                     [&](Value k, ValueRange values) {
                       if (prefetches)
                         prefetchWeights(k, unroll * step, column, panels);
                       return advance(k, unroll, step, values);
                     });
    sums = advance(vb.index(whole), left / step, step, sums);
    if (left % step)
      sums = advance(vb.index(inner - 1), 1, 1, sums);
    Value mask = vb.mask(width);
    for (int64_t n = 0; n < panels; ++n) {
      Value at = vb.add(column, n * vectorLanes);
      Value offset = bias ? vb.load(bias, at, mask) : Value();
      for (int64_t r = 0; r < number; ++r) {
        Value sum = sums[r * panels + n];
        if (offset)
          sum = vb.addf(sum, offset);
        vb.store(sum, out, vb.add(vb.mul(vb.add(row, r), columns), at), mask);
      }
    }
  }

  /// \p number rows from \p row on in fp32.
  void emitWideRows(Value row, Value number) {
    vb.loop(vb.index(0), number, 1, [&](Value r) {
      Value from = vb.mul(vb.add(row, r), inner), to = vb.mul(r, inner);
      vb.vectors(inner, [&](Value position, Value mask) {
        vb.store(vb.load(a, vb.add(from, position), mask), wide,
                 vb.add(to, position), mask);
      });
    });
  }

  /// Asks for what is read bytesAhead later than the weights of \p count inner
  /// indices from \p k on: what follows them, then the panels of the next
  /// iteration. It comes to the second cache: the first has room for few lines
  /// that are still to come.
  void prefetchWeights(Value k, int64_t count, Value column, int64_t panels) {
    int64_t size = getElementTypeOrSelf(op.getB()).getIntOrFloatBitWidth() / 8;
    int64_t line = 64 / size,
            ahead = std::min(bytesAhead / size, inner * vectorLanes);
    Value isLast =
        arith::CmpIOp::create(vb.builder, vb.loc, arith::CmpIPredicate::sge, k,
                              vb.index(inner - ahead / vectorLanes));
    Value further = arith::SelectOp::create(
        vb.builder, vb.loc, isLast,
        vb.index(ahead + (panels - 1) * inner * vectorLanes), vb.index(ahead));
    Value first =
        vb.add(vb.add(vb.mul(column, inner), vb.mul(k, vectorLanes)), further);
    for (int64_t n = 0; n < panels; ++n)
      for (int64_t i = 0; i < count * vectorLanes; i += line) {
        Value at = vb.min(vb.add(first, n * inner * vectorLanes + i),
                          vb.index(inner * columns - 1));
        memref::PrefetchOp::create(vb.builder, vb.loc, b, at, /*isWrite=*/false,
                                   /*localityHint=*/2,
                                   /*isDataCache=*/true);
      }
  }

  /// Adds the products of \p by inner indices from \p k on to \p sums.
  void emitStep(MutableArrayRef<Value> sums, Value aStart, int64_t number,
                Value k, int64_t by, Value column, int64_t panels,
                int64_t width) {
    SmallVector<SmallVector<Value, 2>> weights;
    for (int64_t n = 0; n < panels; ++n)
      weights.push_back(
          loadWeights(vb.add(column, n * vectorLanes), k, by, width));
    for (int64_t r = 0; r < number; ++r) {
      Value at = vb.add(vb.add(aStart, r * inner), k);
      SmallVector<Value, 2> factors = loadFactors(at, by);
      for (int64_t n = 0; n < panels; ++n) {
        Value &sum = sums[r * panels + n];
        for (auto [x, w] : llvm::zip(factors, weights[n]))
          sum = hasDots && by == 2 ? dot(sum, x, w) : vb.fma(x, w, sum);
      }
    }
  }

  /// Elements \p at of the rows, and of a pair the one behind it, in all lanes.
  SmallVector<Value, 2> loadFactors(Value at, int64_t by) {
    if (hasDots && by == 2) {
      OpBuilder &b = vb.builder;
      Value pair = vector::LoadOp::create(
          b, vb.loc, VectorType::get({2}, b.getBF16Type()), a, at);
      Value bits = vector::BitCastOp::create(
          b, vb.loc, VectorType::get({1}, b.getI32Type()), pair);
      Value all =
          vb.splat(vector::ExtractOp::create(b, vb.loc, bits, 0).getResult());
      return {vector::BitCastOp::create(
          b, vb.loc, VectorType::get({2 * vectorLanes}, b.getBF16Type()), all)};
    }
    SmallVector<Value, 2> result;
    for (int64_t i = 0; i < by; ++i)
      result.push_back(vb.splat(vb.loadScalar(wide ? wide : a, vb.add(at, i))));
    return result;
  }

  /// The weights of a panel's \p width columns from \p column on and of the
  /// inner indices [k, k + by): a vector for each, of pairs one in all.
  SmallVector<Value, 2> loadWeights(Value column, Value k, int64_t by,
                                    int64_t width) {
    if (!op.getPacked())
      return {loadPlain(column, k, width)};
    Value at = vb.add(vb.mul(column, inner), vb.mul(k, width));
    if (by == 1)
      return {vb.load(b, at, vb.mask(width))};
    OpBuilder &b = vb.builder;
    auto type = VectorType::get({2 * vectorLanes}, b.getBF16Type());
    Value pairs;
    if (width == vectorLanes) {
      pairs = vector::LoadOp::create(b, vb.loc, type, this->b, at);
    } else {
      Value mask = vector::ConstantMaskOp::create(
          b, vb.loc, type.clone(b.getI1Type()), ArrayRef<int64_t>{2 * width});
      Value zero = arith::ConstantOp::create(b, vb.loc, b.getZeroAttr(type));
      pairs = vector::MaskedLoadOp::create(b, vb.loc, type, this->b, at, mask,
                                           zero);
    }
    if (hasDots)
      return {pairs};
    // The first of a pair has the low bits.
    auto bits = vb.vectorType(b.getI32Type());
    Value both = vector::BitCastOp::create(b, vb.loc, bits, pairs);
    auto constant = [&](int32_t value) -> Value {
      return arith::ConstantOp::create(
          b, vb.loc, DenseElementsAttr::get(bits, b.getI32IntegerAttr(value)));
    };
    auto toFloat = [&](Value value) -> Value {
      return arith::BitcastOp::create(b, vb.loc, vb.vectorType(), value);
    };
    return {toFloat(arith::ShLIOp::create(b, vb.loc, both, constant(16))),
            toFloat(arith::AndIOp::create(
                b, vb.loc, both, constant(static_cast<int32_t>(0xffff0000))))};
  }

  /// The same of weights that are no panels. Those of a transposed matrix lie
  /// apart.
  Value loadPlain(Value column, Value k, int64_t width) {
    if (!op.getTransposeB())
      return vb.load(b, vb.add(vb.mul(k, columns), column), vb.mask(width));
    SmallVector<Value> lanes;
    for (int64_t n = 0; n < width; ++n)
      lanes.push_back(
          vb.loadScalar(b, vb.add(vb.mul(vb.add(column, n), inner), k)));
    lanes.resize(vectorLanes, vb.number(0));
    return vector::FromElementsOp::create(vb.builder, vb.loc, vb.vectorType(),
                                          lanes);
  }

  Value dot(Value sum, Value x, Value w) {
    return LLVM::CallIntrinsicOp::create(
               vb.builder, vb.loc, vb.vectorType(),
               vb.builder.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
               ValueRange{sum, x, w})
        .getResult(0);
  }

  VectorBuilder vb;
  nn::RowMatmulOp op;
  KernelBody &body;
  int64_t rows, inner, columns, step;
  bool hasDots;
  Value a, b, count, bias, out;
  Value wide; ///< a tile's rows in fp32, where they are not read as they are
};

struct RowMatmulKernel
    : KernelEmissionOpInterface::ExternalModel<RowMatmulKernel,
                                               nn::RowMatmulOp> {
  int64_t getIterations(Operation *op) const {
    return RowMatmulEmitter::getIterations(cast<nn::RowMatmulOp>(op));
  }
  int64_t getScratchBytes(Operation *op) const {
    return RowMatmulEmitter::getScratchBytes(cast<nn::RowMatmulOp>(op));
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    RowMatmulEmitter(cast<nn::RowMatmulOp>(op), body).emit();
  }
};

/// An iteration is a row of the result.
struct PackedGatherKernel
    : KernelEmissionOpInterface::ExternalModel<PackedGatherKernel,
                                               nn::PackedGatherOp> {
  int64_t getIterations(Operation *op) const {
    auto gather = cast<nn::PackedGatherOp>(op);
    return gather.getIndices().getType().getNumElements();
  }
  void emitKernel(Operation *op, KernelBody &body) const {
    VectorBuilder vb(body.builder, body.loc);
    RankedTensorType type = cast<nn::PackedGatherOp>(op).getTable().getType();
    int64_t rows = type.getDimSize(0), inner = type.getDimSize(1);
    int64_t paired = type.getElementType().isBF16() ? inner / 2 * 2 : 0;
    Value table = vb.flatten(body.inputs[0]);
    Value indices = vb.flatten(body.inputs[1]);
    Value out = vb.flatten(body.outputs[0]);
    auto copy = [&](Value from, Value to) {
      Value number = memref::LoadOp::create(vb.builder, vb.loc, table, from);
      memref::StoreOp::create(vb.builder, vb.loc, number, out, to);
    };
    vb.loop(body.begin, body.end, 1, [&](Value iteration) {
      Value row = vb.toIndex(vb.loadScalar(indices, iteration));
      Value lane = vb.rem(row, vectorLanes), first = vb.sub(row, lane);
      Value width =
          vb.min(vb.sub(vb.index(rows), first), vb.index(vectorLanes));
      Value start = vb.mul(first, inner), to = vb.mul(iteration, inner);
      auto product = [&](Value x, Value y) -> Value {
        return arith::MulIOp::create(vb.builder, vb.loc, x, y);
      };
      if (paired)
        vb.loop(0, paired, 2, [&](Value k) {
          Value from =
              vb.add(vb.add(start, product(k, width)), vb.mul(lane, 2));
          for (int64_t i : {0, 1})
            copy(vb.add(from, i), vb.add(vb.add(to, k), i));
        });
      if (paired < inner)
        vb.loop(vb.index(paired), vb.index(inner), 1, [&](Value k) {
          copy(vb.add(vb.add(start, product(k, width)), lane), vb.add(to, k));
        });
    });
  }
};

} // namespace

void tessera::cpu::registerRowMatmul(MLIRContext *context) {
  context->loadDialect<LLVM::LLVMDialect>();
  nn::RowMatmulOp::attachInterface<RowMatmulKernel>(*context);
  nn::PackedGatherOp::attachInterface<PackedGatherKernel>(*context);
}
