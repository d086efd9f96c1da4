//===- LogprobText.h - Tokens and their probabilities as JSON ---*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_LOGPROBTEXT_H
#define TESSERA_RUNTIME_COMMANDS_LOGPROBTEXT_H

#include "runtime/generation/Logprobs.h"
#include "runtime/generation/TextCodec.h"
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tessera::runtime {

/// Bytes that are no UTF-8 as U+FFFD, since JSON has no others.
std::string repairedText(std::string_view text);

/// A token's id, text and logprob, and the same of the likeliest under `top`.
nlohmann::ordered_json logprobsText(TextCodec &codec,
                                    const TokenLogprobs &token);

/// What the tokens of \p model mean; exits the process where that is not known,
/// or where the model, which \p command is to read texts with, is of graphs.
std::unique_ptr<TextCodec> requireTextCodec(const Model &model,
                                            const char *command);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_LOGPROBTEXT_H
