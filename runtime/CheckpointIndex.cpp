//===- CheckpointIndex.cpp - What a checkpoint consists of ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/CheckpointIndex.h"
#include "runtime/Checksum.h"
#include "runtime/Safetensors.h"
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

using nlohmann::ordered_json;

namespace tessera {

static constexpr int formatVersion = 2;
static const std::string sealBegin = ",\n\"checksum\": \"";
static const std::string noChecksum = "00000000";

const std::string &prefixOf(SavedState state) {
  static const std::string prefixes[] = {"", "optimizer.exp_avg.",
                                         "optimizer.exp_avg_sq."};
  return prefixes[static_cast<int>(state)];
}

static const std::string &nameOf(SavedState state) {
  static const std::string names[] = {"weight", "exp_avg", "exp_avg_sq"};
  return names[static_cast<int>(state)];
}

const State &sourceOf(const tsr_context &context, SavedState saved, int group) {
  switch (saved) {
  case SavedState::moment1:
    return requireState(context, StateKind::moment1, group);
  case SavedState::moment2:
    return requireState(context, StateKind::moment2, group);
  case SavedState::weight:
    break;
  }
  return requireState(context, weightsKind(context), group);
}

int64_t SavedParameter::elements() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

void IndexText::put(size_t place, uint32_t value) {
  for (int digit = 7; digit >= 0; --digit, value >>= 4)
    text[places[place] + digit] = "0123456789abcdef"[value & 15];
}

void IndexText::seal() {
  size_t place = places.size() - 1;
  put(place, checksum(text.data(),
                      static_cast<int64_t>(places[place] - sealBegin.size())));
}

int64_t CheckpointIndex::blockCount() const {
  int64_t count = 0;
  for (const SavedFile &file : files)
    count += BlockChecksums::count(file.bytes, blockBytes);
  return count;
}

static ordered_json progressJson(const Progress &progress) {
  return {{"step", progress.step},
          {"samples", progress.samples},
          {"seed", progress.seed},
          {"order", progress.order},
          {"skipped", progress.skipped},
          {"skipped_in_row", progress.skippedInRow},
          {"loss_scale",
           {{"scale", progress.lossScale.scale},
            {"good_steps", progress.lossScale.goodSteps},
            {"overflows", progress.lossScale.overflows}}},
          {"losses",
           {{"count", progress.losses.count},
            {"mean", progress.losses.mean},
            {"variance", progress.losses.variance}}}};
}

static Progress parseProgress(const ordered_json &j) {
  Progress progress;
  progress.step = j.at("step");
  progress.samples = j.at("samples");
  progress.seed = j.at("seed");
  progress.order = j.at("order");
  progress.skipped = j.at("skipped");
  progress.skippedInRow = j.at("skipped_in_row");
  const nlohmann::json &scale = j.at("loss_scale");
  progress.lossScale.scale = scale.at("scale");
  progress.lossScale.goodSteps = scale.at("good_steps");
  progress.lossScale.overflows = scale.at("overflows");
  const ordered_json &losses = j.at("losses");
  progress.losses.count = losses.at("count");
  progress.losses.mean = losses.at("mean");
  progress.losses.variance = losses.at("variance");
  return progress;
}

/// An array with an element a line.
template <typename Elements, typename Convert>
static void putArray(std::string &text, const char *key,
                     const Elements &elements, Convert convert) {
  text += std::string(",\n\"") + key + "\": [";
  const char *separator = "\n";
  for (const auto &element : elements) {
    text += separator + ordered_json(convert(element)).dump();
    separator = ",\n";
  }
  text += "]";
}

IndexText CheckpointIndex::text() const {
  IndexText result;
  std::string &text = result.text;
  text = ordered_json{{"tessera_checkpoint", formatVersion},
                      {"model", model},
                      {"world", world},
                      {"stage", stage},
                      {"block_bytes", blockBytes}}
             .dump();
  text.pop_back();
  putArray(text, "parameters", parameters, [](const SavedParameter &parameter) {
    return ordered_json{{"name", parameter.name}, {"shape", parameter.shape}};
  });
  putArray(text, "files", files, [](const SavedFile &file) {
    ordered_json pieces = ordered_json::array();
    for (const SavedPiece &piece : file.pieces)
      pieces.push_back({nameOf(piece.state), piece.parameter, piece.range.begin,
                        piece.range.end, piece.dtype, piece.offset});
    return ordered_json{
        {"name", file.name}, {"bytes", file.bytes}, {"pieces", pieces}};
  });
  text += ",\n\"progress\": " + progressJson(progress).dump();
  text += ",\n\"checksums\": [";
  for (size_t i = 0; i < files.size(); ++i) {
    text += i ? ",\n[" : "\n[";
    int64_t blocks = BlockChecksums::count(files[i].bytes, blockBytes);
    for (int64_t block = 0; block < blocks; ++block) {
      text += block ? ", \"" : "\"";
      result.places.push_back(text.size());
      text += noChecksum + "\"";
    }
    text += "]";
  }
  text += "]" + sealBegin;
  result.places.push_back(text.size());
  text += noChecksum + "\"}\n";
  return result;
}

/// "" where each element of each state lies in just one piece within its file;
/// else what is wrong.
static std::string findGap(const CheckpointIndex &index) {
  std::vector<std::vector<Range>> held(index.parameters.size() *
                                       savedStates.size());
  for (const SavedFile &file : index.files) {
    if (static_cast<int64_t>(file.checksums.size()) !=
        BlockChecksums::count(file.bytes, index.blockBytes))
      return "it lacks checksums of '" + file.name + "'";
    if (file.name.empty() || file.name.find('/') != std::string::npos)
      return "it names a file '" + file.name + "'";
    for (const SavedPiece &piece : file.pieces) {
      int64_t size = typeBytes(piece.dtype);
      if (piece.parameter < 0 ||
          piece.parameter >= static_cast<int>(index.parameters.size()) ||
          (piece.dtype != "F32" && piece.dtype != "BF16" &&
           piece.dtype != "F16") ||
          piece.range.empty() || piece.offset < 0 ||
          piece.offset + size * piece.range.size() > file.bytes)
        return "a piece of '" + file.name + "' is not within it";
      held[piece.parameter * savedStates.size() + static_cast<int>(piece.state)]
          .push_back(piece.range);
    }
  }
  for (size_t i = 0; i < held.size(); ++i) {
    std::sort(held[i].begin(), held[i].end(),
              [](Range a, Range b) { return a.begin < b.begin; });
    const SavedParameter &parameter = index.parameters[i / savedStates.size()];
    int64_t next = 0;
    bool whole = true;
    for (Range range : held[i]) {
      whole = whole && range.begin == next;
      next = range.end;
    }
    if (!whole || next != parameter.elements())
      return "it does not say where all of " +
             nameOf(savedStates[i % savedStates.size()]) + " of '" +
             parameter.name + "' is";
  }
  return "";
}

static SavedPiece parsePiece(const ordered_json &j) {
  SavedPiece piece;
  std::string name = j.at(0);
  auto state = std::find_if(savedStates.begin(), savedStates.end(),
                            [&](SavedState s) { return nameOf(s) == name; });
  piece.parameter = state == savedStates.end() ? -1 : j.at(1).get<int>();
  piece.state = state == savedStates.end() ? SavedState::weight : *state;
  piece.range = {j.at(2), j.at(3)};
  piece.dtype = j.at(4);
  piece.offset = j.at(5);
  return piece;
}

static CheckpointIndex parse(const ordered_json &j) {
  CheckpointIndex index;
  index.model = j.at("model");
  index.world = j.at("world");
  index.stage = j.at("stage");
  index.blockBytes = std::max<int64_t>(1, j.at("block_bytes"));
  for (const ordered_json &parameter : j.at("parameters"))
    index.parameters.push_back({parameter.at("name"), parameter.at("shape")});
  const ordered_json &checksums = j.at("checksums");
  for (const ordered_json &entry : j.at("files")) {
    SavedFile file;
    file.name = entry.at("name");
    file.bytes = entry.at("bytes");
    for (const ordered_json &piece : entry.at("pieces"))
      file.pieces.push_back(parsePiece(piece));
    for (const ordered_json &word : checksums.at(index.files.size()))
      file.checksums.push_back(static_cast<uint32_t>(
          strtoul(word.get<std::string>().c_str(), nullptr, 16)));
    index.files.push_back(std::move(file));
  }
  index.progress = parseProgress(j.at("progress"));
  return index;
}

std::optional<CheckpointIndex> CheckpointIndex::read(const std::string &folder,
                                                     std::string &error) {
  std::string path = folder + "/" + fileName;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    error = "cannot open '" + path + "': " + strerror(errno);
    return std::nullopt;
  }
  std::stringstream content;
  content << stream.rdbuf();
  std::string text = content.str();
  size_t seal = text.rfind(sealBegin);
  size_t place = seal + sealBegin.size();
  if (seal == std::string::npos ||
      text.size() != place + noChecksum.size() + strlen("\"}\n")) {
    error = "'" + path + "' is damaged: it does not end with its checksum";
    return std::nullopt;
  }
  IndexText sealed{text, {place}};
  sealed.seal();
  if (sealed.text != text) {
    error = "'" + path + "' is damaged: its checksum is another";
    return std::nullopt;
  }
  ordered_json j = ordered_json::parse(text, nullptr, false);
  try {
    if (j.at("tessera_checkpoint") != formatVersion) {
      error = "'" + path + "' has another version of the format than " +
              std::to_string(formatVersion);
      return std::nullopt;
    }
    CheckpointIndex index = parse(j);
    index.folder = folder;
    std::string gap = findGap(index);
    if (gap.empty())
      return index;
    error = "'" + path + "' is damaged: " + gap;
  } catch (const ordered_json::exception &) {
    error = "'" + path + "' is damaged: it lacks an entry";
  }
  return std::nullopt;
}

static const char *dtypeOf(ElementType type) {
  switch (type) {
  case ElementType::f64:
    return "F64";
  case ElementType::bf16:
    return "BF16";
  case ElementType::f16:
    return "F16";
  case ElementType::f32:
  case ElementType::i8: // no state has it
    break;
  }
  return "F32";
}

SavedFile planFile(const tsr_context &context, int rank, std::string *header,
                   std::vector<int64_t> *places) {
  const Manifest &manifest = *context.manifest;
  char name[64];
  snprintf(name, sizeof name, "rank-%05d.safetensors", rank);
  SavedFile file;
  file.name = name;
  std::vector<TensorEntry> entries;
  for (SavedState saved : savedStates)
    for (size_t i = 0; i < manifest.parameters.size(); ++i) {
      const Parameter &parameter = manifest.parameters[i];
      const Group &group = manifest.groups[parameter.group];
      const State &state = sourceOf(context, saved, parameter.group);
      Part part = partOf(parameter, state,
                         writtenRange(state, group, rank, context.size()),
                         heldRange(state, group, rank).begin);
      if (part.range.empty())
        continue;
      entries.push_back({prefixOf(saved) + parameter.name,
                         dtypeOf(state.type),
                         {part.range.size()}});
      file.pieces.push_back(
          {saved, static_cast<int>(i), part.range, entries.back().dtype, 0});
      if (places)
        places->push_back(part.place);
    }
  std::string text = safetensorsHeader(entries, {{"format", "pt"}});
  file.bytes = static_cast<int64_t>(text.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    file.pieces[i].offset = file.bytes;
    file.bytes += entries[i].bytes();
  }
  if (header)
    *header = std::move(text);
  return file;
}

} // namespace tessera
