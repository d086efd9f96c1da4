//===- PredictionFile.h - Columns of what is predicted ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_PREDICTIONFILE_H
#define TESSERA_RUNTIME_COMMANDS_PREDICTIONFILE_H

#include "runtime/files/Output.h"
#include "runtime/files/Safetensors.h"
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace tessera::runtime {

/// Numbers of rows, by columns: in a file of safetensors a tensor for each
/// column, F32 or I64, in one of comma-separated values a line for each row
/// after one of names. There a float has nine digits, which read back to it.
class PredictionFile {
public:
  struct Column {
    /// The tensor's name; empty: the column is in tables alone.
    std::string tensor;
    /// The column's name in a table; with several numbers a row, "NAME_0" and
    /// so on.
    std::string name;
    int64_t width = 0; ///< numbers of a row; 0: one, and the tensor is a vector
    bool isInteger = false;
  };
  using Values = std::variant<std::vector<float>, std::vector<int64_t>>;

  /// Whether the name of \p path says one of these forms.
  static bool accepts(const std::string &path);

  /// Opens the file; exits the process where it cannot be written.
  PredictionFile(const std::string &path, int64_t rows,
                 std::vector<Column> columns);

  /// Writes \p values, a column each: rows times its numbers of a row.
  void write(const std::vector<Values> &values);

private:
  void writeTable(const std::vector<Values> &values);
  void put(std::string &text);

  int64_t rows;
  std::vector<Column> columns;
  std::unique_ptr<SafetensorsWriter> tensors; ///< null: a table
  OutputFile table;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_PREDICTIONFILE_H
