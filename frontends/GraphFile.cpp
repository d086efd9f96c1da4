//===- GraphFile.cpp - The shape of a graph in a safetensors file ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A safetensors file: the header's length as a little-endian u64, the header
// (JSON: each tensor's dtype, shape and data_offsets), then the data.
//
//===----------------------------------------------------------------------===//

#include "frontends/GraphFile.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>

using namespace tessera;

namespace {

struct Tensor {
  std::string type;
  llvm::SmallVector<int64_t> shape;
  llvm::StringRef data;
};

} // namespace

static llvm::Error malformed(const llvm::Twine &what) {
  return llvm::createStringError(what);
}

/// The tensor \p name of \p rank dimensions, whose data lies in \p data.
static llvm::Expected<Tensor> findTensor(const llvm::json::Object &header,
                                         llvm::StringRef data,
                                         llvm::StringRef name, size_t rank) {
  const llvm::json::Object *entry = header.getObject(name);
  if (!entry)
    return malformed("it has no tensor `" + name + "`");
  const llvm::json::Array *shape = entry->getArray("shape");
  const llvm::json::Array *offsets = entry->getArray("data_offsets");
  std::optional<llvm::StringRef> type = entry->getString("dtype");
  if (!shape || !offsets || offsets->size() != 2 || !type)
    return malformed("its entry for `" + name + "` is incomplete");
  Tensor tensor;
  tensor.type = type->str();
  for (const llvm::json::Value &size : *shape)
    tensor.shape.push_back(size.getAsInteger().value_or(-1));
  if (tensor.shape.size() != rank ||
      std::any_of(tensor.shape.begin(), tensor.shape.end(),
                  [](int64_t size) { return size < 0; }))
    return malformed("its tensor `" + name + "` does not have " +
                     llvm::Twine(rank) + " dimensions");
  std::optional<uint64_t> begin = (*offsets)[0].getAsUINT64();
  std::optional<uint64_t> end = (*offsets)[1].getAsUINT64();
  if (!begin || !end || *begin > *end || *end > data.size())
    return malformed("its tensor `" + name + "` lies outside the file");
  tensor.data = data.slice(*begin, *end);
  return tensor;
}

/// The largest of the labels in \p labels, plus 1.
static llvm::Expected<int64_t> countClasses(const Tensor &labels) {
  size_t size = labels.type == "I64" ? 8 : labels.type == "I32" ? 4 : 0;
  if (!size)
    return malformed("its tensor `y` has type " + labels.type +
                     ", not I64 or I32");
  if (labels.data.size() != labels.shape[0] * size)
    return malformed("its tensor `y` does not have the bytes of its shape");
  int64_t largest = -1;
  for (size_t at = 0; at < labels.data.size(); at += size) {
    const char *bytes = labels.data.data() + at;
    largest = std::max<int64_t>(
        largest,
        size == 8
            ? static_cast<int64_t>(llvm::support::endian::read64le(bytes))
            : static_cast<int32_t>(llvm::support::endian::read32le(bytes)));
  }
  return largest + 1;
}

llvm::Expected<GraphShape> tessera::readGraphShape(llvm::StringRef path) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!file)
    return malformed("it cannot be read: " + file.getError().message());
  llvm::StringRef bytes = (*file)->getBuffer();
  if (bytes.size() < 8)
    return malformed("it is too short for a safetensors file");
  uint64_t length = llvm::support::endian::read64le(bytes.data());
  if (length > bytes.size() - 8)
    return malformed("its header is longer than the file");
  llvm::Expected<llvm::json::Value> json =
      llvm::json::parse(bytes.substr(8, length));
  if (!json) {
    llvm::consumeError(json.takeError());
    return malformed("its header is not JSON");
  }
  const llvm::json::Object *header = json->getAsObject();
  if (!header)
    return malformed("its header is not a JSON object");

  llvm::StringRef data = bytes.drop_front(8 + length);
  llvm::Expected<Tensor> x = findTensor(*header, data, "x", 2);
  if (!x)
    return x.takeError();
  llvm::Expected<Tensor> edges = findTensor(*header, data, "edge_index", 2);
  if (!edges)
    return edges.takeError();
  llvm::Expected<Tensor> y = findTensor(*header, data, "y", 1);
  if (!y)
    return y.takeError();
  if (edges->shape[0] != 2)
    return malformed("its tensor `edge_index` is not [2, edges]");
  if (x->shape[0] != y->shape[0])
    return malformed("its tensors `x` and `y` differ in their nodes");
  llvm::Expected<int64_t> classes = countClasses(*y);
  if (!classes)
    return classes.takeError();
  return GraphShape{x->shape[0], edges->shape[1], x->shape[1], *classes};
}
