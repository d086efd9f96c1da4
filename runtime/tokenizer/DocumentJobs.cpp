//===- DocumentJobs.cpp - Documents that threads work on ------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/tokenizer/DocumentJobs.h"
#include <algorithm>

namespace tessera::runtime {

/// Text that a job of lines has at least, where there is so much.
static constexpr size_t jobBytes = 1 << 20;
/// Of a file that is one document; tokens of more are not counted in 32 bits.
static constexpr size_t mostDocumentBytes = (size_t(1) << 31) - 1;

static bool isJsonLines(std::string_view name) {
  for (std::string_view suffix : {".gz", ".zst"})
    if (name.ends_with(suffix))
      name.remove_suffix(suffix.size());
  return name.ends_with(".jsonl");
}

std::string DocumentJob::place() const {
  std::string name = "'" + file + "'";
  return line ? name + " line " + std::to_string(line) : name;
}

bool DocumentJob::forEach(const DocumentForm &form,
                          const std::function<bool(std::string_view)> &take) {
  if (!isLines)
    return take(text);
  std::string field;
  line = firstLine - 1;
  for (size_t at = 0; at < text.size();) {
    ++line;
    size_t end = text.find('\n', at), next = end + 1;
    if (end == text.npos)
      end = next = text.size();
    std::string_view document(text.data() + at,
                              (lineEnds && !isJson ? next : end) - at);
    at = next;
    if (isJson) {
      if (document.find_first_not_of(" \t\r") == document.npos)
        continue;
      std::string reason;
      if (!fieldOfLine(document, form.field, field, reason)) {
        error = "the text " + place() + " " + reason;
        return false;
      }
      document = field;
    }
    if (!take(document))
      return false;
  }
  return true;
}

DocumentJobs::DocumentJobs(const std::vector<std::string> &files,
                           DocumentForm form, unsigned threads)
    : names(files), form(std::move(form)), threadCount(threads) {}

DocumentJobs::~DocumentJobs() { stop(); }

bool DocumentJobs::open(std::string &error) {
  for (const std::string &name : names) {
    files.push_back(TextFile::open(name, error));
    if (!files.back())
      return false;
    total += files.back()->size();
  }
  return true;
}

bool DocumentJobs::readJob(DocumentJob &job, bool &isEnd, std::string &error) {
  isEnd = current == files.size();
  if (isEnd)
    return true;
  TextFile &file = *files[current];
  job.file = file.path();
  job.isJson = isJsonLines(file.path());
  job.isLines = job.isJson || form.lines;
  job.lineEnds = form.lineEnds;
  job.firstLine = line;
  // Only what has just been read can hold the first line's end.
  size_t cut = rest.npos;
  bool isWhole = false;
  for (;;) {
    size_t size = rest.size();
    if (!file.read(rest, jobBytes, error))
      return false;
    isWhole = rest.size() == size;
    if (job.isLines)
      cut = std::string_view(rest).substr(size).rfind('\n');
    if (cut != rest.npos)
      cut += size + 1;
    if (isWhole || cut != rest.npos)
      break;
    if (rest.size() > mostDocumentBytes) {
      error = "the text '" + job.file +
              "' has a document of 2 GiB or more; --lines makes each line one";
      return false;
    }
  }
  if (isWhole || cut == rest.npos)
    cut = rest.size();
  job.text = rest.substr(0, cut);
  rest.erase(0, cut);
  if (job.isLines)
    line += std::count(job.text.begin(), job.text.end(), '\n');
  job.progress = total ? double(before + file.position()) / double(total) : 1.0;
  if (isWhole) {
    before += file.size();
    files[current++].reset();
    line = 1;
  }
  return true;
}

void DocumentJobs::workOn(
    const std::function<void(DocumentJob &, unsigned)> &work, unsigned thread) {
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    hasWork.wait(lock, [&] { return isStopped || !waiting.empty(); });
    if (isStopped)
      return;
    Slot *slot = waiting.front();
    waiting.pop_front();
    lock.unlock();
    work(slot->job, thread);
    lock.lock();
    slot->isDone = true;
    hasResult.notify_one();
  }
}

void DocumentJobs::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isStopped = true;
  }
  hasWork.notify_all();
  for (std::thread &thread : threads)
    thread.join();
  threads.clear();
}

bool DocumentJobs::run(const std::function<void(DocumentJob &, unsigned)> &work,
                       const std::function<bool(DocumentJob &)> &done,
                       std::string &error) {
  for (unsigned i = 0; i < threadCount; ++i)
    threads.emplace_back([this, &work, i] { workOn(work, i); });
  bool isRead = true, isEnd = false, goesOn = true;
  while (isRead && goesOn) {
    while (isRead && !isEnd && slots.size() < 2 * size_t(threadCount) + 1) {
      auto slot = std::make_unique<Slot>();
      isRead = readJob(slot->job, isEnd, error);
      if (!isRead || isEnd)
        break;
      std::lock_guard<std::mutex> lock(mutex);
      waiting.push_back(slot.get());
      slots.push_back(std::move(slot));
      hasWork.notify_one();
    }
    if (!isRead || slots.empty())
      break;
    {
      std::unique_lock<std::mutex> lock(mutex);
      hasResult.wait(lock, [&] { return slots.front()->isDone; });
    }
    goesOn = done(slots.front()->job);
    slots.pop_front();
  }
  stop();
  return isRead;
}

} // namespace tessera::runtime
