//===- AttentionReference.h - Attention in double precision -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CPU_ATTENTIONREFERENCE_H
#define TESSERA_TEST_CODEGEN_CPU_ATTENTIONREFERENCE_H

#include "test/codegen/cpu/RandomReference.h"
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace tessera::test {

/// An attention and its reference, written from the formulas in
/// dialects/nn/NNOps.td with the whole matrix of scores.
struct AttentionCase {
  int64_t batch, heads, sequence, dim;
  bool interleaved = true, causal = true, alibi = false;
  /// Of all tensors but the log-sum-exps.
  std::string element = "f32";
  /// Of the probabilities, drawn from `someStream` and the ids of samples.
  double dropout = 0;
  /// 0: as many as heads, and all keys.
  int64_t kvHeads = 0, window = 0;
  /// For which the kernel is written; 0: it does not know.
  int64_t threads = 0;

  int64_t keyHeads() const { return kvHeads ? kvHeads : heads; }
  int64_t hidden() const { return heads * dim; }
  int64_t columns() const { return (heads + 2 * keyHeads()) * dim; }
  int64_t rows() const { return batch * sequence; }
  double scale() const;
  /// An id for each batch row.
  std::vector<int32_t> samples() const;
  /// The kernel's text: nn.attention or nn.attention_grad, with `draw` behind
  /// the other arguments.
  std::string source(bool gradient) const;
  /// Position of element \p c of token \p t of head \p h's queries (which = 0),
  /// keys (1) or values (2), \p h being a head of queries in all three.
  int64_t packed(int64_t b, int64_t t, int64_t h, int64_t which,
                 int64_t c) const;
  /// \p out [rows, hidden], \p lse [batch * heads, sequence].
  void forward(const std::vector<double> &qkv, std::vector<double> &out,
               std::vector<double> &lse) const;
  /// The gradient of sum(out * weight) with respect to qkv, by the chain rule
  /// through the matrix of probabilities.
  std::vector<double> backward(const std::vector<double> &qkv,
                               const std::vector<double> &weight) const;

  /// Whether query \p i sees key \p j.
  bool isVisible(int64_t i, int64_t j) const {
    return (!causal || j <= i) && (window == 0 || i - window < j);
  }

private:
  std::string kernelSource(bool gradient) const;
  double factor(int64_t b, int64_t h, int64_t i, int64_t j) const;
  /// Appends the rows' log-sum-exps to \p lse.
  std::vector<double> probabilities(const std::vector<double> &qkv, int64_t b,
                                    int64_t h, std::vector<double> &lse) const;
};

/// The buffers of an operand `draw`; none without dropout.
class AttentionDraw {
public:
  explicit AttentionDraw(const AttentionCase &shape)
      : drops(shape.dropout != 0), samples(shape.samples()) {}
  /// \p buffers, those of the draw, and \p others.
  std::vector<void *> insert(std::vector<void *> buffers,
                             const std::vector<void *> &others);

private:
  bool drops;
  Stream stream = someStream;
  std::vector<int32_t> samples;
};

/// For GoogleTest's messages.
void PrintTo(const AttentionCase &shape, std::ostream *os);

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CPU_ATTENTIONREFERENCE_H
