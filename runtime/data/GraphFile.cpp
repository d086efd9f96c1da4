//===- GraphFile.cpp - A graph in a safetensors file ----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/data/GraphFile.h"
#include "runtime/data/GraphNumbers.h"
#include <algorithm>
#include <limits>

namespace tessera::runtime {

std::unique_ptr<GraphFile>
GraphFile::checked(std::unique_ptr<SafetensorsFile> file, std::string &error) {
  if (!file)
    return nullptr;
  std::unique_ptr<GraphFile> graph(new GraphFile);
  graph->file = std::move(file);
  std::string reason = graph->check();
  graph->release();
  if (reason.empty())
    return graph;
  error = "the graph '" + graph->path() + "' cannot be used: " + reason;
  return nullptr;
}

std::unique_ptr<GraphFile> GraphFile::open(const std::string &path,
                                           std::string &error) {
  return checked(SafetensorsFile::open(path, error), error);
}

std::unique_ptr<GraphFile> GraphFile::read(std::string_view bytes,
                                           const std::string &name,
                                           std::string &error) {
  return checked(SafetensorsFile::read(bytes, name, error), error);
}

template <typename Body> void GraphFile::visitFeatures(Body &&body) const {
  if (x)
    visitFloats(*x, body);
  else if (values)
    visitFloats(*values, body);
  else
    body([](int64_t) { return 1.0f; });
}

void GraphFile::readEntries(int64_t begin, EntryBlock &block) const {
  block.begin = begin;
  block.count = std::min(EntryBlock::room, indices->elements() - begin);
  visitIntegers(*indices, [&](auto used) {
    for (int64_t i = 0; i < block.count; ++i)
      block.column[i] = static_cast<int32_t>(used[begin + i]);
  });
  visitFeatures([&](auto get) {
    for (int64_t i = 0; i < block.count; ++i)
      block.number[i] = get(begin + i);
  });
}

template <typename Body> void GraphFile::forEntries(Body &&body) const {
  EntryBlock block;
  visitIntegers(*indptr, [&](auto begins) {
    for (int64_t row = 0; row < counts.nodes; ++row)
      for (auto i = static_cast<int64_t>(begins[row]);
           i < static_cast<int64_t>(begins[row + 1]); ++i) {
        if (i == block.begin + block.count)
          readEntries(i, block);
        body(row, block.column[i - block.begin], block.number[i - block.begin]);
      }
  });
}

int64_t GraphFile::featureEntries() const {
  if (indices)
    return indices->elements();
  int64_t entries = 0, count = x->elements();
  visitFeatures([&](auto get) {
    for (int64_t i = 0; i < count; ++i)
      entries += get(i) != 0;
  });
  file->release(*x);
  return entries;
}

float GraphFile::smallestFeature() const {
  int64_t count = (x ? x : indices)->elements();
  bool hasOthers = indices && count < counts.nodes * counts.features;
  float smallest = hasOthers ? 0.0f : std::numeric_limits<float>::max();
  visitFeatures([&](auto get) {
    for (int64_t i = 0; i < count; ++i)
      smallest = std::min(smallest, get(i));
  });
  release();
  return smallest;
}

void GraphFile::copySparseFeatures(int32_t *begins, int32_t *columns,
                                   float *numbers) const {
  if (x) {
    int32_t entry = 0;
    visitFeatures([&](auto get) {
      for (int64_t row = 0; row < counts.nodes; ++row) {
        begins[row] = entry;
        for (int64_t column = 0; column < counts.features; ++column) {
          float number = get(row * counts.features + column);
          if (number == 0)
            continue;
          columns[entry] = static_cast<int32_t>(column);
          numbers[entry++] = number;
        }
      }
    });
    begins[counts.nodes] = entry;
    return file->release(*x);
  }
  auto copy = [](const Tensor &tensor, int32_t *destination) {
    visitIntegers(tensor, [&](auto get) {
      for (int64_t i = 0; i < tensor.elements(); ++i)
        destination[i] = static_cast<int32_t>(get[i]);
    });
  };
  copy(*indptr, begins);
  copy(*indices, columns);
  visitFeatures([&](auto get) {
    for (int64_t i = 0; i < indices->elements(); ++i)
      numbers[i] = get(i);
  });
  release();
}

void GraphFile::copyFeatures(int64_t columns, float *destination) const {
  if (x) {
    visitFloats(*x, [&](auto get) {
      int64_t count = x->elements();
      for (int64_t i = 0; i < count; ++i)
        destination[i] = get(i);
    });
    return file->release(*x);
  }
  std::fill_n(destination, counts.nodes * columns, 0.0f);
  forEntries([&](int64_t row, int64_t column, float number) {
    destination[row * columns + column] = number;
  });
}

void GraphFile::copyColumns(int64_t first, int64_t width, int64_t leading,
                            float *destination) const {
  int64_t end = std::min(first + width, counts.features);
  for (int64_t row = 0; row < counts.nodes; ++row)
    std::fill_n(destination + row * leading, width, 0.0f);
  if (x) {
    visitFloats(*x, [&](auto get) {
      for (int64_t row = 0; row < counts.nodes; ++row)
        for (int64_t column = first; column < end; ++column)
          destination[row * leading + column - first] =
              get(row * counts.features + column);
    });
    return;
  }
  forEntries([&](int64_t row, int64_t column, float number) {
    if (column >= first && column < end)
      destination[row * leading + column - first] = number;
  });
}

void GraphFile::visitEdges(Visit visit, void *body) const {
  EdgeBlock block;
  for (int64_t at = 0; at < counts.edges; at += block.count) {
    readEdges(at, block);
    visit(body, block);
  }
}

void GraphFile::readEdges(int64_t begin, EdgeBlock &block) const {
  block.count = std::min(EdgeBlock::room, counts.edges - begin);
  visitIntegers(*edgeIndex, [&](auto ends) {
    for (int64_t i = 0; i < block.count; ++i) {
      block.source[i] = static_cast<int32_t>(ends[begin + i]);
      block.target[i] = static_cast<int32_t>(ends[counts.edges + begin + i]);
    }
  });
  if (!weights)
    std::fill_n(block.weight, block.count, 1.0f);
  else
    visitFloats(*weights, [&](auto get) {
      for (int64_t i = 0; i < block.count; ++i)
        block.weight[i] = get(begin + i);
    });
}

std::vector<int32_t> GraphFile::labels() const {
  std::vector<int32_t> labels(counts.nodes);
  visitIntegers(*y, [&](auto numbers) {
    for (int64_t i = 0; i < counts.nodes; ++i)
      labels[i] = static_cast<int32_t>(
          std::max<int64_t>(-1, static_cast<int64_t>(numbers[i])));
  });
  return labels;
}

std::vector<int32_t> GraphFile::split(const std::string &name) const {
  std::vector<int32_t> nodes;
  const Tensor &mask = *file->find(name + "_mask");
  auto collect = [&](auto flags) {
    for (int64_t i = 0; i < counts.nodes; ++i)
      if (flags[i])
        nodes.push_back(static_cast<int32_t>(i));
  };
  if (mask.dtype == "BOOL")
    collect(Numbers<uint8_t>{mask.data});
  else
    visitIntegers(mask, collect);
  nodes.shrink_to_fit();
  return nodes;
}

double GraphFile::homophily() const {
  std::vector<int32_t> classes = labels();
  int64_t alike = 0, known = 0;
  forEdges([&](const EdgeBlock &block) {
    for (int64_t i = 0; i < block.count; ++i) {
      int32_t from = classes[block.source[i]], to = classes[block.target[i]];
      bool count = from >= 0 && to >= 0;
      known += count;
      alike += count && from == to;
    }
  });
  release();
  return static_cast<double>(alike) / static_cast<double>(known);
}

std::string GraphFile::trainingError() const {
  if (!split("train").empty())
    return "";
  return "the graph '" + path() +
         "' cannot be used for training: tensor 'train_mask' selects no node";
}

std::string GraphFile::unusedTensors() const {
  static constexpr int most = 8;
  std::string names;
  int count = 0;
  for (const auto &[name, tensor] : file->tensors()) {
    const Tensor *used[] = {x, indptr, indices, values, edgeIndex, weights, y};
    if (std::find(std::begin(used), std::end(used), &tensor) != std::end(used))
      continue;
    if (std::any_of(
            std::begin(maskNames), std::end(maskNames),
            [&](const char *mask) { return file->find(mask) == &tensor; }))
      continue;
    if (++count <= most)
      names += (count == 1 ? "'" : ", '") + name + "'";
  }
  if (count == 0)
    return "";
  if (count > most)
    names += " and " + std::to_string(count - most) + " more";
  return "the graph '" + path() + "' has what nothing here uses: " + names;
}

void GraphFile::release() const {
  for (const auto &[name, tensor] : file->tensors())
    file->release(tensor);
}

} // namespace tessera::runtime
