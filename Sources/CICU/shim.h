#pragma once
// ICU (Debian: libicu-dev). Its headers rename each function to one that carries the version
// (ubrk_open_72), by macros that Swift does not see; these names stay.
#include <unicode/ubrk.h>
#include <unicode/unorm2.h>

/// A breaker by UAX #29 words, of no particular locale; null on failure.
static inline UBreakIterator *icu_words_open(void) {
    UErrorCode error = U_ZERO_ERROR;
    UBreakIterator *words = ubrk_open(UBRK_WORD, "", 0, 0, &error);
    return U_SUCCESS(error) ? words : 0;
}

static inline void icu_words_close(UBreakIterator *words) { ubrk_close(words); }

/// The text must stay in place while it is walked. Returns whether it was taken.
static inline int icu_words_in(UBreakIterator *words, const UChar *text, int32_t length) {
    UErrorCode error = U_ZERO_ERROR;
    ubrk_setText(words, text, length, &error);
    return U_SUCCESS(error);
}

/// Where the next piece ends, or UBRK_DONE.
static inline int32_t icu_words_next(UBreakIterator *words) { return ubrk_next(words); }

/// Whether the piece just passed is a word or a number, rather than blanks and signs.
static inline int icu_words_is_word(UBreakIterator *words) {
    return ubrk_getRuleStatus(words) >= UBRK_WORD_NONE_LIMIT;
}

/// NFKC with full case folding, default-ignorable code points left out (`toNFKC_Casefold`).
/// Returns the length it has or would need; -1 on any other failure.
static inline int32_t icu_fold(
    const UChar *text, int32_t length, UChar *folded, int32_t capacity) {
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2 *form = unorm2_getNFKCCasefoldInstance(&error);
    int32_t needed = unorm2_normalize(form, text, length, folded, capacity, &error);
    return U_SUCCESS(error) || error == U_BUFFER_OVERFLOW_ERROR ? needed : -1;
}
