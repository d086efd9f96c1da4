//===- OptionRows.cpp - LLVM's options as rows of a table -----------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/OptionRows.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace tessera;
using runtime::OptionRow;

bool tessera::isRepeatable(const cl::Option &option) {
  return option.getNumOccurrencesFlag() == cl::ZeroOrMore ||
         option.getNumOccurrencesFlag() == cl::OneOrMore;
}

static OptionRow describeOption(const cl::Option &option) {
  OptionRow row;
  row.name = (option.ArgStr.size() > 1 ? "--" : "-") + option.ArgStr.str();
  row.value = option.ValueStr.str();
  if (row.value.empty() && option.getValueExpectedFlag() == cl::ValueRequired)
    row.value = "value";
  row.help = option.HelpStr.str();
  row.required = option.getNumOccurrencesFlag() == cl::Required;
  row.repeats = isRepeatable(option);
  SmallVector<StringRef> choices;
  option.ValueStr.split(choices, '|');
  if (choices.size() > 1)
    for (StringRef choice : choices)
      row.choices.push_back(choice.str());
  return row;
}

std::vector<OptionRow> tessera::listOptions(cl::SubCommand &command) {
  std::vector<OptionRow> rows;
  for (const auto &[name, option] : cl::getRegisteredOptions(command))
    if (name == option->ArgStr &&
        option->getOptionHiddenFlag() == cl::NotHidden &&
        !StringRef(name).starts_with("help") && name != "version")
      rows.push_back(describeOption(*option));
  sort(rows,
       [](const OptionRow &a, const OptionRow &b) { return a.name < b.name; });
  return rows;
}
