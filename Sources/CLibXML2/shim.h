// libxml2 (Debian: libxml2-dev): the HTML and XML parsers and the tree they build.
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
