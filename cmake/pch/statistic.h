// What a statistic of a pass consists of depends on NDEBUG. It must be what
// LLVM's library has, which is built without assertions, also where ours are.
#pragma once
#define NDEBUG
#include "llvm/ADT/Statistic.h"
#undef NDEBUG
