//===- ModulePieces.cpp - A module as several -----------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/ModulePieces.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tessera;

/// Kernels of fewer operations than this share a piece: what a piece costs
/// beside its functions is then little.
static constexpr int64_t pieceOperations = 1500;

namespace {

/// Operations that lie in one piece, by their places in the module.
struct Part {
  SmallVector<unsigned> members;
  int64_t size = 0;
};

class Splitter {
public:
  explicit Splitter(ModuleOp module) : module(module), symbols(module) {
    for (Operation &op : *module.getBody()) {
      places[&op] = operations.size();
      operations.push_back(&op);
    }
  }

  SmallVector<ModuleOp> run();

private:
  /// The operations that \p op names.
  SmallVector<Operation *> getNamed(Operation *op);

  /// What must stay together; the first part has all that is no function.
  SmallVector<Part> findParts();

  ModuleOp makePiece(const Part &part);

  ModuleOp module;
  SymbolTable symbols;
  SmallVector<Operation *> operations;
  DenseMap<Operation *, unsigned> places;
};

} // namespace

static bool isInternal(Operation *op) {
  auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
  auto global = dyn_cast<LLVM::GlobalOp>(op);
  LLVM::Linkage linkage = function ? function.getLinkage()
                          : global ? global.getLinkage()
                                   : LLVM::Linkage::Internal;
  return linkage == LLVM::Linkage::Internal ||
         linkage == LLVM::Linkage::Private;
}

static bool isDeclaration(Operation *op) {
  auto function = dyn_cast<LLVM::LLVMFuncOp>(op);
  return function && function.isExternal();
}

static bool isFunction(Operation *op) { return isa<LLVM::LLVMFuncOp>(op); }

SmallVector<Operation *> Splitter::getNamed(Operation *op) {
  SmallVector<Operation *> named;
  if (auto uses = SymbolTable::getSymbolUses(op))
    for (SymbolTable::SymbolUse use : *uses)
      if (Operation *symbol =
              symbols.lookup(use.getSymbolRef().getRootReference()))
        named.push_back(symbol);
  return named;
}

SmallVector<Part> Splitter::findParts() {
  unsigned count = operations.size();
  // The last stands for the first part.
  llvm::IntEqClasses classes(count + 1);
  for (auto [place, op] : llvm::enumerate(operations)) {
    if (isDeclaration(op))
      continue;
    if (!isFunction(op))
      classes.join(place, count);
    for (Operation *named : getNamed(op))
      if (isInternal(named))
        classes.join(place, places[named]);
  }
  unsigned first = classes.findLeader(count);
  llvm::MapVector<unsigned, Part> parts;
  parts[first] = Part();
  for (auto [place, op] : llvm::enumerate(operations)) {
    if (isDeclaration(op))
      continue;
    Part &part = parts[classes.findLeader(place)];
    part.members.push_back(place);
    op->walk([&](Operation *) { ++part.size; });
  }
  return llvm::map_to_vector(parts, [](auto &entry) { return entry.second; });
}

ModuleOp Splitter::makePiece(const Part &part) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto piece = ModuleOp::create(builder, module.getLoc());
  piece->setAttrs(module->getAttrDictionary());
  Block *body = piece.getBody();
  llvm::SetVector<Operation *> named;
  for (unsigned place : part.members) {
    named.insert_range(getNamed(operations[place]));
    operations[place]->moveBefore(body, body->end());
  }
  builder.setInsertionPointToEnd(body);
  for (Operation *op : named)
    if (op->getBlock() != body) {
      Operation *declaration = builder.insert(op->cloneWithoutRegions());
      if (auto global = dyn_cast<LLVM::GlobalOp>(declaration))
        global.removeValueAttr();
    }
  return piece;
}

SmallVector<ModuleOp> Splitter::run() {
  SmallVector<Part> parts = findParts();
  MutableArrayRef<Part> kernels = MutableArrayRef(parts).drop_front();
  llvm::stable_sort(
      kernels, [](const Part &a, const Part &b) { return a.size > b.size; });
  SmallVector<ModuleOp> pieces;
  pieces.push_back(makePiece(parts.front()));
  Part shared;
  for (const Part &part : kernels) {
    shared.members.append(part.members);
    shared.size += part.size;
    if (shared.size < pieceOperations)
      continue;
    pieces.push_back(makePiece(shared));
    shared = Part();
  }
  if (!shared.members.empty())
    pieces.push_back(makePiece(shared));
  return pieces;
}

SmallVector<ModuleOp> codegen::splitModule(ModuleOp module) {
  return Splitter(module).run();
}
