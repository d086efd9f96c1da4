//===- AttentionReference.cpp - Attention in double precision ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/codegen/cpu/AttentionReference.h"
#include "test/codegen/cpu/Numbers.h"
#include <algorithm>
#include <cmath>
#include <ostream>

using namespace tessera::test;

void tessera::test::PrintTo(const AttentionCase &c, std::ostream *os) {
  *os << c.batch << " x " << c.heads << " heads x " << c.sequence << " x "
      << c.dim << " " << c.element
      << (c.interleaved ? " interleaved" : " blocked")
      << (c.causal ? " causal" : "") << (c.alibi ? " alibi" : "");
  if (c.dropout != 0)
    *os << " dropout " << c.dropout;
  if (c.kvHeads)
    *os << ", " << c.kvHeads << " heads of keys";
  if (c.window)
    *os << ", window " << c.window;
}

double AttentionCase::scale() const {
  // As the kernel's text says it.
  return std::stod(std::to_string(1 / std::sqrt(static_cast<double>(dim))));
}

std::string AttentionCase::source(bool gradient) const {
  std::string kernel = kernelSource(gradient);
  if (threads == 0)
    return kernel;
  return R"(module attributes {spec.specification = #spec.specification<name = "test",
    model = #spec.gnn<nodes = 8, edges = 0, features = 4, classes = 2>,
    training = <global_batch = 1, micro_batch = 1, steps = 1,
      optimizer = {kind = "adamw", lr = 1.0e-3, beta1 = 0.9, beta2 = 0.95, eps = 1.0e-8, weight_decay = 0.1}>,
    target = #spec.cpu<threads = )" +
         std::to_string(threads) + ">>} {\n" + kernel + "}\n";
}

std::string AttentionCase::kernelSource(bool gradient) const {
  std::string qkv = tensor({rows(), columns()}, element),
              out = tensor({rows(), hidden()}, element);
  std::string lse = tensor({batch * heads, sequence});
  std::string shape =
      " batch " + std::to_string(batch) + " heads " + std::to_string(heads) +
      (kvHeads ? " kv_heads " + std::to_string(kvHeads) : "") + " layout " +
      (interleaved ? "interleaved" : "blocked") + (causal ? " causal" : "") +
      (window ? " window " + std::to_string(window) : "") +
      (alibi ? " alibi" : "") + " scale " + std::to_string(scale());
  std::string arguments, types;
  if (dropout != 0) {
    std::string ids = tensor({batch}, "i32");
    shape += " dropout " + std::to_string(dropout) + " from %stream, %samples";
    arguments = ", %stream: tensor<1x4xi32>, %samples: " + ids;
    types = ", tensor<1x4xi32>, " + ids;
  }
  if (!gradient)
    return "func.func private @kernel(%qkv: " + qkv + arguments + ") -> (" +
           out + ", " + lse +
           ") attributes {plan.kernel} {\n  %0:2 = nn.attention %qkv" + shape +
           " : " + qkv + types + " -> " + out + ", " + lse +
           "\n  return %0#0, %0#1 : " + out + ", " + lse + "\n}\n";
  return "func.func private @kernel(%qkv: " + qkv + ", %out: " + out +
         ", %lse: " + lse + ", %g: " + out + arguments + ") -> " + qkv +
         " attributes {plan.kernel} {\n  %0 = nn.attention_grad %qkv, %out, "
         "%lse, %g" +
         shape + " : " + qkv + ", " + out + ", " + lse + types +
         "\n  return %0 : " + qkv + "\n}\n";
}

std::vector<int32_t> AttentionCase::samples() const {
  std::vector<int32_t> ids;
  for (int64_t b = 0; b < batch; ++b)
    ids.push_back(static_cast<int32_t>(1000 - 7 * b));
  return ids;
}

std::vector<void *> AttentionDraw::insert(std::vector<void *> buffers,
                                          const std::vector<void *> &others) {
  if (drops)
    buffers.insert(buffers.end(), {stream.data(), samples.data()});
  buffers.insert(buffers.end(), others.begin(), others.end());
  return buffers;
}

double AttentionCase::factor(int64_t b, int64_t h, int64_t i, int64_t j) const {
  if (dropout == 0)
    return 1;
  return dropFactor(drawBits(someStream, samples()[b], j, sequence, i, h),
                    dropout);
}

int64_t AttentionCase::packed(int64_t b, int64_t t, int64_t h, int64_t which,
                              int64_t c) const {
  int64_t block = h;
  if (interleaved)
    block = h * 3 + which;
  else if (which != 0)
    block = heads + (which - 1) * keyHeads() + h * keyHeads() / heads;
  return (b * sequence + t) * columns() + block * dim + c;
}

/// Press et al., arXiv 2108.12409, as BLOOM's code extends it.
static double slope(int64_t head, int64_t heads) {
  int64_t power = 1;
  while (2 * power <= heads)
    power *= 2;
  if (head < power)
    return std::pow(std::pow(2, -std::pow(2, -(std::log2(power) - 3))),
                    head + 1);
  return std::pow(std::pow(2, -std::pow(2, -(std::log2(2 * power) - 3))),
                  2 * (head - power) + 1);
}

std::vector<double>
AttentionCase::probabilities(const std::vector<double> &qkv, int64_t b,
                             int64_t h, std::vector<double> &lse) const {
  std::vector<double> p(sequence * sequence);
  for (int64_t i = 0; i < sequence; ++i) {
    double maximum = -INFINITY, sum = 0;
    double *row = &p[i * sequence];
    for (int64_t j = 0; j < sequence; ++j) {
      if (!isVisible(i, j))
        continue;
      for (int64_t c = 0; c < dim; ++c)
        row[j] += qkv[packed(b, i, h, 0, c)] * qkv[packed(b, j, h, 1, c)];
      row[j] = row[j] * scale() + (alibi ? slope(h, heads) * j : 0);
      maximum = std::max(maximum, row[j]);
    }
    for (int64_t j = 0; j < sequence; ++j)
      sum += row[j] = isVisible(i, j) ? std::exp(row[j] - maximum) : 0;
    for (int64_t j = 0; j < sequence; ++j)
      row[j] /= sum;
    lse.push_back(maximum + std::log(sum) - (alibi ? slope(h, heads) * i : 0));
  }
  return p;
}

void AttentionCase::forward(const std::vector<double> &qkv,
                            std::vector<double> &out,
                            std::vector<double> &lse) const {
  out.assign(rows() * hidden(), 0);
  lse.clear();
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h) {
      std::vector<double> p = probabilities(qkv, b, h, lse);
      for (int64_t i = 0; i < sequence; ++i)
        for (int64_t j = 0; j < sequence; ++j) {
          double weight = p[i * sequence + j] * factor(b, h, i, j);
          for (int64_t c = 0; c < dim; ++c)
            out[(b * sequence + i) * hidden() + h * dim + c] +=
                weight * qkv[packed(b, j, h, 2, c)];
        }
    }
}

std::vector<double>
AttentionCase::backward(const std::vector<double> &qkv,
                        const std::vector<double> &weight) const {
  std::vector<double> result(qkv.size()), lse;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h) {
      std::vector<double> p = probabilities(qkv, b, h, lse);
      for (int64_t i = 0; i < sequence; ++i) {
        const double *g = &weight[(b * sequence + i) * hidden() + h * dim];
        std::vector<double> dp(sequence);
        double mean = 0;
        for (int64_t j = 0; j < sequence; ++j) {
          double kept = factor(b, h, i, j);
          for (int64_t c = 0; c < dim; ++c) {
            dp[j] += kept * g[c] * qkv[packed(b, j, h, 2, c)];
            result[packed(b, j, h, 2, c)] += kept * p[i * sequence + j] * g[c];
          }
          mean += p[i * sequence + j] * dp[j];
        }
        for (int64_t j = 0; j < sequence; ++j) {
          double ds = p[i * sequence + j] * (dp[j] - mean) * scale();
          for (int64_t c = 0; c < dim; ++c) {
            result[packed(b, i, h, 0, c)] += ds * qkv[packed(b, j, h, 1, c)];
            result[packed(b, j, h, 1, c)] += ds * qkv[packed(b, i, h, 0, c)];
          }
        }
      }
    }
  return result;
}
