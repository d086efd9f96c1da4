//===- Reader.h - Fields of a ds_config.json --------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_DEEPSPEED_READER_H
#define TESSERA_FRONTENDS_DEEPSPEED_READER_H

#include "frontends/deepspeed/Import.h"
#include "llvm/ADT/StringSet.h"

namespace tessera {

/// Gives the values of fields by their paths, "fp16.enabled", and collects what
/// they become. A field that is null counts as one that is not there.
class DeepSpeedReader {
public:
  DeepSpeedReader(const llvm::json::Object &root, llvm::StringRef file,
                  llvm::raw_ostream &errors)
      : root(root), file(file), errors(errors) {}

  /// Null where the field is not there. It counts as read from now on.
  const llvm::json::Value *find(llvm::StringRef path);

  // Nothing where the field is not there, and where it is "auto", which is then
  // said to be for \p setting. A value of another kind is an error.
  std::optional<double> number(llvm::StringRef path, llvm::StringRef setting);
  std::optional<int64_t> whole(llvm::StringRef path, llvm::StringRef setting);
  std::optional<bool> flag(llvm::StringRef path, llvm::StringRef setting);
  std::optional<llvm::StringRef> text(llvm::StringRef path,
                                      llvm::StringRef setting);

  void set(llvm::StringRef path, const llvm::Twine &value);
  void set(llvm::StringRef path, double value);
  void note(llvm::StringRef path, const llvm::Twine &text);
  /// Something that the field asks for is not done.
  void warn(llvm::StringRef path, const llvm::Twine &text);
  void error(llvm::StringRef path, const llvm::Twine &text);

  bool isRead(llvm::StringRef path) const { return seen.contains(path); }
  bool hasFailed() const { return failed; }
  const llvm::json::Object &fields() const { return root; }
  DeepSpeedSettings take() { return std::move(result); }

private:
  /// The field, unless it is "auto".
  const llvm::json::Value *findGiven(llvm::StringRef path,
                                     llvm::StringRef setting);
  void refuse(llvm::StringRef path, llvm::StringRef wanted);

  const llvm::json::Object &root;
  std::string file;
  llvm::raw_ostream &errors;
  llvm::StringSet<> seen;
  DeepSpeedSettings result;
  bool failed = false;
};

} // namespace tessera

#endif // TESSERA_FRONTENDS_DEEPSPEED_READER_H
