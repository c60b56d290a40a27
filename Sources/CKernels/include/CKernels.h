// Umbrella header: how near, in bulk.
#pragma once
#include "kernels.h"
#include "transformer.h"
