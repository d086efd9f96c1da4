//===- CheckpointIndex.cpp - What a checkpoint consists of ----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/CheckpointIndex.h"
#include "runtime/files/Checksum.h"
#include "runtime/files/Safetensors.h"
#include <cstdio>
#include <nlohmann/json.hpp>

using nlohmann::ordered_json;

namespace tessera::runtime {

std::vector<std::string> savedStates(const Manifest &manifest) {
  std::vector<std::string> names = {savedWeight};
  for (const OptimizerState &state : manifest.training.optimizer.states)
    names.push_back(state.savedAs);
  return names;
}

std::string prefixOf(const std::string &saved) {
  return saved == savedWeight ? "" : "optimizer." + saved + ".";
}

const State &sourceOf(const tessera_context &context, const std::string &saved,
                      int group) {
  for (const OptimizerState &state :
       context.manifest->training.optimizer.states)
    if (state.savedAs == saved)
      return requireState(context, state.name, group);
  return requireState(context, weightsState(context), group);
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
  put(place,
      checksum(text.data(), static_cast<int64_t>(places[place] -
                                                 IndexText::sealBegin.size())));
}

int64_t CheckpointIndex::blockCount() const {
  int64_t count = 0;
  for (const SavedFile &file : files)
    count += BlockChecksums::count(file.bytes, blockBytes);
  return count;
}

static ordered_json dataJson(const DataFingerprint &data) {
  char sum[9];
  snprintf(sum, sizeof sum, "%08x", data.checksum);
  return {{"bytes", data.bytes}, {"checksum", std::string(sum)}};
}

static ordered_json validationJson(const ValidationProgress &validation) {
  return {{"step", validation.step},
          {"best", validation.best},
          {"best_step", validation.bestStep},
          {"without_better", validation.withoutBetter},
          {"samples", validation.samples},
          {"data", dataJson(validation.data)}};
}

static ordered_json progressJson(const Progress &progress) {
  ordered_json json = {{"step", progress.step},
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
  if (progress.validation.step)
    json["validation"] = validationJson(progress.validation);
  return json;
}

/// An array with one element per line.
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
  text = ordered_json{{"tessera_checkpoint", CheckpointIndex::formatVersion},
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
      pieces.push_back({piece.state, piece.parameter, piece.range.begin,
                        piece.range.end, piece.dtype, piece.offset});
    return ordered_json{
        {"name", file.name}, {"bytes", file.bytes}, {"pieces", pieces}};
  });
  text += ",\n\"progress\": " + progressJson(progress).dump();
  if (!fingerprint.empty())
    text += ",\n\"fingerprint\": " + ordered_json(fingerprint).dump(1);
  if (data)
    text += ",\n\"data\": " + dataJson(*data).dump();
  text += ",\n\"checksums\": [";
  for (size_t i = 0; i < files.size(); ++i) {
    text += i ? ",\n[" : "\n[";
    int64_t blocks = BlockChecksums::count(files[i].bytes, blockBytes);
    for (int64_t block = 0; block < blocks; ++block) {
      text += block ? ", \"" : "\"";
      result.places.push_back(text.size());
      text.append(IndexText::noChecksum) += '"';
    }
    text += "]";
  }
  text.append("]").append(IndexText::sealBegin);
  result.places.push_back(text.size());
  text.append(IndexText::noChecksum).append(IndexText::end);
  return result;
}

static const char *dtypeOf(ElementType type) {
  switch (type) {
  case ElementType::F64:
    return "F64";
  case ElementType::Bf16:
    return "BF16";
  case ElementType::F16:
    return "F16";
  case ElementType::F32:
  case ElementType::I8: // no state has it
    break;
  }
  return "F32";
}

SavedFile planFile(const tessera_context &context, int rank,
                   std::string *header, std::vector<int64_t> *places) {
  const Manifest &manifest = *context.manifest;
  char name[64];
  snprintf(name, sizeof name, "rank-%05d.safetensors", rank);
  SavedFile file;
  file.name = name;
  std::vector<TensorEntry> entries;
  for (const std::string &saved : savedStates(manifest))
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

} // namespace tessera::runtime
