//===- AuditDocuments.h - Audits of a model of texts ------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_COMMANDS_AUDITDOCUMENTS_H
#define TESSERA_RUNTIME_COMMANDS_AUDITDOCUMENTS_H

#include "runtime/audit/Report.h"
#include "runtime/commands/Options.h"
#include "runtime/program/Manifest.h"

namespace tessera::runtime {

/// The documents that an audit asks a model about.
struct DocumentPaths {
  std::string members, nonMembers; ///< see DocumentFile.h
  /// Weights of a model that has seen neither; empty for none.
  std::string reference;
};

/// Scores all documents by the model with the weights of --init, and fills in
/// what of \p report follows. Returns a table of all scores, as CSV: a row for
/// each document, members first. Exits the process on documents that cannot be
/// read.
std::string auditDocuments(const Manifest &manifest, const Options &options,
                           const DocumentPaths &paths, AuditReport &report);

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_COMMANDS_AUDITDOCUMENTS_H
