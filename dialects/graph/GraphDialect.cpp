//===- GraphDialect.cpp - Graphs as values ----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/graph/Graph.h"

using namespace mlir;
using namespace tessera::graph;

#include "dialects/graph/GraphDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/graph/GraphTypes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/graph/GraphOps.cpp.inc"

void GraphDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/graph/GraphTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/graph/GraphOps.cpp.inc"
      >();
}

/// The types of the arrays follow from the graph's.
static SmallVector<Type> getArrayTypes(CSRType type) {
  MLIRContext *context = type.getContext();
  auto i32 = IntegerType::get(context, 32);
  Type rows = RankedTensorType::get({type.getNodes() + 1}, i32);
  Type cols = RankedTensorType::get({type.getEdges()}, i32);
  Type weights =
      RankedTensorType::get({type.getEdges()}, Float32Type::get(context));
  return {rows, cols, weights, rows, cols, weights};
}

ParseResult CSROp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  CSRType type;
  llvm::SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands) || parser.parseKeyword("transposed") ||
      parser.parseOperandList(operands) ||
      parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() ||
      parser.parseType(type))
    return failure();
  result.addTypes(type);
  return parser.resolveOperands(operands, getArrayTypes(type), loc,
                                result.operands);
}

void CSROp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printOperands(getOperands().take_front(3));
  printer << " transposed ";
  printer.printOperands(getOperands().drop_front(3));
  printer.printOptionalAttrDict((*this)->getAttrs());
  printer << " : ";
  printer.printType(getGraph().getType());
}

LogicalResult CSROp::verify() {
  if (std::max(getGraph().getType().getNodes(),
               getGraph().getType().getEdges()) > INT32_MAX)
    return emitOpError("has more than 2147483647 nodes or edges, which its "
                       "32-bit indices cannot count");
  for (auto [i, expected] :
       llvm::enumerate(getArrayTypes(getGraph().getType())))
    if (getOperand(i).getType() != expected)
      return emitOpError("operand #") << i << " must be " << expected
                                      << ", but is " << getOperand(i).getType();
  return success();
}

LogicalResult AggregateOp::verify() {
  auto type = cast<RankedTensorType>(getInput().getType());
  if (type.getRank() != 2 ||
      type.getDimSize(0) != getGraph().getType().getNodes())
    return emitOpError("input must be a matrix with one row per node: ")
           << getGraph().getType().getNodes();
  return success();
}

void AggregateOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  operands[1] = AggregateOp::create(builder, getLoc(), getGraph(), gradients[0],
                                    !getTranspose());
}
