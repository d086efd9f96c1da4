//===- CheckpointFuzzer.cpp - checkpoint.json that may be anything --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An input is the text of a checkpoint.json, which its mutator seals with the
// right checksum, and the same text serves as data-verdict.json. An index is
// refused with a reason, or keeps what CheckpointIndex.h promises and is
// written as it was read. No verdict hides a token outside the vocabulary.
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/CheckpointIndex.h"
#include "runtime/core/Threads.h"
#include "runtime/data/TokenScan.h"
#include "runtime/files/Checksum.h"
#include "runtime/files/Safetensors.h"
#include "test/fuzz/Exit.h"
#include "test/fuzz/JsonMutator.h"
#include "test/fuzz/PairMutator.h"
#include "test/fuzz/Scratch.h"
#include <cmath>
#include <filesystem>

using namespace tessera;
using namespace tessera::runtime;
using namespace tessera::fuzz;

static std::string unsealed(const std::string &text) {
  size_t seal = text.rfind(IndexText::sealBegin);
  return seal == text.npos ? text : text.substr(0, seal) + "}";
}

/// \p text, an object, with its checksum at the end.
static std::string sealed(const std::string &text) {
  std::string open = text.substr(0, text.rfind('}'));
  IndexText index;
  index.text = open;
  index.text.append(IndexText::sealBegin);
  index.places = {index.text.size()};
  index.text.append(IndexText::noChecksum).append(IndexText::end);
  index.seal();
  return index.text;
}

/// Sums that users of an index make do not overflow, and places lie in files.
static void checkIndex(const CheckpointIndex &index) {
  int64_t bytes = 0, elements = 0;
  for (const SavedParameter &parameter : index.parameters) {
    require(parameter.elements() > 0, "a parameter has elements");
    for (int64_t extent : parameter.shape)
      require(extent > 0, "an extent is positive");
  }
  for (const SavedFile &file : index.files) {
    bytes += file.bytes;
    require(file.name.find('/') == std::string::npos, "a file lies in the "
                                                      "folder");
    require(static_cast<int64_t>(file.checksums.size()) ==
                BlockChecksums::count(file.bytes, index.blockBytes),
            "each block has a checksum");
    for (const SavedPiece &piece : file.pieces) {
      elements += piece.range.size();
      require(piece.offset >= 0 &&
                  piece.offset + piece.range.size() * typeBytes(piece.dtype) <=
                      file.bytes,
              "a piece lies in its file");
      require(piece.range.end <= index.parameters[piece.parameter].elements(),
              "a piece lies in its parameter");
    }
  }
  require(bytes >= 0 && elements > 0 && index.blockCount() >= 0,
          "sums do not overflow");
  const Progress &progress = index.progress;
  require(progress.updates() >= 0 && progress.step <= maxSteps,
          "steps are counted");
  require(std::isfinite(progress.losses.mean) && progress.lossScale.scale > 0,
          "statistics are numbers");
}

/// What is written of an index is read as the same.
static void writeAndRead(const CheckpointIndex &index,
                         const std::string &folder) {
  IndexText text = index.text();
  size_t place = 0;
  for (const SavedFile &file : index.files)
    for (uint32_t checksum : file.checksums)
      text.put(place++, checksum);
  text.seal();
  writeFile(folder + "/" + CheckpointIndex::fileName, text.text);
  std::string error;
  std::optional<CheckpointIndex> again = CheckpointIndex::read(folder, error);
  require(again.has_value(), "an index that is written is read");
  IndexText twice = again->text();
  place = 0;
  for (const SavedFile &file : again->files)
    for (uint32_t checksum : file.checksums)
      twice.put(place++, checksum);
  twice.seal();
  require(twice.text == text.text, "an index reads back the same");
}

/// Tokens, of which the last is strange, beside any verdict.
static void scanTokens(const std::string &folder) {
  static const std::string path = [] {
    std::string data = scratchPath("tokens");
    int32_t tokens[] = {1, 2, 3, 10};
    writeFile(data, {reinterpret_cast<const char *>(tokens), sizeof tokens});
    return data;
  }();
  static Communicator &alone = []() -> Communicator & {
    setThreads(1); // a team for four tokens is most of an input's time
    return *tessera_create_communicator(1);
  }();
  require(exits([&] {
            requireKnownTokens(TokenFile(path, 10, TokenType::I32), alone,
                               folder);
          }),
          "a verdict is no one else's");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const std::string folder = [] {
    std::string path = scratchPath("step-000000000003");
    std::filesystem::create_directory(path);
    return path;
  }();
  std::string_view text(reinterpret_cast<const char *>(data), size);
  writeFile(folder + "/" + CheckpointIndex::fileName, text);
  writeFile(folder + "/data-verdict.json", text);
  scanTokens(folder);
  std::string error;
  if (auto index = CheckpointIndex::read(folder, error)) {
    checkIndex(*index);
    writeAndRead(*index, folder);
  } else {
    require(!error.empty(), "a refusal has a reason");
  }
  return 0;
}

std::string fuzz::mutatePair(const std::string &text, const std::string &other,
                             size_t most, Dice &dice) {
  std::optional<Json> tree = readTree(unsealed(text));
  if (!tree || dice.oneIn(20)) {
    std::string bytes = mutateBytes(unsealed(text), most);
    return dice.oneIn(2) ? sealed(bytes) : bytes;
  }
  std::optional<Json> grafts = readTree(unsealed(other));
  mutateTree(*tree, grafts ? *grafts : Json(), dice);
  return sealed(writeTree(*tree));
}
