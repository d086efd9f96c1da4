//===- NNDialect.cpp - The nn dialect and its helpers -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/AttributeNames.h"
#include "dialects/nn/AttentionParts.h"
#include "dialects/nn/TargetScores.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tessera::nn;

#include "dialects/nn/NNDialect.cpp.inc"
#include "dialects/nn/NNEnums.cpp.inc"
#include "dialects/nn/NNInterfaces.cpp.inc"

/// Attention's `heads N (kv_heads K)?`; K is N unless it is given.
static ParseResult parseHeads(OpAsmParser &parser, IntegerAttr &heads,
                              IntegerAttr &kvHeads) {
  Type type = parser.getBuilder().getI64Type();
  if (parser.parseKeyword("heads") || parser.parseAttribute(heads, type))
    return failure();
  kvHeads = heads;
  if (succeeded(parser.parseOptionalKeyword("kv_heads")))
    return parser.parseAttribute(kvHeads, type);
  return success();
}

static void printHeads(OpAsmPrinter &printer, Operation *, IntegerAttr heads,
                       IntegerAttr kvHeads) {
  printer << "heads " << heads.getInt();
  if (kvHeads != heads)
    printer << " kv_heads " << kvHeads.getInt();
}

/// `["q" 64, "k" 16]`.
static ParseResult parseParts(OpAsmParser &parser, ArrayAttr &names,
                              DenseI64ArrayAttr &rows) {
  SmallVector<Attribute> nameList;
  SmallVector<int64_t> rowList;
  auto parsePart = [&] {
    std::string name;
    if (parser.parseString(&name) ||
        parser.parseInteger(rowList.emplace_back()))
      return failure();
    nameList.push_back(parser.getBuilder().getStringAttr(name));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parsePart))
    return failure();
  names = parser.getBuilder().getArrayAttr(nameList);
  rows = parser.getBuilder().getDenseI64ArrayAttr(rowList);
  return success();
}

static void printParts(OpAsmPrinter &printer, ParameterOp, ArrayAttr names,
                       DenseI64ArrayAttr rows) {
  printer << '[';
  if (names && rows)
    llvm::interleaveComma(
        llvm::zip(names, rows.asArrayRef()), printer, [&](auto part) {
          printer << std::get<0>(part) << ' ' << std::get<1>(part);
        });
  printer << ']';
}

#define GET_OP_CLASSES
#include "dialects/nn/NNOps.cpp.inc"

namespace {
/// Where it is printed, what is read of a parameter is called by its name.
struct ParameterNames
    : OpAsmOpInterface::ExternalModel<ParameterNames, GetParameterOp> {
  void getAsmResultNames(Operation *op, OpAsmSetValueNameFn setName) const {
    auto read = cast<GetParameterOp>(op);
    setName(read.getResult(), read.getParameter());
  }
};
} // namespace

void NNDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/nn/NNOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "dialects/nn/TargetScores.cpp.inc"
      ,
#define GET_OP_LIST
#include "dialects/nn/AttentionParts.cpp.inc"
      >();
  GetParameterOp::attachInterface<ParameterNames>(*getContext());
}

Operation *NNDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                          Type type, Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

Value tessera::nn::createSplat(OpBuilder &builder, Location loc,
                               RankedTensorType type, double value) {
  Type element = type.getElementType();
  Attribute number;
  if (isa<FloatType>(element))
    number = builder.getFloatAttr(element, value);
  else
    number = builder.getIntegerAttr(element, static_cast<int64_t>(value));
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, number));
}

Value tessera::nn::createBroadcast(OpBuilder &builder, Location loc,
                                   Value input, ArrayRef<int64_t> shape,
                                   ArrayRef<int64_t> dims) {
  auto type = cast<RankedTensorType>(input.getType());
  return BroadcastOp::create(builder, loc, type.clone(shape), input, dims);
}

Value tessera::nn::broadcastScalar(OpBuilder &builder, Location loc,
                                   Value scalar, RankedTensorType type) {
  if (type.getRank() == 0)
    return scalar;
  return createBroadcast(builder, loc, scalar, type.getShape(), {});
}

bool tessera::nn::isSplat(Value value, double number) {
  DenseElementsAttr attr;
  if (!matchPattern(value, m_Constant(&attr)) || !attr.isSplat() ||
      !isa<FloatType>(attr.getElementType()))
    return false;
  return attr.getSplatValue<APFloat>().isExactlyValue(number);
}

StringRef tessera::nn::getInputName(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return {};
  auto function =
      dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
  if (!function)
    return {};
  auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                    inputAttrName);
  return name ? name.getValue() : StringRef();
}

Value tessera::nn::getRowCount(Operation *op) {
  auto program = op->getParentOfType<FunctionOpInterface>();
  if (!program)
    return {};
  auto name = op->getAttrOfType<StringAttr>(rowCountAttrName);
  if (!name)
    name = program->getAttrOfType<StringAttr>(rowCountAttrName);
  if (!name)
    return {};
  for (BlockArgument argument : program.getArguments())
    if (getInputName(argument) == name.getValue())
      return argument;
  return {};
}
