//===- Import.cpp - The settings of a ds_config.json ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/deepspeed/Import.h"
#include "frontends/TextReader.h"
#include "frontends/deepspeed/Reader.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace tessera;
using namespace llvm;

namespace {

/// What is said of a field, or of all that an object holds, that sets nothing.
struct Answer {
  StringRef path, text;
};

/// Done here without being asked for, or said elsewhere.
constexpr Answer unneeded[] = {
    {"steps_per_print", "is an option of train: --log-every N"},
    {"tensorboard", "is for train --log FILE and tessera tensorboard FILE DIR"},
    {"csv_monitor", "is for train --log FILE, a line of JSON for each step"},
    {"wall_clock_breakdown", "needs no setting: tessera plan predicts a step"},
    {"memory_breakdown", "needs no setting: tessera plan states the memory"},
    {"flops_profiler", "needs no setting: tessera plan counts operations"},
    {"comms_logger", "needs no setting: tessera plan lists all collectives"},
    {"dump_state", "needs no setting: train prints its settings"},
    {"dataloader_drop_last",
     "needs no setting: every step has all its samples"},
    {"activation_checkpointing",
     "only says how; whether layers are recomputed, scripts say there, and "
     "--set training.recompute=LAYER or AUTO here"},
    {"zero_allow_untested_optimizer", "needs no setting"},
    {"zero_force_ds_cpu_optimizer", "needs no setting"},
    {"autotuning", "is for tessera plan --sweep and --fit"},
    {"checkpoint", "needs no setting: all ranks write their parts, and any "
                   "number of ranks reads them"},
    {"compile", "needs no setting"},
    {"zero_optimization.overlap_comm",
     "needs no setting: collectives start as early as they can"},
    {"zero_optimization.contiguous_gradients",
     "needs no setting: gradients are made in their buckets"},
    {"zero_optimization.reduce_scatter", "needs no setting: it is always used"},
    {"zero_optimization.allgather_partitions",
     "needs no setting: it is always used"},
    {"zero_optimization.round_robin_gradients", "needs no setting"},
    {"zero_optimization.sub_group_size",
     "needs no setting: the optimizer updates group by group"},
    {"zero_optimization.load_from_fp32_weights",
     "needs no setting: checkpoints hold the fp32 parameters"},
    {"zero_optimization.elastic_checkpoint",
     "needs no setting: any number of ranks reads a checkpoint"},
    {"zero_optimization.ignore_unused_parameters",
     "needs no setting: every parameter has a gradient"},
    {"zero_optimization.stage3_gather_16bit_weights_on_model_save",
     "needs no setting: --save writes whole weights"},
    {"zero_optimization.stage3_gather_fp16_weights_on_model_save",
     "needs no setting: --save writes whole weights"},
    {"zero_optimization.stage3_module_granularity_threshold",
     "needs no setting: --set parallel.gather_bytes joins layers"},
    {"zero_optimization.stage3_max_reuse_distance",
     "needs no setting: what is used again is planned ahead"},
    {"zero_optimization.memory_efficient_linear", "needs no setting"},
    {"zero_optimization.override_module_apply", "needs no setting"},
    {"zero_optimization.log_trace_cache_warnings",
     "needs no setting: the order of gathers is fixed when compiling"},
    {"zero_optimization.enable_sanity_checks",
     "needs no setting: the compiler verifies collectives"},
};

/// Asks for what there is not.
constexpr Answer missing[] = {
    {"amp", "use training.precision.compute, as bf16 and fp16 do"},
    {"prescale_gradients", "gradients are summed, then divided"},
    {"gradient_predivide_factor", "gradients are summed, then divided"},
    {"sparse_gradients", "gradients are dense"},
    {"communication_data_type",
     "ranks sum gradients in the type of training.precision.gradients"},
    {"seq_parallel_comm_data_type", "there is no sequence parallelism"},
    {"wandb", "train --log FILE writes JSON that other tools read"},
    {"comet", "train --log FILE writes JSON that other tools read"},
    {"sparse_attention", "attention is full, causal or in a window"},
    {"elasticity", "the number of ranks is compiled in; checkpoints fit any"},
    {"compression_training", ""},
    {"data_efficiency", ""},
    {"curriculum_learning", "training.batch_ramp grows the batch"},
    {"progressive_layer_drop", ""},
    {"eigenvalue", ""},
    {"aio", "the offload file is mapped"},
    {"pipeline", "there is no pipeline parallelism"},
    {"tensor_parallel", "there is no tensor parallelism"},
    {"disable_allgather", ""},
    {"fp16.auto_cast", ""},
    {"fp16.consecutive_hysteresis", ""},
    {"fp16.fp16_master_weights_and_grads", "master weights are fp32"},
    {"zero_optimization.offload_param", "parameters stay in memory"},
    {"zero_optimization.cpu_offload_param", "parameters stay in memory"},
    {"zero_optimization.zero_quantized_gradients",
     "gradients travel in the type of training.precision.gradients"},
    {"zero_optimization.zero_quantized_nontrainable_weights",
     "all parameters are trained"},
    {"zero_optimization.zeropp_loco_param", ""},
    {"zero_optimization.mics_hierarchical_params_gather", ""},
    {"zero_optimization.stage3_model_persistence_threshold",
     "--set parallel.persistence_threshold alone decides"},
    {"zero_optimization.stage3_use_all_reduce_for_fetch_params", ""},
    {"zero_optimization.zenflow", ""},
};

/// Reads a configuration part by part; each part sets what follows from it.
class Importer {
public:
  Importer(DeepSpeedReader &in, std::optional<int64_t> world)
      : in(in), world(world) {}

  void read() {
    readBatches();
    readOptimizer();
    readSchedule();
    readPrecision();
    readZero();
    reportRest(in.fields(), "");
  }

private:
  void readBatches();
  void readOptimizer();
  void readSchedule();
  void readPrecision();
  void readZero();
  void readOffload();
  /// Sets \p setting to as many bytes as the elements of \p path have.
  void setBytes(StringRef path, StringRef setting, int64_t elementBytes);
  void reportRest(const json::Object &object, const std::string &prefix);
  bool answer(const std::string &path, const json::Value &value);

  DeepSpeedReader &in;
  std::optional<int64_t> world;
  double lr = 0; ///< the peak; 0: not known
  int64_t parameterBytes = 4, gradientBytes = 4;
};

} // namespace

void Importer::readBatches() {
  constexpr StringLiteral globalField = "training.global_batch",
                          microField = "training.micro_batch";
  std::optional<int64_t> global = in.whole("train_batch_size", globalField),
                         micro = in.whole("train_micro_batch_size_per_gpu",
                                          microField),
                         steps = in.whole("gradient_accumulation_steps",
                                          microField);
  for (auto [path, value] : {std::pair("train_batch_size", global),
                             std::pair("train_micro_batch_size_per_gpu", micro),
                             std::pair("gradient_accumulation_steps", steps)})
    if (value && *value == 0)
      return in.error(path, "takes a whole number of at least 1");
  // As DeepSpeed has it: global = micro * steps * world.
  if (global && micro && steps) {
    int64_t ranks = *global / (*micro * *steps);
    if (ranks * *micro * *steps != *global || (world && ranks != *world))
      return in.error(
          "train_batch_size",
          "(" + Twine(*global) + ") is not train_micro_batch_size_per_gpu (" +
              Twine(*micro) + ") times gradient_accumulation_steps (" +
              Twine(*steps) + ") times " +
              (world ? "the ranks (" + Twine(*world) + ")"
                     : Twine("a number of ranks")) +
              ": change one of them");
    world = ranks;
  }
  if (global && !micro && steps) {
    if (world && *global % (*steps * *world) != 0)
      return in.error("train_batch_size",
                      "(" + Twine(*global) +
                          ") cannot be divided by gradient_accumulation_steps "
                          "times the ranks (" +
                          Twine(*steps * *world) + "): change one of them");
    if (world)
      micro = *global / (*steps * *world);
    else
      in.warn("gradient_accumulation_steps",
              "needs the number of ranks: give --world N");
  }
  if (!global && micro) {
    if (world)
      global = *micro * steps.value_or(1) * *world;
    else
      in.warn("train_micro_batch_size_per_gpu",
              "gives training.global_batch with the number of ranks: give "
              "--world N");
  }
  if (world)
    in.set("parallel.world", Twine(*world));
  if (global)
    in.set(globalField, Twine(*global));
  if (micro)
    in.set(microField, Twine(*micro));
  if (std::optional<double> clip =
          in.number("gradient_clipping", "training.clip"))
    in.set("training.clip", *clip);
}

void Importer::readOptimizer() {
  std::optional<StringRef> type =
      in.text("optimizer.type", "training.optimizer.kind");
  if (!type)
    return;
  auto params = [](StringRef name) {
    return ("optimizer.params." + name).str();
  };
  // DeepSpeed's Adam is AdamW unless it is told otherwise.
  std::string mode = params("adam_w_mode");
  bool decoupled = in.flag(mode, "training.optimizer.kind").value_or(true);
  StringRef kind;
  if (type->equals_insensitive("adamw") ||
      (type->equals_insensitive("adam") && decoupled))
    kind = "ADAMW";
  else if (type->equals_insensitive("adam"))
    kind = "ADAM";
  else if (type->equals_insensitive("sgd"))
    kind = "SGD";
  else if (type->equals_insensitive("lion"))
    kind = "LION";
  else
    return in.warn("optimizer.type",
                   "`" + *type +
                       "` has no counterpart: there are ADAMW, ADAM, "
                       "SGD and LION (training.optimizer.kind)");
  in.set("training.optimizer.kind", kind);
  if (type->equals_insensitive("adam") && decoupled)
    in.note("optimizer.type", "`" + *type +
                                  "` decays weights apart from the gradient "
                                  "there (adam_w_mode), which is ADAMW");
  lr = in.find(params("lr"))
           ? in.number(params("lr"), "training.optimizer.lr").value_or(0)
           : 1e-3;
  bool isAdam = kind.starts_with("ADAM");
  if (const json::Value *betas = in.find(params("betas"));
      betas && betas->getAsString() == StringRef("auto"))
    in.warn(params("betas"), "is \"auto\", which a script's arguments fill in: "
                             "give --set training.optimizer.beta1=VALUE and "
                             "training.optimizer.beta2=VALUE");
  else if (betas) {
    const json::Array *pair = betas->getAsArray();
    std::optional<double> first, second;
    if (pair && pair->size() == 2) {
      first = (*pair)[0].getAsNumber();
      second = (*pair)[1].getAsNumber();
    }
    if (!first || !second)
      return in.error(params("betas"), "takes two numbers");
    in.set("training.optimizer.beta1", *first);
    in.set("training.optimizer.beta2", *second);
  }
  if (std::optional<double> eps =
          in.number(params("eps"), "training.optimizer.eps");
      eps && isAdam)
    in.set("training.optimizer.eps", *eps);
  if (std::optional<double> decay = in.number(
          params("weight_decay"), "training.optimizer.weight_decay")) {
    in.set("training.optimizer.weight_decay", *decay);
    if (*decay > 0)
      in.note(params("weight_decay"),
              "is of matrices alone here; groups of training.optimizer say it "
              "of other parameters");
  }
  if (kind == "SGD") {
    if (std::optional<double> momentum =
            in.number(params("momentum"), "training.optimizer.momentum"))
      in.set("training.optimizer.momentum", *momentum);
    if (in.flag(params("nesterov"), "training.optimizer.nesterov")
            .value_or(false))
      in.set("training.optimizer.nesterov", "true");
  }
  for (StringRef name : {"torch_adam", "fused", "foreach"})
    (void)in.find(params(name));
  if (!in.flag(params("bias_correction"), "training.optimizer.kind")
           .value_or(true))
    in.warn(params("bias_correction"),
            "has no counterpart: moments are corrected");
}

void Importer::readSchedule() {
  std::optional<StringRef> type =
      in.text("scheduler.type", "training.schedule.kind");
  auto params = [](StringRef name) {
    return ("scheduler.params." + name).str();
  };
  bool isCosine = type == StringRef("WarmupCosineLR"),
       isLinear = type == StringRef("WarmupDecayLR");
  if (type && !isCosine && !isLinear && *type != "WarmupLR") {
    in.warn("scheduler.type",
            "`" + *type +
                "` has no counterpart: after a linear warmup the "
                "rate stays or follows a cosine "
                "(training.schedule.kind)");
    type = std::nullopt;
  }
  if (type && !isCosine) {
    // The schedule's peak counts, not the optimizer's rate.
    bool isGiven = in.find(params("warmup_max_lr"));
    std::optional<double> peak =
        in.number(params("warmup_max_lr"), "training.optimizer.lr");
    lr = isGiven ? peak.value_or(0) : 1e-3;
    if (in.number(params("warmup_min_lr"), "training.schedule.warmup_steps")
            .value_or(0) != 0)
      in.warn(params("warmup_min_lr"),
              "has no counterpart: the warmup begins at 0");
  }
  if (lr > 0)
    in.set("training.optimizer.lr", lr);
  if (!type)
    return;
  constexpr StringLiteral warmupField = "training.schedule.warmup_steps";
  bool isGiven = in.find(params("warmup_num_steps"));
  std::optional<int64_t> warmup =
      in.whole(params("warmup_num_steps"), warmupField);
  if (!isGiven)
    warmup = 1000;
  if (warmup)
    in.set(warmupField, Twine(*warmup));
  // Its default, which configurations seldom know of.
  if (in.text(params("warmup_type"), warmupField).value_or("log") == "log" &&
      warmup.value_or(1) > 0)
    in.warn(params("warmup_type"),
            "`log`, the default there, has no counterpart: the warmup is "
            "linear");
  std::optional<int64_t> end =
      in.whole(params("total_num_steps"), "training.schedule.decay_steps");
  if (isLinear)
    in.warn("scheduler.type",
            "`WarmupDecayLR` has no counterpart behind its warmup: instead of "
            "falling along a line the rate stays, or follows a cosine with "
            "--set training.schedule.kind=COSINE" +
                (end ? " --set training.schedule.decay_steps=" + Twine(*end)
                     : Twine("")));
  in.set("training.schedule.kind", isCosine ? "COSINE" : "CONSTANT");
  if (!isCosine)
    return;
  if (end)
    in.set("training.schedule.decay_steps", Twine(*end));
  double ratio = in.number(params("cos_min_ratio"), "training.schedule.min_lr")
                     .value_or(1e-4);
  if (lr > 0)
    in.set("training.schedule.min_lr", ratio * lr);
  else
    in.warn(params("cos_min_ratio"),
            "is a share of the learning rate: give --set "
            "training.schedule.min_lr=VALUE");
  if (in.number(params("warmup_min_ratio"), warmupField).value_or(0) != 0)
    in.warn(params("warmup_min_ratio"),
            "has no counterpart: the warmup begins at 0");
}

void Importer::readPrecision() {
  constexpr StringLiteral computeField = "training.precision.compute";
  bool isBf16 = in.flag("bf16.enabled", computeField).value_or(false) ||
                in.flag("bfloat16.enabled", computeField).value_or(false);
  bool isFp16 = in.flag("fp16.enabled", computeField).value_or(false);
  if (isBf16 && isFp16)
    return in.error("bf16.enabled", "and `fp16.enabled` exclude each other: "
                                    "turn one of them off");
  StringRef type = isBf16 ? "BF16" : isFp16 ? "FP16" : "FP32";
  if (isBf16 || isFp16) {
    in.set(computeField, type);
    parameterBytes = 2;
  }
  constexpr StringLiteral sumPath = "data_types.grad_accum_dtype",
                          sumField = "training.precision.gradients";
  std::optional<StringRef> sums = in.text(sumPath, sumField);
  if (sums && sums->equals_insensitive(type)) {
    in.set(sumField, type);
    gradientBytes = parameterBytes;
  } else if (sums && *sums == "fp32")
    in.set(sumField, "FP32");
  else if (sums)
    in.warn(sumPath, "`" + *sums +
                         "` has no counterpart: gradients are kept "
                         "in fp32 or the type of computation");
  else if (isBf16 || isFp16)
    in.note(sumPath,
            "is the model's type there where it is not given; here gradients "
            "are kept in fp32, with half the memory and messages by --set "
            "training.precision.gradients=" +
                type);
  // What says nothing while fp16 is off.
  if (!isFp16) {
    for (StringRef name : {"loss_scale", "initial_scale_power",
                           "loss_scale_window", "hysteresis", "min_loss_scale"})
      (void)in.find(("fp16." + name).str());
    return;
  }
  constexpr StringLiteral scaleField = "training.precision.loss_scale.initial";
  double fixed = in.number("fp16.loss_scale", scaleField).value_or(0);
  std::optional<int64_t> power =
      in.whole("fp16.initial_scale_power", scaleField);
  if (fixed > 0) {
    in.warn("fp16.loss_scale", "has no counterpart: the scale is found while "
                               "training, and begins there");
    in.set(scaleField, fixed);
  } else if (power)
    in.set(scaleField,
           std::ldexp(1.0, static_cast<int>(std::min<int64_t>(*power, 100))));
  for (auto [name, field] : {std::pair("loss_scale_window", "window"),
                             std::pair("hysteresis", "hysteresis"),
                             std::pair("min_loss_scale", "minimum")}) {
    std::string setting =
        ("training.precision.loss_scale." + Twine(field)).str();
    if (std::optional<int64_t> value =
            in.whole(("fp16." + Twine(name)).str(), setting))
      in.set(setting, Twine(*value));
  }
}

void Importer::setBytes(StringRef path, StringRef setting,
                        int64_t elementBytes) {
  if (std::optional<int64_t> elements = in.whole(path, setting))
    in.set(setting, Twine(*elements * elementBytes));
}

void Importer::readOffload() {
  constexpr StringLiteral path = "zero_optimization.offload_optimizer",
                          field = "parallel.offload";
  std::string device =
      in.text((path + ".device").str(), field).value_or("none").str();
  if (in.flag("zero_optimization.cpu_offload", field).value_or(false))
    device = "cpu";
  (void)in.find(path);
  if (device == "nvme") {
    in.set(field, "OPTIMIZER");
    in.note(path, "lies in a file of each rank, on CPUs: train --offload-dir "
                  "DIR says where");
  } else if (device == "cpu")
    in.warn(path, "has no counterpart on GPUs; on CPUs the states are in "
                  "memory anyway, or in a file with --set "
                  "parallel.offload=OPTIMIZER");
}

void Importer::readZero() {
  constexpr StringLiteral section = "zero_optimization",
                          stageField = "parallel.zero_stage";
  const json::Value *given = in.find(section);
  if (!given)
    return;
  // The oldest form is a truth.
  if (std::optional<bool> on = given->getAsBoolean())
    return in.set(stageField, *on ? "1" : "0");
  if (!given->getAsObject())
    return in.error(section, "takes an object");
  auto zero = [&](StringRef name) { return (section + "." + name).str(); };
  int64_t stage = in.whole(zero("stage"), stageField).value_or(0);
  if (stage > 3)
    return in.error(zero("stage"), "takes 0, 1, 2 or 3");
  in.set(stageField, Twine(stage));
  setBytes(zero("reduce_bucket_size"), "parallel.bucket_bytes", gradientBytes);
  setBytes(zero("allgather_bucket_size"), "parallel.gather_bytes",
           parameterBytes);
  readOffload();
  // What follows says nothing at lower stages.
  bool isThree = stage == 3;
  std::optional<int64_t> small =
      in.whole(zero("stage3_param_persistence_threshold"),
               "parallel.persistence_threshold");
  if (small && isThree)
    in.set("parallel.persistence_threshold", Twine(*small));
  std::optional<int64_t> live =
      in.whole(zero("stage3_max_live_parameters"), "parallel.prefetch_bytes");
  if (live && isThree)
    in.set("parallel.prefetch_bytes", Twine(*live * parameterBytes));
  std::optional<int64_t> ahead =
      in.whole(zero("stage3_prefetch_bucket_size"), "parallel.prefetch");
  if (ahead && isThree) {
    if (*ahead == 0)
      in.set("parallel.prefetch", "0");
    else
      in.note(zero("stage3_prefetch_bucket_size"),
              "is counted in groups here, which are layers: "
              "parallel.prefetch, 1 ahead");
  }
  std::optional<int64_t> secondary =
      in.whole(zero("zero_hpz_partition_size"), "parallel.secondary_ranks");
  if (secondary && *secondary > 1 && isThree)
    in.set("parallel.secondary_ranks", Twine(*secondary));
  bool isQuantized =
      in.flag(zero("zero_quantized_weights"), "parallel.quantized_gathers")
          .value_or(false);
  if (isQuantized && isThree)
    in.set("parallel.quantized_gathers", "true");
  // -1 stands for the whole world.
  std::optional<double> shards =
      in.number(zero("mics_shard_size"), "parallel.shard_ranks");
  if (shards && *shards > 1)
    in.set("parallel.shard_ranks", *shards);
}

/// Whether \p value asks for nothing: false, 0, "none", or an object that says
/// so by `enabled` or `device`.
static bool isOff(const json::Value &value) {
  if (value.kind() == json::Value::Null || value.getAsBoolean() == false ||
      value.getAsNumber() == 0.0 || value.getAsString() == StringRef("none"))
    return true;
  const json::Object *object = value.getAsObject();
  return object && (object->empty() || object->getBoolean("enabled") == false ||
                    object->getString("device") == StringRef("none"));
}

bool Importer::answer(const std::string &path, const json::Value &value) {
  auto isPath = [&](const Answer &answer) { return answer.path == path; };
  if (const Answer *found = find_if(unneeded, isPath);
      found != std::end(unneeded)) {
    if (!isOff(value))
      in.note(path, found->text);
    return true;
  }
  if (const Answer *found = find_if(missing, isPath);
      found != std::end(missing)) {
    if (!isOff(value))
      in.warn(path, "has no counterpart" +
                        (found->text.empty() ? "" : ": " + found->text));
    return true;
  }
  return false;
}

void Importer::reportRest(const json::Object &object,
                          const std::string &prefix) {
  std::vector<StringRef> names;
  for (const auto &field : object)
    names.push_back(field.first);
  // An object has its fields in no order.
  llvm::sort(names);
  for (StringRef name : names) {
    const json::Value &value = *object.get(name);
    std::string path = prefix + name.str();
    if (answer(path, value))
      continue;
    const json::Object *inner = value.getAsObject();
    bool isSection = path == "zero_optimization" || !in.isRead(path);
    if (inner && isSection)
      reportRest(*inner, path + ".");
    else if (!in.isRead(path) && !isOff(value))
      in.warn(path, "is not known here");
  }
}

std::optional<DeepSpeedSettings>
tessera::importDeepSpeed(const SourceText &source, std::optional<int64_t> world,
                         raw_ostream &errors) {
  Expected<json::Value> value = json::parse(source.text);
  if (!value) {
    errors << source.path << ": error: no JSON: " << toString(value.takeError())
           << "; give a ds_config.json of DeepSpeed\n";
    return std::nullopt;
  }
  const json::Object *root = value->getAsObject();
  if (!root) {
    errors << source.path
           << ": error: no object; give a ds_config.json of DeepSpeed\n";
    return std::nullopt;
  }
  DeepSpeedReader reader(*root, source.path, errors);
  Importer(reader, world).read();
  if (reader.hasFailed())
    return std::nullopt;
  DeepSpeedSettings result = reader.take();
  // What does not fit a field is said by the field.
  spec::Specification checked;
  Diagnostics diagnostics(source.path, errors);
  for (const std::string &setting : result.settings)
    applyOverride(setting, checked, diagnostics);
  if (diagnostics.count() > 0)
    return std::nullopt;
  return result;
}
