//===- Positions.cpp - How a Transformer knows its positions --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/models/Positions.h"

using namespace mlir;
using namespace tessera;

namespace {

class Alibi : public Positions {
public:
  explicit Alibi(const PositionsOptions &) {}
  bool hasAlibi() const override { return true; }
};

/// A learned vector for each position, added to the token's.
class LearnedPositions : public Positions {
public:
  explicit LearnedPositions(const PositionsOptions &options)
      : options(options) {}

  void declare(ModuleWriter &writer) const override {
    writer.parameter(weight(), {options.capacity, options.hidden},
                     options.initializer, options.name.group);
  }

  Value apply(ModuleWriter &writer, Value x) const override {
    OpBuilder &ops = writer.builder();
    int64_t length = options.length, hidden = options.hidden;
    int64_t rows = cast<RankedTensorType>(x.getType()).getDimSize(0);
    Value table = writer.use(weight());
    if (const CachedRows *cached = writer.getCachedRows())
      return writer.add(x, nn::GatherOp::create(ops, writer.loc(),
                                                writer.f32({rows, hidden}),
                                                table, cached->positions));
    if (options.capacity != length)
      table = nn::SliceOp::create(ops, writer.loc(),
                                  writer.f32({length, hidden}), table,
                                  /*offset=*/0);
    Value each = nn::createBroadcast(ops, writer.loc(), table,
                                     {rows / length, length, hidden}, {1, 2});
    return writer.add(x, writer.reshape(each, {rows, hidden}));
  }

private:
  std::string weight() const { return options.name.name + ".weight"; }

  PositionsOptions options;
};

class RotaryPositions : public Positions {
public:
  explicit RotaryPositions(const PositionsOptions &) {}
  bool rotates() const override { return true; }
};

} // namespace

template <typename Kind>
static std::unique_ptr<Positions> create(const PositionsOptions &options) {
  return std::make_unique<Kind>(options);
}

Registry<PositionsFactory> &tessera::getPositions() {
  static Registry<PositionsFactory> kinds = {
      {"alibi", create<Alibi>},
      {"learned", create<LearnedPositions>},
      {"rotary", create<RotaryPositions>}};
  return kinds;
}
