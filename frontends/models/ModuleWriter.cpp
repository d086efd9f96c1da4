//===- ModuleWriter.cpp - Writes modules of phase `model` -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/ModuleWriter.h"
#include "dialects/AttributeNames.h"
#include "dialects/nn/WeightBlocks.h"
#include "dialects/nn/WhileTraining.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "runtime/program/SlotNames.h"

using namespace mlir;
using namespace tessera;

ModuleWriter::ModuleWriter(ModuleOp module)
    : module(module), ops(module.getBodyRegion()), symbols(module) {}

RankedTensorType ModuleWriter::f32(ArrayRef<int64_t> shape) {
  return RankedTensorType::get(shape, ops.getF32Type());
}

RankedTensorType ModuleWriter::i32(ArrayRef<int64_t> shape) {
  return RankedTensorType::get(shape, ops.getI32Type());
}

void ModuleWriter::declare(StringRef name, ArrayRef<int64_t> shape,
                           Initializer initializer, StringRef group,
                           ArrayRef<ParameterPart> parts,
                           std::optional<int64_t> blocksAlong) {
  OpBuilder::InsertionGuard guard(ops);
  ops.setInsertionPointToEnd(module.getBody());
  ArrayAttr partNames;
  DenseI64ArrayAttr partRows;
  if (!parts.empty()) {
    partNames = ops.getArrayAttr(
        llvm::map_to_vector(parts, [&](const ParameterPart &part) -> Attribute {
          return ops.getStringAttr(part.name);
        }));
    partRows = ops.getDenseI64ArrayAttr(llvm::map_to_vector(
        parts, [](const ParameterPart &part) { return part.rows; }));
  }
  auto op = nn::ParameterOp::create(
      ops, loc(), name, f32(shape), initializer.kind,
      APFloat(initializer.value),
      /*decay=*/shape.size() > 1, group,
      /*compute_type=*/TypeAttr(), partNames, partRows,
      /*packed=*/nn::PanelsAttr(),
      blocksAlong ? ops.getI64IntegerAttr(*blocksAlong) : IntegerAttr());
  symbols.insert(op);
}

SmallVector<Value> ModuleWriter::begin(StringRef name, ArrayRef<Port> inputs,
                                       ArrayRef<Port> outputs) {
  auto types = [](ArrayRef<Port> ports) {
    return llvm::map_to_vector(ports, [](Port port) { return port.type; });
  };
  auto attributes = [&](StringRef key, ArrayRef<Port> ports) {
    return llvm::map_to_vector(ports, [&](Port port) {
      NamedAttrList list(ops.getNamedAttr(key, ops.getStringAttr(port.name)));
      if (port.filledOnce)
        list.set(filledOnceAttrName, ops.getUnitAttr());
      if (port.onlyIfRead)
        list.set(onlyIfReadAttrName, ops.getUnitAttr());
      if (!port.counted.empty())
        list.set(countedAttrName, ops.getStringAttr(port.counted));
      return list.getDictionary(ops.getContext());
    });
  };
  ops.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(
      ops, loc(), name, ops.getFunctionType(types(inputs), types(outputs)));
  function.setAllArgAttrs(attributes(inputAttrName, inputs));
  function.setAllResultAttrs(attributes(outputAttrName, outputs));
  Block *body = function.addEntryBlock();
  ops.setInsertionPointToStart(body);
  return llvm::to_vector_of<Value>(body->getArguments());
}

void ModuleWriter::end(ValueRange results) {
  func::ReturnOp::create(ops, loc(), results);
  endDropout();
  rotaryInput = {};
  cached.reset();
  caches = 0;
}

void ModuleWriter::runWhileTraining() {
  function->setAttr(whileTrainingAttrName, ops.getUnitAttr());
}

void ModuleWriter::setRowCount(StringRef count) {
  function->setAttr(rowCountAttrName, ops.getStringAttr(count));
}

/// Functions of a module have their layers' caches in common.
std::pair<nn::CacheOp, nn::CacheOp> ModuleWriter::nextCache(int64_t keyHeads,
                                                            int64_t headDim) {
  std::string name = "cache." + std::to_string(caches++);
  auto find = [&](const std::string &name, int64_t columns, Type type) {
    if (auto cache = symbols.lookup<nn::CacheOp>(name))
      return cache;
    OpBuilder::InsertionGuard guard(ops);
    ops.setInsertionPoint(function);
    auto cache = nn::CacheOp::create(
        ops, loc(), name,
        RankedTensorType::get(
            {2, cached->slotCount, keyHeads, cached->context, columns}, type));
    symbols.insert(cache);
    return cache;
  };
  if (!cached->keepsBytes)
    return {find(name, headDim, ops.getF32Type()), nn::CacheOp()};
  return {find(name, headDim, ops.getI8Type()),
          find(name + ".scales", 1, ops.getF16Type())};
}

void ModuleWriter::beginDropout(int64_t samples) {
  drops = true;
  samplesOfBatch = samples;
}

/// How many draws there are is known at the end.
void ModuleWriter::endDropout() {
  if (drawInput) {
    drawInput.setType(i32({draws, 4}));
    function.setType(
        ops.getFunctionType(function.getBody().front().getArgumentTypes(),
                            function.getResultTypes()));
  }
  drops = false;
  draws = 0;
  drawInput = sampleInput = {};
}

Value ModuleWriter::addInput(StringRef name, RankedTensorType type,
                             bool filledOnce) {
  unsigned index = function.getNumArguments();
  NamedAttrList attributes(
      ops.getNamedAttr(inputAttrName, ops.getStringAttr(name)));
  if (filledOnce)
    attributes.set(filledOnceAttrName, ops.getUnitAttr());
  (void)function.insertArgument(
      index, type, attributes.getDictionary(ops.getContext()), loc());
  return function.getArgument(index);
}

Value ModuleWriter::rotaryTable(int64_t length, int64_t half) {
  if (rotaryInput)
    return rotaryInput;
  if (cached)
    length = cached->context;
  Value table = addInput(runtime::slotNames::rotary, f32({2, length, half}),
                         /*filledOnce=*/true);
  if (cached) {
    int64_t rows =
        cast<RankedTensorType>(cached->positions.getType()).getDimSize(0);
    Value flat = reshape(table, {2 * length, half});
    auto take = [&](int64_t first) -> Value {
      Value part =
          nn::SliceOp::create(ops, loc(), f32({length, half}), flat, first);
      return nn::GatherOp::create(ops, loc(), f32({rows, half}), part,
                                  cached->positions);
    };
    Value both = nn::ConcatOp::create(ops, loc(), f32({2 * rows, half}),
                                      ValueRange{take(0), take(length)});
    table = reshape(both, {2, rows, half});
  }
  return rotaryInput = table;
}

ModuleWriter::Draw ModuleWriter::draw(double rate) {
  if (!drops || rate == 0)
    return {};
  if (!drawInput) {
    drawInput = addInput(runtime::slotNames::draws, i32({1, 4}));
    if (samplesOfBatch)
      sampleInput =
          addInput(runtime::slotNames::samples, i32({samplesOfBatch}));
  }
  Value stream =
      nn::SliceOp::create(ops, loc(), i32({1, 4}), drawInput, draws++);
  return {stream, sampleInput};
}

Value ModuleWriter::dropout(Value input, double rate) {
  Draw drawn = draw(rate);
  if (!drawn)
    return input;
  return nn::DropoutOp::create(ops, loc(), input, drawn.stream, drawn.samples,
                               APFloat(rate));
}

Value ModuleWriter::use(StringRef name) {
  auto parameter = symbols.lookup<nn::ParameterOp>(name);
  return nn::GetParameterOp::create(ops, loc(), parameter.getValueType(), name);
}

Value ModuleWriter::multiply(Value x, StringRef name, bool isTransposed) {
  auto parameter = symbols.lookup<nn::ParameterOp>(name);
  return multiply(x, use(name),
                  parameter.getTensorType().getDimSize(!isTransposed),
                  isTransposed, parameter.getBlocksAlong().has_value());
}

Value ModuleWriter::multiplyByRows(Value x, StringRef name, int64_t begin,
                                   int64_t count) {
  auto parameter = symbols.lookup<nn::ParameterOp>(name);
  int64_t inner = parameter.getTensorType().getDimSize(1);
  bool isInBlocks = parameter.getBlocksAlong().has_value();
  int64_t offset = begin;
  SmallVector<int64_t> shape = {count, inner};
  if (isInBlocks) {
    assert(parameter.getBlocksAlong() == 1 &&
           begin % nn::WeightBlocks::tileColumns == 0 && "cuts a tile");
    offset = nn::WeightBlocks{inner, begin}.getBytes();
    shape = {nn::WeightBlocks{inner, count}.getBytes()};
  }
  Value rows = nn::SliceOp::create(
      ops, loc(), parameter.getValueType().clone(shape), use(name), offset);
  return multiply(x, rows, count, /*isTransposed=*/true, isInBlocks);
}

Value ModuleWriter::multiply(Value x, Value matrix, int64_t columns,
                             bool isTransposed, bool isInBlocks) {
  int64_t rows = cast<RankedTensorType>(x.getType()).getDimSize(0);
  RankedTensorType result = f32({rows, columns});
  if (!isInBlocks)
    return nn::MatmulOp::create(ops, loc(), result, x, matrix,
                                /*transpose_a=*/false, isTransposed);
  Value count = cached ? cached->count : Value();
  auto bytes = nn::QuantizeRowsOp::create(ops, loc(), x, count);
  return nn::QuantizedMatmulOp::create(ops, loc(), result, bytes.getResult(),
                                       bytes.getScales(), bytes.getOffsets(),
                                       matrix, count, /*bias=*/Value());
}

Value ModuleWriter::gather(StringRef table, Value numbers) {
  auto parameter = symbols.lookup<nn::ParameterOp>(table);
  ArrayRef<int64_t> shape = parameter.getTensorType().getShape();
  int64_t rows = cast<RankedTensorType>(numbers.getType()).getNumElements();
  Value matrix = use(table);
  numbers = reshape(numbers, {rows});
  if (parameter.getBlocksAlong())
    return nn::QuantizedGatherOp::create(ops, loc(), f32({rows, shape[1]}),
                                         matrix, numbers, shape[0]);
  return nn::GatherOp::create(ops, loc(), f32({rows, shape[1]}), matrix,
                              numbers);
}

Value ModuleWriter::takeRows(Value input, int64_t count) {
  auto type = cast<RankedTensorType>(input.getType());
  if (type.getDimSize(0) == count)
    return input;
  SmallVector<int64_t> shape(type.getShape());
  shape[0] = count;
  return nn::SliceOp::create(ops, loc(), type.clone(shape), input,
                             /*offset=*/0);
}

Value ModuleWriter::reshape(Value input, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(input.getType());
  if (type.getShape() == shape)
    return input;
  return nn::ReshapeOp::create(ops, loc(), type.clone(shape), input);
}

Value ModuleWriter::addBias(Value input, Value bias) {
  auto type = cast<RankedTensorType>(input.getType());
  return add(input,
             nn::createBroadcast(ops, loc(), bias, type.getShape(), {1}));
}

Value ModuleWriter::add(Value a, Value b) {
  return arith::AddFOp::create(ops, loc(), a, b);
}

Value ModuleWriter::addPenalty(Value loss, const Specification &specification,
                               ArrayRef<std::string> groups) {
  const spec::Specification &message = specification.message;
  double factor = message.training().l2_penalty();
  if (factor == 0)
    return loss;
  factor /= 2.0 * message.parallel().world() * specification.accumulation;
  Value sum;
  for (auto parameter : module.getOps<nn::ParameterOp>()) {
    if (!parameter.getDecay() ||
        (!groups.empty() && !llvm::is_contained(groups, parameter.getGroup())))
      continue;
    Value weight = use(parameter.getSymName());
    Value square = arith::MulFOp::create(ops, loc(), weight, weight);
    auto all = llvm::to_vector(
        llvm::seq<int64_t>(parameter.getTensorType().getRank()));
    Value squares = nn::ReduceOp::create(ops, loc(), f32({}),
                                         nn::Reduction::Sum, square, all);
    sum = sum ? add(sum, squares) : squares;
  }
  Value scale = nn::createSplat(ops, loc(), f32({}), factor);
  return add(loss, arith::MulFOp::create(ops, loc(), sum, scale));
}
