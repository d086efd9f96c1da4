//===- Settings.cpp - What the specification says of the optimizer --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/optimizer/Optimizer.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace tessera::optimizer;

namespace {

/// Reads one dictionary.
class SettingsReader {
public:
  explicit SettingsReader(function_ref<InFlightDiagnostic()> emitError)
      : emitError(emitError) {}

  FailureOr<Settings> read(Attribute attribute) {
    entries = dyn_cast<DictionaryAttr>(attribute);
    if (!entries)
      return emitError() << "`training.optimizer` is no dictionary: "
                         << attribute;
    Settings settings;
    if (failed(readOptimizer(settings)) ||
        failed(readNumber(entries, path, "weight_decay", settings.weightDecay)))
      return failure();
    known.insert("groups");
    if (Attribute groups = entries.get("groups"))
      if (failed(readGroups(groups, settings)))
        return failure();
    for (NamedAttribute entry : entries)
      if (!known.contains(entry.getName().getValue()))
        return emitError() << "`training.optimizer` has no field "
                           << entry.getName();
    return settings;
  }

private:
  LogicalResult readOptimizer(Settings &settings) {
    known.insert("kind");
    double lr = 0;
    Attribute kind = entries.get("kind");
    settings.optimizer = dyn_cast_if_present<OptimizerAttrInterface>(kind);
    auto name = dyn_cast_if_present<StringAttr>(kind);
    const Kind *found = name ? findKind(name.getValue()) : nullptr;
    if (!settings.optimizer && !found)
      return emitError() << "`training.optimizer.kind` must be "
                         << llvm::join(
                                llvm::map_range(
                                    getKinds(),
                                    [](const Kind &kind) {
                                      return ("\"" + kind.name + "\"").str();
                                    }),
                                ", ")
                         << " or an optimizer";
    if (failed(readNumber(entries, path, "lr", lr)))
      return failure();
    if (settings.optimizer)
      return success();
    SmallVector<double> values;
    for (const Hyperparameter &parameter : found->hyperparameters)
      if (failed(
              readNumber(entries, path, parameter.name, values.emplace_back())))
        return failure();
    settings.optimizer = found->make(emitError, entries.getContext(), values);
    return success(static_cast<bool>(settings.optimizer));
  }

  /// A number or, as 0 or 1, a truth.
  LogicalResult readNumber(DictionaryAttr from, const std::string &prefix,
                           StringRef name, double &value) {
    known.insert(name);
    if (auto truth = from.getAs<BoolAttr>(name)) {
      value = truth.getValue();
      return success();
    }
    auto number = from.getAs<FloatAttr>(name);
    if (!number || !number.getType().isF64())
      return emitError() << "`" << prefix << name << "` must be an f64";
    value = number.getValueAsDouble();
    if (std::isfinite(value) && value >= 0)
      return success();
    return emitError() << "`" << prefix << name << "` is " << number
                       << ": it must be finite and not below 0";
  }

  LogicalResult readGroups(Attribute attribute, Settings &settings) {
    auto groups = dyn_cast<ArrayAttr>(attribute);
    if (!groups)
      return emitError() << "`training.optimizer.groups` is no list: "
                         << attribute;
    for (auto [i, entry] : llvm::enumerate(groups)) {
      std::string own = path + "groups[" + std::to_string(i) + "].";
      auto group = dyn_cast<DictionaryAttr>(entry);
      auto match = group ? group.getAs<StringAttr>("match") : StringAttr();
      if (!match)
        return emitError() << "`" << own << "match` must be a text";
      std::string error;
      if (!llvm::Regex(match.getValue()).isValid(error))
        return emitError() << "`" << own << "match` is " << match
                           << ", which is no regular expression: " << error;
      ParameterGroup &result = settings.groups.emplace_back();
      result.match = match.str();
      if (group.contains("lr_scale") &&
          failed(readNumber(group, own, "lr_scale", result.lrScale)))
        return failure();
      if (group.contains("weight_decay") &&
          failed(readNumber(group, own, "weight_decay",
                            result.weightDecay.emplace())))
        return failure();
    }
    return success();
  }

  function_ref<InFlightDiagnostic()> emitError;
  const std::string path = "training.optimizer.";
  DictionaryAttr entries;
  /// The fields that there are.
  llvm::StringSet<> known;
};

} // namespace

FailureOr<Settings>
tessera::optimizer::readSettings(function_ref<InFlightDiagnostic()> emitError,
                                 Attribute attribute) {
  return SettingsReader(emitError).read(attribute);
}
