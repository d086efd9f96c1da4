//===- Measurements.h - What an executable has measured ---------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_BENCH_MEASUREMENTS_H
#define TESSERA_BENCH_MEASUREMENTS_H

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

/// Writes the measurements of an executable for bench/native.py, which makes a
/// file of bench/results.py's form of them: a JSON array [case, contender,
/// quantity, unit, values, better] a line. No string has a quotation mark.
class Measurements {
public:
  /// Takes `--measurements FILE` from the front of the arguments. Without it
  /// nothing is written. Exits the process where the file can't be.
  Measurements(int &argc, char **&argv) {
    if (argc < 3 || std::strcmp(argv[1], "--measurements") != 0)
      return;
    file = std::fopen(argv[2], "w");
    if (!file) {
      std::perror(argv[2]);
      std::exit(1);
    }
    argv[2] = argv[0];
    argv += 2;
    argc -= 2;
  }
  Measurements(const Measurements &) = delete;
  Measurements &operator=(const Measurements &) = delete;
  ~Measurements() {
    if (file && std::fclose(file) != 0)
      std::perror("measurements");
  }

  /// What \p contender took in \p name, a value for each round.
  void add(const std::string &name, const std::string &contender,
           const char *quantity, const char *unit,
           const std::vector<double> &values, const char *better = "less") {
    if (!file)
      return;
    std::fprintf(file, "[\"%s\", \"%s\", \"%s\", \"%s\", [", name.c_str(),
                 contender.c_str(), quantity, unit);
    for (size_t i = 0; i < values.size(); ++i)
      std::fprintf(file, "%s%.9g", i ? ", " : "", values[i]);
    std::fprintf(file, "], \"%s\"]\n", better);
  }

private:
  std::FILE *file = nullptr;
};

#endif // TESSERA_BENCH_MEASUREMENTS_H
