//===- Safetensors.h - Files of named tensors -------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The safetensors format: u64 length of the header (little-endian), the header
// as JSON {"name": {"dtype", "shape", "data_offsets": [begin, end)}}, then the
// data, offsets counted from the header's end.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_SAFETENSORS_H
#define TESSERA_RUNTIME_FILES_SAFETENSORS_H

#include "runtime/files/Output.h"
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::runtime {

/// A tensor of a file.
struct Tensor {
  std::string dtype; ///< "F32", "BF16", "F16", "I64", "BOOL", ...
  std::vector<int64_t> shape;
  const char *data = nullptr;
  int64_t bytes = 0;
  int64_t elements() const;
};

/// "[2, 3]", for messages.
std::string shapeText(const std::vector<int64_t> &shape);

/// The indices of element \p index of a tensor of \p shape, for messages:
/// "[1, 2]", or "5" where there is one dimension.
std::string placeText(const std::vector<int64_t> &shape, int64_t index);

/// What a header says of a tensor to be written.
struct TensorEntry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  int64_t bytes() const;
};

/// Bytes of an element; 0 for a type that is not known here.
int64_t typeBytes(const std::string &dtype);

/// What a file begins with, its length included, where the data of \p entries
/// follow one another in this order.
std::string
safetensorsHeader(const std::vector<TensorEntry> &entries,
                  const std::map<std::string, std::string> &metadata);

/// A file for reading, mapped or in memory.
class SafetensorsFile {
public:
  /// Maps \p path; null with the reason in \p error where it cannot be read
  /// or breaks the format (SafetensorsHeader.h). A tensor's type may be one
  /// that typeBytes does not know, then its bytes may be any number.
  static std::unique_ptr<SafetensorsFile> open(const std::string &path,
                                               std::string &error);
  /// The same for a file's \p bytes, which errors call \p name. They must
  /// outlive the result.
  static std::unique_ptr<SafetensorsFile>
  read(std::string_view bytes, const std::string &name, std::string &error);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile &) = delete;
  SafetensorsFile &operator=(const SafetensorsFile &) = delete;

  const std::string &path() const { return filePath; }
  const std::map<std::string, Tensor> &tensors() const { return table; }
  const std::map<std::string, std::string> &metadata() const { return notes; }
  /// Gives back the memory that reading \p tensor took, where the file is
  /// mapped; it can be read again.
  void release(const Tensor &tensor) const {
    release(tensor, 0, tensor.elements());
  }
  /// The same of its elements [begin, end).
  void release(const Tensor &tensor, int64_t begin, int64_t end) const;
  /// Null where the file has no such tensor. Follows the aliases that
  /// safetensors' save_model writes: of tensors that share their memory it
  /// keeps one, and the metadata map each other one's name to it.
  const Tensor *find(const std::string &name) const;

private:
  SafetensorsFile() = default;
  static std::unique_ptr<SafetensorsFile>
  parsed(std::unique_ptr<SafetensorsFile> file, std::string &error);
  bool parse(std::string &error);

  std::string filePath;
  const char *base = nullptr;
  int64_t length = 0;
  bool isMapped = false;
  std::map<std::string, Tensor> table;
  std::map<std::string, std::string> notes;
};

/// Writes a file of tensors (runtime/files/Output.h). Exits the process
/// on a failed write.
class SafetensorsWriter {
public:
  SafetensorsWriter(std::string path,
                    std::map<std::string, std::string> metadata = {});
  SafetensorsWriter(const SafetensorsWriter &) = delete;
  SafetensorsWriter &operator=(const SafetensorsWriter &) = delete;

  /// All tensors are declared first, then written in the same order.
  void declare(const std::string &name, const std::vector<int64_t> &shape,
               const std::string &dtype = "F32");
  /// Opens the file with room for all of it, and writes the header.
  void begin();
  /// Appends data of the next tensor, in any number of pieces. Floats are
  /// rounded to the tensor's type, F32, BF16 or F16.
  void write(const float *data, int64_t elements);
  void write(const int64_t *data, int64_t elements);
  /// Makes the file visible under its name.
  void commit();

private:
  void writeBytes(const void *data, int64_t bytes);
  const std::string &currentType();

  std::string path;
  std::map<std::string, std::string> metadata;
  std::vector<TensorEntry> entries;
  /// Bytes of all tensors, what is written of them, and where the tensor that
  /// is being written ends.
  int64_t declared = 0, written = 0, end = 0;
  size_t next = 0; ///< tensor behind the one that is being written
  OutputFile file;
};

/// Copies elements [begin, end) of \p tensor (F32, BF16 or F16) as floats.
/// False where its type is another.
bool copyAsFloat(const Tensor &tensor, int64_t begin, int64_t end,
                 float *destination);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_SAFETENSORS_H
