//===- ModelBuilderTest.cpp - Modules of phase `model` --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/ModelBuilder.h"
#include "codegen/AllTargets.h"
#include "dialects/AllDialects.h"
#include "dialects/nn/NN.h"
#include "dialects/optimizer/Optimizer.h"
#include "frontends/SpecificationAttr.h"
#include "frontends/models/Activations.h"
#include "frontends/models/Families.h"
#include "frontends/models/GraphLayers.h"
#include "frontends/models/Norms.h"
#include "frontends/models/Positions.h"
#include "frontends/models/Rotary.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace mlir;
using namespace tessera;

namespace {

const std::string source = TESSERA_SOURCE_DIR;

class ModelBuilder : public testing::Test {
protected:
  static void SetUpTestSuite() { registerAllTargets(); }

  ModelBuilder() {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
  }

  OwningOpRef<ModuleOp> build(const std::string &path,
                              llvm::ArrayRef<std::string> overrides = {}) {
    std::string errors;
    llvm::raw_string_ostream stream(errors);
    auto specification =
        loadSpecification(source + "/" + path, overrides, stream);
    EXPECT_TRUE(specification) << errors;
    if (!specification)
      return {};
    return buildModel(*specification, context);
  }

  Specification parse(const char *text) {
    std::string errors;
    llvm::raw_string_ostream stream(errors);
    SourceText source;
    source.text = text;
    source.path = "test.textproto";
    auto specification = parseSpecification(source, {}, stream);
    EXPECT_TRUE(specification) << errors;
    return specification.value_or(Specification());
  }

  MLIRContext context;
};

using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Names and shapes of the tensors in a safetensors file, without the prefix
/// that some of transformers' files have.
Shapes shapesInFile(const std::string &path) {
  Shapes shapes;
  auto file = llvm::MemoryBuffer::getFile(path, false, false);
  EXPECT_TRUE(file) << path;
  if (!file)
    return shapes;
  llvm::StringRef bytes = (*file)->getBuffer();
  auto header = llvm::json::parse(
      bytes.substr(8, llvm::support::endian::read64le(bytes.data())));
  EXPECT_TRUE(static_cast<bool>(header));
  for (auto &[name, entry] : *header->getAsObject())
    if (llvm::StringRef plain = name; plain != "__metadata__") {
      plain.consume_front("transformer.");
      for (llvm::json::Value &size : *entry.getAsObject()->getArray("shape"))
        shapes[plain.str()].push_back(*size.getAsInteger());
    }
  return shapes;
}

/// The same of what files hold of \p module: parameters in parts.
Shapes shapesOfParts(ModuleOp module) {
  Shapes shapes;
  for (auto parameter : module.getOps<nn::ParameterOp>()) {
    auto shape = parameter.getTensorType().getShape().vec();
    if (!parameter.getPartNames()) {
      shapes[parameter.getSymName().str()] = shape;
      continue;
    }
    for (auto [name, rows] :
         llvm::zip(parameter.getPartNames()->getAsRange<StringAttr>(),
                   *parameter.getPartRows())) {
      shape[0] = rows;
      shapes[name.str()] = shape;
    }
  }
  return shapes;
}

int64_t countParameters(ModuleOp module) {
  int64_t count = 0;
  for (auto parameter : module.getOps<nn::ParameterOp>())
    count += parameter.getTensorType().getNumElements();
  return count;
}

} // namespace

TEST_F(ModelBuilder, ParametersAreThoseOfTheFiles) {
  for (const char *name :
       {"bloom-3-heads", "bloom-4-heads", "gpt2-3-heads", "gpt2-4-heads", "gcn",
        "llama", "llama-3-heads", "mistral", "qwen2", "qwen3"}) {
    std::string folder = std::string("test/golden/") + name;
    auto module = build(folder + "/specification.textproto");
    ASSERT_TRUE(module);
    EXPECT_TRUE(succeeded(verify(*module))) << name;
    EXPECT_EQ(shapesOfParts(*module),
              shapesInFile(source + "/" + folder + "/weights.safetensors"))
        << name;
  }
}

// The counts that the models' authors published.
TEST_F(ModelBuilder, PublishedParameterCounts) {
  for (auto [name, count] : {std::pair("bloom-560m", int64_t(559214592)),
                             {"bloom-176b", 176247271424},
                             {"gpt2-124m", 124439808},
                             {"llama-3.2-1b", 1235814400},
                             {"llama-3-70b", 70553706496},
                             {"mistral-7b", 7241732096},
                             {"qwen2.5-0.5b", 494032768},
                             {"qwen3-0.6b", 596049920},
                             {"gcn-cora", 1433 * 16 + 16 + 16 * 7 + 7}}) {
    auto module = build(std::string("examples/") + name + ".textproto");
    ASSERT_TRUE(module);
    EXPECT_TRUE(succeeded(verify(*module))) << name;
    EXPECT_EQ(countParameters(*module), count) << name;
  }
}

TEST_F(ModelBuilder, VariantsVerify) {
  for (const std::vector<std::string> &overrides :
       std::vector<std::vector<std::string>>{
           {"transformer.tied_embeddings=false"},
           {"transformer.biases=false"},
           {"transformer.embedding_norm=false"},
           {"transformer.names=GPT2", "transformer.embedding_norm=false"},
           {"transformer.names=GPT2", "transformer.embedding_norm=false",
            "transformer.positions=LEARNED"},
           {"transformer.heads=1", "transformer.feed_forward=100"}}) {
    auto module = build("examples/bloom-tiny.textproto", overrides);
    ASSERT_TRUE(module);
    EXPECT_TRUE(succeeded(verify(*module))) << overrides.front();
  }
  for (const std::vector<std::string> &overrides :
       std::vector<std::vector<std::string>>{
           {"gnn.layers=1"}, {"gnn.layers=3"}, {"gnn.self_loops=false"}}) {
    auto module = build("examples/gcn-cora.textproto", overrides);
    ASSERT_TRUE(module);
    EXPECT_TRUE(succeeded(verify(*module))) << overrides.front();
  }
}

// What --dump-phases-to writes, --compile-from reads.
TEST_F(ModelBuilder, TextReadsBack) {
  for (const char *name : {"bloom-tiny", "gpt2-124m", "gcn-cora"}) {
    auto module = build(std::string("examples/") + name + ".textproto");
    ASSERT_TRUE(module);
    std::string text;
    llvm::raw_string_ostream stream(text);
    module->print(stream);
    auto again = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(again) << name;
    std::string secondText;
    llvm::raw_string_ostream secondStream(secondText);
    again->print(secondStream);
    EXPECT_EQ(text, secondText) << name;
  }
}

TEST_F(ModelBuilder, InitialisersGroupsAndDecay) {
  auto module = build("examples/bloom-tiny.textproto");
  ASSERT_TRUE(module);
  auto parameter = [&](llvm::StringRef name) {
    return module->lookupSymbol<nn::ParameterOp>(name);
  };
  auto expect = [&](llvm::StringRef name, nn::Init init, double value,
                    bool decay, llvm::StringRef group) {
    nn::ParameterOp op = parameter(name);
    ASSERT_TRUE(op) << name.str();
    EXPECT_EQ(op.getInit(), init) << name.str();
    EXPECT_DOUBLE_EQ(op.getValue().convertToDouble(), value) << name.str();
    EXPECT_EQ(op.getDecay(), decay) << name.str();
    EXPECT_EQ(op.getGroup(), group) << name.str();
  };
  using nn::Init;
  double residual = 0.05 / std::sqrt(8.0);
  expect("word_embeddings.weight", Init::Normal, 0.05, true, "embeddings");
  expect("word_embeddings_layernorm.weight", Init::Constant, 1, false,
         "embeddings");
  expect("h.0.input_layernorm.bias", Init::Constant, 0, false, "h.0");
  expect("h.3.self_attention.query_key_value.weight", Init::Normal, 0.05, true,
         "h.3");
  expect("h.3.self_attention.dense.weight", Init::Normal, residual, true,
         "h.3");
  expect("h.3.mlp.dense_4h_to_h.weight", Init::Normal, residual, true, "h.3");
  expect("h.3.mlp.dense_h_to_4h.bias", Init::Constant, 0, false, "h.3");
  expect("ln_f.weight", Init::Constant, 1, false, "final");

  auto plain = build("examples/bloom-tiny.textproto",
                     {"transformer.initialization.scaled_residual=false"});
  ASSERT_TRUE(plain);
  EXPECT_DOUBLE_EQ(
      plain->lookupSymbol<nn::ParameterOp>("h.3.self_attention.dense.weight")
          .getValue()
          .convertToDouble(),
      0.05);

  auto gcn = build("examples/gcn-cora.textproto");
  ASSERT_TRUE(gcn);
  auto weight = gcn->lookupSymbol<nn::ParameterOp>("convs.1.lin.weight");
  EXPECT_EQ(weight.getInit(), Init::Uniform);
  EXPECT_DOUBLE_EQ(weight.getValue().convertToDouble(), std::sqrt(6.0 / 23));
  EXPECT_EQ(weight.getGroup(), "convs.1");
}

TEST_F(ModelBuilder, SpecificationTravelsAsAnAttribute) {
  auto module = build("examples/bloom-tiny.textproto", {"parallel.world=4"});
  ASSERT_TRUE(module);
  spec::SpecificationAttr all = spec::getSpecification(*module);
  ASSERT_TRUE(all);
  EXPECT_EQ(all.getName(), "bloom-tiny");
  auto model = cast<spec::TransformerAttr>(all.getModel());
  EXPECT_EQ(model.getNames(), "bloom");
  EXPECT_EQ(model.getSequenceLength(), 128);
  EXPECT_EQ(all.getParallel().getWorld(), 4);
  EXPECT_EQ(all.getParallel().getZeroStage(), 3);
  spec::TrainingAttr training = all.getTraining();
  EXPECT_EQ(training.getMicroBatch(), 4);
  EXPECT_EQ(training.getClip(), 1.0);
  auto optimizer = cast<DictionaryAttr>(training.getOptimizer());
  EXPECT_EQ(optimizer.getAs<FloatAttr>("lr").getValueAsDouble(), 4e-3);
  EXPECT_EQ(all.getTied().getAs<StringAttr>("lm_head.weight"),
            "word_embeddings.weight");
}

// A field that is left out means the same in a specification and in IR.
TEST_F(ModelBuilder, DefaultsOfTheDialectAreThoseOfTheSpecification) {
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  auto build = [&](const char *precision) -> spec::SpecificationAttr {
    std::string text = R"(transformer {
  names: BLOOM vocabulary: 16 layers: 1 hidden: 8 heads: 2 sequence_length: 4
  positions: ALIBI }
training { global_batch: 6 steps: 10 optimizer { lr: 0.5 } )";
    auto specification = parseSpecification(
        {"x.textproto", text + precision + "}", ""}, {}, stream);
    return specification ? getSpecificationAttr(*specification, context)
                         : spec::SpecificationAttr();
  };
  context.loadDialect<spec::SpecDialect>();
  auto built = build("");
  ASSERT_TRUE(built) << errors;
  auto parsed = cast<spec::SpecificationAttr>(parseAttribute(
      R"(#spec.specification<name = "x",
           model = #spec.transformer<names = "bloom", vocabulary = 16,
                     hidden = 8, heads = 2, sequence_length = 4>,
           training = <global_batch = 6, micro_batch = 6, steps = 10,
             optimizer = {kind = "adamw", lr = 0.5, beta1 = 0.9,
                          beta2 = 0.999, eps = 1.0e-8, weight_decay = 0.0},
             schedule = <decay_steps = 10>>>)",
      &context));
  EXPECT_EQ(built.getModel(), parsed.getModel());
  EXPECT_EQ(built.getTraining(), parsed.getTraining());
  EXPECT_EQ(built.getParallel(), parsed.getParallel());
  EXPECT_EQ(built.getTarget(), parsed.getTarget());
  auto scaled = build("precision { compute: FP16 }");
  ASSERT_TRUE(scaled) << errors;
  EXPECT_EQ(scaled.getTraining().getPrecision().getLossScale(),
            spec::LossScaleAttr::get(&context));
}

// A model without edges has no inputs of a graph's edges.
TEST_F(ModelBuilder, WritesAnMlpOfSeveralWidths) {
  OwningOpRef<ModuleOp> module = buildModel(parse(R"(
    gnn {
      layer: MLP layers: 3 widths: [5, 4] nodes: 6 edges: 0 features: 3
      classes: 2
    }
    training { steps: 3 optimizer { lr: 0.01 } })"),
                                            context);
  std::string shapes;
  for (auto parameter : module->getOps<nn::ParameterOp>()) {
    llvm::raw_string_ostream(shapes)
        << parameter.getSymName() << " " << parameter.getTensorType() << "; ";
  }
  EXPECT_EQ(shapes, "lins.0.weight tensor<5x3xf32>; lins.0.bias "
                    "tensor<5xf32>; lins.1.weight tensor<4x5xf32>; lins.1.bias "
                    "tensor<4xf32>; lins.2.weight tensor<2x4xf32>; lins.2.bias "
                    "tensor<2xf32>; ");
  auto predict = module->lookupSymbol<func::FuncOp>("predict");
  ASSERT_TRUE(predict);
  EXPECT_EQ(predict.getNumArguments(), 1u);
}

// Programs for graphs of other sizes share the parameters.
TEST_F(ModelBuilder, WritesAProgramForEachQuery) {
  Specification specification = parse(R"(
    gnn { layers: 2 hidden: 4 nodes: 6 edges: 9 features: 3 classes: 2 }
    training { steps: 3 optimizer { lr: 0.01 } })");
  specification.queries = {{"predict_whole", 20, 50}};
  OwningOpRef<ModuleOp> module = buildModel(specification, context);
  auto query = module->lookupSymbol<func::FuncOp>("predict_whole");
  ASSERT_TRUE(query);
  auto typeOf = [&](unsigned argument) {
    return cast<RankedTensorType>(query.getArgument(argument).getType());
  };
  EXPECT_EQ(typeOf(0).getShape(), ArrayRef<int64_t>({20, 3}));
  EXPECT_EQ(typeOf(1).getShape(), ArrayRef<int64_t>({21}));
  EXPECT_EQ(typeOf(2).getShape(), ArrayRef<int64_t>({70}));
}

/// What a specification can name is there to be found.
TEST_F(ModelBuilder, EveryKindIsRegistered) {
  context.loadDialect<nn::NNDialect>();
  auto forEach = [](const google::protobuf::EnumDescriptor *names,
                    auto function) {
    for (int i = 0; i < names->value_count(); ++i)
      function(names->value(i), StringRef(names->value(i)->name()).lower());
  };
  forEach(spec::Transformer::Names_descriptor(), [](auto *, const auto &name) {
    EXPECT_TRUE(getFamilies().contains(name)) << name;
  });
  forEach(spec::Transformer::Positions_descriptor(),
          [](auto *, const auto &name) {
            EXPECT_TRUE(getPositions().contains(name)) << name;
          });
  forEach(spec::Gnn::Layer_descriptor(), [](auto *, const auto &name) {
    EXPECT_TRUE(getGraphLayers().contains(name)) << name;
  });
  forEach(spec::Optimizer::Kind_descriptor(), [](auto *, const auto &name) {
    EXPECT_TRUE(optimizer::findKind(name)) << name;
  });
  forEach(spec::Transformer::Activation_descriptor(),
          [&](auto *value, const auto &name) {
            EXPECT_TRUE(isActivation(
                value->options().GetExtension(spec::operation), context))
                << name;
          });
  forEach(spec::GraphActivation::Kind_descriptor(), [&](auto *value,
                                                        const auto &name) {
    EXPECT_EQ(
        isActivation(value->options().GetExtension(spec::operation), context),
        value->number() != spec::GraphActivation::NONE)
        << name;
  });
  auto *norms = spec::Transformer::descriptor()->FindOneofByName("norm");
  for (int i = 0; i < norms->field_count(); ++i)
    EXPECT_TRUE(getNorms().contains(norms->field(i)->name()))
        << norms->field(i)->name();
  EXPECT_FALSE(isActivation("nn.add_nothing", context));
  EXPECT_FALSE(isActivation("nn.get_parameter", context));
  EXPECT_FALSE(isActivation("nn.layer_norm", context));
}

TEST_F(ModelBuilder, EveryTargetBecomesItsAttribute) {
  auto module = build("examples/bloom-tiny.textproto",
                      {"target.cuda.arch=sm_80", "parallel.offload=NONE"});
  ASSERT_TRUE(module);
  spec::TargetAttrInterface target =
      spec::getSpecification(*module).getTarget();
  EXPECT_EQ(target, spec::CudaAttr::get(
                        &context, StringAttr::get(&context, "sm_80"), false));
  EXPECT_EQ(target.getTargetName(), "cuda");
  EXPECT_EQ(target.getHostCpu(), "x86-64");
  module = build("examples/bloom-tiny.textproto",
                 {"target.cpu.name=native", "target.cpu.threads=3"});
  ASSERT_TRUE(module);
  target = spec::getSpecification(*module).getTarget();
  EXPECT_EQ(target.getTargetName(), "cpu");
  EXPECT_EQ(target.getHostThreads(), 3);
}

// What changes no result is left out; all else has its path and its value.
// Published numbers of Llama 3.1 (theta 500000, 128 columns).
TEST_F(ModelBuilder, RotaryFrequenciesAreThoseOfLlama3) {
  spec::Transformer model;
  model.set_head_dim(128);
  spec::Rotary &rotary = *model.mutable_rotary();
  rotary.set_theta(5e5);
  RotaryFrequencies plain = getRotaryFrequencies(model);
  rotary.set_scaling(spec::Rotary::LLAMA3);
  rotary.set_factor(8);
  rotary.set_original_length(8192);
  RotaryFrequencies scaled = getRotaryFrequencies(model);
  ASSERT_EQ(scaled.frequencies.size(), 64U);
  EXPECT_EQ(scaled.factor, 1);
  for (int i = 0; i <= 28; ++i)
    EXPECT_EQ(scaled.frequencies[i], plain.frequencies[i]) << i;
  EXPECT_NEAR(scaled.frequencies[29], 0.00216657, 1e-8);
  EXPECT_NEAR(scaled.frequencies[31], 0.000856751, 1e-9);
  EXPECT_NEAR(scaled.frequencies[34], 0.000178508, 1e-9);
  EXPECT_NEAR(scaled.frequencies[63], 3.06893e-7, 1e-12);
}

// What says no more than that a model is as BLOOM is leaves its fingerprint.
TEST_F(ModelBuilder, FingerprintNamesHeadsOfTheirOwnAlone) {
  auto names = [&](const char *path, const std::vector<std::string> &sets) {
    std::set<std::string> result;
    auto module = build(path, sets);
    for (NamedAttribute entry :
         spec::getSpecification(*module).getFingerprint())
      result.insert(entry.getName().str());
    return result;
  };
  auto bloom = names("examples/bloom-tiny.textproto", {});
  EXPECT_EQ(bloom, names("examples/bloom-tiny.textproto",
                         {"transformer.kv_heads=4", "transformer.head_dim=32",
                          "transformer.qkv_bias=true"}));
  EXPECT_FALSE(bloom.contains("transformer.kv_heads"));
  EXPECT_TRUE(bloom.contains("transformer.layer_norm.eps"));
  auto llama = names("examples/llama-3.2-1b.textproto",
                     {"transformer.layers=1", "transformer.window=5"});
  for (const char *name :
       {"kv_heads", "rms_norm.eps", "rotary.theta", "rotary.low_turns", "gated",
        "window", "window_from"})
    EXPECT_TRUE(llama.contains(std::string("transformer.") + name)) << name;
  for (const char *name : {"layer_norm.eps", "rotary.beta_fast", "head_norm"})
    EXPECT_FALSE(llama.contains(std::string("transformer.") + name)) << name;
}

TEST_F(ModelBuilder, FingerprintHasWhatDeterminesTheMathematics) {
  auto fingerprint = [&](const char *path,
                         llvm::ArrayRef<std::string> overrides = {}) {
    auto module = build(path, overrides);
    spec::SpecificationAttr specification = spec::getSpecification(*module);
    std::map<std::string, std::string> values;
    for (NamedAttribute entry : specification.getFingerprint())
      values[entry.getName().str()] =
          cast<StringAttr>(entry.getValue()).getValue().str();
    return values;
  };
  const char *bloom = "examples/bloom-tiny.textproto";
  auto values = fingerprint(bloom);
  EXPECT_EQ(values["transformer.layer_norm.eps"], "1e-05");
  EXPECT_EQ(values["transformer.positions"], "ALIBI");
  EXPECT_EQ(values["transformer.position_capacity"], "none");
  EXPECT_EQ(values["transformer.activation"], "GELU_TANH");
  EXPECT_EQ(values["transformer.tied_embeddings"], "true");
  EXPECT_EQ(values["training.optimizer.kind"], "ADAMW");
  EXPECT_EQ(values["training.batch_ramp.start"], "none");
  EXPECT_TRUE(values.count("training.global_batch"));
  EXPECT_TRUE(values.count("training.clip"));
  for (const char *same :
       {"training.seed=77", "training.steps=77", "training.micro_batch=1",
        "training.recompute=LAYER", "training.non_finite=SKIP",
        "training.precision.compute=BF16", "parallel.zero_stage=1",
        "target.cpu.threads=2", "transformer.initialization.std=0.5",
        "name=other"})
    EXPECT_EQ(fingerprint(bloom, {same, "training.schedule.decay_steps=300"}),
              fingerprint(bloom, {"training.schedule.decay_steps=300"}))
        << same;
  for (const char *other :
       {"transformer.heads=2", "transformer.layer_norm.eps=1e-6",
        "transformer.sequence_length=32", "transformer.biases=false",
        "training.global_batch=32", "training.optimizer.lr=0.5",
        "training.optimizer.beta2=0.5", "training.clip=7",
        "training.l2_penalty=0.5", "training.schedule.warmup_steps=3",
        "training.schedule.min_lr=0.0001"}) {
    std::vector<std::string> cosine = {"training.schedule.kind=COSINE",
                                       "training.schedule.decay_steps=300"};
    auto before = fingerprint(bloom, cosine);
    cosine.push_back(other);
    auto after = fingerprint(bloom, cosine);
    std::string name = llvm::StringRef(other).split('=').first.str();
    EXPECT_NE(before[name], after[name]) << other;
    after[name] = before[name];
    EXPECT_EQ(before, after) << other;
  }
  // What a rate that does not decay never reads.
  EXPECT_EQ(fingerprint(bloom, {"training.schedule.kind=CONSTANT",
                                "training.schedule.decay_steps=30"}),
            fingerprint(bloom, {"training.schedule.kind=CONSTANT"}));
  auto graph = [&](const char *world) {
    return fingerprint("examples/gcn-cora.textproto",
                       {"gnn.nodes=5", "gnn.edges=9", "gnn.features=3",
                        "gnn.classes=2", world});
  };
  values = graph("parallel.world=1");
  EXPECT_EQ(values["gnn.normalization"], "SYMMETRIC");
  EXPECT_EQ(values["gnn.nodes"], "5");
  EXPECT_FALSE(values.count("gnn.graph"));
  EXPECT_EQ(values, graph("parallel.world=2"));

  // Of neighbourhoods where they are sampled. Ranks are not among it.
  EXPECT_FALSE(values.count("training.sampling.batch"));
  const char *sage = "examples/sage-cora-sampled.textproto";
  auto sampled = fingerprint(sage, {"training.global_batch=128"});
  EXPECT_EQ(sampled["training.sampling.fan_out"], "25, 10");
  EXPECT_EQ(sampled["training.sampling.batch"], "64");
  EXPECT_EQ(sampled["training.sampling.replace"], "false");
  EXPECT_EQ(sampled["training.global_batch"], "128");
  EXPECT_EQ(fingerprint(sage, {"parallel.world=2"}), sampled);
  EXPECT_NE(fingerprint(sage, {"training.global_batch=128",
                               "training.sampling.batch=32"}),
            sampled);
}

// All ranks' micro-batches together add the penalty once.
TEST_F(ModelBuilder, PenaltyIsSharedAmongTheMicroBatches) {
  auto module = build("examples/bloom-tiny.textproto",
                      {"training.l2_penalty=0.01", "training.micro_batch=2",
                       "parallel.world=2"});
  ASSERT_TRUE(module);
  EXPECT_TRUE(succeeded(verify(*module)));
  auto objective = module->lookupSymbol<func::FuncOp>("objective");
  int decayed = 0, squares = 0;
  for (auto parameter : module->getOps<nn::ParameterOp>())
    decayed += parameter.getDecay();
  objective.walk([&](arith::MulFOp product) {
    squares += product.getLhs() == product.getRhs();
  });
  EXPECT_EQ(squares, decayed);
  auto sum = objective.getBody()
                 .front()
                 .getTerminator()
                 ->getOperand(0)
                 .getDefiningOp<arith::AddFOp>();
  ASSERT_TRUE(sum);
  auto scaled = sum.getRhs().getDefiningOp<arith::MulFOp>();
  ASSERT_TRUE(scaled);
  // 0.01 / 2, a fourth of it on each of 4 micro-batches, on each of 2 ranks.
  DenseElementsAttr factor;
  ASSERT_TRUE(matchPattern(scaled.getRhs(), m_Constant(&factor)));
  EXPECT_FLOAT_EQ(factor.getSplatValue<float>(), 0.01 / 2 / 8);

  auto plain = build("examples/bloom-tiny.textproto");
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->lookupSymbol<func::FuncOp>("objective")
                  .getBody()
                  .front()
                  .getTerminator()
                  ->getOperand(0)
                  .getDefiningOp<nn::CrossEntropyOp>());
}
