//===- compare-kernels.cpp - Kernels of two targets, side by side *- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// compare-kernels MODULE runs each kernel of a module in the phase `kernels`
// twice on the same random numbers: compiled for this CPU, and mapped to
// grids whose threads are emulated, in two orders, which must give the same
// bits; also where results take the place of arguments that they may overwrite.
// Prints a line a kernel; ends with 1 where results differ.
//
//===----------------------------------------------------------------------===//

#include "codegen/Passes.h"
#include "codegen/kernels/Arithmetic.h"
#include "dialects/AllDialects.h"
#include "dialects/AttributeNames.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/AttentionParts.h"
#include "dialects/zero/Zero.h"
#include "runtime/core/ElementType.h"
#include "test/codegen/cuda/EmulatedKernel.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/Format.h"
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

using namespace mlir;
using namespace tessera;

namespace {

/// The numbers of a tensor, aligned as the plan aligns buffers.
class Buffer {
public:
  Buffer(RankedTensorType type)
      : elements(type.getNumElements()), type(type.getElementType()),
        size(std::max<int64_t>(1, type.getElementTypeBitWidth() / 8)),
        lines(llvm::divideCeil(elements * size + guard, sizeof(Line))) {
    memset(data(), 0x5a, lines.size() * sizeof(Line));
  }

  char *data() { return lines.data()->bytes; }
  const char *data() const { return lines.data()->bytes; }

  double get(int64_t i) const {
    const char *place = data() + i * size;
    if (type.isF64())
      return *reinterpret_cast<const double *>(place);
    if (type.isInteger(32))
      return *reinterpret_cast<const int32_t *>(place);
    if (type.isInteger())
      return *reinterpret_cast<const int8_t *>(place);
    float number;
    runtime::toFloats(getType(), place, 1, &number);
    return number;
  }
  void set(int64_t i, double value) {
    char *place = data() + i * size;
    auto number = static_cast<float>(value);
    if (type.isF64())
      *reinterpret_cast<double *>(place) = value;
    else if (type.isInteger(32))
      *reinterpret_cast<int32_t *>(place) = static_cast<int32_t>(value);
    else if (type.isInteger())
      *reinterpret_cast<int8_t *>(place) = static_cast<int8_t>(value);
    else
      runtime::fromFloats(getType(), &number, 1, place);
  }
  /// The bytes and the guard behind them.
  bool operator==(const Buffer &other) const {
    return !memcmp(data(), other.data(), elements * size + guard);
  }

  bool holdsSameElements(const Buffer &other) const {
    return !memcmp(data(), other.data(), elements * size);
  }

  int64_t elements;

private:
  static constexpr int64_t guard = 64;
  struct alignas(64) Line {
    char bytes[64];
  };

  runtime::ElementType getType() const {
    return type.isBF16()  ? runtime::ElementType::Bf16
           : type.isF16() ? runtime::ElementType::F16
                          : runtime::ElementType::F32;
  }

  Type type;
  int64_t size;
  std::vector<Line> lines;
};

/// Fills the arguments of a kernel with numbers that make sense to it.
class Filler {
public:
  void fill(func::FuncOp kernel, std::vector<Buffer> &buffers) {
    for (BlockArgument argument : kernel.getArguments())
      fill(argument, buffers[argument.getArgNumber()]);
    auto bufferOf = [&](Value value) -> Buffer & {
      return buffers[cast<BlockArgument>(value).getArgNumber()];
    };
    auto fillFrom = [&](OperandRange arrays, int64_t sources) {
      fillRows(bufferOf(arrays[0]), bufferOf(arrays[1]), sources);
    };
    kernel.walk([&](graph::CSROp graph) {
      graph::CSRType type = graph.getGraph().getType();
      fillFrom(graph->getOperands().take_front(3), type.getColumns());
      if (graph.hasTranspose())
        fillFrom(graph->getOperands().drop_front(3), type.getRows());
    });
    kernel.walk([&](graph::DropoutOp dropout) {
      fillFrom(dropout->getOperands(), 1000);
    });
    auto fillCached = [&](auto op) {
      fillTokens(bufferOf(op.getSlots()), op.getSlotCount(),
                 bufferOf(op.getPositions()), op.getSlotLength());
      fillCount(bufferOf(op.getCount()), op.getRows());
    };
    kernel.walk([&](nn::CacheWriteOp write) {
      fillCached(write);
      // What a result holds before: what is not written stays as it is.
      Buffer &cache = bufferOf(write.getCache());
      for (int64_t i = 0; i < cache.elements; ++i)
        cache.set(i, 1);
    });
    kernel.walk([&](nn::CachedAttentionOp attention) {
      fillCached(attention);
      if (attention.getOneSlot())
        fillText(bufferOf(attention.getSlots()), attention.getSlotCount() - 1,
                 bufferOf(attention.getPositions()),
                 attention.getSlotLength() - attention.getRows());
    });
    kernel.walk([&](nn::CachedAttentionPartsOp parts) { fillCached(parts); });
    kernel.walk([&](nn::MergeAttentionPartsOp merge) {
      // Any: rows need not be of one slot.
      int64_t context =
          merge.getPartCount() * static_cast<int64_t>(merge.getPartLength());
      Buffer &positions = bufferOf(merge.getPositions());
      for (int64_t row = 0; row < positions.elements; ++row)
        positions.set(row, row * 7919 % context);
      fillCount(bufferOf(merge.getCount()), merge.getRows());
      // Sums of weights, of which the largest is 1.
      Buffer &totals = bufferOf(merge.getTotals());
      for (int64_t i = 0; i < totals.elements; ++i)
        totals.set(i, 1 + std::abs(totals.get(i)));
    });
    kernel.walk([&](nn::RowMatmulOp matmul) {
      fillCount(bufferOf(matmul.getCount()), matmul.getRows());
    });
  }

private:
  void fill(BlockArgument argument, Buffer &buffer) {
    auto type = cast<RankedTensorType>(argument.getType());
    for (Operation *user : argument.getUsers())
      if (auto dequantize = dyn_cast<zero::DequantizeOp>(user))
        return fillMessages(dequantize, buffer);
    if (llvm::any_of(argument.getUsers(), [](Operation *user) {
          return isa<graph::MaxOp, graph::MaxTiesOp, graph::MaxGradientOp>(
              user);
        }))
      return fillWhole(buffer);
    if (type.getElementType().isInteger()) {
      std::uniform_int_distribution<int64_t> any(0, getLimit(argument) - 1);
      for (int64_t i = 0; i < buffer.elements; ++i)
        buffer.set(i, any(generator));
      return;
    }
    // Rows are means, deviations, sums: positive, so that they have logarithms.
    std::normal_distribution<double> normal(0, 1);
    std::uniform_real_distribution<double> positive(0.1, 1);
    for (int64_t i = 0; i < buffer.elements; ++i)
      buffer.set(i,
                 type.getRank() < 2 ? positive(generator) : normal(generator));
  }

  /// A few whole numbers, of which many are equal.
  void fillWhole(Buffer &buffer) {
    std::uniform_int_distribution<int64_t> any(-1, 1);
    for (int64_t i = 0; i < buffer.elements; ++i)
      buffer.set(i, any(generator));
  }

  /// Messages of zero.quantize: a byte an element, and scales behind them.
  void fillMessages(zero::DequantizeOp dequantize, Buffer &buffer) {
    std::uniform_int_distribution<int64_t> any(-127, 127);
    std::uniform_real_distribution<float> positive(0.1F, 1);
    for (int64_t i = 0; i < buffer.elements; ++i)
      buffer.set(i, any(generator));
    int64_t parts = dequantize.getParts(), bytes = buffer.elements / parts;
    int64_t elements =
        dequantize.getResult().getType().getNumElements() / parts;
    for (int64_t part = 0; part < parts; ++part)
      for (int64_t at = elements; at < bytes; at += sizeof(float)) {
        float scale = positive(generator);
        memcpy(buffer.data() + part * bytes + at, &scale, sizeof scale);
      }
  }

  /// What the indices in \p value are under.
  int64_t getLimit(Value value) {
    for (Operation *user : value.getUsers()) {
      if (auto gather = dyn_cast<nn::GatherOp>(user))
        return gather.getTable().getType().getDimSize(0);
      if (auto scatter = dyn_cast<nn::ScatterAddOp>(user))
        return scatter.getInit().getType().getDimSize(0);
      if (isa<nn::ReshapeOp>(user))
        return getLimit(user->getResult(0));
    }
    return 7;
  }

  /// Rows of a random number of entries: \p start says where they start,
  /// \p source the columns of their entries, under \p sources. Fewer than there
  /// is room for: what is behind the last is no column.
  void fillRows(Buffer &start, Buffer &source, int64_t sources) {
    std::vector<int64_t> starts(start.elements);
    std::uniform_int_distribution<int64_t> any(0, source.elements);
    for (int64_t &at : starts)
      at = any(generator);
    starts.front() = 0;
    llvm::sort(starts);
    for (int64_t i = 0; i < start.elements; ++i)
      start.set(i, starts[i]);
    std::uniform_int_distribution<int64_t> row(0, sources - 1);
    for (int64_t i = 0; i < source.elements; ++i)
      source.set(i, i < starts.back() ? row(generator) : INT32_MAX);
  }

  /// A token a row: no two rows are at one position of one slot.
  void fillTokens(Buffer &slot, int64_t slots, Buffer &position,
                  int64_t positions) {
    std::uniform_int_distribution<int64_t> any(0, positions - 1);
    std::vector<int64_t> next(slots);
    for (int64_t &at : next)
      at = any(generator);
    for (int64_t row = 0; row < slot.elements; ++row) {
      int64_t which = row * 5 % slots;
      slot.set(row, which);
      position.set(row, next[which]++ % positions);
    }
  }

  /// Tokens that follow one another in \p one from \p origin on.
  void fillText(Buffer &slot, int64_t one, Buffer &position, int64_t origin) {
    for (int64_t row = 0; row < slot.elements; ++row) {
      slot.set(row, one);
      position.set(row, origin + row);
    }
  }

  /// Not all of \p rows rows are there.
  void fillCount(Buffer &count, int64_t rows) { count.set(0, rows - rows / 4); }

  std::mt19937 generator{1};
};

std::vector<void *> addressesOf(std::vector<Buffer> &buffers) {
  std::vector<void *> addresses;
  for (Buffer &buffer : buffers)
    addresses.push_back(buffer.data());
  return addresses;
}

/// Calls \p run for \p buffers with each result in the place of an argument
/// that it may overwrite; returns whether results are those of \p expected.
bool runInPlace(llvm::function_ref<void(std::vector<void *>)> run,
                func::FuncOp kernel, std::vector<Buffer> buffers,
                const std::vector<Buffer> &expected) {
  std::vector<void *> addresses = addressesOf(buffers);
  unsigned arguments = kernel.getNumArguments();
  std::vector<unsigned> places(buffers.size());
  std::iota(places.begin(), places.end(), 0);
  llvm::SmallDenseSet<unsigned> taken;
  for (unsigned i = 0; i < kernel.getNumResults(); ++i)
    if (auto overwritten =
            kernel.getResultAttrOfType<ArrayAttr>(i, inPlaceAttrName))
      for (auto argument : overwritten.getAsRange<IntegerAttr>())
        if (taken.insert(argument.getInt()).second) {
          places[arguments + i] = argument.getInt();
          break;
        }
  for (unsigned i = arguments; i < buffers.size(); ++i)
    addresses[i] = buffers[places[i]].data();
  run(addresses);
  bool isSame = true;
  for (unsigned i = arguments; i < buffers.size(); ++i)
    isSame &= expected[i].holdsSameElements(buffers[places[i]]);
  return isSame;
}

/// How far two results lie apart, as a part of the largest number in them.
double getDifference(const Buffer &got, const Buffer &expected) {
  double largest = 1e-30, difference = 0;
  for (int64_t i = 0; i < got.elements; ++i) {
    double a = got.get(i), b = expected.get(i);
    if (std::isnan(a) && std::isnan(b))
      continue;
    if (std::isnan(a) || std::isnan(b))
      return INFINITY;
    largest = std::max(largest, std::abs(b));
    difference = std::max(difference, std::abs(a - b));
  }
  return difference / largest;
}

bool compare(const std::string &source, func::FuncOp kernel) {
  test::CompiledKernel cpu(source);
  test::DeviceKernel device(source);
  std::vector<Buffer> expected;
  for (Type type : kernel.getArgumentTypes())
    expected.emplace_back(cast<RankedTensorType>(type));
  Filler().fill(kernel, expected);
  unsigned arguments = expected.size();
  bool isNarrow = false;
  for (Type type : kernel.getResultTypes()) {
    expected.emplace_back(cast<RankedTensorType>(type));
    for (int64_t i = 0; i < expected.back().elements; ++i)
      expected.back().set(i, 1);
    isNarrow |= getElementTypeOrSelf(type).getIntOrFloatBitWidth() < 32;
  }
  std::vector<Buffer> start = expected;
  std::vector<Buffer> ascending = start, descending = start;
  cpu.run(addressesOf(expected));
  device.run(addressesOf(ascending));
  device.run(addressesOf(descending), test::ThreadOrder::Descending);

  bool isSame = true;
  double difference = 0;
  for (unsigned i = 0; i < expected.size(); ++i) {
    isSame &= ascending[i] == descending[i];
    if (i >= arguments)
      difference =
          std::max(difference, getDifference(ascending[i], expected[i]));
  }
  bool fitsInPlace =
      runInPlace([&](auto buffers) { device.run(std::move(buffers)); }, kernel,
                 start, ascending) &&
      runInPlace([&](auto buffers) { cpu.run(std::move(buffers)); }, kernel,
                 std::move(start), expected);
  bool isGood = isSame && fitsInPlace && difference <= (isNarrow ? 1e-2 : 1e-5);
  llvm::outs() << (isGood ? "ok" : "FAILED") << " " << kernel.getSymName()
               << llvm::format(" %.1e", difference)
               << (isSame ? "" : ", depends on the order of threads")
               << (fitsInPlace ? "" : ", is another in place") << " (";
  llvm::interleaveComma(device.getGrids(), llvm::outs(),
                        [](const cuda::Grid &grid) {
                          llvm::outs() << grid.blocks << " x " << grid.threads;
                        });
  llvm::outs() << ")\n";
  return isGood;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    llvm::errs() << "compare-kernels: give a module in phase kernels\n";
    return 1;
  }
  DialectRegistry registry;
  registerAllDialects(registry);
  codegen::registerKernels(registry);
  cpu::registerKernels(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(argv[1], ParserConfig(&context));
  if (!module)
    return 1;
  // What kernels refer to by name.
  std::string symbols;
  llvm::raw_string_ostream stream(symbols);
  for (Operation &op : *module->getBody())
    if (isa<zero::GroupOp, nn::ParameterOp>(op))
      stream << op << "\n";
  bool isGood = true;
  for (func::FuncOp kernel : getKernels(*module)) {
    std::string text;
    llvm::raw_string_ostream(text) << symbols << kernel;
    isGood &= compare(text, kernel);
  }
  return isGood ? 0 : 1;
}
