//===- Parallel.cpp - What ranks may do -----------------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "frontends/validation/Validator.h"

using namespace tessera;

void Validator::checkParallel() {
  const spec::Parallel &parallel = message.parallel();
  // Each must divide the ranks that are partitioned over above it.
  auto checkDivisor = [&](llvm::StringRef path, int64_t part,
                          llvm::StringRef wholePath, int64_t whole,
                          llvm::StringRef without) {
    if (!sound({path}) || llvm::is_contained(refused, wholePath) ||
        whole % part == 0)
      return;
    std::string choices = getNearestDivisors(whole, part);
    llvm::StringRef better = choices;
    better.consume_front("1 or ");
    std::string remedy =
        better == "1" ? "leave" : ("take " + better + ", or leave").str();
    diagnostics.error(path,
                      "`" + wholePath + "` (" + llvm::Twine(whole) +
                          ") is not divisible by `" + path + "` (" +
                          llvm::Twine(part) + ")",
                      remedy + " it out to " + without);
  };
  checkDivisor("parallel.shard_ranks", parallel.shard_ranks(), "parallel.world",
               parallel.world(), "partition over all ranks");
  bool grid = given("parallel.shard_ranks");
  checkDivisor("parallel.secondary_ranks", parallel.secondary_ranks(),
               grid ? "parallel.shard_ranks" : "parallel.world",
               grid ? parallel.shard_ranks() : parallel.world(),
               "gather from all ranks each time");
  if (parallel.quantized_gathers() &&
      !llvm::is_contained(refused, "parallel.zero_stage") &&
      !llvm::is_contained(refused, "parallel.world") &&
      (parallel.zero_stage() < 3 || parallel.world() < 2))
    diagnostics.error("parallel.quantized_gathers",
                      "`parallel.quantized_gathers` has nothing to quantize: "
                      "stage " +
                          llvm::Twine(parallel.zero_stage()) + " on " +
                          llvm::Twine(parallel.world()) +
                          (parallel.world() == 1 ? " rank" : " ranks") +
                          " gathers no parameters before their use",
                      "give `parallel.zero_stage` 3 and a `parallel.world` of "
                      "at least 2, or leave it out");
  if (sound({"parallel.bucket_bytes", "parallel.gather_bytes"}) &&
      parallel.bucket_bytes() &&
      parallel.gather_bytes() > parallel.bucket_bytes())
    diagnostics.error("parallel.gather_bytes",
                      "groups of `parallel.gather_bytes` (" +
                          llvm::Twine(parallel.gather_bytes()) +
                          ") would not fit `parallel.bucket_bytes` (" +
                          llvm::Twine(parallel.bucket_bytes()) +
                          "): a group's gradients are one bucket",
                      "give at most " + llvm::Twine(parallel.bucket_bytes()) +
                          ", or a larger `parallel.bucket_bytes`");
}
