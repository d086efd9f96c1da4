//===- OutputFolder.h - Folders that a command writes -----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// As for a file (Output.h): until it is whole a folder has another name beside
// its own, NAME.tessera-PROCESS-NUMBER.tmp, and what a killed process has left
// of it goes when the next one is opened.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_OUTPUTFOLDER_H
#define TESSERA_RUNTIME_FILES_OUTPUTFOLDER_H

#include <string>

namespace tessera::runtime {

/// A folder under construction.
class OutputFolder {
public:
  OutputFolder() = default;
  /// Without commit() the folder goes, once its files are gone.
  ~OutputFolder();
  OutputFolder(const OutputFolder &) = delete;
  OutputFolder &operator=(const OutputFolder &) = delete;

  /// Opens the output \p path, which is not there or is an empty folder.
  /// Called once; false, as commit(), where error() says why.
  bool open(const std::string &path);
  /// The path under which a file \p name of it is written.
  std::string fileIn(const std::string &name) const {
    return temporary + "/" + name;
  }
  /// Gives the folder, whose files are written and closed, its name.
  bool commit();

  const std::string &error() const { return reason; }

private:
  bool refuse(const std::string &text);

  std::string path;      ///< as the user wrote it
  std::string target;    ///< with links followed
  std::string temporary; ///< empty before open() and after commit()
  std::string reason;
  int descriptor = -1; ///< of the folder, locked while it is under construction
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_OUTPUTFOLDER_H
