//===- Html.cpp - Pages with charts -----------------------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "report/Html.h"
#include "report/Figures.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace tessera;
using namespace tessera::plan;

static constexpr llvm::StringLiteral commonStyle = R"(
body { font: 14px/1.45 system-ui, sans-serif; color: #1f2328; background: #fff;
  max-width: 1440px; margin: 24px auto; padding: 0 24px; }
h1 { font-size: 22px; margin: 0 0 2px; }
h2 { font-size: 16px; margin: 28px 0 6px; }
p { margin: 4px 0; }
.note { color: #59636e; }
.cards { display: flex; flex-wrap: wrap; gap: 12px; margin: 16px 0; }
.card { border: 1px solid #d1d9e0; border-radius: 6px; padding: 8px 14px; }
.card b { display: block; font-size: 20px; font-weight: 600; }
.keys { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 6px 0; font-size: 13px; }
.key { display: inline-flex; align-items: center; gap: 5px; }
.key i { width: 12px; height: 12px; border-radius: 2px; display: inline-block; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: #1f2328; }
svg .grid { stroke: #d1d9e0; stroke-width: 0.6; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 12px 3px 0; text-align: left; border-bottom: 1px solid #e6eaef; }
th.n, td.n { text-align: right; }
.tables { display: flex; flex-wrap: wrap; gap: 0 48px; align-items: flex-start; }
)";

std::string tessera::escapeXml(llvm::StringRef text) {
  std::string escaped, fixed;
  // Names may come from paths, which are bytes; a page is UTF-8.
  if (!llvm::json::isUTF8(text))
    text = fixed = llvm::json::fixUTF8(text);
  for (char c : text) {
    switch (c) {
    case '&':
      escaped += "&amp;";
      break;
    case '<':
      escaped += "&lt;";
      break;
    case '>':
      escaped += "&gt;";
      break;
    case '"':
      escaped += "&quot;";
      break;
    default:
      // XML has no characters for other controls.
      bool isControl = static_cast<unsigned char>(c) < ' ' && c != '\n' &&
                       c != '\t' && c != '\r';
      if (isControl)
        escaped += "\xEF\xBF\xBD";
      else
        escaped += c;
    }
  }
  return escaped;
}

void tessera::writePage(llvm::StringRef title, llvm::raw_ostream &out,
                        llvm::function_ref<void()> body,
                        llvm::StringRef style) {
  out << "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
         "lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>"
      << escapeXml(title) << "</title>\n<style>" << commonStyle << style
      << "</style>\n</head>\n<body>\n";
  body();
  out << "</body>\n</html>\n";
}

std::string tessera::coordinate(double number) {
  return formatFixed(number, 2);
}

void tessera::writeRectangle(llvm::raw_ostream &out, double x, double y,
                             double width, double height,
                             llvm::StringRef colour, llvm::StringRef title) {
  out << "<rect x=\"" << coordinate(x) << "\" y=\"" << coordinate(y)
      << "\" width=\"" << coordinate(width) << "\" height=\""
      << coordinate(height) << "\" fill=\"" << colour << "\"><title>"
      << escapeXml(title) << "</title></rect>\n";
}

void tessera::writeText(llvm::raw_ostream &out, double x, double y,
                        llvm::StringRef anchor, llvm::StringRef text,
                        llvm::StringRef style) {
  out << "<text x=\"" << coordinate(x) << "\" y=\"" << coordinate(y)
      << "\" text-anchor=\"" << anchor << "\"";
  if (!style.empty())
    out << " style=\"" << style << "\"";
  out << ">" << escapeXml(text) << "</text>\n";
}

void tessera::writeKey(llvm::raw_ostream &out, llvm::StringRef colour,
                       llvm::StringRef name) {
  out << "<span class=\"key\"><i style=\"background:" << colour << "\"></i>"
      << escapeXml(name) << "</span>\n";
}

void tessera::writeCell(llvm::raw_ostream &out, llvm::StringRef text,
                        bool isNumber) {
  out << (isNumber ? "<td class=\"n\">" : "<td>") << escapeXml(text) << "</td>";
}

llvm::StringRef tessera::getColour(Category category) {
  switch (category) {
  case Category::Parameters:
    return "#4269d0";
  case Category::Gradients:
    return "#e0605e";
  case Category::Optimizer:
    return "#9b6bd3";
  case Category::Activations:
    return "#efb118";
  case Category::Communication:
    return "#3ca951";
  case Category::Workspace:
    return "#9498a0";
  case Category::Cache:
    return "#2ca5a5";
  }
}

llvm::StringRef tessera::getKindColour(llvm::StringRef kind) {
  return llvm::StringSwitch<llvm::StringRef>(kind)
      .Case("gemm", "#1f3c88")
      .Cases({"attention", "attention_grad"}, "#0b7a75")
      .Case("fused", "#a85c00")
      .Case("update", "#5f2a84")
      .Cases({"clear", "copy"}, "#4d5158")
      .Case("all_gather", "#1d6b2f")
      .Case("reduce_scatter", "#8f1d2c")
      .Case("all_reduce", "#c2417c")
      .Default("#6b4a2f");
}

llvm::StringRef tessera::getWaitingColour() { return "#f6c9c9"; }

double tessera::getTickDistance(double end, int count) {
  double raw = end / count, power = std::pow(10, std::floor(std::log10(raw)));
  for (double step : {1.0, 2.0, 5.0})
    if (raw <= step * power)
      return step * power;
  return 10 * power;
}
