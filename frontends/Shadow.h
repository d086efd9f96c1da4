//===- Shadow.h - The attacker's model of an audit --------------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `audit.shadow` says what of the shadow differs from the target. Laid over the
// target's fields it is a specification of its own, which is checked and
// resolved as any other.
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_FRONTENDS_SHADOW_H
#define TESSERA_FRONTENDS_SHADOW_H

#include "frontends/spec.pb.h"

namespace tessera {

/// Whether the shadow of \p audit, as it was given, is on a graph of its own.
bool hasOwnGraph(const spec::Audit &audit);

/// The specification of the shadow of \p given, without its audit: the fields
/// of `gnn` and `training` that `audit.shadow` gives, and the target's where it
/// gives none. Of the target's those are left out that would mean something
/// else: widths where others are given, fields that the shadow's layers have
/// not, an optimizer of another kind, and the shape of the target's graph where
/// the shadow has its own. Values that follow from others are not resolved yet
/// in \p given.
spec::Specification layShadow(const spec::Specification &given);

/// Writes \p shadow, which layShadow has made, into \p audit.shadow, and there
/// the target's numbers of nodes where it gives none.
void fillShadow(const spec::Specification &shadow, spec::Audit &audit);

} // namespace tessera

#endif // TESSERA_FRONTENDS_SHADOW_H
