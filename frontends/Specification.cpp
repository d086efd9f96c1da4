//===- Specification.cpp - A model's specification, read and checked ------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/Specification.h"
#include "frontends/Diagnostics.h"
#include "frontends/Machine.h"
#include "frontends/TextReader.h"
#include "frontends/Validation.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace tessera;

std::optional<Specification>
tessera::parseSpecification(llvm::StringRef text, llvm::StringRef path,
                            llvm::ArrayRef<std::string> overrides,
                            llvm::raw_ostream &errors,
                            llvm::StringRef machinePath) {
  Diagnostics diagnostics(path, errors);
  spec::Specification message;
  if (!readText(text.str(), path, message, diagnostics))
    return std::nullopt;
  if (!machinePath.empty() &&
      !readMachine(machinePath, *message.mutable_machine(), diagnostics))
    return std::nullopt;
  for (const std::string &option : overrides)
    applyOverride(option, message, diagnostics);
  validate(message, /*complete=*/diagnostics.count() == 0, diagnostics);
  if (message.gnn().has_graph() && diagnostics.count() == 0) {
    bool fromOption =
        llvm::StringRef(diagnostics.placeOf("gnn.graph")).starts_with("--set");
    resolveGraph(message,
                 fromOption ? llvm::StringRef()
                            : llvm::sys::path::parent_path(path),
                 diagnostics);
  }
  if (diagnostics.count() != 0)
    return std::nullopt;
  Specification specification = resolve(message, path);
  specification.memoryLimitPlace = diagnostics.placeOf("training.memory_limit");
  return specification;
}

std::optional<Specification> tessera::loadSpecification(
    llvm::StringRef path, llvm::ArrayRef<std::string> overrides,
    llvm::raw_ostream &errors, llvm::StringRef machinePath) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(path);
  if (!file) {
    Diagnostics(path, errors)
        .errorAt(path, "cannot be read: " + file.getError().message(),
                 "give the path of a specification, such as "
                 "examples/bloom-tiny.textproto");
    return std::nullopt;
  }
  return parseSpecification((*file)->getBuffer(), path, overrides, errors,
                            machinePath);
}
