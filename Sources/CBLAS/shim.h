#pragma once
// The reference interfaces; OpenBLAS takes over at run time through Debian's alternatives.
#include <cblas.h>
