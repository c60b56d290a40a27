// One JSON text in, one flat view out: the tape that simdjson's DOM parser leaves behind.
//
// The view is simdjson's own tape (doc/tape.md in its repository): 64-bit words, the kind of a
// value in the top byte, 56 bits of payload below. Strings live in a second buffer, each as a
// 32-bit length and its bytes. The view belongs to the parser and lasts until its next parse.
//
// Nothing here throws, and failures are codes: what a person is told is decided in Swift.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct carrel_json_parser carrel_json_parser;

enum {
  CARREL_JSON_OK = 0,
  CARREL_JSON_EMPTY = 1,          // nothing but white space
  CARREL_JSON_MEMORY = 2,         // no memory for the tape
  CARREL_JSON_TOO_LARGE = 3,      // above 4 GiB, simdjson's limit
  CARREL_JSON_DEPTH = 4,          // nested deeper than the parser was made for
  CARREL_JSON_UTF8 = 5,           // invalid UTF-8
  CARREL_JSON_BOM = 6,            // begins with a byte order mark
  CARREL_JSON_DUPLICATE_KEY = 7,  // one object holds a key twice
  CARREL_JSON_NOT_FINITE = 8,     // NaN or Infinity where a value should stand
  CARREL_JSON_NUMBER = 9,         // a malformed number, or one outside binary64
  CARREL_JSON_STRING = 10,        // a bad escape, a lone surrogate, a raw control character
  CARREL_JSON_SYNTAX = 11,        // anything else that is not JSON
};

typedef struct {
  const uint64_t *tape;
  size_t tape_count;
  const uint8_t *strings;
  size_t string_bytes;
} carrel_json_view;

/// A parser that allows `max_depth` nested arrays and objects, or NULL without memory.
carrel_json_parser *carrel_json_parser_create(size_t max_depth);
void carrel_json_parser_destroy(carrel_json_parser *parser);

/// Parses `count` bytes (which need no padding: they are copied into the parser's own padded
/// buffer) and fills `view` when the code is CARREL_JSON_OK. O(count), and O(k log k) for an
/// object of k > 16 keys.
int carrel_json_parse(
    carrel_json_parser *parser, const uint8_t *bytes, size_t count, carrel_json_view *view);

/// Where the first LF stands in `count` bytes; `count` when there is none.
size_t carrel_json_line_end(const uint8_t *bytes, size_t count);

/// How many of the first bytes of a text stand in a JSON string as they are: up to the first quote,
/// backslash or control character; `count` when there is none.
size_t carrel_json_plain(const uint8_t *bytes, size_t count);

#ifdef __cplusplus
}
#endif
