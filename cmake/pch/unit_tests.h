// What unit tests of the runtime include.
#pragma once
#include "cmake/pch/runtime.h"
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
