//===- CommandLineTest.cpp - Tests of the command line --------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/commands/CommandLine.h"
#include "runtime/commands/AllCommands.h"
#include <gtest/gtest.h>
#include <unistd.h>
#include <vector>

using namespace tessera::runtime;

namespace {

Options parse(std::vector<const char *> arguments) {
  arguments.insert(arguments.begin(), "exe");
  return parseCommandLine(static_cast<int>(arguments.size()),
                          const_cast<char **>(arguments.data()));
}

TEST(CommandLineDeathTest, OptionsOfTextsAreRefusedWhereThereIsAGraph) {
  Manifest texts, graphs;
  graphs.model.kind = "gnn";
  std::vector<const char *> many[] = {
      {"train", "--data", "d", "--field", "f"},
      {"train", "--data", "d", "--lines"},
      {"train", "--data", "d", "--end", "e"},
      {"train", "--data", "d", "--no-end"},
      {"train", "--data", "d", "--trust-data"},
      {"train", "--data", "d", "--eval-data", "e"},
      {"train", "--data", "d", "--eval-samples", "2"},
      {"eval", "--data", "d", "--field", "f"},
      {"eval", "--data", "d", "--samples", "3"},
      {"predict", "--data", "d", "--init", "i", "--out", "p.csv", "--lines"},
      {"grads", "--data", "d", "--init", "i", "--out", "o", "--data-type",
       "u8"}};
  for (const std::vector<const char *> &arguments : many) {
    Options options = parse(arguments);
    requireUsable(texts, options);
    std::string name = arguments[3];
    for (const char *argument : arguments)
      if (std::string(argument).starts_with("--"))
        name = argument;
    EXPECT_EXIT(requireUsable(graphs, options), testing::ExitedWithCode(1),
                name + " is of no use: .*; leave it out");
  }
  requireUsable(graphs, parse({"train", "--data", "d", "--eval-every", "2"}));
}

TEST(CommandLineDeathTest, ASeedIsOfRandomWeights) {
  EXPECT_EXIT(parse({"eval", "--data", "d", "--init", "i", "--seed", "1"}),
              testing::ExitedWithCode(1),
              "--seed is of random weights, and --init gives others");
}

TEST(CommandLine, ReadsEveryOptionOfTrain) {
  Options options = parse({"train",
                           "--data",
                           "d",
                           "--data-type",
                           "u16",
                           "--trust-data",
                           "--steps=20",
                           "--init",
                           "i",
                           "--save",
                           "s",
                           "--checkpoint-dir=c",
                           "--checkpoint-every",
                           "5",
                           "--resume",
                           "--seed",
                           "18446744073709551",
                           "--log",
                           "l",
                           "--order",
                           "sequential",
                           "--offload-dir",
                           "o",
                           "--allow",
                           "data",
                           "--allow=training.optimizer.lr"});
  EXPECT_EQ(options.command, &trainCommand);
  EXPECT_EQ(options.allow,
            (std::vector<std::string>{"data", "training.optimizer.lr"}));
  EXPECT_EQ(options.data, "d");
  EXPECT_EQ(options.dataType, "u16");
  EXPECT_TRUE(options.trustData);
  EXPECT_EQ(options.steps, 20);
  EXPECT_EQ(options.init, "i");
  EXPECT_EQ(options.save, "s");
  EXPECT_EQ(options.checkpointDir, "c");
  EXPECT_EQ(options.checkpointEvery, 5);
  EXPECT_TRUE(options.resume);
  EXPECT_EQ(options.seed, 18446744073709551u);
  EXPECT_EQ(options.log, "l");
  EXPECT_EQ(options.order, "sequential");
  EXPECT_EQ(options.offloadDir, "o");
}

TEST(CommandLine, ReadsTheOtherCommands) {
  EXPECT_EQ(parse({"eval", "--data", "d"}).command, &evalCommand);
  EXPECT_TRUE(parse({"info", "--json"}).json);
  EXPECT_EQ(parse({"grads", "--data", "d", "--init", "i", "--out", "o"}).out,
            "o");
  Options weights = parse({"export", "--checkpoint-dir", "c", "--out", "o"});
  EXPECT_EQ(weights.command, &exportCommand);
  Options dump =
      parse({"sample", "--data", "g", "--save", "s", "--steps", "3"});
  EXPECT_EQ(dump.command, &sampleCommand);
  EXPECT_EQ(dump.steps, 3);
  EXPECT_EQ(weights.checkpointDir, "c");
  EXPECT_EQ(weights.out, "o");
  Options options =
      parse({"generate", "--init", "i", "--prompts", "p", "--max-tokens", "3",
             "--temperature", "0.5", "--out", "o", "--seed=4"});
  EXPECT_EQ(options.init, "i");
  EXPECT_EQ(options.out, "o");
  EXPECT_EQ(options.seed, 4u);
}

TEST(CommandLineDeathTest, SaysWhatIsWrong) {
  auto fails = [](const std::vector<const char *> &arguments,
                  const char *message) {
    EXPECT_EXIT(parse(arguments), testing::ExitedWithCode(1), message);
  };
  fails({}, "a command is missing");
  fails({"tarin"},
        "unknown command 'tarin': train, eval, predict, grads, generate, "
        "score, audit, sample, export, info and describe are known");
  fails({"train"}, "'train' needs --data PATH");
  fails({"train", "--data"}, "--data lacks its value: --data PATH");
  fails({"train", "--data", "d", "--stpes", "3"},
        "unknown option '--stpes' of 'train': did you mean '--steps'");
  fails({"train", "--data", "d", "--sp", "3"}, "--help' lists them");
  fails({"train", "--data", "d", "--lr", "3"},
        "'train' has no option '--lr', since that is compiled in: compile with "
        "--set training.optimizer.lr=3e-4");
  fails({"train", "--data", "d", "--batch_size=3"},
        "'train' has no option '--batch_size', .*: compile with --set "
        "training.global_batch=32 or --set training.micro_batch=8");
  fails({"train", "--data", "d", "--max_steps=3"},
        "unknown option '--max_steps' of 'train': did you mean '--steps'");
  // What another command has is no answer.
  fails({"info", "--max-steps", "3"}, "--help' lists them");
  fails({"eval", "--data", "d", "--checkpoint-dir", "c"},
        "unknown option '--checkpoint-dir' of 'eval'.*--help' lists them");
  fails({"train", "--data", "d", "--steps", "3x"},
        "--steps takes an integer of at least 0, not '3x'");
  fails({"train", "--data", "d", "--checkpoint-every", "0"},
        "--checkpoint-every takes an integer of at least 1, not '0'");
  fails({"train", "--data", "d", "--order", "random"},
        "--order takes 'sequential' or 'shuffled', not 'random'");
  fails({"train", "--data", "d", "--resume"},
        "--resume needs --checkpoint-dir DIR");
  fails({"train", "--data", "d", "--checkpoint-async"},
        "--checkpoint-async needs --checkpoint-dir DIR");
  fails({"predict", "--data", "g", "--init", "w", "--out", "p.txt"},
        "--out takes a file that ends in .safetensors or .csv, not 'p.txt'");
  fails({"export", "--out", "w"}, "'export' needs --checkpoint-dir DIR");
  fails({"sample", "--data", "g"}, "'sample' needs --save FILE");
  fails({"sample", "--data", "g", "--save", "s", "--steps", "0"}, "--steps");
  fails({"train", "--data", "d", "--resume=yes"}, "--resume takes no value");
  auto failsToGenerate = [&](std::vector<const char *> rest,
                             const char *message) {
    std::vector<const char *> all = {
        "generate", "--init", "i", "--prompt", "p", "--max-tokens", "1"};
    all.insert(all.end(), rest.begin(), rest.end());
    fails(all, message);
  };
  failsToGenerate({"--temperature", "-1"},
                  "--temperature takes a number of at least 0, not '-1'");
  failsToGenerate({"--temperature", "1e39"}, "--temperature takes a number");
  failsToGenerate({"--temperature", "nan"}, "--temperature takes a number");
  failsToGenerate({"--top-k", "-1"}, "--top-k takes an integer of at least 0");
  failsToGenerate({"--top-p", "1.1"}, "--top-p takes a number from 0 to 1");
  failsToGenerate({"--min-p", "-0.1"}, "--min-p takes a number from 0 to 1");
  failsToGenerate({"--repetition-penalty", "0"},
                  "--repetition-penalty takes a number above 0, not '0'");
  failsToGenerate({"--samples", "0"}, "--samples takes an integer of at least");
  failsToGenerate({"--stop", ""}, "--stop takes a text of at least one");
  failsToGenerate({"--stop", "\xff"}, "--stop takes a text in UTF-8");
  failsToGenerate({"--end-token", ""}, "--end-token takes an id or the name");
  failsToGenerate({"--logprobs", "1"}, "--logprobs needs --out FILE");
  failsToGenerate({"--end-token", "3", "--no-end"},
                  "--no-end and --end-token exclude each other");
  failsToGenerate({"--field", "body"}, "--field is of --prompts, a file");
  failsToGenerate({"--prompts", "p", "--out", "o"},
                  "--prompt and --prompts exclude each other");
  for (const char *option : {"--top-k", "--samples"})
    failsToGenerate({option, "2"}, "changes nothing at temperature 0, where "
                                   "the likeliest token is taken: give "
                                   "--temperature 1");
  for (const char *option : {"--top-p", "--min-p"})
    failsToGenerate({option, "0.5"}, "changes nothing at temperature 0");
  fails({"generate", "--init", "i", "--max-tokens", "1"},
        "'generate' needs --prompt TEXT or --prompts FILE");
  fails({"generate", "--init", "i", "--prompts", "p", "--max-tokens", "1"},
        "--prompts needs --out FILE");
  fails({"generate", "--init", "i", "--prompt", "p"},
        "'generate' needs --max-tokens N");
}

TEST(CommandLineDeathTest, HelpEndsWell) {
  auto helps = [](const std::vector<const char *> &arguments) {
    EXPECT_EXIT(parse(arguments), testing::ExitedWithCode(0), "");
  };
  helps({"--help"});
  helps({"train", "--help"});
  helps({"generate", "-h"});
  // What it prints is out when the process ends.
  EXPECT_EXIT(
      {
        dup2(STDERR_FILENO, STDOUT_FILENO);
        parse({"--help"});
      },
      testing::ExitedWithCode(0),
      "ENVIRONMENT:\n  TESSERA_TIMEOUT=SECONDS .*\\(600\\)\n.*"
      "EXIT CODES:\n  0 done, 1 an error, 128 \\+ N");
}

} // namespace
