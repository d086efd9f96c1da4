//===- TextCommands.h - Commands on text and tokens -------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//     tessera tokenize FILE... --tokenizer T -o PREFIX
//     tessera detokenize TOKENS --tokenizer T [-o FILE]
//     tessera train-tokenizer FILE... --vocabulary N -o tokenizer.json
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_DRIVER_TEXTCOMMANDS_H
#define TESSERA_DRIVER_TEXTCOMMANDS_H

#include "llvm/Support/LogicalResult.h"
#include <string>
#include <vector>

namespace tessera {

/// The options of a command, named as on the command line; empty where one was
/// not given.
struct TextOptions {
  std::vector<std::string> inputs;
  std::string tokenizer; ///< tokenizer.json, or a folder that has it
  std::string output;
  std::string field; ///< of a line of .jsonl that is the text
  std::string end;   ///< the token that ends a document
  bool noEnd = false, lines = false, addSpecial = false, specialAsText = false,
       keepSpecial = false;
  unsigned threads = 0; ///< 0: the cores
  // Of train-tokenizer.
  unsigned vocabulary = 0, minFrequency = 0;
  std::string split;
  std::vector<std::string> special;
};

// Each writes its errors to the standard error and fails then.

/// Writes the tokens of documents as an MMIDIDX pair: each line of a .jsonl,
/// or each file, or each of its lines.
llvm::LogicalResult runTokenize(const TextOptions &options);

/// Writes the text of a file of tokens.
llvm::LogicalResult runDetokenize(const TextOptions &options);

/// Learns a tokenizer from texts and writes its tokenizer.json and, where that
/// is the file's name, tokenizer_config.json beside it.
llvm::LogicalResult runTrainTokenizer(const TextOptions &options);

} // namespace tessera

#endif // TESSERA_DRIVER_TEXTCOMMANDS_H
