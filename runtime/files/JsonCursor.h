//===- JsonCursor.h - Reading JSON that may be anything ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A value of a JSON text and the way to it. Each read states what may be there,
// and what is not is refused with its place: "progress.step is -1: an integer
// of 0 to 10 is wanted".
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_FILES_JSONCURSOR_H
#define TESSERA_RUNTIME_FILES_JSONCURSOR_H

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace tessera::runtime {

class JsonCursor {
public:
  using Json = nlohmann::ordered_json;

  /// What a read throws; its text names the place.
  struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  explicit JsonCursor(const Json &value, std::string place = "")
      : value(value), place(std::move(place)) {}

  /// The text as JSON of at most \p depth values within one another, in whose
  /// objects no key is there twice: a parser would keep one of the two.
  static Json parse(const std::string &text, int depth);

  bool has(const char *key) const;
  /// A member of an object, which must be there.
  JsonCursor at(const char *key) const;
  /// An element of an array, which must have it.
  JsonCursor element(size_t index) const;
  /// The length of an array of \p least to \p most elements.
  size_t length(size_t least, size_t most) const;
  /// Calls \p take(key, member) for the members of an object, of which there
  /// are 1 to \p most.
  template <typename Take> void members(size_t most, Take take) const {
    if (!value.is_object() || value.empty() || value.size() > most)
      refuse("an object of 1 to " + std::to_string(most) + " members");
    for (const auto &[key, member] : value.items())
      take(key, JsonCursor(member, place + "['" + key + "']"));
  }

  int64_t integer(int64_t least, int64_t most) const;
  uint64_t natural() const;
  /// A finite number.
  double number(double least, double most) const;
  /// 1 to \p most bytes, none of them NUL.
  std::string text(size_t most) const;
  /// At most \p most bytes, any of them.
  std::string anyText(size_t most) const;
  bool boolean() const;
  bool isNull() const { return value.is_null(); }
  bool isArray() const { return value.is_array(); }

  /// Throws: "PLACE is VALUE: WANTED is wanted".
  [[noreturn]] void refuse(const std::string &wanted) const;

private:
  const Json &value;
  std::string place;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_FILES_JSONCURSOR_H
