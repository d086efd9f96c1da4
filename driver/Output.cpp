//===- Output.cpp - What a command writes -----------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Output.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace tessera;

static Error refuse(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

LogicalResult tessera::failCommand(const Twine &message) {
  errs() << "tessera: error: " << message << "\n";
  return failure();
}

Error Output::open(StringRef path, std::vector<runtime::UsedFile> used) {
  isFile = !path.empty() && path != "-";
  if (!isFile)
    return Error::success();
  if (const char *what = runtime::findUse(path.str(), std::move(used)))
    return refuse("cannot write '" + path + "': it is " + what +
                  "; name another file");
  if (!file.open(path.str(), 0))
    return refuse(file.error());
  return Error::success();
}

Error Output::finish(StringRef text) {
  if (!file.write(text.data(), text.size()) || !file.commit())
    return refuse(file.error());
  return Error::success();
}

Error Output::write(function_ref<void(raw_ostream &)> print) {
  if (isFile) {
    std::string text;
    raw_string_ostream stream(text);
    print(stream);
    return finish(text);
  }
  print(outs());
  outs().flush();
  std::error_code error = outs().error();
  outs().clear_error();
  if (error)
    return refuse("cannot write the standard output: " + error.message());
  return Error::success();
}

Error Output::writeProgram(StringRef path) {
  auto program = MemoryBuffer::getFile(path, /*IsText=*/false,
                                       /*RequiresNullTerminator=*/false);
  if (!program)
    return refuse("cannot read " + path + ": " + program.getError().message());
  if (!file.allowExecution())
    return refuse(file.error());
  return finish((*program)->getBuffer());
}

LogicalResult tessera::writeOutput(Output &output,
                                   function_ref<void(raw_ostream &)> print) {
  if (Error error = output.write(print))
    return failCommand(toString(std::move(error)));
  return success();
}
