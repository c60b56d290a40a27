#pragma once
// ICU (Debian: libicu-dev), as much of it as cutting text into folded words takes.
//
// None of ICU's headers is seen from here. Foundation brings its own copy of ICU with other versions of
// the same types, and Swift refuses a program whose modules define one type twice.
#include <stdint.h>

/// A walk over a text from word to word.
typedef struct icu_words icu_words;

/// A breaker by UAX #29 words, of no particular locale; null on failure.
icu_words *icu_words_open(void);

void icu_words_close(icu_words *words);

/// The text must stay in place while it is walked. Returns whether it was taken.
int icu_words_in(icu_words *words, const uint16_t *text, int32_t length);

/// Where the next piece ends, or a negative number at the end.
int32_t icu_words_next(icu_words *words);

/// Whether the piece just passed is a word or a number, rather than blanks and signs.
int icu_words_is_word(icu_words *words);

/// NFKC with full case folding, default-ignorable code points left out (`toNFKC_Casefold`).
/// Returns the length it has or would need; -1 on any other failure.
int32_t icu_fold(const uint16_t *text, int32_t length, uint16_t *folded, int32_t capacity);
