//===- SharedOptions.cpp - Options that several commands take -------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/SharedOptions.h"

namespace tessera::runtime {

void storeDataType(Options &options, const std::string &text) {
  if (text != "u8" && text != "u16" && text != "i32")
    refuseCommandLine("--data-type takes 'u8', 'u16' or 'i32', not '%s'",
                      text.c_str());
  options.dataType = text;
}

void storeAllowed(Options &options, const std::string &text) {
  options.allow.push_back(text);
}

void storeSeed(Options &options, const std::string &text) {
  options.seed = readInteger("--seed", text, 0);
}

void storeOrder(Options &options, const std::string &text) {
  if (text != "sequential" && text != "shuffled")
    refuseCommandLine("--order takes 'sequential' or 'shuffled', not '%s'",
                      text.c_str());
  options.order = text;
}

} // namespace tessera::runtime
