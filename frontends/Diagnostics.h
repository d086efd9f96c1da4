//===- Diagnostics.h - Errors of a specification and their places ---------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_DIAGNOSTICS_H
#define TESSERA_FRONTENDS_DIAGNOSTICS_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace tessera {

/// Collects the errors of one specification, and writes its warnings. A field
/// is named by its path from the top, "training.optimizer.lr"; its place is
/// where its value was given.
class Diagnostics {
public:
  Diagnostics(llvm::StringRef file, llvm::raw_ostream &stream)
      : file(file), stream(stream), fallback((file + ":1:1").str()) {}

  /// Records that the value of \p field was given at \p place, a text such as
  /// "file:3:5" or "--set a.b=c".
  void setPlace(llvm::StringRef field, const llvm::Twine &place) {
    places[field] = place.str();
  }

  /// Where \p field was given; for one that was not, where the nearest message
  /// around it was.
  std::string placeOf(llvm::StringRef field) const;

  /// Reports that \p what is wrong with \p field and how to mend it.
  void error(llvm::StringRef field, const llvm::Twine &what,
             const llvm::Twine &remedy) {
    errorAt(placeOf(field), what, remedy);
  }
  void errorAt(llvm::StringRef place, const llvm::Twine &what,
               const llvm::Twine &remedy);

  /// Says \p what about \p field, which is no error.
  void warning(llvm::StringRef field, const llvm::Twine &what);

  unsigned count() const { return errors; }

  /// Diagnostics of the fields within \p message, as if they were the whole:
  /// one that was not given has the place of the message around it, at last of
  /// \p message itself. They count apart.
  Diagnostics within(llvm::StringRef message) const;
  /// Counts those of \p others, too.
  void add(const Diagnostics &others) { errors += others.errors; }

private:
  std::string file;
  llvm::raw_ostream &stream;
  std::string fallback; ///< The place of what nothing around was given.
  llvm::StringMap<std::string> places;
  unsigned errors = 0;
};

} // namespace tessera

#endif // TESSERA_FRONTENDS_DIAGNOSTICS_H
