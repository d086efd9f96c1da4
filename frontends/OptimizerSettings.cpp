//===- OptimizerSettings.cpp - The specification's optimizer --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/OptimizerSettings.h"
#include "dialects/nn/NN.h"
#include "dialects/optimizer/Optimizer.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace tessera;
using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

static const std::string fieldsPath = "training.optimizer.";

static std::string getKindName(const spec::Optimizer &optimizer) {
  return StringRef(spec::Optimizer::Kind_Name(optimizer.kind())).lower();
}

/// The optimizer's row. The schema's kinds and the table's are the same.
static const optimizer::Kind &getKind(const spec::Optimizer &optimizer) {
  const optimizer::Kind *kind = optimizer::findKind(getKindName(optimizer));
  assert(kind && "an optimizer of the schema has no row in the table");
  return *kind;
}

static const FieldDescriptor *getField(StringRef name) {
  return spec::Optimizer::descriptor()->FindFieldByName(name.str());
}

bool tessera::readsField(const spec::Optimizer &optimizer, StringRef name) {
  static constexpr StringLiteral common[] = {"kind", "lr", "weight_decay",
                                             "groups"};
  if (llvm::is_contained(common, name))
    return true;
  return llvm::any_of(getKind(optimizer).hyperparameters,
                      [&](const optimizer::Hyperparameter &parameter) {
                        return parameter.name == name;
                      });
}

static void checkGroups(const spec::Optimizer &optimizer,
                        Diagnostics &diagnostics) {
  for (int i = 0; i < optimizer.groups_size(); ++i) {
    const spec::Optimizer::Group &group = optimizer.groups(i);
    std::string path = fieldsPath + "groups[" + std::to_string(i) + "]";
    auto number = [&](StringRef name, double value) {
      // Written so that a NaN is refused.
      if (!(value >= 0 && value <= 1e6))
        diagnostics.error(path + "." + name.str(),
                          "`" + path + "." + name + "` cannot be " +
                              llvm::formatv("{0}", value).str(),
                          "give a number from 0 to 1000000");
    };
    number("lr_scale", group.lr_scale());
    number("weight_decay", group.weight_decay());
    std::string error;
    if (!group.has_match())
      diagnostics.error(path, "`" + path + ".match` is missing",
                        "give a regular expression of parameters' names");
    else if (!llvm::Regex(group.match()).isValid(error))
      diagnostics.error(path + ".match",
                        "`" + group.match() +
                            "` is no regular expression: " + error,
                        "write a POSIX extended one, such as \"bias$\"");
    if (!group.has_lr_scale() && !group.has_weight_decay())
      diagnostics.error(path, "`" + path + "` changes nothing",
                        "give lr_scale, weight_decay or both");
  }
}

void tessera::checkOptimizer(const spec::Optimizer &optimizer,
                             Diagnostics &diagnostics) {
  const Reflection *reflection = optimizer.GetReflection();
  std::vector<const FieldDescriptor *> given;
  reflection->ListFields(optimizer, &given);
  std::vector<std::string> own;
  for (const optimizer::Hyperparameter &parameter :
       getKind(optimizer).hyperparameters)
    own.push_back(parameter.name.str());
  for (const FieldDescriptor *field : given)
    if (!readsField(optimizer, field->name()))
      diagnostics.error(fieldsPath + field->name(),
                        spec::Optimizer::Kind_Name(optimizer.kind()) +
                            " has no `" + field->name() + "`",
                        "remove it: its own fields are " +
                            llvm::join(own, ", "));
  if (optimizer.nesterov() && optimizer.momentum() == 0)
    diagnostics.error(fieldsPath + "nesterov",
                      "`training.optimizer.nesterov` needs a momentum",
                      "give a `training.optimizer.momentum` above 0");
  checkGroups(optimizer, diagnostics);
}

void tessera::resolveOptimizer(spec::Optimizer &optimizer) {
  const Reflection *reflection = optimizer.GetReflection();
  for (const optimizer::Hyperparameter &parameter :
       getKind(optimizer).hyperparameters) {
    const FieldDescriptor *field = getField(parameter.name);
    if (reflection->HasField(optimizer, field))
      continue;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL)
      reflection->SetBool(&optimizer, field, parameter.missing != 0);
    else
      reflection->SetDouble(&optimizer, field, parameter.missing);
  }
}

DictionaryAttr tessera::optimizerAttr(const spec::Optimizer &optimizer,
                                      MLIRContext &context) {
  Builder builder(&context);
  NamedAttrList entries;
  entries.append("kind", builder.getStringAttr(getKindName(optimizer)));
  entries.append("lr", builder.getF64FloatAttr(optimizer.lr()));
  const Reflection *reflection = optimizer.GetReflection();
  for (const optimizer::Hyperparameter &parameter :
       getKind(optimizer).hyperparameters) {
    const FieldDescriptor *field = getField(parameter.name);
    Attribute value;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL)
      value = builder.getBoolAttr(reflection->GetBool(optimizer, field));
    else
      value = builder.getF64FloatAttr(reflection->GetDouble(optimizer, field));
    entries.append(parameter.name, value);
  }
  entries.append("weight_decay",
                 builder.getF64FloatAttr(optimizer.weight_decay()));
  SmallVector<Attribute> groups;
  for (const spec::Optimizer::Group &group : optimizer.groups()) {
    NamedAttrList values;
    values.append("match", builder.getStringAttr(group.match()));
    values.append("lr_scale", builder.getF64FloatAttr(group.lr_scale()));
    if (group.has_weight_decay())
      values.append("weight_decay",
                    builder.getF64FloatAttr(group.weight_decay()));
    groups.push_back(values.getDictionary(&context));
  }
  if (!groups.empty())
    entries.append("groups", builder.getArrayAttr(groups));
  return entries.getDictionary(&context);
}

/// The place "file:line:column" as a location.
static Location toLocation(StringRef place, MLIRContext *context) {
  auto [rest, column] = place.rsplit(':');
  auto [file, line] = rest.rsplit(':');
  unsigned lineNumber = 1, columnNumber = 1;
  (void)line.getAsInteger(10, lineNumber);
  (void)column.getAsInteger(10, columnNumber);
  return FileLineColLoc::get(context, file, lineNumber, columnNumber);
}

LogicalResult tessera::checkParameterGroups(const Specification &specification,
                                            ModuleOp module) {
  const auto &groups = specification.message.training().optimizer().groups();
  LogicalResult result = success();
  for (int i = 0; i < groups.size(); ++i) {
    llvm::Regex expression(groups[i].match());
    bool matches = llvm::any_of(
        module.getOps<nn::ParameterOp>(), [&](nn::ParameterOp parameter) {
          return expression.match(parameter.getSymName());
        });
    if (matches)
      continue;
    result =
        emitError(toLocation(specification.groupPlaces[i], module.getContext()))
        << "`" << groups[i].match()
        << "` matches the name of no parameter; `info` of an executable "
           "lists the names";
  }
  return result;
}
