//===- ServerAnswers.h - What the language server answers -------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's server calls itself mlir-lsp-server and says of an operation how
// it is written in generic form. Its answers are completed on their way out.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TOOLS_SERVERANSWERS_H
#define TESSERA_TOOLS_SERVERANSWERS_H

#include "llvm/ADT/StringRef.h"
#include <string>
#include <thread>

namespace tessera {

/// The page of the operation \p name, in Markdown; empty where it is none of
/// ours.
llvm::StringRef findOperationPage(llvm::StringRef name);

/// \p answer, a message in JSON, with the server's name and with the page of an
/// operation that is hovered over.
std::string completeAnswer(llvm::StringRef answer);

/// While it lives, what the process writes to its standard output are answers,
/// which are completed.
class AnswerPipe {
public:
  AnswerPipe();
  ~AnswerPipe();

private:
  void forward();

  int reading = -1, output = -1;
  std::thread thread;
};

} // namespace tessera

#endif // TESSERA_TOOLS_SERVERANSWERS_H
