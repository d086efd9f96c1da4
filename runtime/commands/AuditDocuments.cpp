//===- AuditDocuments.cpp - Audits of a model of texts --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/AuditDocuments.h"
#include "runtime/audit/Documents.h"
#include "runtime/checkpoint/Parameters.h"
#include "runtime/commands/Open.h"
#include "runtime/commands/TextData.h"
#include "runtime/core/Error.h"
#include "runtime/data/DocumentFile.h"
#include "runtime/program/SlotNames.h"
#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

/// Linked into executables of models of texts that are audited.
extern "C" __attribute__((weak)) int
compress2(unsigned char *destination, unsigned long *bytes,
          const unsigned char *source, unsigned long sourceBytes, int level);
extern "C" __attribute__((weak)) unsigned long
compressBound(unsigned long bytes);

namespace tessera::runtime {
namespace {

/// The bytes that zlib makes of \p text at its default level.
int64_t compressedBytes(const std::string &text) {
  if (!compress2 || !compressBound)
    fatal("this executable has no zlib: compile its specification again");
  unsigned long bytes = compressBound(text.size());
  std::vector<unsigned char> compressed(bytes);
  constexpr int defaultLevel = 6;
  if (compress2(compressed.data(), &bytes,
                reinterpret_cast<const unsigned char *>(text.data()),
                text.size(), defaultLevel) != 0)
    fatal("zlib cannot compress a document of %zu bytes", text.size());
  return static_cast<int64_t>(bytes);
}

/// Runs the program `score`.
class Scorer {
public:
  explicit Scorer(tessera_context &context)
      : context(context), entry(context.entry("score.run")),
        length(context.manifest->model.sequence) {}

  /// Windows of the model's length follow one another, so that a token is
  /// predicted from those of its window before it.
  DocumentLikelihood score(const Document &document) {
    DocumentLikelihood likelihood;
    auto count = static_cast<int64_t>(document.tokens.size());
    for (int64_t begin = 0; begin + 1 < count; begin += length) {
      int64_t rows = std::min(length, count - 1 - begin);
      fill(slotNames::tokens, document, begin, rows, 0);
      fill(slotNames::targets, document, begin + 1, rows, -100);
      context.run(entry);
      read(slotNames::logProbability, rows, likelihood.logProbability);
      read(slotNames::mean, rows, likelihood.mean);
      read(slotNames::deviation, rows, likelihood.deviation);
    }
    return likelihood;
  }

private:
  void fill(const char *name, const Document &document, int64_t begin,
            int64_t rows, int32_t unused) {
    const Slot *slot = context.program->input(name);
    if (!slot || slot->elements() < length)
      fatal("the program 'score' has no input '%s' for %lld tokens: compile "
            "the specification again",
            name, static_cast<long long>(length));
    char *address = context.device->beginInput(context, *slot);
    auto *tokens = reinterpret_cast<int32_t *>(address);
    std::fill_n(tokens, length, unused);
    std::copy_n(document.tokens.data() + begin, rows, tokens);
    context.device->commitInput(context, *slot);
  }
  void read(const char *name, int64_t rows, std::vector<float> &values) {
    const Slot *slot = context.program->output(name);
    if (!slot)
      fatal("the program 'score' gives no '%s': compile the specification "
            "again",
            name);
    size_t before = values.size();
    values.resize(before + rows);
    context.device->read(values.data() + before, context.arena + slot->offset,
                         rows * int64_t(sizeof(float)));
  }

  tessera_context &context;
  const tessera_entry &entry;
  int64_t length;
};

struct DocumentGroup {
  std::vector<Document> documents;
  std::vector<DocumentLikelihood> likelihoods, references;
};

DocumentGroup readGroup(const Manifest &manifest, const std::string &path) {
  DocumentGroup group;
  std::string error;
  if (!readDocuments(path, manifest.model.vocabulary, group.documents, error,
                     documentText(manifest)))
    fatal("%s", error.c_str());
  return group;
}

} // namespace

/// Text of a cell of a table.
static std::string quoted(const std::string &text) {
  std::string cell = "\"";
  for (char letter : text)
    cell += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return cell + "\"";
}

/// The columns of a table of all documents, by the names of their scores.
using Columns = std::vector<std::pair<const char *, AttackScores>>;

static std::string tableOf(const Columns &columns, const DocumentGroup &members,
                           const DocumentGroup &nonMembers) {
  std::string table = "document,member";
  for (const auto &[name, scores] : columns)
    table += std::string(",") + name;
  table += "\n";
  auto add = [&](const DocumentGroup &group, bool isMember) {
    for (size_t i = 0; i < group.documents.size(); ++i) {
      table += quoted(group.documents[i].name) + (isMember ? ",1" : ",0");
      for (const auto &[name, scores] : columns) {
        char text[32];
        snprintf(text, sizeof text, ",%.9g",
                 (isMember ? scores.members : scores.nonMembers)[i]);
        table += text;
      }
      table += "\n";
    }
  };
  add(members, true);
  add(nonMembers, false);
  return table;
}

std::string auditDocuments(const Manifest &manifest, const Options &options,
                           const DocumentPaths &paths, AuditReport &report) {
  DocumentGroup members = readGroup(manifest, paths.members);
  DocumentGroup nonMembers = readGroup(manifest, paths.nonMembers);
  tessera_context &context = openLocal(manifest, options, slotNames::score);
  Scorer scorer(context);
  auto scoreAll = [&](const DocumentGroup &group) {
    std::vector<DocumentLikelihood> likelihoods;
    for (const Document &document : group.documents)
      likelihoods.push_back(scorer.score(document));
    return likelihoods;
  };
  for (DocumentGroup *group : {&members, &nonMembers})
    group->likelihoods = scoreAll(*group);
  if (!paths.reference.empty()) {
    loadParameters(context, paths.reference, options.allow);
    for (DocumentGroup *group : {&members, &nonMembers})
      group->references = scoreAll(*group);
  }

  QueryResult &query = report.queries.emplace_back();
  query.name = "DOCUMENTS";
  Columns columns;
  auto add = [&](const char *name, auto scoreOf) {
    AttackScores &scores = columns.emplace_back(name, AttackScores()).second;
    auto scoresOf = [&](const DocumentGroup &group) {
      std::vector<double> all;
      for (size_t i = 0; i < group.documents.size(); ++i)
        all.push_back(scoreOf(group, i));
      return all;
    };
    scores.members = scoresOf(members);
    scores.nonMembers = scoresOf(nonMembers);
    // Scores are no probabilities, and no shadow says where members begin: half
    // of all count as members.
    std::vector<double> all = scores.members;
    all.insert(all.end(), scores.nonMembers.begin(), scores.nonMembers.end());
    std::sort(all.begin(), all.end());
    double threshold = quantile(all, 0.5);
    return summarize(name, std::span(&scores, 1), report.bootstrap,
                     std::span(&threshold, 1));
  };
  query.attack = add("loss", [](const DocumentGroup &group, size_t i) {
    return lossScore(group.likelihoods[i]);
  });
  query.untrained.push_back(query.attack);
  query.untrained.push_back(
      add("loss_over_zlib", [](const DocumentGroup &group, size_t i) {
        return compressionScore(group.likelihoods[i],
                                compressedBytes(group.documents[i].text));
      }));
  query.untrained.push_back(
      add("min_k", [](const DocumentGroup &group, size_t i) {
        return minKScore(group.likelihoods[i]);
      }));
  query.untrained.push_back(
      add("min_k_pp", [](const DocumentGroup &group, size_t i) {
        return minKPlusPlusScore(group.likelihoods[i]);
      }));
  if (!paths.reference.empty())
    query.untrained.push_back(
        add("loss_over_reference", [](const DocumentGroup &group, size_t i) {
          return referenceScore(group.likelihoods[i], group.references[i]);
        }));
  report.runs.emplace_back();
  report.members = std::ssize(members.documents);
  report.nonMembers = std::ssize(nonMembers.documents);
  return tableOf(columns, members, nonMembers);
}

} // namespace tessera::runtime
