//===- Checkpoint.cpp - Reading checkpoints -------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/checkpoint/CheckpointDirectory.h"
#include "runtime/checkpoint/QuantizedWeights.h"
#include "runtime/checkpoint/SameRun.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/files/Checksum.h"
#include "runtime/files/Safetensors.h"
#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace tessera::runtime {
namespace {

/// A file open for reading at any place, by any thread. Its errors are numbers,
/// which ranks can exchange.
class PartFile {
public:
  explicit PartFile(const std::string &path)
      : path(path),
        descriptor(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)),
        openError(descriptor < 0 ? errno : 0) {}
  ~PartFile() {
    if (descriptor >= 0)
      close(descriptor);
  }
  PartFile(const PartFile &) = delete;
  PartFile &operator=(const PartFile &) = delete;

  /// 0, or the number of the error.
  int error() const { return openError; }
  int64_t size() const {
    struct stat status;
    return fstat(descriptor, &status) == 0 ? status.st_size : -1;
  }
  /// 0, or the number of the error; EIO where the file ends before.
  int read(int64_t offset, int64_t bytes, void *destination) const {
    char *next = static_cast<char *>(destination);
    while (bytes > 0) {
      ssize_t count = pread(descriptor, next, bytes, offset);
      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        return count < 0 ? errno : EIO;
      next += count;
      offset += count;
      bytes -= count;
    }
    return 0;
  }
  void require(int64_t offset, int64_t bytes, void *destination) const {
    int error = openError ? openError : read(offset, bytes, destination);
    if (error)
      fatal("cannot read '%s': %s", path.c_str(), strerror(error));
  }

private:
  std::string path;
  int descriptor, openError;
};

/// What is wrong with a file of a checkpoint.
struct Damage {
  int32_t file = -1; ///< -1: nothing
  int32_t error = 0; ///< the system's number; 0: bytes are others
  int64_t block = 0; ///< -1: the size is another
  int64_t size = 0;
};

} // namespace

/// \p mine of rank 0, on all ranks.
template <typename Value>
static Value ofRoot(const tessera_context &context, Value mine) {
  if (!context.communicator)
    return mine;
  std::vector<Value> all(context.size());
  context.communicator->exchange(&mine, all.data(), sizeof mine);
  return all[0];
}

/// The first rank's damage that has one, on all ranks.
static Damage firstDamage(const tessera_context &context, const Damage &mine) {
  if (!context.communicator)
    return mine;
  std::vector<Damage> all(context.size());
  context.communicator->exchange(&mine, all.data(), sizeof mine);
  for (const Damage &damage : all)
    if (damage.file >= 0)
      return damage;
  return {};
}

static bool blockIsWhole(const PartFile &file, int64_t begin, int64_t end,
                         uint32_t expected, int &error) {
  char buffer[64 << 10];
  uint32_t sum = 0;
  for (int64_t at = begin; at < end; at += sizeof buffer) {
    int64_t count = std::min<int64_t>(sizeof buffer, end - at);
    error = file.read(at, count, buffer);
    if (error)
      return false;
    sum = checksum(buffer, count, sum);
  }
  return sum == expected;
}

/// Verifies the blocks [begin, end) of all those of the checkpoint.
static Damage verifyBlocks(const CheckpointIndex &index, Range wanted) {
  int64_t first = 0;
  for (size_t i = 0; i < index.files.size(); ++i) {
    const SavedFile &saved = index.files[i];
    int64_t count = BlockChecksums::count(saved.bytes, index.blockBytes);
    Range blocks = intersect(wanted.moved(-first), {0, count});
    first += count;
    if (blocks.empty())
      continue;
    PartFile file(index.pathOf(saved));
    auto number = static_cast<int32_t>(i);
    if (file.error())
      return {number, file.error(), 0, 0};
    if (file.size() != saved.bytes)
      return {number, 0, -1, file.size()};
    for (int64_t block = blocks.begin; block < blocks.end; ++block) {
      int64_t begin = block * index.blockBytes;
      int64_t end = std::min(begin + index.blockBytes, saved.bytes);
      int error = 0;
      if (!blockIsWhole(file, begin, end, saved.checksums[block], error))
        return {number, error, block, 0};
    }
  }
  return {};
}

static std::string describe(const CheckpointIndex &index,
                            const Damage &damage) {
  const SavedFile &file = index.files[damage.file];
  std::string path = "'" + index.pathOf(file) + "'";
  if (damage.error)
    return "cannot read " + path + ": " + strerror(damage.error);
  if (damage.block < 0)
    return path + " has " + std::to_string(damage.size) + " bytes, not " +
           std::to_string(file.bytes);
  int64_t begin = damage.block * index.blockBytes;
  return path + " is damaged: the checksum of bytes " + std::to_string(begin) +
         " to " +
         std::to_string(std::min(begin + index.blockBytes, file.bytes)) +
         " is not that of " + CheckpointIndex::fileName;
}

/// The checkpoint in \p folder, verified by all ranks; none with the reason,
/// on rank 0, in \p error.
static std::optional<CheckpointIndex> openWhole(const tessera_context &context,
                                                const std::string &folder,
                                                std::string &error) {
  std::optional<CheckpointIndex> index = CheckpointIndex::read(folder, error);
  bool readable = ofRoot(context, int(index.has_value())) != 0;
  if (!readable)
    return std::nullopt;
  if (!index)
    fatal("%s; all ranks must see the checkpoint directory", error.c_str());
  int64_t blocks = index->blockCount();
  int64_t rank = context.rank(), size = context.size();
  Range mine = {blocks * rank / size, blocks * (rank + 1) / size};
  Damage damage = firstDamage(context, verifyBlocks(*index, mine));
  if (damage.file < 0)
    return index;
  error = describe(*index, damage);
  return std::nullopt;
}

std::optional<FoundCheckpoint> findCheckpoint(const tessera_context &context,
                                              const std::string &directory) {
  bool root = context.rank() == 0;
  FoundCheckpoint found;
  std::vector<int64_t> steps;
  if (root)
    steps = listCheckpoints(directory);
  // One rank chooses, so that all take the same.
  for (size_t i = 0;; ++i) {
    int64_t step = ofRoot(context, i < steps.size() ? steps[i] : -1);
    if (step < 0)
      return std::nullopt;
    std::string error;
    if (auto index = openWhole(context, folderOf(directory, step), error)) {
      found.index = std::move(*index);
      return found;
    }
    if (!root)
      continue;
    found.refused.push_back(step);
    if (i + 1 == steps.size())
      fatal("%s; '%s' has no other checkpoint: restore it, or remove the "
            "directory to start anew",
            error.c_str(), directory.c_str());
    warning("%s; trying the checkpoint before it", error.c_str());
  }
}

std::vector<int> matchParameters(const Manifest &manifest,
                                 const CheckpointIndex &index) {
  std::map<std::string, int> numbers;
  for (const Parameter &parameter : manifest.parameters)
    numbers.emplace(parameter.name, static_cast<int>(numbers.size()));
  std::vector<int> matches;
  for (const SavedParameter &saved : index.parameters) {
    auto found = numbers.find(saved.name);
    if (found == numbers.end())
      fatal("the checkpoint '%s' has a parameter '%s', which this model has "
            "not: is it of another model?",
            index.folder.c_str(), saved.name.c_str());
    const Parameter &parameter = manifest.parameters[found->second];
    if (saved.shape != parameter.shape)
      fatal("parameter '%s' of the checkpoint '%s' has shape %s, this model's "
            "has %s",
            saved.name.c_str(), index.folder.c_str(),
            shapeText(saved.shape).c_str(), shapeText(parameter.shape).c_str());
    matches.push_back(found->second);
    numbers.erase(found);
  }
  if (!numbers.empty())
    fatal("the checkpoint '%s' has no parameter '%s': is it of another model?",
          index.folder.c_str(), numbers.begin()->first.c_str());
  return matches;
}

/// The states in memory that are loaded from \p saved.
static std::vector<const State *>
targetsOf(const tessera_context &context, const std::string &saved, int group) {
  std::vector<const State *> targets = {&sourceOf(context, saved, group)};
  if (saved == savedWeight && weightsState(context) != parameterState)
    targets.push_back(&requireState(context, parameterState, group));
  return targets;
}

/// Elements \p range of the parameter, which \p piece has, as floats.
static void readElements(const PartFile &file, const SavedPiece &piece,
                         Range range, float *destination) {
  int64_t size = typeBytes(piece.dtype);
  int64_t first = piece.offset + size * (range.begin - piece.range.begin);
  if (piece.dtype == "F32")
    return file.require(first, size * range.size(), destination);
  char words[16 << 10];
  Tensor tensor;
  tensor.dtype = piece.dtype;
  tensor.data = words;
  for (int64_t count, at = 0; at < range.size(); at += count) {
    count = std::min<int64_t>(sizeof words / size, range.size() - at);
    file.require(first + size * at, size * count, words);
    copyAsFloat(tensor, 0, count, destination + at);
  }
}

/// Makes blocks of the weights of \p tensor, which the checkpoint's parameter
/// \p number is.
static void loadBlocks(const tessera_context &context,
                       const CheckpointIndex &index, int number,
                       const GroupTensor &tensor) {
  std::vector<std::unique_ptr<PartFile>> files;
  std::vector<std::pair<const PartFile *, const SavedPiece *>> pieces;
  for (const SavedFile &saved : index.files) {
    files.push_back(std::make_unique<PartFile>(index.pathOf(saved)));
    for (const SavedPiece &piece : saved.pieces)
      if (piece.parameter == number && piece.state == savedWeight)
        pieces.push_back({files.back().get(), &piece});
  }
  std::sort(pieces.begin(), pieces.end(), [](auto a, auto b) {
    return a.second->range.begin < b.second->range.begin;
  });
  quantizeTensor(
      context, tensor, [&](float *numbers, int64_t begin, int64_t end) {
        auto next = std::upper_bound(pieces.begin(), pieces.end(), begin,
                                     [](int64_t at, auto piece) {
                                       return at < piece.second->range.end;
                                     });
        for (int64_t at = begin; at < end; ++next) {
          if (next == pieces.end() || next->second->range.begin > at)
            fatal("the checkpoint '%s' lacks weights of '%s'",
                  index.folder.c_str(), tensor.name.c_str());
          int64_t stop = std::min(end, next->second->range.end);
          readElements(*next->first, *next->second, {at, stop},
                       numbers + (at - begin));
          at = stop;
        }
      });
}

void loadCheckpoint(const tessera_context &context,
                    const CheckpointIndex &index,
                    std::span<const std::string> states) {
  const Manifest &manifest = *context.manifest;
  std::vector<int> matches = matchParameters(manifest, index);
  for (const std::string &state : states)
    if (std::find(index.states.begin(), index.states.end(), state) ==
        index.states.end())
      fatal("the checkpoint '%s' has no '%s' of its parameters, which the "
            "optimizer %s keeps: it is of another optimizer",
            index.folder.c_str(), state.c_str(),
            manifest.training.optimizer.kind.c_str());
  auto loadPiece = [&](const PartFile &file, const SavedPiece &piece) {
    const Parameter &parameter = manifest.parameters[matches[piece.parameter]];
    if (parameter.blocks)
      return;
    for (const State *target :
         targetsOf(context, piece.state, parameter.group)) {
      const State &state = *target;
      Range held =
          heldRange(state, manifest.groups[parameter.group], context.rank());
      Range wanted = intersect(piece.range.moved(parameter.offset), held);
      Part part = partOf(parameter, state, wanted, held.begin);
      fillPart(context, state, part,
               [&](float *first, int64_t begin, int64_t end) {
                 readElements(file, piece, {begin, end}, first);
               });
      releaseOffloaded(context, part.place,
                       sizeOf(state.type) *
                           std::max<int64_t>(0, part.range.size()));
    }
  };
  // Ranks begin with different files, so that they do not all read the same.
  size_t count = index.files.size();
  for (size_t i = 0; i < count; ++i) {
    const SavedFile &saved =
        index.files[(i + count * context.rank() / context.size()) % count];
    PartFile file(index.pathOf(saved));
    for (const SavedPiece &piece : saved.pieces)
      if (std::find(states.begin(), states.end(), piece.state) != states.end())
        loadPiece(file, piece);
  }
  for (size_t i = 0; i < matches.size(); ++i)
    if (manifest.parameters[matches[i]].blocks)
      loadBlocks(context, index, static_cast<int>(i),
                 manifest.parameters[matches[i]]);
}

CheckpointIndex openCheckpoint(const tessera_context &context,
                               const std::string &path) {
  std::optional<CheckpointIndex> index;
  std::string error;
  bool itself =
      access((path + "/" + CheckpointIndex::fileName).c_str(), F_OK) == 0;
  if (itself)
    index = openWhole(context, path, error);
  else if (auto found = findCheckpoint(context, path))
    index = std::move(found->index);
  if (!index && context.rank() == 0)
    fatal("%s", itself ? error.c_str()
                       : ("'" + path + "' has no checkpoint").c_str());
  if (context.communicator)
    context.communicator->barrier();
  return std::move(*index);
}

void loadCheckpointWeights(const tessera_context &context,
                           const std::string &path,
                           const std::vector<std::string> &allowed) {
  CheckpointIndex index = openCheckpoint(context, path);
  requireSameSettings(*context.manifest, index, CheckpointUse::Weights,
                      allowed);
  loadCheckpoint(context, index, {&savedWeight, 1});
}

void readWeights(const CheckpointIndex &index, int parameter,
                 const std::function<void(const float *, int64_t)> &take) {
  std::vector<std::pair<const SavedFile *, const SavedPiece *>> pieces;
  for (const SavedFile &file : index.files)
    for (const SavedPiece &piece : file.pieces)
      if (piece.parameter == parameter && piece.state == savedWeight)
        pieces.push_back({&file, &piece});
  std::sort(pieces.begin(), pieces.end(), [](auto a, auto b) {
    return a.second->range.begin < b.second->range.begin;
  });
  std::vector<float> buffer(1 << 18);
  for (auto [saved, piece] : pieces) {
    PartFile file(index.pathOf(*saved));
    auto most = static_cast<int64_t>(buffer.size());
    for (int64_t at = piece->range.begin; at < piece->range.end; at += most) {
      int64_t end = std::min(at + most, piece->range.end);
      readElements(file, *piece, {at, end}, buffer.data());
      take(buffer.data(), end - at);
    }
  }
}

} // namespace tessera::runtime
