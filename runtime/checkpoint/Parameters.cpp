//===- Parameters.cpp - Parameters and their states -----------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/Parameters.h"
#include "runtime/checkpoint/Checkpoint.h"
#include "runtime/checkpoint/PublishedFolder.h"
#include "runtime/checkpoint/QuantizedWeights.h"
#include "runtime/checkpoint/SameRun.h"
#include "runtime/core/Error.h"
#include "runtime/core/Random.h"
#include "runtime/core/Threads.h"
#include "runtime/files/WeightFiles.h"
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <set>
#include <string_view>
#include <sys/stat.h>

namespace tessera::runtime {

/// Of all families.
static constexpr std::string_view modelPrefixes[] = {
    publishedFolder::gptPrefix, publishedFolder::llamaPrefix};

/// \p name without such a prefix.
static std::string bareName(const std::string &name) {
  for (std::string_view prefix : modelPrefixes)
    if (name.starts_with(prefix))
      return name.substr(prefix.size());
  return name;
}

/// Calls \p body(first, begin, end) in parallel to write the elements [begin,
/// end) of \p tensor that this rank holds to \p first; where they have 16
/// bits they are rounded from there.
template <typename Body>
static void forHeld(const tessera_context &context, const GroupTensor &tensor,
                    const std::string &name, Body body) {
  const State &state = requireState(context, name, tensor.group);
  Range held =
      heldRange(state, context.manifest->groups[tensor.group], context.rank());
  fillPart(context, state, partOf(tensor, state, held, held.begin), body);
}

/// forHeld for each state that holds weights. \p done(begin, end) follows where
/// elements are taken some at a time.
template <typename Body>
static void
forHeldWeights(const tessera_context &context, const GroupTensor &tensor,
               Body body,
               const std::function<void(int64_t, int64_t)> &done = {}) {
  if (tensor.blocks)
    return quantizeTensor(context, tensor, body, done);
  forHeld(context, tensor, parameterState, body);
  if (weightsState(context) != parameterState)
    forHeld(context, tensor, weightsState(context), body);
}

void initializeParameters(const tessera_context &context, uint64_t seed) {
  const std::vector<Parameter> &parameters = context.manifest->parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter &parameter = parameters[i];
    forHeldWeights(
        context, parameter, [&](float *first, int64_t begin, int64_t end) {
          if (parameter.init == "constant")
            std::fill_n(first, end - begin,
                        static_cast<float>(parameter.initValue));
          else
            fillRandom(first, begin, end, seed, static_cast<uint32_t>(i),
                       parameter.init == "normal", parameter.initValue);
        });
  }
}

/// The tensor that \p name means, with or without a prefix. Exits the process
/// where there are two.
static WeightFiles::Found findTensor(const WeightFiles &files,
                                     const std::string &name) {
  std::string first = bareName(name);
  WeightFiles::Found found = files.find(first);
  for (std::string_view prefix : modelPrefixes) {
    std::string second = std::string(prefix) + bareName(name);
    WeightFiles::Found other = files.find(second);
    if (found && other && found.tensor != other.tensor)
      fatal("'%s' has both '%s' and '%s': it is ambiguous which one is meant; "
            "remove one of them",
            files.path().c_str(), first.c_str(), second.c_str());
    if (!found) {
      found = other;
      first = second;
    }
  }
  return found;
}

/// From which size on a number is none in \p type.
static float limitOf(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return 65520; // half a last place above the largest, 65504
  case ElementType::Bf16:
    return 0x1.ffp127f;
  case ElementType::I8:
    return std::nextafter(mostQuantized, std::numeric_limits<float>::max());
  default:
    return std::numeric_limits<float>::infinity();
  }
}

/// Exits the process for element \p index of \p tensor, which \p type does not
/// hold as a finite number.
[[noreturn]] static void failForElement(const SafetensorsFile &file,
                                        const std::string &name,
                                        const Tensor &tensor, int64_t index,
                                        ElementType type) {
  float value = 0;
  copyAsFloat(tensor, index, index + 1, &value);
  fatal("element %s of tensor '%s' of '%s' is %g: %s",
        placeText(tensor.shape, index).c_str(), name.c_str(),
        file.path().c_str(), double(value),
        !std::isfinite(value)
            ? "finite weights are wanted; give a file from before they were "
              "lost"
        : type == ElementType::F16
            ? "FP16 holds numbers up to 65504; compile with "
              "training.precision.compute BF16 or FP32"
        : type == ElementType::I8
            ? "INT8 holds weights up to 8319008; compile with COMPUTE for "
              "generation.weights and generation.embedding"
            : "BF16 holds numbers up to 3.39e38; compile with "
              "training.precision.compute FP32");
}

/// Reads what this rank holds of \p part, which \p files must have.
static void loadPart(const tessera_context &context, const WeightFiles &files,
                     const GroupTensor &part) {
  const std::string &name = part.name;
  WeightFiles::Found found = findTensor(files, name);
  if (!found)
    fatal("'%s' has no tensor '%s': is it of another model?",
          files.path().c_str(), name.c_str());
  const SafetensorsFile &file = *found.file;
  const Tensor *tensor = found.tensor;
  if (tensor->shape != part.shape)
    fatal("tensor '%s' of '%s' has shape %s, this model's has %s", name.c_str(),
          file.path().c_str(), shapeText(tensor->shape).c_str(),
          shapeText(part.shape).c_str());
  if (!copyAsFloat(*tensor, 0, 0, nullptr))
    fatal("tensor '%s' of '%s' has type %s: F32, BF16 or F16 is wanted",
          name.c_str(), file.path().c_str(), tensor->dtype.c_str());
  ElementType type = requireState(context, parameterState, part.group).type;
  float limit = limitOf(type);
  // The first one, whichever thread reads it.
  std::atomic<int64_t> wrong = tensor->elements();
  auto read = [&](float *first, int64_t begin, int64_t end) {
    copyAsFloat(*tensor, begin, end, first);
    bool holds = true;
    for (int64_t i = 0; i < end - begin; ++i)
      holds &= std::abs(first[i]) < limit;
    if (holds)
      return;
    int64_t index = begin;
    while (std::abs(first[index - begin]) < limit)
      ++index;
    int64_t before = wrong;
    while (index < before && !wrong.compare_exchange_weak(before, index))
      ;
  };
  forHeldWeights(context, part, read, [&](int64_t begin, int64_t end) {
    file.release(*tensor, begin, end);
  });
  if (wrong < tensor->elements())
    failForElement(file, name, *tensor, wrong, type);
  file.release(*tensor);
}

/// Whether \p name is of a constant of the architecture: GPT-2's causal mask
/// and its value, LLaMA's frequencies.
static bool isConstant(const std::string &name) {
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") ||
         name.ends_with(".rotary_emb.inv_freq");
}

/// Exits the process where \p file, one of \p files, has what is not of this
/// model.
static void requireWeights(const Manifest &manifest, const WeightFiles &files,
                           const SafetensorsFile &file) {
  std::set<std::string> known;
  for (const GroupTensor *part : manifest.parts())
    known.insert(bareName(part->name));
  for (const auto &[fullName, tensor] : file.tensors()) {
    std::string name = bareName(fullName);
    if (known.contains(name) || isConstant(name))
      continue;
    auto tied = manifest.tied.find(name);
    if (tied == manifest.tied.end())
      fatal("'%s' has a tensor '%s', which this model has not: is it of "
            "another model?",
            file.path().c_str(), fullName.c_str());
    findTensor(files, name);
    const Tensor *other = findTensor(files, tied->second).tensor;
    if (other && (other->bytes != tensor.bytes ||
                  memcmp(other->data, tensor.data, tensor.bytes) != 0))
      fatal("tensor '%s' of '%s' differs from '%s', to which this model ties "
            "it",
            fullName.c_str(), file.path().c_str(), tied->second.c_str());
    file.release(tensor);
  }
}

void loadParameters(const tessera_context &context, const std::string &path,
                    const std::vector<std::string> &allowed) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0)
    fatal("cannot open the weights '%s': %s", path.c_str(), strerror(errno));
  if (S_ISDIR(status.st_mode) && !isPublishedFolder(path))
    return loadCheckpointWeights(context, path, allowed);
  requireKnownNames(*context.manifest, allowed);
  if (isPublishedFolder(path))
    requireSameModel(*context.manifest, path);
  std::string error;
  std::unique_ptr<WeightFiles> files = WeightFiles::open(path, error);
  if (!files)
    fatal("%s", error.c_str());
  for (const std::unique_ptr<SafetensorsFile> &file : files->files())
    requireWeights(*context.manifest, *files, *file);
  for (const GroupTensor *part : context.manifest->parts())
    loadPart(context, *files, *part);
}

void declareParameters(SafetensorsWriter &writer, const Manifest &manifest) {
  for (const GroupTensor *part : manifest.parts())
    writer.declare(part->name, part->shape);
}

void writeState(const tessera_context &context, const std::string &name,
                const TakeNumbers &take, double factor) {
  static constexpr int64_t bufferElements = 4 << 20;
  std::vector<float> buffer(context.rank() == 0 ? bufferElements : 0);
  std::vector<char> narrow;
  for (const GroupTensor *part : context.manifest->parts()) {
    const State &state = requireState(context, name, part->group);
    int64_t padded = context.manifest->groups[part->group].padded;
    int64_t shard = padded / context.manifest->training.shardRanks;
    // A reduced gradient is certain to be complete only in the part of the
    // rank that owns it; whole parameters and moments are alike on all ranks,
    // and so are the replicas of a shard.
    bool byOwner = state.sharded || name == gradientState;
    int64_t end = part->offset + part->elements();
    for (int64_t at = part->offset; at < end;) {
      int owner = byOwner ? static_cast<int>(at / shard) : 0;
      int64_t stop = std::min(at + bufferElements, end);
      if (byOwner)
        stop = std::min(stop, (owner + 1) * shard);
      int64_t place = state.sharded ? at - owner * shard : at;
      int64_t size = sizeOf(state.type);
      char *target = reinterpret_cast<char *>(buffer.data());
      if (state.type != ElementType::F32 && take) {
        narrow.resize(size * bufferElements);
        target = narrow.data();
      }
      context.communicator->copyToRoot(owner, state.offset + size * place,
                                       size * (stop - at), target);
      if (take) {
        if (state.type != ElementType::F32)
          toFloats(state.type, target, stop - at, buffer.data());
        if (factor != 1)
          for (int64_t i = 0; i < stop - at; ++i)
            buffer[i] *= static_cast<float>(factor);
        take(buffer.data(), stop - at);
      }
      at = stop;
    }
  }
}

void saveParameters(const tessera_context &context, WeightsOutput *output) {
  context.communicator->barrier();
  TakeNumbers take;
  if (output)
    take = [&](const float *weights, int64_t elements) {
      output->write(weights, elements);
    };
  writeState(context, weightsState(context), take);
  if (output)
    output->commit();
  context.communicator->barrier();
}

} // namespace tessera::runtime
