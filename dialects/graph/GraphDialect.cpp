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

/// A matrix's rows and columns, as "2708x1433".
static ParseResult parseShape(AsmParser &parser, int64_t &rows,
                              int64_t &columns) {
  SmallVector<int64_t> shape;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false,
                                /*withTrailingX=*/false))
    return failure();
  if (shape.size() != 2)
    return parser.emitError(loc, "a graph has rows and columns, as in "
                                 "`!graph.csr<4x4, 10>`");
  rows = shape[0];
  columns = shape[1];
  return success();
}

static void printShape(AsmPrinter &printer, int64_t rows, int64_t columns) {
  printer << rows << 'x' << columns;
}

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
  auto array = [](int64_t elements, Type type) -> Type {
    return RankedTensorType::get({elements}, type);
  };
  Type cols = array(type.getEntries(), i32);
  Type weights = array(type.getEntries(), Float32Type::get(context));
  return {array(type.getRows() + 1, i32),    cols, weights,
          array(type.getColumns() + 1, i32), cols, weights};
}

ParseResult CSROp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  CSRType type;
  llvm::SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands, 3))
    return failure();
  bool hasTranspose = succeeded(parser.parseOptionalKeyword("transposed"));
  if ((hasTranspose && parser.parseOperandList(operands, 6)) ||
      parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() ||
      parser.parseType(type))
    return failure();
  result.addTypes(type);
  int count = hasTranspose ? 1 : 0;
  result.getOrAddProperties<Properties>().operandSegmentSizes = {
      1, 1, 1, count, count, count};
  SmallVector<Type> types(
      ArrayRef<Type>(getArrayTypes(type)).take_front(operands.size()));
  return parser.resolveOperands(operands, types, loc, result.operands);
}

void CSROp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printOperands(getOperands().take_front(3));
  if (hasTranspose()) {
    printer << " transposed ";
    printer.printOperands(getOperands().drop_front(3));
  }
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {getOperandSegmentSizeAttr()});
  printer << " : ";
  printer.printType(getGraph().getType());
}

LogicalResult CSROp::verify() {
  CSRType type = getGraph().getType();
  if (std::max({type.getRows(), type.getColumns(), type.getEntries()}) >
      INT32_MAX)
    return emitOpError("has more than 2147483647 rows, columns or entries, "
                       "which its 32-bit indices cannot count");
  if (hasTranspose() != (getNumOperands() == 6) ||
      (!hasTranspose() && getNumOperands() > 3))
    return emitOpError("needs all three arrays of the transpose, or none");
  for (Operation *user : getGraph().getUsers()) {
    auto sum = dyn_cast<AggregateOp>(user);
    if (!hasTranspose() && ((sum && sum.getTranspose()) ||
                            isa<MaxGradientOp, AttentionGradOp>(user)))
      return user->emitOpError("reads the transpose of a matrix that has none");
  }
  auto types = getArrayTypes(type);
  for (auto [i, expected] :
       llvm::enumerate(ArrayRef<Type>(types).take_front(getNumOperands())))
    if (getOperand(i).getType() != expected)
      return emitOpError("operand #") << i << " must be " << expected
                                      << ", but is " << getOperand(i).getType();
  return success();
}

LogicalResult AggregateOp::inferReturnTypes(MLIRContext *,
                                            std::optional<Location> loc,
                                            Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto graph = dyn_cast<CSRType>(adaptor.getGraph().getType());
  auto type = dyn_cast<RankedTensorType>(adaptor.getInput().getType());
  if (!graph || !type)
    return failure();
  bool transpose = adaptor.getTranspose();
  int64_t rows = graph.getRows(), columns = graph.getColumns();
  if (transpose)
    std::swap(rows, columns);
  if (type.getRank() != 2 || type.getDimSize(0) != columns)
    return emitOptionalError(loc,
                             "'graph.aggregate' op input must be a matrix "
                             "with one row per ",
                             transpose ? "row" : "column",
                             " of the graph: ", columns);
  types.push_back(type.clone({rows, type.getDimSize(1)}));
  return success();
}

void AggregateOp::buildGradients(OpBuilder &builder, ValueRange gradients,
                                 MutableArrayRef<Value> operands) {
  operands[1] = AggregateOp::create(builder, getLoc(), getGraph(), gradients[0],
                                    !getTranspose());
}
