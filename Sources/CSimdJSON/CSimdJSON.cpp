// The shim over simdjson 3 (Debian: libsimdjson-dev). What it adds to the library is what a
// server needs and the DOM parser leaves open: duplicate keys are refused, NaN has its own code,
// and a parser that once read a large line gives its memory back.

#include "CSimdJSON.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace {

using simdjson::error_code;

constexpr uint64_t payload_mask = 0x00FFFFFFFFFFFFFF;

// Requests are mostly under 16 KiB; an upload is up to 16 MiB, for which simdjson reserves about
// 12 bytes per input byte. A parser that has grown past this is made anew by the next small line.
constexpr size_t kept_capacity = size_t(1) << 20;
constexpr size_t first_capacity = size_t(16) << 10;

// Below this many keys, comparing all pairs is faster than sorting.
constexpr size_t few_keys = 16;

char kind(uint64_t word) { return char(word >> 56); }

}  // namespace

struct carrel_json_parser {
  size_t max_depth;
  std::unique_ptr<simdjson::dom::parser> dom;
  std::vector<std::string_view> keys;

  int make() {
    dom.reset(new simdjson::dom::parser());
    // simdjson refuses when depth *reaches* its limit.
    return dom->allocate(first_capacity, max_depth + 1) ? CARREL_JSON_MEMORY : CARREL_JSON_OK;
  }

  std::string_view string_at(uint64_t word) const {
    const uint8_t *start = dom->doc.string_buf.get() + (word & payload_mask);
    uint32_t length;
    std::memcpy(&length, start, sizeof length);
    return {reinterpret_cast<const char *>(start + sizeof length), length};
  }

  // Whether the object that opens at `index` holds a key twice. Values are jumped over, so all
  // objects of a tape together cost one visit per key.
  bool has_duplicate_keys(const uint64_t *tape, size_t index) {
    keys.clear();
    size_t i = index + 1;
    while (kind(tape[i]) != '}') {
      keys.push_back(string_at(tape[i]));
      i += 1;
      switch (kind(tape[i])) {
        case '{': case '[': i = uint32_t(tape[i]); break;
        case 'l': case 'u': case 'd': i += 2; break;
        default: i += 1;
      }
    }
    if (keys.size() <= few_keys) {
      for (size_t a = 1; a < keys.size(); a++)
        for (size_t b = 0; b < a; b++)
          if (keys[a] == keys[b]) return true;
      return false;
    }
    std::sort(keys.begin(), keys.end());
    return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
  }
};

namespace {

// Whether NaN or an Infinity stands outside the strings of a text that failed to parse.
bool holds_not_finite(const uint8_t *bytes, size_t count) {
  bool inside = false;
  for (size_t i = 0; i < count; i++) {
    uint8_t c = bytes[i];
    if (inside) {
      if (c == '\\') i++;
      else if (c == '"') inside = false;
    } else if (c == '"') {
      inside = true;
    } else if ((c | 0x20) == 'n' && i + 2 < count) {
      if ((bytes[i + 1] | 0x20) == 'a' && (bytes[i + 2] | 0x20) == 'n') return true;
    } else if ((c | 0x20) == 'i' && i + 2 < count) {
      if ((bytes[i + 1] | 0x20) == 'n' && (bytes[i + 2] | 0x20) == 'f') return true;
    }
  }
  return false;
}

int translate(error_code code, const uint8_t *bytes, size_t count) {
  switch (code) {
    case simdjson::SUCCESS: return CARREL_JSON_OK;
    case simdjson::EMPTY: return CARREL_JSON_EMPTY;
    case simdjson::MEMALLOC: return CARREL_JSON_MEMORY;
    case simdjson::CAPACITY: return CARREL_JSON_TOO_LARGE;
    case simdjson::DEPTH_ERROR: return CARREL_JSON_DEPTH;
    case simdjson::UTF8_ERROR: return CARREL_JSON_UTF8;
    case simdjson::STRING_ERROR:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::UNCLOSED_STRING: return CARREL_JSON_STRING;
    default: break;
  }
  if (holds_not_finite(bytes, count)) return CARREL_JSON_NOT_FINITE;
  return code == simdjson::NUMBER_ERROR || code == simdjson::NUMBER_OUT_OF_RANGE
      ? CARREL_JSON_NUMBER : CARREL_JSON_SYNTAX;
}

}  // namespace

carrel_json_parser *carrel_json_parser_create(size_t max_depth) {
  try {
    std::unique_ptr<carrel_json_parser> parser(new carrel_json_parser{max_depth, nullptr, {}});
    return parser->make() == CARREL_JSON_OK ? parser.release() : nullptr;
  } catch (...) {
    return nullptr;
  }
}

void carrel_json_parser_destroy(carrel_json_parser *parser) { delete parser; }

int carrel_json_parse(
    carrel_json_parser *parser, const uint8_t *bytes, size_t count, carrel_json_view *view) {
  if (count >= 3 && std::memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) return CARREL_JSON_BOM;
  try {
    if (!parser->dom || (parser->dom->capacity() > kept_capacity && count <= first_capacity))
      if (int code = parser->make()) return code;

    simdjson::dom::element root;
    error_code failure = parser->dom->parse(bytes, count).get(root);
    if (failure) return translate(failure, bytes, count);

    // Word 0 is the root; its payload is the number of words.
    const uint64_t *tape = parser->dom->doc.tape.get();
    size_t words = size_t(tape[0] & payload_mask);
    size_t string_bytes = 0;
    for (size_t i = 1; i < words; i++) {
      switch (kind(tape[i])) {
        case 'l': case 'u': case 'd': i++; break;
        case '"': {
          // Strings stand in the order of the text: the last one tells how much is used.
          std::string_view s = parser->string_at(tape[i]);
          string_bytes = size_t(tape[i] & payload_mask) + sizeof(uint32_t) + s.size();
          break;
        }
        case '{':
          if (parser->has_duplicate_keys(tape, i)) return CARREL_JSON_DUPLICATE_KEY;
          break;
        default: break;
      }
    }
    *view = {tape, words, parser->dom->doc.string_buf.get(), string_bytes};
    return CARREL_JSON_OK;
  } catch (...) {
    // The standard library throws only for want of memory here.
    parser->dom.reset();
    return CARREL_JSON_MEMORY;
  }
}

size_t carrel_json_line_end(const uint8_t *bytes, size_t count) {
  if (count == 0) return 0;
  const void *found = std::memchr(bytes, '\n', count);
  return found ? size_t(static_cast<const uint8_t *>(found) - bytes) : count;
}
