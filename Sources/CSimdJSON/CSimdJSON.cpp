// The shim over simdjson 3 (Debian: libsimdjson-dev). What it adds to the library is what a
// server needs and the DOM parser leaves open: duplicate keys are refused, NaN has its own code,
// a parser that once read a large line gives its memory back, and a vector is read apart.

#include "CSimdJSON.h"
#include "NumberArray.h"

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

// Shorter texts hold no vector worth reading apart; longer arrays are no vectors.
constexpr size_t shortest_with_vector = 1024;
constexpr size_t longest_vector = 1024;

char kind(uint64_t word) { return char(word >> 56); }

}  // namespace

struct carrel_json_parser {
  size_t max_depth;
  std::unique_ptr<simdjson::dom::parser> dom;
  std::vector<std::string_view> keys;
  // The numbers of a vector, the text without them, and the tape with them put back.
  std::vector<uint64_t> numbers;
  std::vector<uint8_t> rest;
  std::vector<uint64_t> spliced;

  int make() {
    std::vector<uint64_t>().swap(numbers);
    std::vector<uint8_t>().swap(rest);
    std::vector<uint64_t>().swap(spliced);
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

// Checks what simdjson does not, and measures the strings.
static int finish(carrel_json_parser *parser, carrel_json_view *view) {
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
}

// Behind the `[` of the first `"vector":[`; NULL when there is none.
static const uint8_t *vector_in(const uint8_t *bytes, size_t count) {
  constexpr char key[] = "\"vector\":";
  constexpr size_t length = sizeof key - 1;
  const uint8_t *p = bytes, *end = bytes + count;
  while ((p = static_cast<const uint8_t *>(std::memchr(p, '"', size_t(end - p))))) {
    if (size_t(end - p) <= length) return nullptr;
    if (std::memcmp(p, key, length) == 0) {
      // Behind a backslash the quote belongs to a string. Any other begins one, or ends one that
      // nothing but an error can follow.
      if (p == bytes || p[-1] == '\\') return nullptr;
      p = carrel::skip_space(p + length, end);
      return p < end && *p == '[' ? p + 1 : nullptr;
    }
    p++;
  }
  return nullptr;
}

// Reads a text whose vector is read apart: simdjson gets it without the numbers, and the tape gets
// them back where they were missing. Returns whether that could be done; otherwise nothing is known.
static bool parse_apart(
    carrel_json_parser *parser, const uint8_t *bytes, size_t count, carrel_json_view *view) {
  const uint8_t *begin = vector_in(bytes, count);
  if (!begin) return false;
  const uint8_t *end =
      carrel::number_array(begin, bytes + count, longest_vector, parser->numbers);
  if (!end) return false;

  size_t before = size_t(begin - bytes), after = size_t(bytes + count - end);
  std::vector<uint8_t> &rest = parser->rest;
  rest.resize(before + after + simdjson::SIMDJSON_PADDING);
  std::memcpy(rest.data(), bytes, before);
  std::memcpy(rest.data() + before, end, after);
  std::memset(rest.data() + before + after, 0, simdjson::SIMDJSON_PADDING);
  simdjson::dom::element root;
  if (parser->dom->parse(rest.data(), before + after, false).get(root)) return false;
  if (finish(parser, view) != CARREL_JSON_OK) return false;

  // The array that was emptied, unless another `vector` is empty too.
  size_t hole = 0;
  for (size_t i = 1; i + 2 < view->tape_count; i++) {
    char k = kind(view->tape[i]);
    if (k == 'l' || k == 'u' || k == 'd') i++;
    else if (k == '"' && kind(view->tape[i + 1]) == '[' && kind(view->tape[i + 2]) == ']' &&
             parser->string_at(view->tape[i]) == "vector") {
      if (hole) return false;
      hole = i + 1;
    }
  }
  if (!hole) return false;

  size_t added = parser->numbers.size();
  std::vector<uint64_t> &tape = parser->spliced;
  tape.resize(view->tape_count + added);
  auto moved = [&](uint64_t word) {
    switch (kind(word)) {
      // Brackets know their partner's place; the opening ones, the place after it.
      case 'r': case '{': case '[': return uint32_t(word) > hole ? word + added : word;
      case '}': case ']': return uint32_t(word) > hole ? word + added : word;
      default: return word;
    }
  };
  for (size_t i = 0, to = 0; i < view->tape_count; i++) {
    uint64_t word = view->tape[i];
    tape[to++] = moved(word);
    char k = kind(word);
    if (k == 'l' || k == 'u' || k == 'd') tape[to++] = view->tape[++i];
    if (i == hole) {
      // An array also counts its elements, in the 24 bits above.
      tape[to - 1] += uint64_t(added / 2) << 32;
      std::memcpy(&tape[to], parser->numbers.data(), added * sizeof(uint64_t));
      to += added;
    }
  }
  view->tape = tape.data();
  view->tape_count = tape.size();
  return true;
}

int carrel_json_parse(
    carrel_json_parser *parser, const uint8_t *bytes, size_t count, carrel_json_view *view) {
  if (count >= 3 && std::memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) return CARREL_JSON_BOM;
  try {
    if (!parser->dom || (parser->dom->capacity() > kept_capacity && count <= first_capacity))
      if (int code = parser->make()) return code;

    if (count >= shortest_with_vector && parse_apart(parser, bytes, count, view))
      return CARREL_JSON_OK;
    simdjson::dom::element root;
    error_code failure = parser->dom->parse(bytes, count).get(root);
    return failure ? translate(failure, bytes, count) : finish(parser, view);
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

size_t carrel_json_plain(const uint8_t *bytes, size_t count) {
  auto is_special = [](uint8_t c) { return uint8_t((c < 0x20) | (c == '"') | (c == '\\')); };
  size_t i = 0;
  // Without a way out inside, which the compiler makes a few vector instructions of.
  for (; i + 32 <= count; i += 32) {
    uint8_t special = 0;
    for (size_t j = 0; j < 32; j++) special |= is_special(bytes[i + j]);
    if (special) break;
  }
  while (i < count && !is_special(bytes[i])) i++;
  return i;
}
