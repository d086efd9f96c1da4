//===- ProgramOutputTest.cpp - What executables write, and signals --------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/runtime/ProgramTest.h"
#include "test/runtime/Sanitizers.h"
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <pty.h>
#include <set>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace tessera::runtime;
namespace fs = std::filesystem;

namespace {

class ProgramOutputTest : public ProgramTest {
protected:
  /// Runs a line of the shell in the folder of the test, where F is that of
  /// the fakes.
  Result shell(const std::string &line) {
    return run({"bash", "-c", "cd " + folder + "; F=" FAKE_FOLDER "; " + line});
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto &entry : fs::directory_iterator(folder))
      names.insert(entry.path().filename());
    return names;
  }
  /// The last step of the folder's log.
  int lastStep() const { return losses("log").rbegin()->first; }
};

const std::string endless = "train --data @data --order sequential "
                            "--steps 10000000 ";
const std::vector<std::string> slowly = {"FAKE_STEP_MS=2"};

//===----------------------------------------------------------------------===//
// Before the first step
//===----------------------------------------------------------------------===//

TEST_F(ProgramOutputTest, RefusesOutputsBeforeTheFirstStep) {
  fs::create_directory(file("folder"));
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 0 --save @w").code,
            0);
  auto before = files();
  struct {
    const char *output, *message;
  } cases[] = {
      {"--save @none/w", "none': make it first"},
      {"--save @folder", "folder': it is a folder: name a file in it"},
      {"--save @data", "data' is the data: give it another name"},
      {"--log @data", "data' is the data: give it another name"},
      {"--init @none", "cannot open the weights '"},
      {"--log @w --init @w", "w' is the weights of --init: give it another"},
      {"--log @l --save @l", "l' is the log: give it another name"},
      {"--log @none/log", "cannot write the log"},
      {"--log @folder", "cannot write the log"},
      {"--save @new --log @new --checkpoint-dir @c",
       "new' is the log: give it another name"},
      {"--save @new --checkpoint-dir @none/c", "cannot make the checkpoint"},
      {"--save @new --log @l --init @data", "data'"},
      {"--profile @p", "this executable does not say it: compile the"},
      {"--profile-ranks 0..1", "--profile-ranks needs --profile FILE"},
  };
  for (const char *fake : {"fake-1", "fake-2-3"})
    for (auto [output, message] : cases) {
      Result result =
          runFake(fake, std::string("train --data @data ") + output);
      EXPECT_EQ(result.code, 1) << result.text;
      EXPECT_NE(result.text.find(message), std::string::npos) << result.text;
      EXPECT_EQ(result.text.find("step "), std::string::npos) << result.text;
      EXPECT_EQ(files(), before) << output;
    }
  fails("fake-1", "train --data @data --save @c --checkpoint-dir @c",
        "c' is the checkpoint directory: give it another name");
  run({"rm", "-r", file("c")});
  fails("fake-1", "grads --data @data --init @w --out @w",
        "w' is the weights of --init");
  fails("fake-1", "grads --data @data --init @w --out @none/g",
        "none': make it first");
  EXPECT_EQ(files(), before);
}

TEST_F(ProgramOutputTest, SavesOverWhatItBeganWith) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 2 --save @w").code,
            0);
  std::string first = read("w");
  for (const char *fake : {"fake-1", "fake-2-1"})
    EXPECT_EQ(
        runFake(fake, "train --data @data --steps 2 --init @w --save @w").code,
        0);
  EXPECT_NE(read("w"), first);
}

TEST_F(ProgramOutputTest, ExportRefusesAFileOfTheCheckpoint) {
  ASSERT_EQ(
      runFake("fake-1", "train --data @data --steps 2 --checkpoint-dir @c")
          .code,
      0);
  std::string part = inCheckpoint(2, "rank-00000.safetensors");
  fails("fake-1", "export --checkpoint-dir @c --out @" + part,
        "is a file of the checkpoint: give it another name");
  EXPECT_EQ(runFake("fake-1", "export --checkpoint-dir @c --out @e").code, 0);
}

TEST_F(ProgramOutputTest, RefusesADiskWithoutRoomForACheckpoint) {
  fs::create_directory(file("small"));
  if (run({"mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", file("small")})
          .code != 0)
    GTEST_SKIP() << "no right to mount a tmpfs";
  std::string train = "train --data @data --steps 1 --checkpoint-dir ";
  Result warned = runFake("fake-1", train + "@small/c");
  std::ofstream(file("small/ballast")) << std::string(40000, 'x');
  Result refused = runFake("fake-1", train + "@small/d");
  run({"umount", file("small")});
  EXPECT_EQ(warned.code, 0) << warned.text;
  EXPECT_NE(warned.text.find("up to 3 are there at the same time"),
            std::string::npos)
      << warned.text;
  EXPECT_EQ(refused.code, 1) << refused.text;
  EXPECT_NE(refused.text.find("error: a checkpoint takes 5"), std::string::npos)
      << refused.text;
}

//===----------------------------------------------------------------------===//
// Signals
//===----------------------------------------------------------------------===//

TEST_F(ProgramOutputTest, ASignalEndsTheRunWithAllOutputs) {
  for (const char *fake : {"fake-1", "fake-2-1", "fake-4-3"})
    for (int number : {SIGTERM, SIGINT, SIGHUP}) {
      run({"rm", "-rf", file("c")});
      forget({"w", "log", "again", "e"});
      Process process(command(fake, endless + "--save @w --checkpoint-dir @c "
                                              "--log @log --checkpoint-async"),
                      slowly);
      ASSERT_TRUE(process.waitFor(" 20/10000000")) << process.text();
      std::vector<pid_t> ranks = childrenOf(process.id());
      bool alone = fake == std::string("fake-1");
      kill(alone ? process.id() : ranks.at(ranks.size() - 1), number);
      Result result = process.finish(60);
      EXPECT_EQ(result.code, 128 + number) << result.text;
      EXPECT_NE(result.text.find("stopped by SIG"), std::string::npos);
      int last = lastStep();
      EXPECT_TRUE(exists(inCheckpoint(last, "checkpoint.json")));
      ASSERT_EQ(runFake(fake, "train --data @data --order sequential --save @e "
                              "--steps " +
                                  std::to_string(last))
                    .code,
                0);
      EXPECT_EQ(read("w"), read("e"));
    }
}

TEST_F(ProgramOutputTest, LaterSignalsChangeNothing) {
  for (const char *fake : {"fake-1", "fake-2-3"}) {
    forget({"w", "log"});
    Process process(command(fake, endless + "--save @w --log @log"), slowly);
    ASSERT_TRUE(process.waitFor(" 20/10000000"));
    std::vector<pid_t> ranks = childrenOf(process.id());
    if (ranks.empty())
      ranks = {process.id()};
    for (int i = 0; i < 3; ++i)
      for (int number : {SIGTERM, SIGINT, SIGHUP})
        for (pid_t rank : ranks)
          kill(rank, number);
    int code = process.finish(60).code;
    EXPECT_TRUE(code == 128 + SIGTERM || code == 128 + SIGINT ||
                code == 128 + SIGHUP)
        << code;
    EXPECT_EQ(tensors("w").size(), 4u);
  }
}

TEST_F(ProgramOutputTest, ASignalThatIsIgnoredAtTheStartStaysSo) {
  Process process({"nohup", std::string(FAKE_FOLDER) + "/fake-1", "train",
                   "--data", file("data"), "--steps", "150", "--save",
                   file("w")},
                  slowly);
  ASSERT_TRUE(process.waitFor(" 20/150"));
  kill(process.id(), SIGHUP);
  Result result = process.finish();
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_NE(result.text.find("step 150/150"), std::string::npos);
}

// It waits for a reader of its log.
TEST_F(ProgramOutputTest, ASignalBeforeTheFirstStepLeavesNothing) {
  if (sanitizerHoldsSignals)
    GTEST_SKIP() << "signals do not end the open of a pipe";
  ASSERT_EQ(mkfifo(file("pipe").c_str(), 0600), 0);
  for (const char *fake : {"fake-1", "fake-2-3"})
    for (int number : {SIGTERM, SIGINT, SIGHUP}) {
      Process process(command(fake, "train --data @data --save @w --log @pipe "
                                    "--checkpoint-dir @c"));
      usleep(fake[5] == '1' ? 200'000 : 1'500'000);
      std::vector<pid_t> ranks = childrenOf(process.id());
      kill(ranks.empty() ? process.id() : ranks[0], number);
      Result result = process.finish(60);
      EXPECT_EQ(result.code, 128 + number) << result.text;
      EXPECT_FALSE(exists("w"));
      EXPECT_FALSE(exists("c"));
    }
  EXPECT_EQ(files(), (std::set<std::string>{"data", "pipe"}));
}

TEST_F(ProgramOutputTest, ASignalWhileMpiStartsEndsTheRun) {
  for (int wait : {0, 5, 20, 60, 150}) {
    Process process(command("fake-2-3", endless + "--save @w --log @log "
                                                  "--checkpoint-dir @c"));
    std::vector<pid_t> ranks;
    for (int i = 0; i < 5000 && ranks.empty(); ++i) {
      ranks = childrenOf(process.id());
      usleep(500);
    }
    ASSERT_FALSE(ranks.empty());
    usleep(1000 * wait);
    kill(ranks[0], SIGTERM);
    Result result = process.finish(60);
    EXPECT_NE(result.code, 0) << result.text;
    for (const std::string &name : files())
      EXPECT_EQ(name.find(".tessera-"), std::string::npos) << name;
    run({"rm", "-rf", file("c")});
    forget({"w", "log"});
  }
}

// mpirun reads no more of what ranks print once it has a signal.
TEST_F(ProgramOutputTest, MpirunsSignalLeavesWholeOutputs) {
  Process process(command("fake-2-3", endless + "--save @w --log @log "
                                                "--checkpoint-dir @c"),
                  {"OMPI_MCA_odls_base_sigkill_timeout=5"});
  ASSERT_TRUE(process.waitFor(" 20/10000000"));
  kill(process.id(), SIGTERM);
  EXPECT_NE(process.finish(60).code, 0);
  EXPECT_TRUE(exists(inCheckpoint(lastStep(), "checkpoint.json")));
  EXPECT_EQ(tensors("w").size(), 4u);
}

//===----------------------------------------------------------------------===//
// Lost readers
//===----------------------------------------------------------------------===//

TEST_F(ProgramOutputTest, ALostReaderEndsThePrintingAlone) {
  for (const char *line :
       {"$F/fake-1 train --data data --steps 300 --save w --log log | head -3",
        "$F/fake-1 train --data data --steps 300 --save w --log log >&-",
        "$F/fake-1 train --data data --steps 300 --save w --log log >&- 2>&-",
        "$F/fake-1 train --data data --steps 300 --save w --log log <&- >&-",
        "$F/fake-1 train --data data --steps 300 --save w --log log "
        "2> >(true)",
        "$F/fake-1 train --data data --steps 300 --save w --log - "
        "2>/dev/null | head -3"}) {
    forget({"w", "log"});
    Result result = shell(std::string("set -o pipefail; ") + line);
    EXPECT_EQ(result.code, 0) << line << result.text;
    EXPECT_EQ(tensors("w").size(), 4u) << line;
    if (std::string(line).find("--log log") != std::string::npos) {
      EXPECT_EQ(losses("log").size(), 300u) << line;
    }
  }
}

// mpirun aborts where nobody reads what it passes on: TERM for the ranks, and
// KILL soon.
TEST_F(ProgramOutputTest, MpirunsLostReaderLeavesWholeOutputs) {
  shell("OMPI_MCA_odls_base_sigkill_timeout=5 mpirun -np 2 --oversubscribe "
        "$F/fake-2-3 train --data data --steps 300 --save w --log log "
        "--checkpoint-dir c | head -3");
  EXPECT_TRUE(exists(inCheckpoint(lastStep(), "checkpoint.json")));
  EXPECT_EQ(tensors("w").size(), 4u);
}

/// Starts a command with a terminal of its own, of \p columns where they are
/// known; its master side in \p master.
pid_t startInTerminal(const std::vector<std::string> &words, int &master,
                      unsigned short columns = 0) {
  std::vector<char *> arguments;
  for (const std::string &word : words)
    arguments.push_back(const_cast<char *>(word.c_str()));
  arguments.push_back(nullptr);
  winsize size = {};
  size.ws_col = columns;
  size.ws_row = 24;
  pid_t child = forkpty(&master, nullptr, nullptr, &size);
  if (child == 0) {
    setenv("FAKE_STEP_MS", "2", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  return child;
}

/// What a command writes to a terminal until it ends, well.
std::string textInTerminal(const std::vector<std::string> &words,
                           unsigned short columns) {
  int master = -1;
  pid_t child = startInTerminal(words, master, columns);
  std::string text;
  char piece[4096];
  for (ssize_t count; (count = ::read(master, piece, sizeof piece)) > 0;)
    text.append(piece, count);
  close(master);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << text;
  return text;
}

/// What a terminal shows in lines that are drawn over each other, and below.
std::vector<std::string> rowsOf(const std::string &text) {
  std::vector<std::string> rows(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "\x1b[K") == 0)
      i += 2;
    else if (text[i] == '\r' || text[i] == '\n')
      rows.emplace_back();
    else
      rows.back() += text[i];
  }
  return rows;
}

int codeOf(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_F(ProgramOutputTest, LinesAndTheBarFitTheTerminal) {
  for (const char *fake : {"fake-1", "fake-2-1"})
    for (unsigned short columns : {0, 44, 72, 100}) {
      std::string text = textInTerminal(
          command(fake, "train --data @data --steps 200"), columns);
      size_t lines = 0, bars = 0, longest = 0;
      for (const std::string &row : rowsOf(text)) {
        bool isBar = row.find(" %  0:00:") != std::string::npos;
        bool isLine = row.starts_with("step ");
        bars += isBar;
        lines += isLine;
        if (isBar || isLine)
          longest = std::max(longest, row.size());
        // A line is by itself, whoever hands it on.
        EXPECT_EQ(row.find("/200  loss") != std::string::npos, isLine) << row;
        if (isBar && columns != 44)
          EXPECT_TRUE(row.starts_with("[")) << row;
        if (isBar)
          EXPECT_NE(row.find(" left"), std::string::npos) << row;
      }
      EXPECT_EQ(lines, 200u) << fake << " " << columns << "\n" << text;
      EXPECT_EQ(bars, 200u) << fake << " " << columns << "\n" << text;
      if (columns > 0)
        EXPECT_LT(longest, columns);
      if (columns != 44)
        EXPECT_NE(text.find("epoch 0."), std::string::npos);
    }
}

TEST_F(ProgramOutputTest, TheBarIsForTerminalsAlone) {
  for (const char *ranks :
       {"$F/fake-1", "mpirun -np 2 --oversubscribe $F/fake-2-1"}) {
    std::string text =
        textInTerminal({"bash", "-c",
                        "cd " + folder + "; F=" FAKE_FOLDER "; " + ranks +
                            " train --data data --steps 20 >out"},
                       80);
    EXPECT_NE(text.find("100 %  0:00:00 left"), std::string::npos) << text;
    EXPECT_EQ(text.find("step "), std::string::npos) << text;
    std::string out = read("out");
    EXPECT_NE(out.find("step 20/20"), std::string::npos) << out;
    EXPECT_EQ(out.find('\x1b'), std::string::npos) << out;
    EXPECT_EQ(out.find(" %"), std::string::npos) << out;
    // What the bar has, lines have where they are no terminal's.
    text = shell(std::string(ranks) + " train --data data --steps 20").text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
    EXPECT_NE(text.find(" tokens/s  0:00:00 left  epoch "), std::string::npos)
        << text;
  }
}

// A closed window: HUP, and a terminal that takes nothing more. With nohup the
// run goes on.
TEST_F(ProgramOutputTest, ALostTerminalEndsTheRunWithAllOutputs) {
  for (bool nohup : {false, true}) {
    forget({"w", "log"});
    std::vector<std::string> words =
        command("fake-1", "train --data @data --save @w --log @log --steps " +
                              std::string(nohup ? "400" : "10000000"));
    if (nohup)
      words.insert(words.begin(), {"/usr/bin/env", "--ignore-signal=HUP"});
    int master = -1;
    pid_t child = startInTerminal(words, master);
    std::string text;
    char piece[4096];
    while (text.find("step  ") == std::string::npos) {
      ssize_t count = ::read(master, piece, sizeof piece);
      ASSERT_GT(count, 0);
      text.append(piece, count);
    }
    close(master);
    EXPECT_EQ(codeOf(child), nohup ? 0 : 128 + SIGHUP);
    EXPECT_EQ(tensors("w").size(), 4u);
    EXPECT_EQ(losses("log").size(), size_t(lastStep()));
  }
}

// A terminal whose window nobody reads must not keep a run from ending.
TEST_F(ProgramOutputTest, ASignalEndsARunThatWaitsForItsTerminal) {
  int master = -1;
  pid_t child = startInTerminal(
      command("fake-1", endless + "--save @w --log @log"), master);
  // Until the terminal is full no more lines come.
  for (size_t before = 0, now = 1; before != now || now < 10;) {
    before = now;
    usleep(500'000);
    now = exists("log") ? losses("log").size() : 0;
  }
  kill(child, SIGTERM);
  EXPECT_EQ(codeOf(child), 128 + SIGTERM);
  EXPECT_EQ(tensors("w").size(), 4u);
  close(master);
}

TEST_F(ProgramOutputTest, SaysWhereStandardOutputIsFull) {
  Result result = shell("$F/fake-1 train --data data --steps 5 --save w "
                        ">/dev/full");
  EXPECT_EQ(result.code, 1) << result.text;
  EXPECT_NE(result.text.find("cannot write to standard output: No space left "
                             "on device; the run goes on"),
            std::string::npos)
      << result.text;
  EXPECT_EQ(tensors("w").size(), 4u);
}

//===----------------------------------------------------------------------===//
// The log
//===----------------------------------------------------------------------===//

TEST_F(ProgramOutputTest, LogsEachNthStepWithTheFirstAndTheLast) {
  std::string train = "train --data @data --log-every 4 --checkpoint-dir @c "
                      "--order sequential --log @log ";
  Result result = runFake("fake-1", train + "--steps 10");
  ASSERT_EQ(result.code, 0) << result.text;
  std::vector<int> steps;
  int64_t tokens = 0;
  double epoch = 0;
  std::stringstream lines(read("log"));
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json j = nlohmann::json::parse(line);
    steps.push_back(j.at("step"));
    // 4000 lines are more than enough.
    EXPECT_GT(j.at("epoch"), epoch);
    epoch = j.at("epoch");
    tokens = j.at("tokens");
    EXPECT_EQ(tokens, int64_t(j.at("step")) * int64_t(j.at("batch")) * 16);
  }
  EXPECT_EQ(steps, (std::vector<int>{1, 4, 8, 10}));
  EXPECT_EQ(result.text.find("step  2/10"), std::string::npos);
  EXPECT_NE(result.text.find("step  8/10"), std::string::npos);
  // They go on where the run does, and the losses are the same.
  ASSERT_EQ(runFake("fake-1", train + "--steps 15 --resume").code, 0);
  std::map<int, std::string> some = losses("log");
  EXPECT_EQ(some.size(), 7u);
  ASSERT_EQ(runFake("fake-1", "train --data @data --order sequential --steps "
                              "15 --log @all")
                .code,
            0);
  std::map<int, std::string> all = losses("all");
  EXPECT_EQ(all.size(), 15u);
  for (const auto &[step, loss] : some)
    EXPECT_EQ(loss, all[step]) << step;
  // A run that is cut short has its last step, too.
  Process process(command("fake-1", endless + "--log-every 1000000 --log @cut"),
                  {"FAKE_STEP_MS=2"});
  ASSERT_TRUE(process.waitFor("step "));
  usleep(100'000);
  kill(process.id(), SIGTERM);
  EXPECT_EQ(process.finish().code, 128 + SIGTERM);
  EXPECT_EQ(losses("cut").size(), 2u);
  fails("fake-1", "train --data @data --log-every 0",
        "--log-every takes an integer of at least 1, not '0'");
}

TEST_F(ProgramOutputTest, KeepsTheLogOfAnotherRun) {
  std::string train = "train --data @data --steps 3 --checkpoint-dir @c ";
  ASSERT_EQ(runFake("fake-1", train + "--log @log").code, 0);
  std::string before = read("log");
  fails("fake-1", "train --data @data --log @log",
        "log' is there already: give another --log FILE, or --resume");
  EXPECT_EQ(read("log"), before);
  // An empty file, as mktemp makes it, is taken.
  std::ofstream(file("empty")).close();
  EXPECT_EQ(runFake("fake-1", "train --data @data --steps 3 --log @empty").code,
            0);
  EXPECT_EQ(losses("empty").size(), 3u);
  // What is no log is never appended to.
  std::ofstream(file("notes")) << "what I must not forget";
  fails("fake-1", train + "--resume --log @notes", "notes' is no log: give");
  EXPECT_EQ(read("notes"), "what I must not forget");
}

TEST_F(ProgramOutputTest, MendsATornLog) {
  std::string train = "train --data @data --checkpoint-dir @c --log @log ";
  ASSERT_EQ(runFake("fake-1", train + "--steps 3").code, 0);
  std::string whole = read("log");
  for (std::string torn : {"{\"step\": 4, \"loss\": 5.", "{", ""}) {
    std::ofstream(file("log")) << whole << torn;
    Result result = runFake("fake-1", train + "--steps 3 --resume");
    EXPECT_EQ(result.code, 0) << result.text;
    EXPECT_EQ(result.text.find("log' is torn: its " +
                               std::to_string(torn.size()) +
                               " bytes are cut off") != std::string::npos,
              !torn.empty())
        << result.text;
    EXPECT_EQ(read("log"), whole);
  }
  // A first line that is torn, longer than what is read at once.
  std::ofstream(file("log")) << "{\"step\": 1" << std::string(9000, ' ');
  EXPECT_EQ(runFake("fake-1", train + "--steps 5 --resume").code, 0);
  EXPECT_EQ(losses("log").size(), 2u);
}

TEST_F(ProgramOutputTest, AFullDiskCostsTheLogAndNotTheRun) {
  fs::create_directory(file("small"));
  if (run({"mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", file("small")})
          .code != 0)
    GTEST_SKIP() << "no right to mount a tmpfs";
  Result result =
      runFake("fake-2-1", "train --data @data --steps 300 --save @w "
                          "--log @small/log");
  std::string log = read("small/log");
  run({"umount", file("small")});
  EXPECT_EQ(result.code, 1) << result.text;
  EXPECT_NE(result.text.find("step 300/300"), std::string::npos);
  std::string said = "log': No space left on device; the run goes on, and "
                     "exits with code 1";
  EXPECT_NE(result.text.find(said), std::string::npos) << result.text;
  EXPECT_EQ(result.text.find(said), result.text.rfind(said));
  EXPECT_EQ(tensors("w").size(), 4u);
  // Whole lines only.
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log.back(), '\n');
}

TEST_F(ProgramOutputTest, LogsToStandardOutputAndTellsPeopleElsewhere) {
  for (const char *line :
       {"$F/fake-1", "mpirun -np 2 --oversubscribe $F/fake-2-3"}) {
    Result result = shell(std::string(line) +
                          " train --data data --steps 4 --log - >out 2>err");
    EXPECT_EQ(result.code, 0) << result.text;
    EXPECT_EQ(losses("out").size(), 4u);
    EXPECT_NE(read("err").find("step 4/4"), std::string::npos);
    EXPECT_NE(read("err").find("done: 4 steps"), std::string::npos);
  }
}

TEST_F(ProgramOutputTest, ExportsToAPipe) {
  ASSERT_EQ(runFake("fake-1", "train --data @data --steps 2 --save @w "
                              "--checkpoint-dir @c")
                .code,
            0);
  ASSERT_EQ(mkfifo(file("pipe").c_str(), 0600), 0);
  Result result = shell("cat pipe >got & $F/fake-1 export --checkpoint-dir c "
                        "--out pipe; wait");
  EXPECT_EQ(result.code, 0) << result.text;
  EXPECT_EQ(read("got"), read("w"));
  EXPECT_TRUE(fs::is_fifo(file("pipe")));
}

} // namespace
