//===- Html.h - Pages with charts -------------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A page is one file of well-formed XML that refers to nothing outside and
// needs no scripts.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_REPORT_HTML_H
#define TESSERA_REPORT_HTML_H

#include "dialects/plan/Plan.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace tessera {

/// \p text with what XML reserves written as entities, and U+FFFD in the place
/// of what is no UTF-8 or no character of XML.
std::string escapeXml(llvm::StringRef text);

/// Writes a page titled \p title around what \p body writes; \p style is CSS
/// beside what all pages have.
void writePage(llvm::StringRef title, llvm::raw_ostream &out,
               llvm::function_ref<void()> body, llvm::StringRef style = "");

/// A number within a chart: two decimals.
std::string coordinate(double number);

/// A rectangle that shows \p title where the pointer rests on it.
void writeRectangle(llvm::raw_ostream &out, double x, double y, double width,
                    double height, llvm::StringRef colour,
                    llvm::StringRef title);

/// \p anchor: start, middle or end.
void writeText(llvm::raw_ostream &out, double x, double y,
               llvm::StringRef anchor, llvm::StringRef text,
               llvm::StringRef style = "");

/// A square of the colour and its name, for a legend.
void writeKey(llvm::raw_ostream &out, llvm::StringRef colour,
              llvm::StringRef name);

/// A cell of a table; \p isNumber: set to the right.
void writeCell(llvm::raw_ostream &out, llvm::StringRef text, bool isNumber);

/// The colour of memory of a category.
llvm::StringRef getColour(plan::Category category);

/// The colour of what a step does (StepWork::kind): darker than those of
/// memory, so that each has one meaning.
llvm::StringRef getKindColour(llvm::StringRef kind);
/// Where a rank waits for others.
llvm::StringRef getWaitingColour();

/// The distance of ticks for an axis up to \p end with at most \p count of
/// them: 1, 2 or 5 times a power of ten.
double getTickDistance(double end, int count);

} // namespace tessera

#endif // TESSERA_REPORT_HTML_H
