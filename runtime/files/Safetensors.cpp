//===- Safetensors.cpp - Files of named tensors ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/files/Safetensors.h"
#include "runtime/core/Error.h"
#include "runtime/core/Float16.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/Mapping.h"
#include "runtime/files/SafetensorsHeader.h"
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using nlohmann::json;

namespace tessera::runtime {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian");

int64_t Tensor::elements() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

std::string placeText(const std::vector<int64_t> &shape, int64_t index) {
  if (shape.size() < 2)
    return std::to_string(index);
  std::vector<int64_t> place(shape.size());
  for (size_t i = shape.size(); i-- > 0; index /= shape[i])
    place[i] = index % shape[i];
  return shapeText(place);
}

int64_t typeBytes(const std::string &dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64")
    return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32")
    return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16")
    return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL")
    return 1;
  return 0;
}

int64_t TensorEntry::bytes() const {
  int64_t count = typeBytes(dtype);
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

std::string
safetensorsHeader(const std::vector<TensorEntry> &entries,
                  const std::map<std::string, std::string> &metadata) {
  json header = json::object();
  if (!metadata.empty())
    header["__metadata__"] = metadata;
  int64_t offset = 0;
  for (const TensorEntry &entry : entries) {
    int64_t end = offset + entry.bytes();
    header[entry.name] = {{"dtype", entry.dtype},
                          {"shape", entry.shape},
                          {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  uint64_t length = text.size();
  return std::string(reinterpret_cast<const char *>(&length), sizeof length) +
         text;
}

std::unique_ptr<SafetensorsFile> SafetensorsFile::open(const std::string &path,
                                                       std::string &error) {
  struct stat status;
  int descriptor = openRegular(path, "", status, error);
  if (descriptor < 0)
    return nullptr;
  // An empty file cannot be mapped.
  if (status.st_size == 0) {
    close(descriptor);
    return read({}, path, error);
  }
  void *address =
      mmap(nullptr, status.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (address == MAP_FAILED) {
    error = "cannot map '" + path + "': " + strerror(errno);
    return nullptr;
  }
  std::unique_ptr<SafetensorsFile> file(new SafetensorsFile);
  file->filePath = path;
  file->base = static_cast<const char *>(address);
  file->length = status.st_size;
  file->isMapped = true;
  registerMapping(address, file->length, path.c_str());
  return parsed(std::move(file), error);
}

std::unique_ptr<SafetensorsFile> SafetensorsFile::read(std::string_view bytes,
                                                       const std::string &name,
                                                       std::string &error) {
  std::unique_ptr<SafetensorsFile> file(new SafetensorsFile);
  file->filePath = name;
  file->base = bytes.data();
  file->length = static_cast<int64_t>(bytes.size());
  return parsed(std::move(file), error);
}

std::unique_ptr<SafetensorsFile>
SafetensorsFile::parsed(std::unique_ptr<SafetensorsFile> file,
                        std::string &error) {
  std::string reason;
  if (file->parse(reason))
    return file;
  error = "'" + file->filePath + "' is not a valid safetensors file: " + reason;
  return nullptr;
}

SafetensorsFile::~SafetensorsFile() {
  if (!isMapped)
    return;
  unregisterMapping(base);
  munmap(const_cast<char *>(base), length);
}

bool SafetensorsFile::parse(std::string &error) {
  if (length < 8) {
    error = "it is shorter than 8 bytes";
    return false;
  }
  uint64_t size;
  memcpy(&size, base, 8);
  if (size > static_cast<uint64_t>(length - 8)) {
    error = "its header says " + std::to_string(size) +
            " bytes, more than the file has (is it cut short?)";
    return false;
  }
  const char *data = base + 8 + size;
  SafetensorsHeader header;
  if (!parseSafetensorsHeader({base + 8, size}, base + length - data, header,
                              error))
    return false;
  for (SafetensorsHeader::Entry &entry : header.entries)
    table.emplace(std::move(entry.name),
                  Tensor{std::move(entry.dtype), std::move(entry.shape),
                         data + entry.begin, entry.end - entry.begin});
  notes = std::move(header.metadata);
  return true;
}

const Tensor *SafetensorsFile::find(const std::string &name) const {
  auto found = table.find(name);
  if (found != table.end())
    return &found->second;
  auto alias = notes.find(name);
  if (alias != notes.end())
    found = table.find(alias->second);
  return found == table.end() ? nullptr : &found->second;
}

void SafetensorsFile::release(const Tensor &tensor, int64_t first,
                              int64_t last) const {
  if (!isMapped || first >= last)
    return;
  uintptr_t page = sysconf(_SC_PAGESIZE);
  auto data = reinterpret_cast<uintptr_t>(tensor.data);
  int64_t size = tensor.bytes / tensor.elements();
  uintptr_t begin = (data + first * size) / page * page;
  uintptr_t end = data + last * size;
  madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}

SafetensorsWriter::SafetensorsWriter(
    std::string path, std::map<std::string, std::string> metadata)
    : path(std::move(path)), metadata(std::move(metadata)) {}

void SafetensorsWriter::declare(const std::string &name,
                                const std::vector<int64_t> &shape,
                                const std::string &dtype) {
  entries.push_back({name, dtype, shape});
  declared += entries.back().bytes();
}

void SafetensorsWriter::begin() {
  std::string header = safetensorsHeader(entries, metadata);
  auto length = static_cast<int64_t>(header.size());
  if (!file.open(path, length + declared) || !file.write(header.data(), length))
    fatal("%s", file.error().c_str());
}

void SafetensorsWriter::writeBytes(const void *data, int64_t bytes) {
  if (!file.write(data, bytes))
    fatal("%s", file.error().c_str());
  written += bytes;
}

/// The type of the tensor that is written next.
const std::string &SafetensorsWriter::currentType() {
  while (written >= end && next < entries.size())
    end += entries[next++].bytes();
  return entries[next - 1].dtype;
}

void SafetensorsWriter::write(const float *data, int64_t elements) {
  const std::string &dtype = currentType();
  if (dtype == "F32")
    return writeBytes(data, elements * 4);
  static constexpr int64_t most = 4096;
  for (int64_t at = 0; at < elements; at += most) {
    uint16_t narrow[most];
    int64_t count = std::min(most, elements - at);
    for (int64_t i = 0; i < count; ++i)
      narrow[i] = dtype == "BF16" ? toBFloat16(data[at + i]).bits
                                  : toFloat16(data[at + i]).bits;
    writeBytes(narrow, count * 2);
  }
}

void SafetensorsWriter::write(const int64_t *data, int64_t elements) {
  writeBytes(data, elements * 8);
}

void SafetensorsWriter::commit() {
  if (written != declared)
    fatal("internal error: '%s' got %lld bytes of %lld", path.c_str(),
          static_cast<long long>(written), static_cast<long long>(declared));
  if (!file.commit())
    fatal("%s", file.error().c_str());
}

bool copyAsFloat(const Tensor &tensor, int64_t begin, int64_t end,
                 float *destination) {
  if (tensor.dtype == "F32") {
    if (begin < end)
      memcpy(destination, tensor.data + 4 * begin, 4 * (end - begin));
    return true;
  }
  bool brain = tensor.dtype == "BF16";
  if (!brain && tensor.dtype != "F16")
    return false;
  for (int64_t i = begin; i < end; ++i) {
    uint16_t word;
    memcpy(&word, tensor.data + 2 * i, 2);
    destination[i - begin] =
        brain ? toFloat(BFloat16{word}) : toFloat(Float16{word});
  }
  return true;
}

} // namespace tessera::runtime
