// cmark-gfm (Debian: libcmark-gfm-dev, libcmark-gfm-extensions-dev): GitHub's CommonMark.
#include <cmark-gfm.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm-core-extensions.h>
