//===- PackedWeights.cpp - Weights in panels ---------------------*- C++
//-*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/program/PackedWeights.h"
#include "runtime/core/Error.h"
#include "runtime/core/Threads.h"
#include "runtime/program/Context.h"
#include <algorithm>
#include <cstring>
#include <memory>

namespace tessera::runtime {
namespace {

/// Where a weight lies in a matrix that is not packed.
struct Strides {
  int64_t column, inner; ///< from one to the next
};

/// Writes the panel of \p width columns that begins at \p from to \p panel.
template <typename Element>
void packPanel(const Element *from, Strides strides, int64_t inner,
               int64_t width, bool inPairs, Element *panel) {
  int64_t paired = inPairs ? inner / 2 * 2 : 0;
  for (int64_t k = 0; k < inner; ++k) {
    const Element *row = from + k * strides.inner;
    bool isPaired = k < paired;
    Element *to = panel + (isPaired ? k / 2 * 2 * width + k % 2 : k * width);
    for (int64_t n = 0; n < width; ++n)
      to[isPaired ? 2 * n : n] = row[n * strides.column];
  }
}

template <typename Element>
void packPanels(Element *matrix, int64_t rows, int64_t columns, bool ofRows,
                bool inPairs) {
  int64_t outputs = ofRows ? rows : columns, inner = ofRows ? columns : rows;
  // A panel of rows lies where it is packed; one of columns does not.
  std::unique_ptr<Element[]> copy;
  if (!ofRows) {
    copy.reset(new Element[rows * columns]);
    parallelFor(rows * columns, 1 << 16, [&](int64_t begin, int64_t end) {
      std::copy(matrix + begin, matrix + end, copy.get() + begin);
    });
  }
  Strides strides = ofRows ? Strides{inner, 1} : Strides{1, outputs};
  int64_t panels = (outputs + panelWidth - 1) / panelWidth;
  parallelFor(panels, 1, [&](int64_t begin, int64_t end) {
    std::unique_ptr<Element[]> own;
    if (ofRows)
      own.reset(new Element[panelWidth * inner]);
    for (int64_t p = begin; p < end; ++p) {
      int64_t first = p * panelWidth;
      int64_t width = std::min(panelWidth, outputs - first);
      Element *panel = matrix + first * inner;
      const Element *from = own.get();
      if (ofRows)
        std::copy_n(panel, width * inner, own.get());
      else
        from = copy.get() + first;
      packPanel(from, strides, inner, width, inPairs, panel);
    }
  });
}

} // namespace

void packWeights(ElementType type, int64_t rows, int64_t columns, bool ofRows,
                 void *matrix) {
  if (sizeOf(type) == 4)
    packPanels(static_cast<uint32_t *>(matrix), rows, columns, ofRows,
               /*inPairs=*/false);
  else
    packPanels(static_cast<uint16_t *>(matrix), rows, columns, ofRows,
               /*inPairs=*/type == ElementType::Bf16);
}

void packParameters(const tessera_context &context) {
  for (const Parameter &parameter : context.manifest->parameters) {
    if (parameter.packed.empty())
      continue;
    const State *state = context.program->state("parameter", parameter.group);
    if (!state || parameter.shape.size() != 2)
      fatal("the embedded manifest says that '%s' is packed, which cannot be: "
            "compile the specification again with this version of tessera",
            parameter.name.c_str());
    packWeights(state->type, parameter.shape[0], parameter.shape[1],
                parameter.packed == "rows",
                context.arena + state->offset +
                    parameter.offset * sizeOf(state->type));
  }
}

} // namespace tessera::runtime
