//===- SampledBlocks.cpp - A sampled subgraph as layers read it -----------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/SampledBlocks.h"
#include "runtime/data/Features.h"
#include <algorithm>
#include <cmath>

namespace tessera::runtime {

SampledBlocks::SampledBlocks(AdjacencyForm form, std::vector<bool> transposed,
                             Memory memory)
    : form(form), transposed(std::move(transposed)),
      counts(this->transposed.size() + 1, 0), factor(memory), rowPtr(memory),
      col(memory), weight(memory), views(this->transposed.size()) {
  for (size_t block = 0; block < this->transposed.size(); ++block)
    transposes.push_back({std::pmr::vector<int32_t>(memory),
                          std::pmr::vector<int32_t>(memory),
                          std::pmr::vector<float>(memory)});
}

void SampledBlocks::reserve(int64_t nodes, int64_t expanded,
                            const std::vector<int64_t> &entries) {
  factor.reserve(form.symmetric ? nodes : 0);
  rowPtr.reserve(expanded + 1);
  rowPtr.assign(1, 0);
  col.reserve(entries.front());
  weight.reserve(entries.front());
  for (int64_t block = 0; block < blocks(); ++block) {
    if (!transposed[block])
      continue;
    Transpose &transpose = transposes[block];
    transpose.rowPtr.reserve(nodes + 1);
    transpose.col.reserve(entries[block]);
    transpose.weight.reserve(entries[block]);
  }
}

int64_t SampledBlocks::bytes() const {
  size_t elements = factor.capacity() + rowPtr.capacity() + col.capacity() +
                    weight.capacity();
  for (const Transpose &transpose : transposes)
    elements += transpose.rowPtr.capacity() + transpose.col.capacity() +
                transpose.weight.capacity();
  return 4 * static_cast<int64_t>(elements);
}

void SampledBlocks::weigh() {
  auto count = static_cast<int64_t>(rowPtr.size()) - 1;
  for (int64_t row = 0; row < count; ++row)
    for (int32_t i = rowPtr[row]; i < rowPtr[row + 1]; ++i) {
      if (form.symmetric)
        weight[i] = factor[col[i]] * weight[i] * factor[row];
      else if (form.mean)
        weight[i] = 1.0f / static_cast<float>(rowPtr[row + 1] - rowPtr[row]);
      else if (form.ones)
        weight[i] = 1;
    }
}

void SampledBlocks::build(const SampledGraph &graph) {
  counts.assign(graph.counts.begin(), graph.counts.end());
  // A node that was not expanded has no edge but its loop.
  factor.assign(form.symmetric ? graph.nodes.size() : 0,
                form.selfLoops ? 1.0f : 0.0f);
  rowPtr.assign(1, 0);
  col.clear();
  weight.clear();
  for (int64_t row = 0; row < graph.expanded(); ++row) {
    float loop = 1;
    double degree = 0;
    auto add = [&](int32_t source, float value) {
      col.push_back(source);
      weight.push_back(value);
      degree += value;
    };
    for (int32_t i = graph.rowPtr[row]; i < graph.rowPtr[row + 1]; ++i) {
      if (form.selfLoops && graph.source[i] == row)
        loop = graph.weight[i];
      else
        add(graph.source[i], graph.weight[i]);
    }
    if (form.selfLoops)
      add(static_cast<int32_t>(row), loop);
    rowPtr.push_back(static_cast<int32_t>(col.size()));
    auto sum = static_cast<float>(degree);
    if (form.symmetric)
      factor[row] = sum > 0 ? 1.0f / std::sqrt(sum) : 0.0f;
  }
  weigh();
  for (int64_t block = 0; block < blocks(); ++block) {
    if (!transposed[block])
      continue;
    Transpose &transpose = transposes[block];
    transpose.rowPtr.resize(columns(block) + 1);
    transpose.col.resize(entries(block));
    transpose.weight.resize(entries(block));
    views[block] = {transpose.rowPtr.data(), transpose.col.data(),
                    transpose.weight.data()};
    transposeRows({rowPtr.data(), col.data(), weight.data()}, rows(block),
                  columns(block), views[block]);
  }
}

} // namespace tessera::runtime
