//===- SameRun.cpp - Whether a checkpoint is of this run ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/checkpoint/SameRun.h"
#include "runtime/core/Error.h"
#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace tessera::runtime {

using Settings = std::map<std::string, std::string>;

static const std::string dataName = "data";

static bool contains(const std::vector<std::string> &names,
                     const std::string &name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether weights mean something else where the setting differs. Another
/// length of samples or another graph is another question to the same model.
static bool isOfModel(const std::string &name) {
  static constexpr std::array others = {"transformer.sequence_length",
                                        "gnn.nodes", "gnn.edges"};
  return (name.starts_with("transformer.") || name.starts_with("gnn.")) &&
         std::find(others.begin(), others.end(), name) == others.end();
}

/// Exits the process where a name of \p allowed is in neither of the settings,
/// nor "data".
static void requireKnown(const std::vector<std::string> &allowed,
                         const Settings &here, const Settings &there) {
  for (const std::string &name : allowed) {
    if (name == dataName || here.count(name) || there.count(name))
      continue;
    std::string known = dataName;
    for (const auto &[setting, value] : here)
      known += ", " + setting;
    fatal("--allow %s names nothing that checkpoints are compared by, which "
          "is: %s",
          name.c_str(), known.c_str());
  }
}

void requireKnownNames(const Manifest &manifest,
                       const std::vector<std::string> &allowed) {
  requireKnown(allowed, manifest.fingerprint, {});
}

void requireSameSettings(const Manifest &manifest, const CheckpointIndex &index,
                         CheckpointUse use,
                         const std::vector<std::string> &allowed) {
  const char *folder = index.folder.c_str();
  const Settings &there = index.fingerprint, &here = manifest.fingerprint;
  requireKnown(allowed, here, there);
  if (there.empty() || here.empty()) {
    warning(there.empty()
                ? "the checkpoint '%s' does not say of which settings it is: "
                  "that they are those of this executable is not checked"
                : "this executable does not say its settings: that the "
                  "checkpoint '%s' is of the same is not checked",
            folder);
    return;
  }
  std::set<std::string> names;
  for (const Settings *settings : {&there, &here})
    for (const auto &[name, value] : *settings)
      if (use == CheckpointUse::Resume || isOfModel(name))
        names.insert(name);
  auto valueOf = [](const Settings &settings, const std::string &name) {
    auto found = settings.find(name);
    return found == settings.end() ? "unknown" : found->second;
  };
  std::string differences, remedy;
  for (const std::string &name : names) {
    std::string saved = valueOf(there, name), own = valueOf(here, name);
    if (saved == own)
      continue;
    if (contains(allowed, name)) {
      warning("%s is %s in the checkpoint '%s' and %s here, as --allow lets it "
              "be",
              name.c_str(), saved.c_str(), folder, own.c_str());
      continue;
    }
    differences += (differences.empty() ? "" : ", ") + name + " is " + saved +
                   " there and " + own + " here";
    remedy += " --allow " + name;
  }
  if (!differences.empty())
    fatal("the checkpoint '%s' is of a run with other settings: %s; compile "
          "with those of the checkpoint, or, if the change is meant, give%s",
          folder, differences.c_str(), remedy.c_str());
}

void requireSameData(const std::string &folder,
                     const std::optional<DataFingerprint> &saved,
                     const std::optional<DataFingerprint> &data,
                     const std::vector<std::string> &allowed) {
  if (!data)
    return;
  if (!saved) {
    warning("the checkpoint '%s' does not say of which data it is: that it is "
            "that of this run is not checked",
            folder.c_str());
    return;
  }
  if (*saved == *data)
    return;
  std::string there = describe(*saved), here = describe(*data);
  if (contains(allowed, dataName))
    return warning("the data of the checkpoint '%s' has %s, this run's has %s, "
                   "as --allow lets it be",
                   folder.c_str(), there.c_str(), here.c_str());
  fatal("the checkpoint '%s' is of a run on other data: it has %s there and %s "
        "here; give that data, or, if the change is meant, --allow data",
        folder.c_str(), there.c_str(), here.c_str());
}

} // namespace tessera::runtime
