#pragma once
// The Snowball project's stemmers (Debian: libstemmer-dev).
#include <libstemmer.h>
