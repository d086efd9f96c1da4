//===- DocumentJobs.h - Documents that threads work on ----------*- C++ -*-===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TESSERA_RUNTIME_TOKENIZER_DOCUMENTJOBS_H
#define TESSERA_RUNTIME_TOKENIZER_DOCUMENTJOBS_H

#include "runtime/tokenizer/TextFile.h"
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tessera::runtime {

/// How documents lie in files.
struct DocumentForm {
  std::string field = "text"; ///< of a line of a .jsonl
  bool lines = false;         ///< a line of any other file is a document
  bool lineEnds = false;      ///< which has its end with it
};

/// Documents that one thread works on: a whole file or some of its lines.
struct DocumentJob {
  std::string file, text;
  int64_t firstLine = 1;
  bool isJson = false, isLines = false, lineEnds = false;
  double progress = 0; ///< the part of all files that is read with it

  // What the work makes of it.
  std::string packed;
  std::vector<int32_t> lengths;
  int64_t bytes = 0, tokens = 0, repaired = 0, empty = 0;
  std::string error;

  /// Calls \p take for each document until it returns false; fails with error
  /// set, which names the place, where one is none.
  bool forEach(const DocumentForm &form,
               const std::function<bool(std::string_view text)> &take);
  /// "'FILE'", or with the line that is worked on.
  std::string place() const;

private:
  int64_t line = 0;
};

/// Reads the files one after the other and hands their documents to threads.
class DocumentJobs {
public:
  DocumentJobs(const std::vector<std::string> &files, DocumentForm form,
               unsigned threads);
  ~DocumentJobs();

  /// Opens all files. False, as of run(), with the reason in \p error.
  bool open(std::string &error);
  int64_t bytes() const { return total; }

  /// Has \p work done for each job, on thread \p thread, and gives them to
  /// \p done on this thread, in order, until that returns false.
  bool run(const std::function<void(DocumentJob &, unsigned thread)> &work,
           const std::function<bool(DocumentJob &)> &done, std::string &error);

private:
  struct Slot {
    DocumentJob job;
    bool isDone = false;
  };
  bool readJob(DocumentJob &job, bool &isEnd, std::string &error);
  void workOn(const std::function<void(DocumentJob &, unsigned)> &work,
              unsigned thread);
  void stop();

  std::vector<std::string> names;
  DocumentForm form;
  unsigned threadCount;
  std::vector<std::unique_ptr<TextFile>> files;
  int64_t total = 0, before = 0; ///< bytes of all files, of those that are read
  size_t current = 0;
  int64_t line = 1;
  std::string rest; ///< of the file that is read, behind the last job

  std::vector<std::thread> threads;
  std::mutex mutex;
  std::condition_variable hasWork, hasResult;
  std::deque<std::unique_ptr<Slot>> slots; ///< in order
  std::deque<Slot *> waiting;
  bool isStopped = false;
};

} // namespace tessera::runtime

#endif // TESSERA_RUNTIME_TOKENIZER_DOCUMENTJOBS_H
