// The numbers of a vector, read faster than simdjson reads numbers.
//
// A search is one array of 768 numbers and little else, and simdjson takes 18 ns for each of them
// (nine digits, haswell kernels, Xeon 2.5 GHz): it goes digit by digit behind the first eight, how many
// there are cannot be predicted, and the next number is found only when this one has ended. Here the
// commas are found first, 64 bytes at a time, so that numbers are read beside each other, and eight
// digits are one step however many of them there are (after Lemire, "Quickly parsing eight digits",
// 2018). 6 ns each.
//
// What comes out is what simdjson would have written to its tape, bit for bit, or nothing: whatever is
// unusual is left to simdjson, and so is every refusal.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace carrel {

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
constexpr uint64_t whole_powers_of_ten[] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
    10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
    1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u,
    10000000000000000000u};
constexpr size_t most_decimals = 19;

// How far behind a number's first byte is looked without asking whether it is there.
constexpr size_t lookahead = 32;

inline bool is_digit(uint8_t c) { return uint8_t(c - '0') < 10; }

// `count` digits at `p`, 1 to 8, as an integer; leaves bits in `others` when one is no digit.
inline uint64_t digits(const uint8_t *p, size_t count, uint64_t &others) {
  uint64_t values;
  std::memcpy(&values, p, sizeof values);
  // What stands behind the digits goes, and zeros move in front.
  values = (values ^ 0x3030303030303030) << (64 - 8 * count);
  others |= (values | (values + 0x7676767676767676)) & 0x8080808080808080;
  values = values * 10 + (values >> 8);
  return ((values & 0x000000FF000000FF) * 0x000F424000000064 +
          ((values >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >> 32;
}

// A divisor with its top bit set, and what its quotients are found with instead of by dividing: 25 ns
// here (Möller and Granlund, "Improved division by invariant integers", 2011, algorithm 4).
struct Divisor {
  uint64_t value, inverse;

  constexpr Divisor(uint64_t power)
      : value(power << __builtin_clzll(power)),
        inverse(uint64_t(~(unsigned __int128)0 / value - ((unsigned __int128)1 << 64))) {}

  // (high · 2^64 + low) / value, and what remains. `high` is below the value.
  uint64_t divide(uint64_t high, uint64_t low, uint64_t &rest) const {
    unsigned __int128 product =
        (unsigned __int128)inverse * high + ((unsigned __int128)high << 64 | low);
    uint64_t quotient = uint64_t(product >> 64) + 1;
    rest = low - quotient * value;
    if (rest > uint64_t(product)) quotient--, rest += value;
    if (rest >= value) quotient++, rest -= value;
    return quotient;
  }
};

constexpr Divisor divisors[] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u,
    10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
    1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u,
    10000000000000000000u};

// mantissa / 10^decimals, rounded once, to even between two.
inline double quotient(uint64_t mantissa, size_t decimals) {
  // Below 2^53 the mantissa is exact in binary64, as are the powers of ten up to 10^22
  // (Clinger, "How to read floating point numbers accurately", 1990).
  if (mantissa >> 53 == 0) return double(mantissa) / powers_of_ten[decimals];
  // Both begin with a bit of one, the numerator one place lower: the quotient then has 63 or 64
  // bits, and what remains says whether it is exact.
  int up = __builtin_clzll(mantissa), across = __builtin_clzll(whole_powers_of_ten[decimals]);
  uint64_t rest,
      whole = divisors[decimals].divide((mantissa << up) >> 1, mantissa << up << 63, rest);
  // 53 bits are kept; the others, and whether anything remains, decide.
  int excess = 11 - __builtin_clzll(whole);
  uint64_t kept = whole >> excess, cut = whole & ((uint64_t(1) << excess) - 1);
  uint64_t half = uint64_t(1) << (excess - 1);
  kept += cut > half || (cut == half && (rest || kept & 1));
  // Times a power of two, which is exact.
  uint64_t power = uint64_t(1023 + excess - 63 - up + across) << 52;
  double scale;
  std::memcpy(&scale, &power, sizeof scale);
  return double(kept) * scale;
}

struct Number {
  bool is_integer;
  uint64_t bits;
};

// Any JSON number that ends before `end`; NULL for what is none, or is left to simdjson.
inline const uint8_t *any_number(const uint8_t *start, const uint8_t *end, Number &number) {
  const uint8_t *p = start;
  bool is_integer = true;
  auto skip_digits = [&] {
    const uint8_t *first = p;
    while (p < end && is_digit(*p)) p++;
    return p > first;
  };
  if (p < end && *p == '-') p++;
  if (p < end && *p == '0') p++;
  else if (!skip_digits()) return nullptr;
  if (p < end && *p == '.') {
    is_integer = false;
    p++;
    if (!skip_digits()) return nullptr;
  }
  if (p < end && (*p | 0x20) == 'e') {
    is_integer = false;
    p++;
    if (p < end && (*p == '+' || *p == '-')) p++;
    if (!skip_digits()) return nullptr;
  }
  auto from = reinterpret_cast<const char *>(start), to = reinterpret_cast<const char *>(p);
  std::from_chars_result result;
  if (is_integer) {
    int64_t integer;
    result = std::from_chars(from, to, integer);
    number = {true, uint64_t(integer)};
  } else {
    double value;
    result = std::from_chars(from, to, value);
    number.is_integer = false;
    std::memcpy(&number.bits, &value, sizeof value);
  }
  return result.ec == std::errc() && result.ptr == to ? p : nullptr;
}

// The frequent number, from `start` to `stop`: one digit, a point, at most nineteen digits. Returns
// whether it is one.
inline bool plain_number(const uint8_t *start, const uint8_t *stop, Number &number) {
  bool is_negative = *start == '-';
  const uint8_t *p = start + is_negative;
  size_t count = size_t(stop - p) - 2;
  uint64_t mantissa = uint64_t(p[0]) - '0';
  if (mantissa > 9 || p[1] != '.' || count - 1 >= most_decimals) return false;
  p += 2;
  uint64_t others = 0;
  if (count <= 8) {
    mantissa = mantissa * whole_powers_of_ten[count] + digits(p, count, others);
  } else {
    mantissa = mantissa * whole_powers_of_ten[8] + digits(p, 8, others);
    if (count <= 16) {
      mantissa = mantissa * whole_powers_of_ten[count - 8] + digits(p + 8, count - 8, others);
    } else {
      // Nineteen digits fit 64 bits, twenty do not.
      if (count == most_decimals && p[-2] != '0') return false;
      mantissa = mantissa * whole_powers_of_ten[8] + digits(p + 8, 8, others);
      mantissa = mantissa * whole_powers_of_ten[count - 16] + digits(p + 16, count - 16, others);
    }
  }
  if (others) return false;
  double value = quotient(mantissa, count);
  number.is_integer = false;
  std::memcpy(&number.bits, &value, sizeof value);
  // The sign cannot be predicted, so nothing branches on it.
  number.bits |= uint64_t(is_negative) << 63;
  return true;
}

inline const uint8_t *skip_space(const uint8_t *p, const uint8_t *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
  return p;
}

// A bit for each of up to 64 bytes that is a comma or a closing bracket.
inline uint64_t ends_of_numbers(const uint8_t *p, size_t count) {
  uint64_t ends = 0;
#if defined(__SSE2__)
  if (count >= 64) {
    for (int i = 0; i < 4; i++) {
      __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p + 16 * i));
      __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')),
                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8(']')));
      ends |= uint64_t(uint32_t(_mm_movemask_epi8(found))) << (16 * i);
    }
    return ends;
  }
#endif
  for (size_t i = 0; i < count && i < 64; i++) ends |= uint64_t(p[i] == ',' || p[i] == ']') << i;
  return ends;
}

// The numbers between a `[` before `begin` and its `]`, as words of simdjson's tape. Returns where the
// `]` stands; NULL when this is not an array of numbers, or an unusual one.
inline const uint8_t *number_array(
    const uint8_t *begin, const uint8_t *end, size_t limit, std::vector<uint64_t> &words) {
  words.resize(2 * limit);
  uint64_t *to = words.data(), *last = to + 2 * limit;
  const uint8_t *start = begin;
  for (const uint8_t *block = begin; block < end; block += 64) {
    for (uint64_t ends = ends_of_numbers(block, size_t(end - block)); ends; ends &= ends - 1) {
      const uint8_t *stop = block + __builtin_ctzll(ends);
      if (to == last) return nullptr;
      start += *start == ' ';
      Number number;
      if (size_t(end - start) < lookahead || !plain_number(start, stop, number)) {
        start = any_number(skip_space(start, stop), stop, number);
        if (!start || skip_space(start, stop) != stop) return nullptr;
      }
      to[0] = uint64_t(number.is_integer ? 'l' : 'd') << 56;
      to[1] = number.bits;
      to += 2;
      if (*stop == ']') {
        words.resize(size_t(to - words.data()));
        return stop;
      }
      start = stop + 1;
    }
  }
  return nullptr;
}

}  // namespace carrel
