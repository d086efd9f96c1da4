//===- SpecificationAttr.cpp - A specification as an attribute of IR ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/SpecificationAttr.h"
#include "frontends/OptimizerSettings.h"
#include "frontends/models/Families.h"
#include "frontends/models/Kinds.h"
#include "frontends/models/Rotary.h"
#include "frontends/published/Config.h"
#include "target/Target.h"

using namespace mlir;
using namespace tessera;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

/// \p name, of a value in spec.proto, as attributes have it.
static StringAttr nameAttr(StringRef name, MLIRContext &context) {
  return StringAttr::get(&context, name.lower());
}

static std::optional<int64_t> optional(bool has, int64_t value) {
  return has ? std::optional(value) : std::nullopt;
}

static Attribute modelAttr(const spec::Specification &message,
                           MLIRContext &context) {
  if (message.has_transformer()) {
    const spec::Transformer &model = message.transformer();
    DenseF64ArrayAttr frequencies;
    RotaryFrequencies rotary;
    if (model.positions() == spec::Transformer::ROTARY) {
      rotary = getRotaryFrequencies(model);
      frequencies = DenseF64ArrayAttr::get(&context, rotary.frequencies);
    }
    return spec::TransformerAttr::get(
        &context,
        nameAttr(spec::Transformer::Names_Name(model.names()), context),
        model.vocabulary(), model.hidden(), model.heads(),
        optional(model.head_dim() != model.hidden() / model.heads(),
                 model.head_dim()),
        model.sequence_length(), frequencies, spec::Real(rotary.factor));
  }
  const spec::Gnn &model = message.gnn();
  auto normalization = [&] {
    switch (model.normalization()) {
    case spec::Gnn::SYMMETRIC:
      return spec::Normalization::Symmetric;
    case spec::Gnn::NONE:
      return spec::Normalization::None;
    case spec::Gnn::MEAN:
      return spec::Normalization::Mean;
    case spec::Gnn::ONES:
      return spec::Normalization::Ones;
    }
    llvm_unreachable("the specification has no other normalizations");
  };
  return spec::GnnAttr::get(
      &context, nameAttr(spec::Gnn::Layer_Name(model.layer()), context),
      model.self_loops(), normalization(), model.nodes(), model.edges(),
      model.features(), model.classes(), model.feature_entries(),
      model.train_nodes(), model.train_edges(), model.normalize_features());
}

static spec::NumberType numberType(spec::Precision::Type type) {
  switch (type) {
  case spec::Precision::FP32:
    return spec::NumberType::FP32;
  case spec::Precision::BF16:
    return spec::NumberType::BF16;
  case spec::Precision::FP16:
    return spec::NumberType::FP16;
  }
  llvm_unreachable("the specification has no other types");
}

static spec::PrecisionAttr precisionAttr(const spec::Precision &given,
                                         MLIRContext &context) {
  const spec::LossScale &scale = given.loss_scale();
  spec::LossScaleAttr lossScale;
  if (given.compute() == spec::Precision::FP16)
    lossScale = spec::LossScaleAttr::get(&context, spec::Real(scale.initial()),
                                         scale.window(), scale.hysteresis(),
                                         spec::Real(scale.minimum()));
  return spec::PrecisionAttr::get(&context, numberType(given.compute()),
                                  numberType(given.gradients()), lossScale);
}

/// A number that a specification may leave out.
static spec::ScheduleAttr scheduleAttr(const spec::Schedule &given,
                                       MLIRContext &context) {
  auto kind = [&] {
    switch (given.kind()) {
    case spec::Schedule::CONSTANT:
      return spec::ScheduleKind::Constant;
    case spec::Schedule::COSINE:
      return spec::ScheduleKind::Cosine;
    }
    llvm_unreachable("the specification has no other schedules");
  };
  return spec::ScheduleAttr::get(
      &context, kind(), given.warmup_steps(),
      optional(given.has_decay_steps(), given.decay_steps()),
      spec::Real(given.min_lr()),
      optional(given.has_warmup_samples(), given.warmup_samples()),
      optional(given.has_decay_samples(), given.decay_samples()));
}

static spec::Recompute recompute(spec::Training::Recompute given) {
  switch (given) {
  case spec::Training::NONE:
    return spec::Recompute::None;
  case spec::Training::LAYER:
    return spec::Recompute::Layer;
  case spec::Training::AUTO:
    return spec::Recompute::Auto;
  }
  llvm_unreachable("the specification has no other ways to recompute");
}

static spec::NonFinite nonFinite(spec::Training::NonFinite given) {
  switch (given) {
  case spec::Training::STOP:
    return spec::NonFinite::Stop;
  case spec::Training::SKIP:
    return spec::NonFinite::Skip;
  }
  llvm_unreachable("the specification does nothing else");
}

static spec::TrainingAttr trainingAttr(const Specification &specification,
                                       MLIRContext &context) {
  const spec::Training &given = specification.message.training();
  const spec::BatchRamp &ramp = given.batch_ramp();
  spec::BatchRampAttr batchRamp;
  if (given.has_batch_ramp())
    batchRamp = spec::BatchRampAttr::get(&context, ramp.start(),
                                         ramp.increment(), ramp.samples());
  spec::SamplingAttr sampling;
  if (given.has_sampling())
    sampling = spec::SamplingAttr::get(
        &context,
        DenseI64ArrayAttr::get(
            &context, llvm::to_vector_of<int64_t>(given.sampling().fan_out())),
        given.sampling().batch(), given.sampling().replace());
  return spec::TrainingAttr::get(
      &context, given.global_batch(), given.micro_batch(), given.steps(),
      given.seed(), spec::Real(given.clip()),
      optimizerAttr(given.optimizer(), context),
      scheduleAttr(given.schedule(), context), recompute(given.recompute()),
      specification.memoryLimit, batchRamp, nonFinite(given.non_finite()),
      given.max_skips(), sampling, precisionAttr(given.precision(), context));
}

static spec::ParallelAttr parallelAttr(const spec::Parallel &given,
                                       MLIRContext &context) {
  auto offload = [&] {
    switch (given.offload()) {
    case spec::Parallel::NONE:
      return spec::Offload::None;
    case spec::Parallel::OPTIMIZER:
      return spec::Offload::Optimizer;
    }
    llvm_unreachable("the specification offloads nothing else");
  };
  return spec::ParallelAttr::get(
      &context, given.world(), given.zero_stage(), given.prefetch(),
      given.bucket_bytes(), given.persistence_threshold(), given.gather_bytes(),
      given.prefetch_bytes(),
      optional(given.has_shard_ranks(), given.shard_ranks()),
      optional(given.has_secondary_ranks(), given.secondary_ranks()),
      given.quantized_gathers(), offload());
}

static Attribute fieldAttr(const Message &message, const FieldDescriptor *field,
                           Builder &builder) {
  const google::protobuf::Reflection *reflection = message.GetReflection();
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT64:
    return builder.getI64IntegerAttr(reflection->GetInt64(message, field));
  case FieldDescriptor::CPPTYPE_DOUBLE:
    return builder.getF64FloatAttr(reflection->GetDouble(message, field));
  case FieldDescriptor::CPPTYPE_BOOL:
    return builder.getBoolAttr(reflection->GetBool(message, field));
  case FieldDescriptor::CPPTYPE_STRING:
    return builder.getStringAttr(reflection->GetString(message, field));
  default:
    llvm_unreachable("targets have no other types");
  }
}

/// The field of the target that \p message names, which is its name; CPUs where
/// it names none.
static const FieldDescriptor *targetField(const spec::Target &message) {
  const FieldDescriptor *field =
      message.GetReflection()->GetOneofFieldDescriptor(
          message, message.GetDescriptor()->FindOneofByName("kind"));
  return field ? field : message.GetDescriptor()->FindFieldByName("cpu");
}

static spec::TargetAttrInterface targetAttr(const spec::Target &message,
                                            MLIRContext &context) {
  const FieldDescriptor *target = targetField(message);
  const Message &given = message.GetReflection()->GetMessage(message, target);
  Builder builder(&context);
  NamedAttrList fields;
  for (int i = 0; i < given.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor *field = given.GetDescriptor()->field(i);
    fields.append(field->name(), fieldAttr(given, field, builder));
  }
  return findTarget(target->name())
      ->getAttribute(fields.getDictionary(&context));
}

static Attribute valueAttr(const llvm::json::Value &value, Builder &builder) {
  if (std::optional<bool> truth = value.getAsBoolean())
    return builder.getBoolAttr(*truth);
  if (value.kind() == llvm::json::Value::String)
    return builder.getStringAttr(*value.getAsString());
  if (value.kind() == llvm::json::Value::Null)
    return builder.getUnitAttr();
  if (const llvm::json::Array *list = value.getAsArray())
    return builder.getArrayAttr(
        llvm::map_to_vector(*list, [&](const llvm::json::Value &entry) {
          return valueAttr(entry, builder);
        }));
  // 1.0 is whole for JSON, and a number for who reads it.
  if (std::optional<int64_t> number = value.getAsInteger())
    return builder.getI64IntegerAttr(*number);
  return builder.getF64FloatAttr(*value.getAsNumber());
}

/// The config.json of \p message; null where transformers has no such model.
static ArrayAttr configAttr(const spec::Specification &message,
                            MLIRContext &context) {
  if (!message.has_transformer())
    return {};
  const spec::Transformer &model = message.transformer();
  const std::string family = kindsOf(message).family;
  if (!getPublishedConfigs().contains(family))
    return {};
  const PublishedConfig &config = getPublishedConfigs().get(family);
  if (!config.findForeign(model).empty())
    return {};
  Builder builder(&context);
  SmallVector<Attribute> fields;
  auto add = [&](ArrayRef<StringRef> names, Attribute value, bool decides,
                 ArrayRef<llvm::json::Value> others = {},
                 bool isNullable = false, bool isWritten = true) {
    NamedAttrList field;
    if (!isWritten)
      field.set("written", builder.getBoolAttr(false));
    field.set("decides", builder.getBoolAttr(decides));
    if (isNullable)
      field.set("nullable", builder.getBoolAttr(true));
    field.set("names", builder.getStrArrayAttr(names));
    SmallVector<Attribute> texts;
    for (const llvm::json::Value &other : others)
      texts.push_back(valueAttr(other, builder));
    if (!texts.empty())
      field.set("others", builder.getArrayAttr(texts));
    field.set("value", value);
    fields.push_back(field.getDictionary(&context));
  };
  add({"architectures"}, builder.getStrArrayAttr({config.architecture}),
      /*decides=*/false);
  add({"model_type"}, builder.getStringAttr(config.modelType),
      /*decides=*/true);
  for (const ConfigField &field : config.fields) {
    if (field.applies && !field.applies(model))
      continue;
    llvm::json::Value value = getConfigValue(field, model);
    bool mayBeNull = field.null == ConfigField::Null::None;
    if (value.kind() == llvm::json::Value::Null && !mayBeNull)
      continue;
    ArrayRef<llvm::json::Value> values = field.values;
    bool isFixed = field.path.empty() && !field.compute;
    add(field.names, valueAttr(value, builder), field.decides,
        isFixed ? values.drop_front() : ArrayRef<llvm::json::Value>(),
        mayBeNull, field.isWritten);
  }
  return builder.getArrayAttr(fields);
}

spec::SpecificationAttr
tessera::getSpecificationAttr(const Specification &specification,
                              MLIRContext &context) {
  const spec::Specification &message = specification.message;
  Builder builder(&context);
  NamedAttrList tied;
  if (message.has_transformer() && message.transformer().tied_embeddings())
    tied.set(headWeightName,
             builder.getStringAttr(
                 getFamilies().get(kindsOf(message).family).embedding()));
  return spec::SpecificationAttr::get(
      &context, builder.getStringAttr(message.name()),
      modelAttr(message, context), trainingAttr(specification, context),
      parallelAttr(message.parallel(), context),
      targetAttr(message.target(), context), tied.getDictionary(&context),
      fingerprintAttr(message, context), configAttr(message, context),
      specification.tokenizerPath.empty()
          ? StringAttr()
          : builder.getStringAttr(specification.tokenizerPath));
}

void tessera::validateTarget(const Specification &specification,
                             Diagnostics &diagnostics) {
  std::string name = targetField(specification.message.target())->name();
  const Target *target = findTarget(name);
  if (!target)
    return diagnostics.error("target", getUnknownTargetText(name),
                             "give one of them");
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<spec::SpecDialect>();
  target->validate(getSpecificationAttr(specification, context),
                   [&](StringRef path, const Twine &what, const Twine &remedy) {
                     diagnostics.error(path, what, remedy);
                   });
}

static LogicalResult verifyOneSpecification(ModuleOp module) {
  spec::SpecificationAttr specification = spec::getSpecification(module);
  if (!specification)
    return module.emitError("has no ")
           << spec::SpecificationAttr::attributeName
           << ", which carries the specification: give a module as "
              "--compile-to or --dump-phases-to writes it";
  const Target *target = getTarget(module);
  if (!target)
    return failure();
  bool isSound = true;
  target->validate(specification, [&](StringRef path, const Twine &what,
                                      const Twine &remedy) {
    isSound = false;
    module.emitError() << "`" << path << "`: " << what << "; " << remedy;
  });
  return success(isSound);
}

LogicalResult tessera::verifySpecificationAttr(ModuleOp module) {
  for (ModuleOp model : spec::getModels(module))
    if (failed(verifyOneSpecification(model)))
      return failure();
  return success();
}
