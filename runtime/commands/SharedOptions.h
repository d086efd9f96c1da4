//===- SharedOptions.h - Options that several commands take -----*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_SHAREDOPTIONS_H
#define TESSERA_RUNTIME_COMMANDS_SHAREDOPTIONS_H

#include "runtime/commands/Command.h"

namespace tessera::runtime {

/// \p option, which a command cannot do without.
constexpr Option required(Option option) {
  option.required = true;
  return option;
}

void storeDataType(Options &options, const std::string &text);
void storeAllowed(Options &options, const std::string &text);
void storeSeed(Options &options, const std::string &text);
void storeOrder(Options &options, const std::string &text);

inline constexpr Option dataOption = {
    "--data", "PATH",
    "text (tokenized where the executable has a tokenizer, else bytes as "
    "tokens), an MMIDIDX pair's prefix, a .bin of llm.c, or a graph "
    "(safetensors)",
    keepText<&Options::data>};
inline constexpr char graphsSayTypes[] =
    "a graph's file says itself what it holds";
inline constexpr Option dataTypeOption = ofTexts<graphsSayTypes>(
    {"--data-type", "u8|u16|i32",
     "what a token is in a file that does not say it (default: u8 where the "
     "vocabulary is 256)",
     storeDataType});
inline constexpr Option initOption = {
    "--init", "PATH",
    "begin with the weights of a safetensors file, a checkpoint's folder or a "
    "published model's (default: random)",
    keepText<&Options::init>};
inline constexpr Option weightsOption = required(
    {"--init", "PATH",
     "the weights: a safetensors file, a checkpoint's folder or a published "
     "model's",
     keepText<&Options::init>});
inline constexpr Option checkpointDirOption = {
    "--checkpoint-dir", "DIR", "where checkpoints are; the last two are kept",
    keepText<&Options::checkpointDir>};
inline constexpr Option allowOption = {
    "--allow", "NAME",
    "let a setting, or 'data', differ from the checkpoint's; may be given "
    "several times",
    storeAllowed};
inline constexpr Option offloadDirOption = {
    "--offload-dir", "DIR",
    "where the file of offloaded states lies (default: TMPDIR, or /tmp)",
    keepText<&Options::offloadDir>};
inline constexpr Option seedOption = {
    "--seed", "S", "seed of random weights, order and sampling", storeSeed};
inline constexpr Option orderOption = {
    "--order", "sequential|shuffled",
    "order of the samples (default: shuffled for train, sequential for "
    "grads)",
    storeOrder};
inline constexpr Option outOption = {
    "--out", "FILE", "the safetensors file to write", keepText<&Options::out>};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_SHAREDOPTIONS_H
