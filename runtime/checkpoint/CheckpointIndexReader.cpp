//===- CheckpointIndexReader.cpp - Reading a checkpoint.json --------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A checksum says that a text is as it was written, not that it was written by
// a run. So every value is checked here, against bounds within which no sum of
// what comes out overflows; whoever uses an index checks nothing again.
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/CheckpointIndex.h"
#include "runtime/files/Checksum.h"
#include "runtime/files/InputFile.h"
#include "runtime/files/JsonCursor.h"
#include "runtime/files/Safetensors.h"
#include <algorithm>
#include <cctype>
#include <cfloat>
#include <charconv>
#include <climits>
#include <cstdio>
#include <set>

namespace tessera::runtime {

/// Bounds that no run comes near.
static constexpr int64_t maxIndexBytes = 1 << 28, maxDepth = 8,
                         maxSamples = int64_t(1) << 56,
                         maxElements = int64_t(1) << 48,
                         maxFileBytes = int64_t(1) << 56, maxRanks = 1 << 20,
                         maxBlockBytes = int64_t(1) << 40;
static constexpr size_t maxEntries = 1 << 24, maxName = 4096, maxRank = 16,
                        maxSettings = 1024, maxStates = 16;

static LossStatistics readLosses(const JsonCursor &j) {
  // Losses are floats; their variance is below the largest one's square.
  constexpr double largest = FLT_MAX;
  LossStatistics losses;
  losses.count = j.at("count").integer(0, LossStatistics::memory);
  losses.mean = j.at("mean").number(-largest, largest);
  losses.variance = j.at("variance").number(0, largest * largest);
  return losses;
}

static LossScale readLossScale(const JsonCursor &j) {
  LossScale scale;
  // Its inverse is a normal number, too.
  scale.scale = j.at("scale").number(0x1p-126, 0x1p127);
  scale.goodSteps = j.at("good_steps").integer(0, maxSteps);
  scale.overflows = j.at("overflows").integer(0, maxSteps);
  return scale;
}

static uint32_t readChecksum(const JsonCursor &j) {
  uint32_t sum = 0;
  std::string text = j.text(maxName);
  auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), sum, 16);
  if (text.size() != IndexText::noChecksum.size() || error != std::errc() ||
      end != text.data() + text.size())
    j.refuse("eight hexadecimal digits");
  return sum;
}

static DataFingerprint readData(const JsonCursor &j) {
  return {j.at("bytes").integer(0, INT64_MAX), readChecksum(j.at("checksum"))};
}

static ValidationProgress readValidation(const JsonCursor &j, int64_t step) {
  ValidationProgress validation;
  validation.step = j.at("step").integer(1, std::max<int64_t>(step, 1));
  validation.best = j.at("best").number(-DBL_MAX, DBL_MAX);
  validation.bestStep = j.at("best_step").integer(0, validation.step);
  validation.withoutBetter = j.at("without_better").integer(0, maxSteps);
  validation.samples = j.at("samples").integer(0, maxSamples);
  validation.data = readData(j.at("data"));
  return validation;
}

static Progress readProgress(const JsonCursor &j) {
  Progress progress;
  progress.step = j.at("step").integer(0, maxSteps);
  progress.samples = j.at("samples").integer(0, maxSamples);
  progress.seed = j.at("seed").natural();
  JsonCursor order = j.at("order");
  progress.order = order.text(maxName);
  if (progress.order != "sequential" && progress.order != "shuffled")
    order.refuse("'sequential' or 'shuffled'");
  progress.skipped = j.at("skipped").integer(0, progress.step);
  progress.skippedInRow = j.at("skipped_in_row").integer(0, progress.skipped);
  progress.lossScale = readLossScale(j.at("loss_scale"));
  progress.losses = readLosses(j.at("losses"));
  if (j.has("validation"))
    progress.validation = readValidation(j.at("validation"), progress.step);
  return progress;
}

static std::vector<SavedParameter> readParameters(const JsonCursor &j) {
  std::vector<SavedParameter> parameters(j.length(1, maxEntries));
  std::set<std::string> names;
  for (size_t i = 0; i < parameters.size(); ++i) {
    JsonCursor entry = j.element(i), name = entry.at("name"),
               shape = entry.at("shape");
    parameters[i].name = name.text(maxName);
    if (!names.insert(parameters[i].name).second)
      name.refuse("another name than that of a parameter before it");
    int64_t most = maxElements;
    for (size_t d = 0, rank = shape.length(0, maxRank); d < rank; ++d) {
      int64_t extent = shape.element(d).integer(1, most);
      parameters[i].shape.push_back(extent);
      most /= extent;
    }
  }
  return parameters;
}

static bool isStateName(const std::string &name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '_';
         });
}

/// The piece \p j and its size in bytes.
static SavedPiece readPiece(const JsonCursor &j,
                            const std::vector<SavedParameter> &parameters,
                            int64_t fileBytes) {
  j.length(6, 6);
  SavedPiece piece;
  JsonCursor stateName = j.element(0), dtype = j.element(4);
  piece.state = stateName.text(maxName);
  if (!isStateName(piece.state))
    stateName.refuse("the name of a state: letters, digits and underscores");
  piece.parameter = static_cast<int>(
      j.element(1).integer(0, static_cast<int64_t>(parameters.size()) - 1));
  int64_t elements = parameters[piece.parameter].elements();
  piece.range.begin = j.element(2).integer(0, elements - 1);
  piece.range.end = j.element(3).integer(piece.range.begin + 1, elements);
  piece.dtype = dtype.text(maxName);
  if (piece.dtype != "F32" && piece.dtype != "BF16" && piece.dtype != "F16")
    dtype.refuse("F32, BF16 or F16");
  piece.offset = j.element(5).integer(0, fileBytes);
  return piece;
}

static std::vector<uint32_t> readChecksums(const JsonCursor &j,
                                           int64_t blocks) {
  if (blocks > static_cast<int64_t>(maxEntries))
    j.refuse("an array of " + std::to_string(blocks) + " elements");
  std::vector<uint32_t> checksums(j.length(blocks, blocks));
  for (size_t i = 0; i < checksums.size(); ++i)
    checksums[i] = readChecksum(j.element(i));
  return checksums;
}

/// Files hold a header, then their pieces and nothing else.
static void requireTiled(const JsonCursor &j, const SavedFile &file) {
  std::vector<const SavedPiece *> sorted;
  sorted.reserve(file.pieces.size());
  for (const SavedPiece &piece : file.pieces)
    sorted.push_back(&piece);
  std::sort(sorted.begin(), sorted.end(),
            [](auto *a, auto *b) { return a->offset < b->offset; });
  // The length of the header and the shortest header.
  constexpr int64_t least = 8 + 2;
  int64_t next = sorted.empty() ? file.bytes : sorted.front()->offset;
  if (next < least)
    throw JsonCursor::Refusal("a piece of '" + file.name +
                              "' begins in the file's header");
  for (const SavedPiece *piece : sorted) {
    if (piece->offset != next)
      throw JsonCursor::Refusal("the pieces of '" + file.name +
                                "' do not follow one another: one begins at "
                                "byte " +
                                std::to_string(piece->offset) + ", not " +
                                std::to_string(next));
    next += typeBytes(piece->dtype) * piece->range.size();
    if (next > file.bytes)
      break;
  }
  if (next != file.bytes)
    j.at("bytes").refuse("the end of the file's last piece, " +
                         std::to_string(next));
}

static std::vector<SavedFile> readFiles(const JsonCursor &root,
                                        const CheckpointIndex &index) {
  JsonCursor j = root.at("files"), checksums = root.at("checksums");
  std::vector<SavedFile> files(j.length(1, maxRanks));
  checksums.length(files.size(), files.size());
  std::set<std::string> names = {".", "..", CheckpointIndex::fileName};
  int64_t left = maxFileBytes;
  for (size_t i = 0; i < files.size(); ++i) {
    JsonCursor entry = j.element(i), name = entry.at("name"),
               pieces = entry.at("pieces");
    SavedFile &file = files[i];
    file.name = name.text(NAME_MAX);
    if (file.name.find('/') != std::string::npos ||
        !names.insert(file.name).second)
      name.refuse("the name of another file of the folder");
    left -= file.bytes = entry.at("bytes").integer(0, left);
    file.checksums =
        readChecksums(checksums.element(i),
                      BlockChecksums::count(file.bytes, index.blockBytes));
    for (size_t p = 0, count = pieces.length(0, maxEntries); p < count; ++p)
      file.pieces.push_back(
          readPiece(pieces.element(p), index.parameters, file.bytes));
    requireTiled(entry, file);
  }
  return files;
}

/// The names of all that is saved, weights first.
static std::vector<std::string> listStates(const CheckpointIndex &index) {
  std::vector<std::string> states = {savedWeight};
  for (const SavedFile &file : index.files)
    for (const SavedPiece &piece : file.pieces) {
      if (std::find(states.begin(), states.end(), piece.state) != states.end())
        continue;
      if (states.size() == maxStates)
        throw JsonCursor::Refusal("its pieces are of more than " +
                                  std::to_string(maxStates) + " states");
      states.push_back(piece.state);
    }
  return states;
}

/// Each element of each state lies in just one piece.
static void requireWhole(const CheckpointIndex &index) {
  size_t count = index.states.size();
  std::vector<std::vector<Range>> held(index.parameters.size() * count);
  for (const SavedFile &file : index.files)
    for (const SavedPiece &piece : file.pieces) {
      auto state =
          std::find(index.states.begin(), index.states.end(), piece.state);
      held[piece.parameter * count + (state - index.states.begin())].push_back(
          piece.range);
    }
  for (size_t i = 0; i < held.size(); ++i) {
    std::sort(held[i].begin(), held[i].end(),
              [](Range a, Range b) { return a.begin < b.begin; });
    const SavedParameter &parameter = index.parameters[i / count];
    int64_t next = 0;
    bool whole = true;
    for (Range range : held[i]) {
      whole = whole && range.begin == next;
      next = range.end;
    }
    if (!whole || next != parameter.elements())
      throw JsonCursor::Refusal("it does not say where all of " +
                                index.states[i % count] + " of '" +
                                parameter.name + "' is");
  }
}

/// A folder that has the name of a step has the checkpoint of that step.
static void requireStepOf(const std::string &folder, const JsonCursor &j,
                          int64_t step) {
  std::string name = folder;
  while (name.ends_with('/'))
    name.pop_back();
  name = name.substr(name.rfind('/') + 1);
  long long named;
  int length = 0;
  if (sscanf(name.c_str(), "step-%12lld%n", &named, &length) == 1 &&
      name.size() == size_t(length) && length == 17 && named != step)
    j.refuse("the step of the folder, " + std::to_string(named) + ",");
}

static CheckpointIndex parse(const std::string &folder,
                             const std::string &text) {
  JsonCursor::Json json = JsonCursor::parse(text, maxDepth);
  JsonCursor j(json);
  j.at("tessera_checkpoint")
      .integer(CheckpointIndex::formatVersion, CheckpointIndex::formatVersion);
  CheckpointIndex index;
  index.folder = folder;
  index.model = j.at("model").text(maxName);
  index.world = static_cast<int>(j.at("world").integer(1, maxRanks));
  index.stage = static_cast<int>(j.at("stage").integer(0, 3));
  index.blockBytes = j.at("block_bytes").integer(1, maxBlockBytes);
  index.parameters = readParameters(j.at("parameters"));
  index.files = readFiles(j, index);
  index.states = listStates(index);
  requireWhole(index);
  index.progress = readProgress(j.at("progress"));
  requireStepOf(folder, j.at("progress").at("step"), index.progress.step);
  // Those of before there were fingerprints have none.
  if (j.has("fingerprint"))
    j.at("fingerprint")
        .members(maxSettings,
                 [&](const std::string &name, const JsonCursor &value) {
                   index.fingerprint[name] = value.text(maxName);
                 });
  if (j.has("data"))
    index.data = readData(j.at("data"));
  return index;
}

/// The content of a file of at most maxIndexBytes.
static std::optional<std::string> readText(const std::string &path,
                                           std::string &error) {
  std::unique_ptr<InputFile> file = InputFile::open(path, "", error);
  if (!file)
    return std::nullopt;
  if (file->size() > maxIndexBytes) {
    error = "'" + path + "' is damaged: it has " +
            std::to_string(file->size()) + " bytes, more than " +
            std::to_string(maxIndexBytes);
    return std::nullopt;
  }
  std::string text;
  if (!file->readAll(text, error))
    return std::nullopt;
  return text;
}

std::optional<CheckpointIndex> CheckpointIndex::read(const std::string &folder,
                                                     std::string &error) {
  std::string path = folder + "/" + fileName;
  std::optional<std::string> text = readText(path, error);
  if (!text)
    return std::nullopt;
  size_t seal = text->rfind(IndexText::sealBegin);
  size_t place = seal + IndexText::sealBegin.size();
  if (seal == std::string::npos ||
      text->size() !=
          place + IndexText::noChecksum.size() + IndexText::end.size()) {
    error = "'" + path + "' is damaged: it does not end with its checksum";
    return std::nullopt;
  }
  IndexText sealed{*text, {place}};
  sealed.seal();
  if (sealed.text != *text) {
    error = "'" + path + "' is damaged: its checksum is another";
    return std::nullopt;
  }
  try {
    return parse(folder, *text);
  } catch (const JsonCursor::Refusal &refusal) {
    error = "'" + path + "' is damaged: " + refusal.what();
    return std::nullopt;
  }
}

} // namespace tessera::runtime
