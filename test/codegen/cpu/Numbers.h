//===- Numbers.h - Random numbers and errors for tests ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_TEST_CODEGEN_CPU_NUMBERS_H
#define TESSERA_TEST_CODEGEN_CPU_NUMBERS_H

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace tessera::test {

/// Normally distributed numbers, the same ones for the same seed.
inline std::vector<float> randomNumbers(size_t count, double deviation,
                                        unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> numbers(count);
  for (float &number : numbers)
    number = normal(generator);
  return numbers;
}

inline std::vector<double> widen(const std::vector<float> &numbers) {
  return {numbers.begin(), numbers.end()};
}

/// The error's norm over the reference's.
inline double relativeError(const std::vector<float> &got,
                            const std::vector<double> &expected) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    error += (got[i] - expected[i]) * (got[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(error / norm);
}

/// "tensor<2x3xf32>" for the sizes 2 and 3.
inline std::string tensor(const std::vector<int64_t> &sizes,
                          const std::string &element = "f32") {
  std::string text = "tensor<";
  for (int64_t size : sizes)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

/// A kernel of one function: \p arguments and \p results are lists of types,
/// \p body its operations, whose results end in %r0, %r1, ...
inline std::string kernelText(const std::vector<std::string> &arguments,
                              const std::vector<std::string> &results,
                              const std::string &body,
                              const std::vector<int> &inPlace = {}) {
  std::string text = "func.func private @kernel(", returned, types, values;
  for (size_t i = 0; i < arguments.size(); ++i)
    text += (i ? ", %a" : "%a") + std::to_string(i) + ": " + arguments[i];
  for (size_t i = 0; i < results.size(); ++i) {
    std::string comma = i ? ", " : "";
    returned += comma + results[i];
    if (i < inPlace.size())
      returned += " {plan.inplace = [" + std::to_string(inPlace[i]) + "]}";
    types += comma + results[i];
    values += comma + "%r" + std::to_string(i);
  }
  return text + ") -> (" + returned + ") attributes {plan.kernel} {\n" + body +
         "\nreturn " + values + " : " + types + "\n}\n";
}

} // namespace tessera::test

#endif // TESSERA_TEST_CODEGEN_CPU_NUMBERS_H
