//===- TextData.h - Text as the data of a command ---------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An executable with a tokenizer takes text as --data: it is tokenized when the
// command starts, once on each node, into a file in TMPDIR (/tmp) of 2 or 4
// bytes a token, which has no name and goes with the last rank.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_TEXTDATA_H
#define TESSERA_RUNTIME_COMMANDS_TEXTDATA_H

#include "runtime/checkpoint/WeightsOutput.h"
#include "runtime/commands/Command.h"
#include "runtime/data/Data.h"
#include "runtime/data/DocumentFile.h"
#include "runtime/data/TokenFile.h"
#include "runtime/data/Tokens.h"
#include "runtime/program/Communicator.h"

namespace tessera::runtime {

/// The tokens of --data, or of its text. With \p communicator all ranks call
/// it. Exits the process on data that cannot be read, or options of text where
/// it is none.
TokenFile openTokens(const Manifest &manifest, const Options &options,
                     Communicator *communicator = nullptr);

/// What --data holds, for this rank of \p communicator; all ranks call it. See
/// openBatchSource, for \p memory too.
std::unique_ptr<BatchSource> openData(const Manifest &manifest,
                                      const Options &options, SampleOrder order,
                                      uint64_t seed, Communicator &communicator,
                                      std::span<char> memory);

/// Has \p form give the executable's tokenizer to a published folder.
void addEmbeddedTokenizer(const Manifest &manifest, WeightsForm &form);

/// How documents are read that are given one by one.
DocumentText documentText(const Manifest &manifest);

void storeField(Options &options, const std::string &text);
void storeEnd(Options &options, const std::string &text);
void storeNoEnd(Options &options, const std::string &text);
void storeLines(Options &options, const std::string &text);

inline constexpr char graphsAreNoText[] = "a graph is not read as text";
inline constexpr Option fieldOption = ofTexts<graphsAreNoText>(
    {"--field", "NAME",
     "of text in a .jsonl, the field of a line that is the text (default: "
     "text)",
     storeField});
inline constexpr Option linesOption = ofTexts<graphsAreNoText>(
    {"--lines", nullptr, "of text in another file, each line is a document",
     storeLines});
inline constexpr Option endOption = ofTexts<graphsAreNoText>(
    {"--end", "TOKEN",
     "the token behind each document of a text (default: the eos_token of the "
     "tokenizer_config.json that was beside the tokenizer)",
     storeEnd});
inline constexpr Option noEndOption = ofTexts<graphsAreNoText>(
    {"--no-end", nullptr, "no token is behind the documents of a text",
     storeNoEnd});

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_TEXTDATA_H
