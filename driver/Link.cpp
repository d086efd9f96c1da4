//===- Link.cpp - Linking of executables ------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Link.h"
#include "driver/HeldSignals.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace llvm;

/// The folder of the runtime's archives: lib/tessera beside the compiler's bin,
/// wherever the two have been installed, and in the build folder.
static SmallString<128> getLibraryDirectory() {
  static int anchor;
  SmallString<128> path(
      sys::fs::getMainExecutable("tessera", static_cast<void *>(&anchor)));
  sys::path::remove_filename(path);
  sys::path::remove_filename(path);
  sys::path::append(path, "lib", "tessera");
  return path;
}

/// Fails where a file that is to be linked is missing, before the linker says
/// so without a remedy.
static Error requireFiles(ArrayRef<std::string> archives,
                          ArrayRef<std::string> libraries) {
  for (const std::string &archive : archives)
    if (!sys::fs::exists(archive))
      return createStringError(
          inconvertibleErrorCode(),
          "the runtime's archive '" + archive +
              "' is missing: it lies where the compiler was installed from, "
              "and is copied together with it ('cmake --install')");
  for (const std::string &library : libraries)
    if (sys::path::is_absolute(library) && !sys::fs::exists(library))
      return createStringError(
          inconvertibleErrorCode(),
          "the library '" + library +
              "' is missing, which this executable is linked with: install it; "
              "docs/install.md names its package");
  return Error::success();
}

Error tessera::linkExecutable(ArrayRef<std::string> objects,
                              StringRef executable, const LinkParts &parts) {
  ErrorOr<std::string> driver = sys::findProgramByName("c++");
  if (!driver)
    return createStringError(
        driver.getError(),
        "no C++ compiler 'c++' on the path to link with; install g++ or clang");
  SmallString<128> directory = getLibraryDirectory();
  std::vector<std::string> archives;
  auto addArchive = [&](StringRef name) {
    SmallString<128> path = directory;
    sys::path::append(path, "libtessera_" + name + ".a");
    archives.push_back(path.str().str());
  };
  addArchive("runtime");
  llvm::for_each(parts.archives, addArchive);
  if (Error error = requireFiles(archives, parts.libraries))
    return error;
  // The runtime's allocation functions are exported: libraries must use them.
  // What no object needs is left out again.
  std::vector<std::string> arguments = {*driver, "-o", executable.str()};
  append_range(arguments, objects);
  append_range(arguments,
               ArrayRef<StringRef>{"-rdynamic", "-Wl,--start-group"});
  append_range(arguments, archives);
  append_range(arguments,
               ArrayRef<StringRef>{"-Wl,--end-group", "-Wl,--as-needed",
                                   "-lgomp", "-lpthread", "-ldl", "-lm"});
  append_range(arguments, parts.libraries);
  if (sys::findProgramByName("ld.lld"))
    arguments.push_back("-fuse-ld=lld");

  // The linker makes files of its own and clears them away as it ends.
  HeldSignals held;
  SmallString<128> log;
  if (std::error_code error =
          sys::fs::createTemporaryFile("tessera-link", "log", log))
    return createStringError(error, "cannot make a temporary file");
  std::string message;
  SmallVector<StringRef> views(arguments.begin(), arguments.end());
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log),
                                          StringRef(log)};
  int status = sys::ExecuteAndWait(*driver, views, std::nullopt, redirects, 0,
                                   0, &message);
  auto output = MemoryBuffer::getFile(log);
  sys::fs::remove(log);
  if (status == 0)
    return Error::success();
  return createStringError(
      inconvertibleErrorCode(),
      "linking failed: " + join(views, " ") + "\n" + message +
          (output ? (*output)->getBuffer().str() : std::string()));
}
