//===- Tokens.cpp - Files of tokens ---------------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokens.h"
#include "runtime/Error.h"
#include "runtime/Random.h"
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tessera {
namespace {

/// A mapped file; ends the process where it cannot be read.
struct Mapping {
  const char *data = nullptr;
  int64_t length = 0;
};

Mapping mapFile(const std::string &path) {
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0)
    fatal("cannot open the data '%s': %s", path.c_str(), strerror(errno));
  if (!S_ISREG(status.st_mode))
    fatal("the data '%s' is not a file: give a file of text, or the prefix of "
          "an MMIDIDX pair .bin and .idx",
          path.c_str());
  Mapping mapping;
  mapping.length = status.st_size;
  if (mapping.length > 0) {
    void *address =
        mmap(nullptr, mapping.length, PROT_READ, MAP_SHARED, descriptor, 0);
    if (address == MAP_FAILED)
      fatal("cannot map the data '%s': %s", path.c_str(), strerror(errno));
    mapping.data = static_cast<const char *>(address);
  }
  close(descriptor);
  return mapping;
}

bool isFile(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

/// The prefix of an MMIDIDX pair that \p path names, empty where it names
/// none.
std::string pairPrefix(const std::string &path) {
  for (const char *suffix : {".idx", ".bin"})
    if (path.ends_with(suffix)) {
      std::string prefix = path.substr(0, path.size() - strlen(suffix));
      if (isFile(prefix + ".idx") && isFile(prefix + ".bin"))
        return prefix;
    }
  if (!isFile(path) && isFile(path + ".idx") && isFile(path + ".bin"))
    return path;
  return "";
}

int64_t tokenBytes(int type) {
  switch (type) {
  case 1:
  case 2:
    return 1;
  case 3:
  case 8:
    return 2;
  case 4:
    return 4;
  case 5:
    return 8;
  default:
    return 0;
  }
}

template <typename Number> Number numberAt(const char *address) {
  Number number;
  memcpy(&number, address, sizeof number);
  return number;
}

} // namespace

TokenFile::TokenFile(const std::string &path, int64_t vocabulary)
    : filePath(path), vocabulary(vocabulary) {
  if (std::string prefix = pairPrefix(path); !prefix.empty()) {
    openIndex(prefix);
    return;
  }
  if (path.ends_with(".idx"))
    fatal("the data '%s' lacks the '.bin' file beside it", path.c_str());
  if (vocabulary < 256)
    fatal("the data '%s' is read as bytes, which needs a vocabulary of 256; "
          "the model has %" PRId64 ": compile it with --set "
          "transformer.vocabulary=256, or give an MMIDIDX pair",
          path.c_str(), vocabulary);
  Mapping mapping = mapFile(path);
  data = mapping.data;
  tokens = length = mapping.length;
}

TokenFile::~TokenFile() {
  if (data)
    munmap(const_cast<char *>(data), length);
}

void TokenFile::openIndex(const std::string &prefix) {
  std::string indexPath = prefix + ".idx";
  const char *path = indexPath.c_str();
  Mapping index = mapFile(indexPath);
  if (index.length < 34 || memcmp(index.data, "MMIDIDX\0\0", 9) != 0)
    fatal("'%s' is not an MMIDIDX index", path);
  uint64_t version = numberAt<uint64_t>(index.data + 9);
  if (version != 1)
    fatal("'%s' has version %" PRIu64 " of MMIDIDX: version 1 is known", path,
          version);
  type = numberAt<uint8_t>(index.data + 17);
  int64_t size = tokenBytes(type);
  if (size == 0)
    fatal("'%s' holds elements of type %d, which are not token ids", path,
          type);
  int64_t sequences = numberAt<int64_t>(index.data + 18);
  int64_t documents = numberAt<int64_t>(index.data + 26);
  int64_t limit = index.length / 4;
  if (sequences < 0 || documents < 0 || sequences > limit ||
      documents > limit || index.length < 34 + 12 * sequences + 8 * documents)
    fatal("'%s' is cut short: it names %" PRId64 " sequences and %" PRId64
          " document bounds",
          path, sequences, documents);
  Mapping content = mapFile(prefix + ".bin");
  const char *lengths = index.data + 34;
  const char *offsets = lengths + 4 * sequences;
  int64_t expected = 0;
  for (int64_t i = 0; i < sequences; ++i) {
    int32_t count = numberAt<int32_t>(lengths + 4 * i);
    int64_t offset = numberAt<int64_t>(offsets + 8 * i);
    if (count < 0 || offset != expected)
      fatal("sequence %" PRId64 " of '%s' does not follow the one before it: "
            "write the pair anew, in order",
            i, path);
    expected += count * size;
  }
  if (expected > content.length)
    fatal("'%s.bin' has %" PRId64 " bytes, its index names %" PRId64
          ": it is cut short",
          prefix.c_str(), content.length, expected);
  munmap(const_cast<char *>(index.data), index.length);
  data = content.data;
  length = content.length;
  tokens = expected / size;
}

template <typename Token>
void TokenFile::copy(int64_t begin, int64_t n, int32_t *destination) const {
  for (int64_t i = 0; i < n; ++i) {
    int64_t token = static_cast<int64_t>(
        numberAt<Token>(data + (begin + i) * int64_t(sizeof(Token))));
    if (token < 0 || token >= vocabulary)
      fatal("token %" PRId64 " of the data '%s' is %" PRId64
            ", outside the model's vocabulary of %" PRId64,
            begin + i, filePath.c_str(), token, vocabulary);
    destination[i] = static_cast<int32_t>(token);
  }
}

void TokenFile::read(int64_t begin, int64_t n, int32_t *destination) const {
  switch (type) {
  case 1:
    return copy<uint8_t>(begin, n, destination);
  case 2:
    return copy<int8_t>(begin, n, destination);
  case 3:
    return copy<int16_t>(begin, n, destination);
  case 4:
    return copy<int32_t>(begin, n, destination);
  case 5:
    return copy<int64_t>(begin, n, destination);
  default:
    return copy<uint16_t>(begin, n, destination);
  }
}

int64_t sampleAt(SampleOrder order, int64_t position, int64_t samples,
                 uint64_t seed) {
  int64_t index = position % samples;
  if (order == SampleOrder::sequential)
    return index;
  return static_cast<int64_t>(
      permute(index, samples, seed, position / samples));
}

namespace {

class TokenBatches final : public BatchSource {
public:
  TokenBatches(const Manifest &manifest, const std::string &path,
               SampleOrder order, uint64_t seed, int rank, int ranks)
      : file(path, manifest.model.vocabulary), order(order), seed(seed),
        rank(rank), ranks(ranks), rows(manifest.training.microBatch),
        length(manifest.model.sequence), samples(file.samples(length)) {
    if (samples < 1)
      fatal("the data '%s' has %" PRId64 " tokens; one sample takes %" PRId64
            ": give a longer text or compile with a shorter sequence",
            path.c_str(), file.count(), length + 1);
  }

  bool fill(const Slot &slot, char *address, const GlobalBatch &batch,
            int64_t micro) override {
    int64_t shift = slot.name == "targets" ? 1 : 0;
    if (!shift && slot.name != "tokens")
      return false;
    int64_t first = batch.position + (rank * batch.microBatches + micro) * rows;
    for (int64_t i = 0; i < rows; ++i) {
      int64_t sample = sampleAt(order, first + i, samples, seed);
      file.read(sample * length + shift, length,
                reinterpret_cast<int32_t *>(address) + i * length);
    }
    return true;
  }

  float scale(const GlobalBatch &batch) const override {
    return static_cast<float>(1.0 / double(tokens(batch)));
  }

  int64_t tokens(const GlobalBatch &batch) const override {
    return rows * length * batch.microBatches * ranks;
  }

  std::string describe() const override {
    return file.path() + " (" + std::to_string(file.count()) + " tokens, " +
           std::to_string(samples) + " samples of " + std::to_string(length) +
           ")";
  }

private:
  TokenFile file;
  SampleOrder order;
  uint64_t seed;
  int64_t rank, ranks, rows, length, samples;
};

} // namespace

std::unique_ptr<BatchSource> openTokenBatches(const Manifest &manifest,
                                              const std::string &path,
                                              SampleOrder order, uint64_t seed,
                                              int rank, int ranks) {
  return std::make_unique<TokenBatches>(manifest, path, order, seed, rank,
                                        ranks);
}

} // namespace tessera
