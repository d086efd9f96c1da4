// What most files above the dialects include.
#pragma once
#include "cmake/pch/mlir.h"
#include "dialects/graph/Graph.h"
#include "dialects/nn/NN.h"
#include "dialects/optimizer/Optimizer.h"
#include "dialects/plan/Plan.h"
#include "dialects/spec/Spec.h"
#include "dialects/zero/Zero.h"
