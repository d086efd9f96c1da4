//===- EnvironmentTest.cpp - Tests of variables ---------------------------===//
//
// Part of Tessera, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/core/Environment.h"
#include <cstdlib>
#include <gtest/gtest.h>

using namespace tessera::runtime;

namespace {

class Environment : public testing::Test {
protected:
  void set(const char *name, const char *value) {
    setenv(name, value, 1);
    names.push_back(name);
  }
  void TearDown() override {
    for (const char *name : names)
      unsetenv(name);
  }
  void refuses(const char *name, const char *value, const char *message) {
    set(name, value);
    EXPECT_EXIT(checkEnvironment(), testing::ExitedWithCode(1), message)
        << name << "=" << value;
    unsetenv(name);
  }

  std::vector<const char *> names;
};

TEST_F(Environment, ReadsNumbers) {
  EXPECT_EQ(timeoutSeconds(), 600);
  set("TESSERA_TIMEOUT", "0.5");
  EXPECT_EQ(timeoutSeconds(), 0.5);
  set("TESSERA_TIMEOUT", "");
  EXPECT_EQ(timeoutSeconds(), 600);
  EXPECT_EQ(environmentInteger("TESSERA_GEMM_TRIALS", 8, 0, 8), 8);
  set("TESSERA_GEMM_TRIALS", "3");
  EXPECT_EQ(environmentInteger("TESSERA_GEMM_TRIALS", 8, 0, 8), 3);
  EXPECT_TRUE(environmentFlag("TESSERA_GRAPHS", true));
  set("TESSERA_GRAPHS", "0");
  EXPECT_FALSE(environmentFlag("TESSERA_GRAPHS", true));
  checkEnvironment();
}

using EnvironmentDeathTest = Environment;

TEST_F(EnvironmentDeathTest, RefusesWhatMeansNothing) {
  for (const char *value : {"soon", "0", "-1", "10s", "nan", "inf", " "})
    refuses("TESSERA_TIMEOUT", value,
            "error: TESSERA_TIMEOUT is '.*': it takes a number of seconds "
            "above 0, such as 600");
  refuses("TESSERA_COMM", "mesages", "TESSERA_COMM is 'mesages': it may be");
  for (const char *value : {"yes", "2", "01"})
    for (const char *name : {"TESSERA_GRAPHS", "TESSERA_COUNT_ALLOCATIONS"})
      refuses(name, value, "' *: it may be '0' or '1'");
  for (const char *value : {"9", "-1", "1x", "99999999999999999999"})
    refuses("TESSERA_GEMM_TRIALS", value, "it may be 0 to 8, a whole number");
}

TEST_F(EnvironmentDeathTest, WarnsOfNamesThatNothingReads) {
  set("TESSERA_TIMEOUTS", "10");
  set("TESSERA_FASTER", "1");
  set("TESSERA_TIMEOUT", "10");
  EXPECT_EXIT((checkEnvironment(), exit(0)), testing::ExitedWithCode(0),
              "warning: nothing reads TESSERA_TIMEOUTS, which the environment "
              "sets: did you mean TESSERA_TIMEOUT\\?");
  EXPECT_EXIT((checkEnvironment(), exit(0)), testing::ExitedWithCode(0),
              "warning: nothing reads TESSERA_FASTER, which the environment "
              "sets\n");
  testing::internal::CaptureStderr();
  unsetenv("TESSERA_TIMEOUTS");
  unsetenv("TESSERA_FASTER");
  checkEnvironment();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

} // namespace
