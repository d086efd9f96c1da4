//===- PredictionFile.cpp - Columns of what is predicted ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/PredictionFile.h"
#include "runtime/core/Error.h"
#include <algorithm>
#include <cstdio>

namespace tessera::runtime {

static bool isTable(const std::string &path) { return path.ends_with(".csv"); }

bool PredictionFile::accepts(const std::string &path) {
  return isTable(path) || path.ends_with(".safetensors");
}

PredictionFile::PredictionFile(const std::string &path, int64_t rows,
                               std::vector<Column> columns)
    : rows(rows), columns(std::move(columns)) {
  if (isTable(path)) {
    if (!table.open(path, 0))
      fatal("%s", table.error().c_str());
    return;
  }
  tensors = std::make_unique<SafetensorsWriter>(path);
  for (const Column &column : this->columns) {
    std::vector<int64_t> shape = {rows};
    if (column.width)
      shape.push_back(column.width);
    if (!column.tensor.empty())
      tensors->declare(column.tensor, shape, column.isInteger ? "I64" : "F32");
  }
  tensors->begin();
}

void PredictionFile::write(const std::vector<Values> &values) {
  if (!tensors)
    return writeTable(values);
  for (size_t i = 0; i < columns.size(); ++i)
    if (!columns[i].tensor.empty())
      std::visit(
          [&](const auto &numbers) {
            tensors->write(numbers.data(), std::ssize(numbers));
          },
          values[i]);
  tensors->commit();
}

void PredictionFile::put(std::string &text) {
  if (!table.write(text.data(), static_cast<int64_t>(text.size())))
    fatal("%s", table.error().c_str());
  text.clear();
}

static void append(std::string &text, float value) {
  char number[32];
  snprintf(number, sizeof number, "%.9g", value);
  text += number;
}

static void append(std::string &text, int64_t value) {
  text += std::to_string(value);
}

void PredictionFile::writeTable(const std::vector<Values> &values) {
  std::string text;
  auto separate = [&](size_t column, int64_t number) {
    text += column == 0 && number == 0 ? "" : ",";
  };
  for (size_t column = 0; column < columns.size(); ++column)
    for (int64_t i = 0; i < std::max<int64_t>(columns[column].width, 1); ++i) {
      separate(column, i);
      text += columns[column].name;
      if (columns[column].width)
        text += "_" + std::to_string(i);
    }
  text += "\n";
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns.size(); ++column) {
      int64_t width = std::max<int64_t>(columns[column].width, 1);
      for (int64_t i = 0; i < width; ++i) {
        separate(column, i);
        std::visit(
            [&](const auto &numbers) {
              append(text, numbers[row * width + i]);
            },
            values[column]);
      }
    }
    text += "\n";
    if (text.size() >= size_t(1) << 20)
      put(text);
  }
  put(text);
  if (!table.commit())
    fatal("%s", table.error().c_str());
}

} // namespace tessera::runtime
