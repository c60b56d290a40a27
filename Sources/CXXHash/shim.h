// xxHash (Debian: libxxhash-dev): XXH3, checksums at the speed of memory.
#pragma once
#include <xxhash.h>
