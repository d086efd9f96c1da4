//===- ModuleMutator.cpp - Changes of IR ----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/ModuleMutator.h"
#include "dialects/AttributeNames.h"
#include "dialects/spec/Spec.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tessera;
using namespace tessera::fuzz;

namespace {

struct Mutator {
  ModuleOp module;
  Dice &dice;
  /// All operations but the module.
  SmallVector<Operation *> all;

  Mutator(ModuleOp module, Dice &dice) : module(module), dice(dice) {
    module->walk([&](Operation *op) {
      if (op != module)
        all.push_back(op);
    });
  }

  void run() {
    if (all.empty())
      return mutateAttributes(module);
    Operation *op = dice.pick(all);
    switch (dice.below(10)) {
    case 0:
      return mutateAttributes(module);
    case 1:
    case 2:
      return mutateAttributes(op);
    case 3:
    case 4:
      return replaceOperand(op);
    case 5:
      return erase(op);
    case 6:
      op->getBlock()->getOperations().insert(op->getIterator(), op->clone());
      return;
    case 7:
      return move(op);
    case 8:
      return mutateFunction(op);
    default:
      return mutateType(op);
    }
  }

private:
  /// The values that \p op could take, those of its type where there are any.
  SmallVector<Value> valuesFor(Operation *op, Type type) {
    SmallVector<Value> same, others;
    auto add = [&](ValueRange values) {
      for (Value value : values)
        (value.getType() == type ? same : others).push_back(value);
    };
    for (Block *block = op->getBlock(); block;
         block = block->getParentOp() ? block->getParentOp()->getBlock()
                                      : nullptr) {
      add(block->getArguments());
      for (Operation &other : *block) {
        if (&other == op)
          break;
        add(other.getResults());
      }
    }
    return same.empty() || dice.oneIn(10) ? others : same;
  }

  void replaceOperand(Operation *op) {
    if (op->getNumOperands() == 0)
      return mutateAttributes(op);
    unsigned index = dice.below(op->getNumOperands());
    SmallVector<Value> values = valuesFor(op, op->getOperand(index).getType());
    if (!values.empty())
      op->setOperand(index, dice.pick(values));
  }

  void erase(Operation *op) {
    for (OpResult result : op->getResults()) {
      SmallVector<Value> values = valuesFor(op, result.getType());
      if (values.empty() && !result.use_empty())
        return;
      if (!values.empty())
        result.replaceAllUsesWith(dice.pick(values));
    }
    op->erase();
  }

  void move(Operation *op) {
    auto &siblings = op->getBlock()->getOperations();
    auto place = siblings.begin();
    std::advance(place, dice.below(siblings.size()));
    if (&*place != op)
      op->moveBefore(&*place);
  }

  void mutateFunction(Operation *op) {
    auto function = dyn_cast<FunctionOpInterface>(op);
    if (!function)
      function = op->getParentOfType<FunctionOpInterface>();
    if (!function)
      return erase(op);
    switch (dice.below(3)) {
    case 0:
      function.eraseBody();
      return;
    case 1: {
      Operation *copy = function->clone();
      SymbolTable symbols(module);
      symbols.insert(copy);
      return;
    }
    default:
      function->erase();
    }
  }

  void mutateType(Operation *op) {
    if (op->getNumResults() == 0)
      return mutateAttributes(op);
    OpResult result = op->getResult(dice.below(op->getNumResults()));
    auto shaped = dyn_cast<ShapedType>(result.getType());
    Operation *other = dice.pick(all);
    if (other->getNumResults() > 0 && dice.oneIn(2))
      return result.setType(other->getResult(0).getType());
    if (!shaped || !shaped.hasRank())
      return;
    SmallVector<int64_t> shape(shaped.getShape());
    switch (dice.below(3)) {
    case 0:
      shape.push_back(1);
      break;
    case 1:
      if (!shape.empty())
        shape.pop_back();
      break;
    default:
      static const int64_t extents[] = {0, 1, 3, 16, 1000, int64_t(1) << 40};
      if (!shape.empty())
        dice.pick(shape) = dice.pick(extents);
    }
    result.setType(shaped.clone(shape));
  }

  /// An attribute of another operation.
  Attribute foreignAttribute() {
    Operation *other = all.empty() ? module.getOperation() : dice.pick(all);
    SmallVector<NamedAttribute> attributes(
        other->getAttrDictionary().getValue());
    return attributes.empty() ? Attribute() : dice.pick(attributes).getValue();
  }

  /// \p old, or a part of it, changed. Null: it goes.
  Attribute mutated(Attribute old) {
    Builder builder(module.getContext());
    if (dice.oneIn(8))
      return Attribute();
    if (dice.oneIn(8))
      return foreignAttribute();
    if (auto dictionary = dyn_cast<DictionaryAttr>(old);
        dictionary && !dictionary.empty()) {
      SmallVector<NamedAttribute> entries(dictionary.getValue());
      NamedAttribute &entry = dice.pick(entries);
      NamedAttrList list(entries);
      if (Attribute value = mutated(entry.getValue()))
        list.set(entry.getName(), value);
      else
        list.erase(entry.getName());
      return list.getDictionary(module.getContext());
    }
    if (auto array = dyn_cast<ArrayAttr>(old); array && !array.empty()) {
      SmallVector<Attribute> elements(array.getValue());
      Attribute &element = dice.pick(elements);
      if (Attribute value = mutated(element))
        element = value;
      else
        elements.pop_back();
      return builder.getArrayAttr(elements);
    }
    if (auto array = dyn_cast<DenseI64ArrayAttr>(old)) {
      SmallVector<int64_t> numbers(array.asArrayRef());
      if (numbers.empty() || dice.oneIn(4))
        numbers.push_back(dice.edgeNumber());
      else
        dice.pick(numbers) = dice.edgeNumber();
      return builder.getDenseI64ArrayAttr(numbers);
    }
    if (isa<spec::SpecDialect>(old.getDialect()))
      return specification(old);
    if (auto integer = dyn_cast<IntegerAttr>(old))
      return number(integer);
    if (auto real = dyn_cast<FloatAttr>(old)) {
      static const double numbers[] = {0, 1, -1, 1e300, 1e-300, NAN, INFINITY};
      return FloatAttr::get(real.getType(), dice.pick(numbers));
    }
    if (auto text = dyn_cast<StringAttr>(old))
      return builder.getStringAttr(mutateBytes(text.str(), text.size() + 4));
    if (isa<FlatSymbolRefAttr>(old) && !all.empty())
      if (auto name = dice.pick(all)->getAttrOfType<StringAttr>("sym_name"))
        return FlatSymbolRefAttr::get(name);
    return old;
  }

  /// \p old with another number in its text, where that can be parsed.
  Attribute specification(Attribute old) {
    std::string text;
    llvm::raw_string_ostream(text) << old;
    SmallVector<size_t> places;
    for (size_t i = 1; i < text.size(); ++i)
      if (llvm::isDigit(text[i]) && text[i - 1] == ' ')
        places.push_back(i);
    if (places.empty())
      return old;
    size_t place = dice.pick(places);
    size_t end = text.find_first_not_of("0123456789", place);
    text.replace(place, end - place, std::to_string(dice.edgeNumber()));
    Attribute changed = parseAttribute(text, module.getContext());
    return changed ? changed : old;
  }

  Attribute number(IntegerAttr old) {
    int64_t value =
        dice.oneIn(2) ? dice.edgeNumber() : static_cast<int64_t>(dice.below(9));
    if (auto type = dyn_cast<IntegerType>(old.getType()))
      return IntegerAttr::get(type,
                              APInt(type.getWidth(), value, /*isSigned=*/true,
                                    /*implicitTrunc=*/true));
    return IntegerAttr::get(old.getType(), value);
  }

  void mutateAttributes(Operation *op) {
    // Properties included, under the names that the text has.
    SmallVector<NamedAttribute> attributes(op->getAttrDictionary().getValue());
    if (attributes.empty()) {
      if (Attribute value = foreignAttribute())
        op->setDiscardableAttr(tessera::kernelAttrName, value);
      return;
    }
    NamedAttribute &attribute = dice.pick(attributes);
    NamedAttrList list(attributes);
    if (Attribute value = mutated(attribute.getValue()))
      list.set(attribute.getName(), value);
    else
      list.erase(attribute.getName());
    // What its properties cannot hold is refused, and left.
    if (!op->getName().getRegisteredInfo() ||
        succeeded(op->getName().verifyInherentAttrs(
            list, [&] { return op->emitError(); })))
      op->setAttrs(list.getDictionary(module.getContext()));
  }
};

} // namespace

void tessera::fuzz::mutateModule(ModuleOp module, Dice &dice) {
  for (size_t times = 1 + dice.below(3); times > 0; --times)
    Mutator(module, dice).run();
}
