//===- SpecificationTest.cpp - Specifications accepted and refused --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Specification.h"
#include "frontends/GraphFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <gtest/gtest.h>

using namespace tessera;

namespace {

const std::string source = TESSERA_SOURCE_DIR;

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

/// Writes a safetensors file with \p header and \p data and gives its path.
std::string writeTensors(llvm::StringRef header, llvm::StringRef data) {
  llvm::SmallString<128> path;
  int descriptor;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("graph", "safetensors",
                                                  descriptor, path));
  llvm::raw_fd_ostream out(descriptor, /*shouldClose=*/true);
  char length[8];
  llvm::support::endian::write64le(length, header.size());
  out.write(length, 8);
  out << header << data;
  return path.str().str();
}

std::string graphFailure(llvm::StringRef header, llvm::StringRef data = "") {
  std::string path = writeTensors(header, data);
  llvm::Expected<GraphShape> shape = readGraphShape(path);
  llvm::sys::fs::remove(path);
  return shape ? "" : llvm::toString(shape.takeError());
}

} // namespace

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

// Each file tells at its end, in comments, the options it is loaded with and
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
    EXPECT_FALSE(
        parseSpecification((*buffer)->getBuffer(), name, overrides, stream))
        << path;
    EXPECT_EQ(text, expected) << path;
  }
  EXPECT_GE(files, 20);
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
  EXPECT_EQ(bloom->headDim(), 32);
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

TEST(Specification, NameIsTheFilesWhenNotGiven) {
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  auto specification = parseSpecification(
      "gnn { layers: 1 nodes: 3 edges: 2 features: 4 classes: 2 }\n"
      "training { steps: 1 optimizer { lr: 0.1 } }",
      "some/where/small.textproto", {}, stream);
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
  std::string data(3 * 2 * 4 + 2 * 5 * 8, '\0');
  for (int64_t label : {1, 4, 0}) {
    char bytes[8];
    llvm::support::endian::write64le(bytes, label);
    data.append(bytes, 8);
  }
  std::string path = writeTensors(
      R"({"x":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]},)"
      R"("edge_index":{"dtype":"I64","shape":[2,5],"data_offsets":[24,104]},)"
      R"("y":{"dtype":"I64","shape":[3],"data_offsets":[104,128]}})",
      data);
  std::string text = "gnn { layers: 2 hidden: 8 graph: \"" +
                     llvm::sys::path::filename(path).str() +
                     "\" }\ntraining { steps: 1 optimizer { lr: 0.1 } }";
  llvm::SmallString<128> beside(path);
  llvm::sys::path::remove_filename(beside);
  llvm::sys::path::append(beside, "spec.textproto");
  std::string errors;
  llvm::raw_string_ostream stream(errors);
  auto specification = parseSpecification(text, beside, {}, stream);
  ASSERT_TRUE(specification) << errors;
  const spec::Gnn &gnn = specification->message.gnn();
  EXPECT_EQ(gnn.nodes(), 3);
  EXPECT_EQ(gnn.edges(), 5);
  EXPECT_EQ(gnn.features(), 2);
  EXPECT_EQ(gnn.classes(), 5);

  // With --set the path is taken as it stands.
  specification = parseSpecification(
      "gnn { layers: 2 hidden: 8 }\n"
      "training { steps: 1 optimizer { lr: 0.1 } }",
      "elsewhere/spec.textproto", {"gnn.graph=" + path}, stream);
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
            "has 5; leave it out, or give 5\n");
}

TEST(Specification, BrokenGraphFiles) {
  EXPECT_EQ(graphFailure("{"), "its header is not JSON");
  EXPECT_EQ(graphFailure("[]"), "its header is not a JSON object");
  EXPECT_EQ(graphFailure("{}"), "it has no tensor `x`");
  EXPECT_EQ(graphFailure(R"({"x":{"dtype":"F32"}})"),
            "its entry for `x` is incomplete");
  EXPECT_EQ(
      graphFailure(R"({"x":{"dtype":"F32","shape":[3],"data_offsets":[0,0]}})"),
      "its tensor `x` does not have 2 dimensions");
  EXPECT_EQ(graphFailure(
                R"({"x":{"dtype":"F32","shape":[3,2],"data_offsets":[0,24]}})"),
            "its tensor `x` lies outside the file");
  const char *whole =
      R"({"x":{"dtype":"F32","shape":[%,2],"data_offsets":[0,0]},)"
      R"("edge_index":{"dtype":"I64","shape":[E,5],"data_offsets":[0,0]},)"
      R"("y":{"dtype":"TYPE","shape":[2],"data_offsets":[0,BYTES]}})";
  auto header = [&](const char *nodes, const char *ends, const char *type,
                    const char *bytes) {
    std::string text = whole;
    for (auto [mark, value] : {std::pair("%", nodes),
                               {"E,", ends},
                               {"TYPE", type},
                               {"BYTES", bytes}})
      text.replace(text.find(mark), strlen(mark), value);
    return text;
  };
  EXPECT_EQ(graphFailure(header("2", "3,", "I64", "16"), std::string(16, 0)),
            "its tensor `edge_index` is not [2, edges]");
  EXPECT_EQ(graphFailure(header("3", "2,", "I64", "16"), std::string(16, 0)),
            "its tensors `x` and `y` differ in their nodes");
  EXPECT_EQ(graphFailure(header("2", "2,", "F32", "16"), std::string(16, 0)),
            "its tensor `y` has type F32, not I64 or I32");
  EXPECT_EQ(graphFailure(header("2", "2,", "I64", "8"), std::string(16, 0)),
            "its tensor `y` does not have the bytes of its shape");
  EXPECT_EQ(graphFailure(header("2", "2,", "I32", "8"), std::string(8, 0)), "");
}
