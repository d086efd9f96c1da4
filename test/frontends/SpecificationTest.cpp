//===- SpecificationTest.cpp - Specifications accepted and refused --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Specification.h"
#include "codegen/AllTargets.h"
#include "frontends/TextReader.h"
#include "runtime/core/SettingNames.h"
#include "test/runtime/data/GraphBytes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <gtest/gtest.h>

using namespace tessera;

namespace {

const std::string source = TESSERA_SOURCE_DIR;

/// What is said of an example while no target is registered.
std::string withoutTargets;

/// Registers the targets, once for all tests.
class Targets : public testing::Environment {
  void SetUp() override {
    llvm::raw_string_ostream stream(withoutTargets);
    EXPECT_FALSE(loadSpecification(source + "/examples/bloom-tiny.textproto",
                                   {}, stream));
    registerAllTargets();
  }
};

[[maybe_unused]] testing::Environment *const targets =
    testing::AddGlobalTestEnvironment(new Targets);

std::optional<Specification> load(const std::string &name,
                                  llvm::ArrayRef<std::string> overrides = {},
                                  std::string *errors = nullptr) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto result = loadSpecification(source + "/examples/" + name + ".textproto",
                                  overrides, stream);
  if (errors)
    *errors = text;
  else
    EXPECT_EQ(text, "");
  return result;
}

std::string failure(const std::string &name,
                    llvm::ArrayRef<std::string> overrides) {
  std::string errors;
  EXPECT_FALSE(load(name, overrides, &errors)) << name;
  return errors;
}

/// \p text as if it were read from the file \p path.
SourceText textAt(llvm::StringRef path, llvm::StringRef text) {
  return {path.str(), text.str(), llvm::sys::path::parent_path(path).str()};
}

/// Writes \p graph to a file and gives its path.
std::string writeGraph(const TensorBytes &graph) {
  llvm::SmallString<128> path;
  int descriptor;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("graph", "safetensors",
                                                  descriptor, path));
  llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << graph.bytes();
  return path.str().str();
}

/// Reads a specification of \p graph, with more \p fields of its model. What
/// is said is left in \p errors, without the place and the graph's path.
std::optional<Specification> loadWithGraph(const TensorBytes &graph,
                                           const std::string &fields,
                                           std::string &errors) {
  std::string path = writeGraph(graph), text;
  llvm::raw_string_ostream stream(text);
  auto result = parseSpecification(
      textAt("spec.textproto",
             "gnn { layers: 1 " + fields + " graph: \"" + path +
                 "\" }\ntraining { steps: 1 optimizer { lr: 0.1 } }"),
      {}, stream);
  llvm::sys::fs::remove(path);
  errors = text;
  for (size_t at; (at = errors.find(path)) != errors.npos;)
    errors.replace(at, path.size(), "PATH");
  return result;
}

TEST(Settings, OfOtherProgramsAreFieldsWithExamples) {
  for (const runtime::SettingName &setting : runtime::settingNames()) {
    llvm::SmallVector<llvm::StringRef> fields, values, names;
    llvm::StringRef(setting.fields).split(fields, ' ');
    llvm::StringRef(setting.values).split(values, ' ');
    llvm::StringRef(setting.names).split(names, ' ');
    ASSERT_EQ(fields.size(), values.size()) << setting.names;
    for (auto [field, value] : llvm::zip(fields, values)) {
      spec::Specification specification;
      std::string errors;
      llvm::raw_string_ostream stream(errors);
      Diagnostics diagnostics("", stream);
      applyOverride((field + "=" + value).str(), specification, diagnostics);
      EXPECT_EQ(errors, "");
    }
    // The first row that has a name answers.
    for (llvm::StringRef name : names)
      EXPECT_TRUE(llvm::StringRef(runtime::settingFor(name.str()))
                      .starts_with(("--set " + fields[0] + "=").str()))
          << name.str();
  }
}

} // namespace

TEST(Specification, ATargetThatNobodyRegisteredIsNamed) {
  EXPECT_TRUE(llvm::StringRef(withoutTargets)
                  .ends_with("error: no target 'cpu' is known; the targets are "
                             "; give one of them\n"))
      << withoutTargets;
}

TEST(Specification, EveryExampleLoads) {
  std::error_code error;
  int examples = 0;
  for (llvm::sys::fs::directory_iterator file(source + "/examples", error), end;
       file != end && !error; file.increment(error)) {
    llvm::StringRef path = file->path();
    if (!path.ends_with(".textproto"))
      continue;
    ++examples;
    auto specification = load(llvm::sys::path::stem(path).str());
    ASSERT_TRUE(specification) << path.str();
    EXPECT_EQ(specification->message.name(), llvm::sys::path::stem(path));
  }
  EXPECT_GE(examples, 5);
}

TEST(Specification, EveryGoldenSpecificationLoads) {
  std::error_code error;
  int specifications = 0;
  for (llvm::sys::fs::directory_iterator file(source + "/test/golden", error),
       end;
       file != end && !error; file.increment(error)) {
    std::string path = file->path() + "/specification.textproto";
    if (!llvm::sys::fs::exists(path))
      continue;
    ++specifications;
    std::string errors;
    llvm::raw_string_ostream stream(errors);
    EXPECT_TRUE(loadSpecification(path, {}, stream)) << errors;
  }
  EXPECT_GE(specifications, 3);
}

// Each file says at its end, in comments, the options it is loaded with and
// the errors that must come, all of them and no others.
TEST(Specification, EveryErrorSaysWhatItShould) {
  std::error_code error;
  int files = 0;
  for (llvm::sys::fs::directory_iterator
           file(source + "/test/frontends/errors", error),
       end;
       file != end && !error; file.increment(error)) {
    std::string path = file->path();
    if (!llvm::StringRef(path).ends_with(".textproto"))
      continue;
    ++files;
    auto buffer = llvm::MemoryBuffer::getFile(path);
    ASSERT_TRUE(buffer) << path;
    llvm::StringRef name = llvm::sys::path::filename(path);
    std::vector<std::string> overrides;
    std::string expected;
    llvm::SmallVector<llvm::StringRef> lines;
    (*buffer)->getBuffer().split(lines, '\n');
    for (llvm::StringRef line : lines) {
      if (line.consume_front("# SET: "))
        overrides.push_back(line.str());
      else if (line.consume_front("# ERROR: "))
        expected += (line.starts_with("--set") ? line.str()
                                               : (name + ":" + line).str()) +
                    "\n";
    }
    ASSERT_NE(expected, "") << path;
    std::string text;
    llvm::raw_string_ostream stream(text);
    EXPECT_FALSE(parseSpecification(textAt(name, (*buffer)->getBuffer()),
                                    overrides, stream))
        << path;
    EXPECT_EQ(text, expected) << path;
  }
  EXPECT_GE(files, 20);
}

TEST(Specification, LaysAShadowOverTheTarget) {
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  auto specification = parseSpecification(textAt("shadow.textproto", R"(
        gnn { layer: GAT layers: 3 widths: 4 widths: 6 heads: 2 dropout: 0.5
              negative_slope: 0.1 attention_dropout: 0.25
              nodes: 60 edges: 100 features: 5 classes: 3 }
        training { steps: 9 optimizer { kind: ADAM lr: 0.1 beta1: 0.5 } }
        audit { train_nodes_per_class: 3 test_nodes_per_class: 2
                attack { input: TOP_K }
                shadow { gnn { layer: SAGE hidden: 8
                               nodes: 40 edges: 80 features: 7 classes: 2 }
                         training { steps: 4 optimizer { beta2: 0.75 } } } })"),
                                          {}, stream);
  ASSERT_TRUE(specification) << errors;
  EXPECT_TRUE(specification->hasShadowGraph);
  const spec::Audit &audit = specification->message.audit();
  const spec::Gnn &model = audit.shadow().gnn();
  // The target's, where it means the same.
  EXPECT_EQ(model.layers(), 3);
  EXPECT_EQ(model.dropout(), 0.5);
  EXPECT_EQ(audit.shadow().train_nodes_per_class(), 3);
  EXPECT_EQ(audit.shadow().test_nodes(), 2 * 2);
  // What it says, and what a GAT alone has.
  EXPECT_EQ(model.layer(), spec::Gnn::SAGE);
  EXPECT_EQ(model.hidden(), 8);
  EXPECT_EQ(model.widths_size(), 0);
  EXPECT_EQ(model.heads(), 1);
  EXPECT_FALSE(model.has_negative_slope());
  EXPECT_EQ(model.attention_dropout(), 0);
  EXPECT_FALSE(model.self_loops());
  EXPECT_EQ(model.normalization(), spec::Gnn::MEAN);
  EXPECT_EQ(model.nodes(), 40);
  const spec::Training &training = audit.shadow().training();
  EXPECT_EQ(training.steps(), 4);
  EXPECT_EQ(training.schedule().decay_steps(), 4);
  EXPECT_EQ(training.optimizer().lr(), 0.1);
  EXPECT_EQ(training.optimizer().beta1(), 0.5);
  EXPECT_EQ(training.optimizer().beta2(), 0.75);
  // An attack may read no more than both answer.
  EXPECT_EQ(audit.attack().top_k(), 2);
  // The target is what it was.
  EXPECT_EQ(specification->message.gnn().widths_size(), 2);
  EXPECT_EQ(specification->message.training().steps(), 9);
}

TEST(Specification, OverridesAnyScalarField) {
  auto specification = load(
      "bloom-tiny",
      {"parallel.world=4", "training.optimizer.lr=1e-3",
       "target.cpu.name=znver4", "transformer.embedding_norm=false",
       "transformer.layer_norm.eps=1e-6", "name=\"other\"",
       "training.schedule.kind=CONSTANT", "training.seed=9007199254740992"});
  ASSERT_TRUE(specification);
  const spec::Specification &message = specification->message;
  EXPECT_EQ(message.parallel().world(), 4);
  EXPECT_EQ(message.training().optimizer().lr(), 1e-3);
  EXPECT_EQ(message.target().cpu().name(), "znver4");
  EXPECT_FALSE(message.transformer().embedding_norm());
  EXPECT_EQ(message.transformer().layer_norm().eps(), 1e-6);
  EXPECT_EQ(message.name(), "other");
  EXPECT_EQ(message.training().schedule().kind(), spec::Schedule::CONSTANT);
  EXPECT_EQ(message.training().seed(), 9007199254740992);
}

// What lies just beyond them is in errors/.
TEST(Specification, TakesWhatLiesAtItsBounds) {
  const std::vector<std::string> taken[] = {
      {"parallel.world=2", "parallel.zero_stage=3",
       "parallel.quantized_gathers=true"},
      {"parallel.bucket_bytes=65536", "parallel.gather_bytes=65536"},
      {"parallel.world=4", "parallel.shard_ranks=4",
       "parallel.secondary_ranks=2"},
      {"parallel.world=1", "training.micro_batch=4",
       "training.batch_ramp.start=12", "training.batch_ramp.increment=4",
       "training.batch_ramp.samples=100"},
      {"training.schedule.warmup_steps=99",
       "training.schedule.decay_steps=100"},
      {"training.optimizer.lr=0.01", "training.schedule.min_lr=0.01"},
      {"transformer.names=GPT2", "transformer.positions=LEARNED",
       "transformer.embedding_norm=false", "transformer.sequence_length=64",
       "transformer.position_capacity=64"},
      {"training.global_batch=128", "transformer.sequence_length=262144"},
      {"training.precision.compute=FP16",
       "training.precision.loss_scale.initial=4",
       "training.precision.loss_scale.minimum=4"},
      {"target.cuda.arch=sm_90", "transformer.hidden=512",
       "transformer.heads=2"},
  };
  for (const std::vector<std::string> &overrides : taken)
    EXPECT_TRUE(load("bloom-tiny", overrides)) << overrides.front();
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  EXPECT_TRUE(parseSpecification(
      textAt("large.textproto",
             "gnn { layers: 1 nodes: 2147483000 edges: 647 features: 4 "
             "classes: 2 }\n"
             "training { steps: 1 optimizer { lr: 0.1 } }"),
      {}, stream))
      << errors;
}

TEST(Specification, LaterOverrideWins) {
  auto specification =
      load("bloom-tiny", {"parallel.world=16", "parallel.world=1"});
  ASSERT_TRUE(specification);
  EXPECT_EQ(specification->message.parallel().world(), 1);
}

TEST(Specification, ResolvesWhatFollowsFromOthers) {
  auto bloom = load("bloom-tiny", {"parallel.world=4"});
  ASSERT_TRUE(bloom);
  EXPECT_EQ(bloom->message.training().micro_batch(), 4);
  EXPECT_EQ(bloom->accumulation, 1);
  EXPECT_EQ(bloom->message.transformer().feed_forward(), 512);
  EXPECT_EQ(bloom->message.transformer().head_dim(), 32);
  EXPECT_EQ(bloom->rows(), 4 * 128);

  auto accumulating = load("bloom-tiny", {"training.micro_batch=2"});
  ASSERT_TRUE(accumulating);
  EXPECT_EQ(accumulating->accumulation, 4);

  auto gcn = load("gcn-cora", {"parallel.world=3"});
  ASSERT_TRUE(gcn);
  EXPECT_EQ(gcn->message.training().global_batch(), 3);
  EXPECT_EQ(gcn->accumulation, 1);
  EXPECT_EQ(gcn->rows(), 2708);
}

TEST(Specification, ASampledStepTakesMicroBatchesOfSeeds) {
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  auto sampled = [&](const std::vector<std::string> &overrides) {
    return parseSpecification(
        textAt("sampled.textproto",
               "gnn { layer: SAGE layers: 2 hidden: 4 nodes: 64 edges: 100 "
               "features: 5 classes: 3 }\n"
               "training { steps: 1 optimizer { lr: 0.1 }\n"
               "  sampling { fan_out: 25 fan_out: -1 batch: 16 } }\n"
               "parallel { world: 2 }"),
        overrides, stream);
  };
  auto once = sampled({});
  ASSERT_TRUE(once) << errors;
  EXPECT_EQ(once->message.training().micro_batch(), 16);
  EXPECT_EQ(once->message.training().global_batch(), 32);
  EXPECT_EQ(once->accumulation, 1);
  auto twice = sampled({"training.global_batch=64"});
  ASSERT_TRUE(twice) << errors;
  EXPECT_EQ(twice->accumulation, 2);
  // All nodes at once are the most.
  EXPECT_TRUE(sampled({"training.sampling.batch=64"})) << errors;
}

TEST(Specification, NameIsTheFilesWhenNotGiven) {
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  auto specification = parseSpecification(
      textAt("some/where/small.textproto",
             "gnn { layers: 1 nodes: 3 edges: 2 features: 4 classes: 2 }\n"
             "training { steps: 1 optimizer { lr: 0.1 } }"),
      {}, stream);
  ASSERT_TRUE(specification) << errors;
  EXPECT_EQ(specification->message.name(), "small");
  EXPECT_EQ(specification->message.training().schedule().decay_steps(), 1);
}

TEST(Specification, UnreadableFile) {
  std::string errors = failure("none", {});
  EXPECT_TRUE(llvm::StringRef(errors).contains(
      "none.textproto: error: cannot be read: No such file or directory; give "
      "the path of a specification"))
      << errors;
}

TEST(Specification, GraphFileGivesTheShape) {
  TensorBytes graph = smallGraph();
  graph.set("y", "I64", {3}, {1, 4, 0});
  std::string path = writeGraph(graph);
  std::string text = "gnn { layers: 2 hidden: 8 graph: \"" +
                     llvm::sys::path::filename(path).str() +
                     "\" }\ntraining { steps: 1 optimizer { lr: 0.1 } }";
  llvm::SmallString<128> beside(path);
  llvm::sys::path::remove_filename(beside);
  llvm::sys::path::append(beside, "spec.textproto");
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  auto specification = parseSpecification(textAt(beside, text), {}, stream);
  ASSERT_TRUE(specification) << errors;
  const spec::Gnn &gnn = specification->message.gnn();
  EXPECT_EQ(gnn.nodes(), 3);
  EXPECT_EQ(gnn.edges(), 4);
  EXPECT_EQ(gnn.features(), 2);
  EXPECT_EQ(gnn.classes(), 5);

  // With --set the path is taken as it stands.
  specification =
      parseSpecification(textAt("elsewhere/spec.textproto",
                                "gnn { layers: 2 hidden: 8 }\n"
                                "training { steps: 1 optimizer { lr: 0.1 } }"),
                         {"gnn.graph=" + path}, stream);
  ASSERT_TRUE(specification) << errors;
  EXPECT_EQ(specification->message.gnn().nodes(), 3);
  llvm::sys::fs::remove(path);
}

TEST(Specification, CountsMustBeThoseOfTheGraphFile) {
  const char *golden = "../test/golden/gcn/specification";
  EXPECT_TRUE(load(golden, {"gnn.nodes=60", "gnn.edges=144"}));
  EXPECT_EQ(failure(golden, {"gnn.nodes=61", "gnn.classes=4"}),
            "--set gnn.nodes=61: error: `gnn.nodes` is 61, but `gnn.graph` has "
            "60; leave it out, or give 60\n"
            "--set gnn.classes=4: error: `gnn.classes` is 4, but `gnn.graph` "
            "has 5; leave it out, or give 5 or more\n");
  auto more = load(golden, {"gnn.classes=7"});
  ASSERT_TRUE(more);
  EXPECT_EQ(more->message.gnn().classes(), 7);
  EXPECT_EQ(failure(golden, {"gnn.features=25"}),
            "--set gnn.features=25: error: `gnn.features` is 25, but "
            "`gnn.graph` has 24; leave it out, or give 24\n");
}

TEST(Specification, SparseFeaturesNeedNotUseAllColumns) {
  TensorBytes graph = smallGraph();
  graph.remove("x");
  graph.set("x.indptr", "I64", {4}, {0, 1, 1, 2});
  graph.set("x.indices", "I64", {2}, {0, 2});
  std::string errors;
  auto specification = loadWithGraph(graph, "", errors);
  ASSERT_TRUE(specification) << errors;
  EXPECT_EQ(specification->message.gnn().features(), 3);
  specification = loadWithGraph(graph, "features: 5", errors);
  ASSERT_TRUE(specification) << errors;
  EXPECT_EQ(specification->message.gnn().features(), 5);
  EXPECT_FALSE(loadWithGraph(graph, "features: 2", errors));
  EXPECT_EQ(errors, "spec.textproto:1:17: error: `gnn.features` is 2, but "
                    "`gnn.graph` has 3; leave it out, or give 3 or more\n");
}

TEST(Specification, KeepsSparseFeaturesSparse) {
  TensorBytes graph = smallGraph();
  auto entriesOf = [&](const std::string &fields) -> int64_t {
    std::string errors;
    auto specification = loadWithGraph(graph, fields, errors);
    EXPECT_TRUE(specification) << errors;
    return specification ? specification->message.gnn().feature_entries() : -1;
  };
  EXPECT_EQ(entriesOf(""), 0);
  EXPECT_EQ(entriesOf("feature_entries: 6"), 6);
  graph.remove("x");
  graph.set("x.indptr", "I64", {4}, {0, 1, 1, 2});
  graph.set("x.indices", "I64", {2}, {0, 2});
  EXPECT_EQ(entriesOf(""), 2);
  EXPECT_EQ(entriesOf("feature_entries: 0"), 0);
  EXPECT_EQ(entriesOf("feature_entries: 9"), 9);
  EXPECT_EQ(entriesOf("normalize_features: true"), 2);
  std::string errors;
  EXPECT_FALSE(loadWithGraph(graph, "feature_entries: 1", errors));
  EXPECT_EQ(errors, "spec.textproto:1:17: error: `gnn.feature_entries` is 1, "
                    "but `gnn.graph` has 2; leave it out, or give 2 or more, "
                    "or 0 for dense features\n");
  graph.set("x.values", "F32", {2}, {1, -1});
  EXPECT_EQ(entriesOf(""), 2);
  EXPECT_EQ(entriesOf("normalize_features: true"), 0);
  EXPECT_FALSE(loadWithGraph(
      graph, "normalize_features: true feature_entries: 2", errors));
  EXPECT_EQ(errors,
            "spec.textproto:1:61: error: the graph 'PATH' has the feature "
            "-1.000000, which normalize_features takes off all features, so "
            "that none stays 0: give feature_entries: 0, or change it; or take "
            "another file\n");
}

// Nodes 0 and 2 are learned from, which two of the four edges enter.
TEST(Specification, SaysWhatIsLearnedFrom) {
  TensorBytes graph = smallGraph();
  auto roomOf = [&](const std::string &fields) {
    std::string errors;
    auto specification = loadWithGraph(graph, fields, errors);
    EXPECT_TRUE(specification) << errors;
    if (!specification)
      return std::pair<int64_t, int64_t>();
    const spec::Gnn &model = specification->message.gnn();
    return std::pair<int64_t, int64_t>(model.train_nodes(),
                                       model.train_edges());
  };
  EXPECT_EQ(roomOf(""), std::pair(int64_t(2), int64_t(2)));
  EXPECT_EQ(roomOf("train_nodes: 3 train_edges: 4"),
            std::pair(int64_t(3), int64_t(4)));
  EXPECT_EQ(roomOf("train_nodes: 0").first, 0);
  std::string errors;
  EXPECT_FALSE(loadWithGraph(graph, "train_nodes: 1", errors));
  EXPECT_EQ(errors, "spec.textproto:1:17: error: `gnn.train_nodes` is 1, but "
                    "`gnn.graph` has 2; leave it out, or give 2 or more\n");
  EXPECT_FALSE(loadWithGraph(graph, "train_edges: 1", errors));
  EXPECT_EQ(errors, "spec.textproto:1:17: error: `gnn.train_edges` is 1, but "
                    "`gnn.graph` has 2; leave it out, or give 2 or more\n");
}

// The reader is the executable's: test/runtime/data/GraphFileTest.cpp has its
// rules.
TEST(Specification, RefusesGraphsThatTrainingWouldRefuse) {
  auto fails = [](const char *name, const char *type,
                  const std::vector<int64_t> &shape,
                  const std::vector<double> &values, const char *reason) {
    TensorBytes graph = smallGraph();
    graph.set(name, type, shape, values);
    std::string errors;
    EXPECT_FALSE(loadWithGraph(graph, "", errors)) << reason;
    EXPECT_EQ(errors,
              "spec.textproto:1:18: error: the graph 'PATH' cannot be used" +
                  std::string(reason) +
                  "; give another file, or nodes, edges, features and "
                  "classes\n");
  };
  fails("edge_index", "I64", {2, 1}, {0, 3},
        ": element [1, 0] of tensor 'edge_index' is 3: nodes lie in [0, 3)");
  fails("val_mask", "I64", {2}, {0, 2},
        ": tensor 'val_mask' has shape [2]: one flag for each of the 3 nodes "
        "is wanted; of a list of nodes make a mask");
  fails("train_mask", "BOOL", {3}, {0, 0, 0},
        " for training: tensor 'train_mask' selects no node");
  fails("edge_weight", "F32", {4}, {-2, 0, 1, 1},
        ": the weights in 'edge_weight' of the edges into node 1, its edge to "
        "itself included, have the sum -1.000000, whose root normalization "
        "SYMMETRIC takes; change them, or give normalization: NONE");
  std::string errors;
  TensorBytes graph = smallGraph();
  graph.set("edge_weight", "F32", {4}, {-2, 0, 1, 1});
  EXPECT_TRUE(loadWithGraph(graph, "normalization: NONE", errors)) << errors;
  graph = smallGraph();
  graph.data.back().pop_back();
  EXPECT_FALSE(loadWithGraph(graph, "", errors));
  EXPECT_TRUE(llvm::StringRef(errors).contains(
      "error: 'PATH' is not a valid safetensors file: tensor 'test_mask' ends "
      "after the file (is it cut short?); give another file"))
      << errors;
}

TEST(Specification, NamesWhatNothingUsesOfAGraph) {
  TensorBytes graph = smallGraph();
  graph.set("pos", "F32", {1}, {0});
  std::string errors;
  EXPECT_TRUE(loadWithGraph(graph, "", errors));
  EXPECT_EQ(errors, "spec.textproto:1:18: warning: the graph 'PATH' has what "
                    "nothing here uses: 'pos'\n");
}

TEST(Specification, AGraphMayHaveNoEdgesButSelfLoops) {
  TensorBytes graph = smallGraph();
  graph.set("edge_index", "I64", {2, 0}, {});
  std::string errors;
  auto specification = loadWithGraph(graph, "", errors);
  ASSERT_TRUE(specification) << errors;
  EXPECT_EQ(specification->message.gnn().edges(), 0);
  EXPECT_FALSE(loadWithGraph(graph, "self_loops: false", errors));
  EXPECT_EQ(errors, "spec.textproto:1:35: error: the graph has no edges and "
                    "gets no self-loops; give self_loops: true, or a graph "
                    "with edges\n");
}
