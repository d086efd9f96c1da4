//===- GradientCases.cpp - One small model an operation ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/passes/train/GradientCases.h"
#include <algorithm>

using namespace tessera::test;

/// Double precision of a shape: "3x4x" is tensor<3x4xf64>.
static std::string tensor(const std::string &shape) {
  return "tensor<" + shape + "f64>";
}

std::string GradientCase::source() const {
  std::string text, reads;
  for (const Operand &operand : parameters) {
    std::string type = tensor(operand.shape);
    text += "nn.parameter @" + operand.name + " : " + type +
            " init normal(1.0) group \"all\"\n";
    reads += "%" + operand.name + " = nn.get_parameter @" + operand.name +
             " : " + type + "\n";
  }
  std::string type = tensor(result), dims;
  for (int i = 0; i < std::ranges::count(result, 'x'); ++i)
    dims += (i ? ", " : "") + std::to_string(i);
  text += "func.func @objective(%factors: " + type +
          " {nn.input = \"factors\"}) -> (tensor<f64> {nn.output = \"loss\"}) "
          "{\n" +
          reads + body + "\n";
  if (isLoss)
    return text + "return %r : tensor<f64>\n}\n";
  return text + "%weighted = arith.mulf %r, %factors : " + type +
         "\n%loss = nn.reduce sum %weighted dims [" + dims + "] : " + type +
         " -> tensor<f64>\nreturn %loss : tensor<f64>\n}\n";
}

static GradientCase unary(const std::string &op, bool positive = false) {
  return {op,
          "",
          {{"a", "3x4x"}},
          "%r = " + op + " %a : " + tensor("3x4x"),
          "3x4x",
          positive};
}

static GradientCase binary(const std::string &op, bool positive = false) {
  return {op,
          "",
          {{"a", "3x4x"}, {"b", "3x4x"}},
          "%r = " + op + " %a, %b : " + tensor("3x4x"),
          "3x4x",
          positive};
}

/// There and back again between types.
static GradientCase cast(const std::string &op) {
  return {op,
          "",
          {{"a", "3x4x"}},
          "%n = arith.truncf %a : tensor<3x4xf64> to tensor<3x4xf32>\n"
          "%r = arith.extf %n : tensor<3x4xf32> to tensor<3x4xf64>",
          "3x4x"};
}

static GradientCase matmul(bool transposeA, bool transposeB) {
  std::string a = transposeA ? "4x3x" : "3x4x",
              b = transposeB ? "5x4x" : "4x5x";
  std::string attributes = std::string(transposeA ? " transpose_a" : "") +
                           (transposeB ? " transpose_b" : "");
  return {"nn.matmul",
          std::string(transposeA ? "T" : "N") + (transposeB ? "T" : "N"),
          {{"a", a}, {"b", b}},
          "%r = nn.matmul %a, %b" + attributes + " : " + tensor(a) + ", " +
              tensor(b) + " -> " + tensor("3x5x"),
          "3x5x"};
}

static GradientCase broadcast(const std::string &variant,
                              const std::string &shape,
                              const std::string &dims) {
  return {"nn.broadcast",
          variant,
          {{"a", shape}},
          "%r = nn.broadcast %a dims " + dims + " : " + tensor(shape) + " -> " +
              tensor("3x4x"),
          "3x4x"};
}

static GradientCase reduce(const std::string &kind, const std::string &variant,
                           const std::string &dims, const std::string &result) {
  return {"nn.reduce",
          kind + variant,
          {{"a", "3x4x2x"}},
          "%r = nn.reduce " + kind + " %a dims " + dims + " : " +
              tensor("3x4x2x") + " -> " + tensor(result),
          result};
}

/// What dropout draws from.
static const char *const draw = R"(
  %stream = arith.constant dense<[[7, 35, -19, 1000]]> : tensor<1x4xi32>
  %samples = arith.constant dense<[11, 12]> : tensor<2xi32>
)";

/// Two batch rows of five tokens, two columns a head.
static GradientCase attention(const std::string &variant, int heads,
                              const std::string &attributes, bool drops = false,
                              int kvHeads = 0) {
  if (!kvHeads)
    kvHeads = heads;
  std::string qkv = "10x" + std::to_string(2 * heads + 4 * kvHeads) + "x",
              out = "10x" + std::to_string(2 * heads) + "x",
              lse = std::to_string(2 * heads) + "x5x";
  return {"nn.attention",
          variant,
          {{"qkv", qkv}},
          draw +
              ("%r, %lse = nn.attention %qkv batch 2 heads " +
               std::to_string(heads) + " kv_heads " + std::to_string(kvHeads) +
               " layout " + attributes + " scale 0.7 " +
               (drops ? "dropout 0.4 from %stream, %samples " : "") + ": " +
               tensor(qkv) + (drops ? ", tensor<1x4xi32>, tensor<2xi32>" : "") +
               " -> " + tensor(out) + ", " + tensor(lse)),
          out};
}

/// Four nodes; no edge has its opposite, so that directions matter.
static GradientCase aggregate(const std::string &variant,
                              const std::string &attributes) {
  return {"graph.aggregate",
          variant,
          {{"x", "4x3x"}},
          R"(
  %pointers = arith.constant dense<[0, 1, 3, 5, 6]> : tensor<5xi32>
  %sources = arith.constant dense<[3, 0, 2, 1, 2, 1]> : tensor<6xi32>
  %weights = arith.constant dense<[1.5, 0.5, 0.25, -0.75, 0.5, 2.0]> : tensor<6xf32>
  %targets = arith.constant dense<[1, 2, 3, 1, 2, 0]> : tensor<6xi32>
  %weights_t = arith.constant dense<[0.5, -0.75, 2.0, 0.25, 0.5, 1.5]> : tensor<6xf32>
  %graph = graph.csr %pointers, %sources, %weights transposed %pointers, %targets, %weights_t : !graph.csr<4x4, 6>
  %r = graph.aggregate %graph, %x)" +
              attributes + " : !graph.csr<4x4, 6>, tensor<4x3xf64>",
          "4x3x"};
}

/// Two rows and three columns; the last column has no entry.
static GradientCase aggregateColumns(const std::string &variant,
                                     const std::string &attributes,
                                     const std::string &in,
                                     const std::string &out) {
  return {"graph.aggregate",
          variant,
          {{"x", in}},
          R"(
  %pointers = arith.constant dense<[0, 2, 3]> : tensor<3xi32>
  %columns = arith.constant dense<[0, 1, 0, 7]> : tensor<4xi32>
  %weights = arith.constant dense<[1.5, 0.5, 0.25, 9.0]> : tensor<4xf32>
  %pointers_t = arith.constant dense<[0, 2, 3, 3]> : tensor<4xi32>
  %rows = arith.constant dense<[0, 1, 0, 7]> : tensor<4xi32>
  %weights_t = arith.constant dense<[1.5, 0.25, 0.5, 9.0]> : tensor<4xf32>
  %graph = graph.csr %pointers, %columns, %weights transposed %pointers_t, %rows, %weights_t : !graph.csr<2x3, 4>
  %r = graph.aggregate %graph, %x)" +
              attributes + " : !graph.csr<2x3, 4>, " + tensor(in),
          out};
}

/// Five nodes: one edge twice, a loop, a node without incoming edges and one
/// without outgoing.
static GradientCase graphAttention(const std::string &variant, int heads,
                                   int width, const std::string &slope,
                                   bool drops = false) {
  std::string x = "5x" + std::to_string(heads * width) + "x",
              scores = "5x" + std::to_string(heads) + "x";
  return {"graph.attention",
          variant,
          {{"x", x}, {"source", scores}, {"target", scores}},
          draw + std::string(R"(
  %pointers = arith.constant dense<[0, 2, 5, 6, 8, 8]> : tensor<6xi32>
  %sources = arith.constant dense<[1, 4, 1, 2, 2, 0, 1, 4]> : tensor<8xi32>
  %weights = arith.constant dense<1.0> : tensor<8xf32>
  %pointers_t = arith.constant dense<[0, 1, 4, 6, 6, 8]> : tensor<6xi32>
  %targets = arith.constant dense<[2, 0, 1, 3, 1, 1, 0, 3]> : tensor<8xi32>
  %graph = graph.csr %pointers, %sources, %weights transposed %pointers_t, %targets, %weights : !graph.csr<5x5, 8>
  %r, %lse, %sloped, %slopes = graph.attention %graph, %x, %source, %target slope )") +
              slope + (drops ? " dropout 0.4 from %stream" : "") +
              " : !graph.csr<5x5, 8>, " + tensor(x) + ", " + tensor(scores) +
              ", " + tensor(scores) + (drops ? ", tensor<1x4xi32>" : ""),
          x};
}

/// Edges from five nodes into the first two, which have a loop and an edge
/// twice; the third has none.
static GradientCase blockAttention(const std::string &variant, int heads,
                                   int width, bool drops = false) {
  std::string x = "5x" + std::to_string(heads * width) + "x",
              result = "3x" + std::to_string(heads * width) + "x",
              source = "5x" + std::to_string(heads) + "x",
              target = "3x" + std::to_string(heads) + "x";
  return {"graph.attention",
          variant,
          {{"x", x}, {"source", source}, {"target", target}},
          draw + std::string(R"(
  %ids = arith.constant dense<[70, 3, 41, 5, 0]> : tensor<5xi32>
  %pointers = arith.constant dense<[0, 3, 6, 6]> : tensor<4xi32>
  %sources = arith.constant dense<[0, 3, 4, 2, 2, 3, 7]> : tensor<7xi32>
  %weights = arith.constant dense<1.0> : tensor<7xf32>
  %pointers_t = arith.constant dense<[0, 1, 1, 3, 5, 6]> : tensor<6xi32>
  %targets = arith.constant dense<[0, 1, 1, 0, 1, 0, 7]> : tensor<7xi32>
  %graph = graph.csr %pointers, %sources, %weights transposed %pointers_t, %targets, %weights : !graph.csr<3x5, 7>
  %r, %lse, %sloped, %slopes = graph.attention %graph, %x, %source, %target slope 0.2)") +
              (drops ? " dropout 0.4 from %stream of %ids" : "") +
              " : !graph.csr<3x5, 7>, " + tensor(x) + ", " + tensor(source) +
              ", " + tensor(target) +
              (drops ? ", tensor<1x4xi32>, tensor<5xi32>" : ""),
          result};
}

/// Edges from four nodes into the first two, one of them twice.
static GradientCase largestOfBlock() {
  return {"graph.max",
          "of_a_block",
          {{"x", "4x3x"}},
          R"(
  %pointers = arith.constant dense<[0, 3, 5]> : tensor<3xi32>
  %sources = arith.constant dense<[1, 2, 2, 0, 3, 7]> : tensor<6xi32>
  %pointers_t = arith.constant dense<[0, 1, 2, 4, 5]> : tensor<5xi32>
  %targets = arith.constant dense<[1, 0, 0, 0, 1, 7]> : tensor<6xi32>
  %weights = arith.constant dense<1.0> : tensor<6xf32>
  %graph = graph.csr %pointers, %sources, %weights transposed %pointers_t, %targets, %weights : !graph.csr<2x4, 6>
  %r = graph.max %graph, %x : !graph.csr<2x4, 6>, tensor<4x3xf64>)",
          "2x3x"};
}

/// Three nodes and two sources, one of which is there twice for the first; the
/// last has no edges. Columns differ in where the largest is.
static GradientCase largest(const std::string &variant,
                            const std::string &weights) {
  return {"graph.max",
          variant,
          {{"x", "3x4x"}},
          R"(
  %pointers = arith.constant dense<[0, 4, 6, 6]> : tensor<4xi32>
  %sources = arith.constant dense<[0, 1, 1, 2, 0, 2]> : tensor<6xi32>
  %pointers_t = arith.constant dense<[0, 2, 4, 6]> : tensor<4xi32>
  %targets = arith.constant dense<[0, 1, 0, 0, 0, 1]> : tensor<6xi32>
  %weights = arith.constant dense<)" +
              weights + R"(> : tensor<6xf32>
  %graph = graph.csr %pointers, %sources, %weights transposed %pointers_t, %targets, %weights : !graph.csr<3x3, 6>
  %r = graph.max %graph, %x : !graph.csr<3x3, 6>, tensor<3x4xf64>)",
          "3x4x"};
}

static const char *const indices = R"(
  %i = arith.constant dense<[4, 0, 4, 2]> : tensor<4xi32>
)";

static const char *const head = R"(
  %targets = arith.constant dense<[2, -100, 0, 4]> : tensor<4xi32>
  %scale = arith.constant dense<0.375> : tensor<f64>
  %logits = nn.matmul %x, %w transpose_b : tensor<4x3xf64>, tensor<5x3xf64> -> tensor<4x5xf64>
  %r = nn.cross_entropy %logits, %targets, %scale : tensor<4x5xf64>, tensor<4xi32>, tensor<f64>
)";

static std::vector<GradientCase> getElementwise() {
  return {
      binary("arith.addf"),
      binary("arith.subf"),
      binary("arith.mulf"),
      binary("arith.divf", true),
      binary("arith.maximumf"),
      unary("arith.negf"),
      cast("arith.extf"),
      cast("arith.truncf"),
      unary("math.exp"),
      unary("math.log", true),
      unary("math.tanh"),
      unary("math.sqrt", true),
      unary("math.rsqrt", true),
      {"arith.select",
       "",
       {{"a", "2x2x"}, {"b", "2x2x"}},
       R"(
  %c = arith.constant dense<[[true, false], [false, true]]> : tensor<2x2xi1>
  %r = arith.select %c, %a, %b : tensor<2x2xi1>, tensor<2x2xf64>
)",
       "2x2x"},
      {"arith.mulf",
       "square",
       {{"a", "5x"}},
       "%r = arith.mulf %a, %a : tensor<5xf64>",
       "5x"},
      unary("nn.gelu"),
      unary("nn.relu"),
      unary("nn.relu2"),
      unary("nn.elu"),
      unary("nn.silu"),
      unary("nn.softmax"),
  };
}

static std::vector<GradientCase> getShapes() {
  return {
      broadcast("leading", "4x", "[1]"),
      broadcast("trailing", "3x", "[0]"),
      broadcast("scalar", "", "[]"),
      reduce("sum", "leading", "[0]", "4x2x"),
      reduce("sum", "trailing", "[1, 2]", "3x"),
      reduce("sum", "all", "[0, 1, 2]", ""),
      reduce("max", "middle", "[1]", "3x2x"),
      reduce("max", "trailing", "[2]", "3x4x"),
      matmul(false, false),
      matmul(false, true),
      matmul(true, false),
      matmul(true, true),
      {"nn.reshape",
       "",
       {{"a", "3x4x"}},
       "%r = nn.reshape %a : tensor<3x4xf64> -> tensor<2x6xf64>",
       "2x6x"},
      {"nn.transpose",
       "",
       {{"a", "2x3x4x"}},
       "%r = nn.transpose %a by [2, 0, 1] : tensor<2x3x4xf64> -> "
       "tensor<4x2x3xf64>",
       "4x2x3x"},
      {"nn.slice",
       "first",
       {{"a", "5x2x"}},
       "%r = nn.slice %a from 0 : tensor<5x2xf64> -> tensor<2x2xf64>",
       "2x2x"},
      {"nn.slice",
       "middle",
       {{"a", "5x2x"}},
       "%r = nn.slice %a from 1 : tensor<5x2xf64> -> tensor<2x2xf64>",
       "2x2x"},
      {"nn.concat",
       "",
       {{"a", "2x3x"}, {"b", "1x3x"}, {"c", "3x3x"}},
       "%r = nn.concat %a, %b, %c : tensor<2x3xf64>, tensor<1x3xf64>, "
       "tensor<3x3xf64> -> tensor<6x3xf64>",
       "6x3x"},
      {"nn.split_columns",
       "",
       {{"a", "3x6x"}},
       "%a0, %a1 = nn.split_columns %a : tensor<3x6xf64> -> tensor<3x3xf64>, "
       "tensor<3x3xf64>\n"
       "%r = arith.mulf %a0, %a1 : tensor<3x3xf64>",
       "3x3x"},
      // The first and the last part have no gradient.
      {"nn.split_columns",
       "middle",
       {{"a", "2x3x6x"}},
       "%p:3 = nn.split_columns %a : tensor<2x3x6xf64> -> tensor<2x3x2xf64>, "
       "tensor<2x3x2xf64>, tensor<2x3x2xf64>\n"
       "%r = arith.mulf %p#1, %p#1 : tensor<2x3x2xf64>",
       "2x3x2x"},
      {"nn.concat_columns",
       "",
       {{"a", "2x3x"}, {"b", "2x3x"}},
       "%r = nn.concat_columns %a, %b : tensor<2x3xf64>, tensor<2x3xf64> -> "
       "tensor<2x6xf64>",
       "2x6x"},
      {"nn.gather",
       "repeated",
       {{"table", "5x3x"}},
       std::string(indices) + "%r = nn.gather %table, %i : tensor<5x3xf64>, "
                              "tensor<4xi32> -> tensor<4x3xf64>",
       "4x3x"},
      // The rows are added into the gradient that the matmul left.
      {"nn.gather",
       "tied",
       {{"table", "5x3x"}},
       std::string(indices) +
           "%e = nn.gather %table, %i : tensor<5x3xf64>, tensor<4xi32> -> "
           "tensor<4x3xf64>\n"
           "%r = nn.matmul %e, %table transpose_b : tensor<4x3xf64>, "
           "tensor<5x3xf64> -> tensor<4x5xf64>",
       "4x5x"},
      // Both terms share one gradient, which only the first may add to.
      {"nn.gather",
       "of_a_sum",
       {{"a", "5x3x"}, {"b", "5x3x"}},
       std::string(indices) +
           "%table = arith.addf %a, %b : tensor<5x3xf64>\n"
           "%e = nn.gather %table, %i : tensor<5x3xf64>, tensor<4xi32> -> "
           "tensor<4x3xf64>\n"
           "%r = nn.matmul %e, %a transpose_b : tensor<4x3xf64>, "
           "tensor<5x3xf64> -> tensor<4x5xf64>",
       "4x5x"},
      aggregate("forward", ""),
      aggregate("transposed", " transpose"),
      largest("of_neighbours", "1.0"),
      largest("without_weights", "0.0"),
      largestOfBlock(),
      aggregateColumns("of_columns", "", "3x2x", "2x2x"),
      aggregateColumns("of_rows", " transpose", "2x2x", "3x2x"),
  };
}

/// 3 columns a head.
static GradientCase headNorm(const std::string &variant, int64_t heads,
                             int64_t kvHeads) {
  std::string all = std::to_string(heads + 2 * kvHeads),
              shape = "2x" + std::to_string(3 * (heads + 2 * kvHeads)) + "x";
  return {"nn.head_norm",
          variant,
          {{"x", shape}, {"q", "3x"}, {"k", "3x"}},
          "%r, %rstd = nn.head_norm %x, %q, %k heads " + std::to_string(heads) +
              " kv_heads " + std::to_string(kvHeads) + " epsilon 1.0e-2 : " +
              tensor(shape) + ", tensor<3xf64> -> tensor<2x" + all + "xf64>",
          shape};
}

/// 4 columns a head, 3 positions of 2 texts.
static GradientCase rotary(const std::string &variant, int64_t heads,
                           int64_t kvHeads, const std::string &back) {
  std::string shape = "6x" + std::to_string(4 * (heads + 2 * kvHeads)) + "x";
  return {"nn.rotary",
          variant,
          {{"x", shape}},
          "%table = arith.constant dense<[[[1.0, 0.9], [0.5, 0.8], [-0.2, "
          "0.7]], [[0.1, 0.2], [0.6, 0.3], [0.9, 0.4]]]> : "
          "tensor<2x3x2xf64>\n"
          "%r = nn.rotary %x, %table heads " +
              std::to_string(heads) + " kv_heads " + std::to_string(kvHeads) +
              back + " : " + tensor(shape) + ", tensor<2x3x2xf64>",
          shape};
}

static std::vector<GradientCase> getComposites() {
  return {
      {"nn.layer_norm",
       "",
       {{"x", "3x5x"}, {"weight", "5x"}, {"bias", "5x"}},
       "%r, %mean, %rstd = nn.layer_norm %x, %weight, %bias epsilon 1.0e-2 : "
       "tensor<3x5xf64>, tensor<5xf64> -> tensor<3xf64>",
       "3x5x"},
      {"nn.rms_norm",
       "",
       {{"x", "3x5x"}, {"weight", "5x"}},
       "%r, %rstd = nn.rms_norm %x, %weight epsilon 1.0e-2 : "
       "tensor<3x5xf64>, tensor<5xf64> -> tensor<3xf64>",
       "3x5x"},
      headNorm("", 3, 1),
      headNorm("single_head", 1, 1),
      rotary("", 3, 1, ""),
      rotary("back", 1, 2, " back"),
      attention("interleaved", 2, "interleaved"),
      attention("interleaved_causal_alibi", 3, "interleaved causal alibi"),
      attention("blocked_causal", 2, "blocked causal"),
      attention("blocked_alibi", 6, "blocked alibi"),
      attention("window", 3, "interleaved causal window 2 alibi"),
      attention("window_of_one", 2, "blocked causal window 1"),
      attention("wide_window", 2, "blocked causal window 9"),
      attention("grouped", 6, "blocked causal", /*drops=*/false, /*kvHeads=*/2),
      attention("one_key_head", 3, "blocked alibi", /*drops=*/false,
                /*kvHeads=*/1),
      attention("grouped_window_dropout", 4, "blocked causal window 3 alibi",
                /*drops=*/true, /*kvHeads=*/2),
      graphAttention("one_head", 1, 3, "0.2"),
      graphAttention("heads", 3, 2, "0.2"),
      graphAttention("relu", 2, 1, "0.0"),
      graphAttention("dropout", 5, 2, "0.2", /*drops=*/true),
      blockAttention("of_a_block", 3, 2),
      blockAttention("of_a_block_dropout", 3, 2, /*drops=*/true),
      attention("dropout", 3, "blocked causal", /*drops=*/true),
      {"nn.dropout",
       "of_samples",
       {{"x", "6x5x"}},
       draw + std::string("%r = nn.dropout %x from %stream, %samples rate 0.4 "
                          ": tensor<6x5xf64>, tensor<1x4xi32>, tensor<2xi32>"),
       "6x5x"},
      {"nn.dropout",
       "of_rows",
       {{"x", "6x5x"}},
       draw + std::string("%r = nn.dropout %x from %stream rate 0.4 : "
                          "tensor<6x5xf64>, tensor<1x4xi32>"),
       "6x5x"},
      {"nn.cross_entropy",
       "",
       {{"logits", "4x5x"}},
       R"(
  %targets = arith.constant dense<[2, -100, 0, 4]> : tensor<4xi32>
  %scale = arith.constant dense<0.375> : tensor<f64>
  %r = nn.cross_entropy %logits, %targets, %scale : tensor<4x5xf64>, tensor<4xi32>, tensor<f64>
)",
       ""},
      {"nn.linear_cross_entropy",
       "weighted",
       {{"x", "4x3x"}, {"w", "5x3x"}},
       head,
       ""},
      {"nn.linear_cross_entropy",
       "loss",
       {{"x", "4x3x"}, {"w", "5x3x"}},
       head,
       "",
       false,
       true},
  };
}

std::vector<GradientCase> tessera::test::getGradientCases() {
  std::vector<GradientCase> cases = getElementwise();
  for (auto more : {getShapes(), getComposites()})
    cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}
