#include "CICU.h"

#include <unicode/ubrk.h>
#include <unicode/unorm2.h>

icu_words *icu_words_open(void) {
    UErrorCode error = U_ZERO_ERROR;
    UBreakIterator *words = ubrk_open(UBRK_WORD, "", 0, 0, &error);
    return U_SUCCESS(error) ? (icu_words *)words : 0;
}

void icu_words_close(icu_words *words) { ubrk_close((UBreakIterator *)words); }

int icu_words_in(icu_words *words, const uint16_t *text, int32_t length) {
    UErrorCode error = U_ZERO_ERROR;
    ubrk_setText((UBreakIterator *)words, (const UChar *)text, length, &error);
    return U_SUCCESS(error);
}

int32_t icu_words_next(icu_words *words) {
    int32_t end = ubrk_next((UBreakIterator *)words);
    return end == UBRK_DONE ? -1 : end;
}

int icu_words_is_word(icu_words *words) {
    return ubrk_getRuleStatus((UBreakIterator *)words) >= UBRK_WORD_NONE_LIMIT;
}

int32_t icu_fold(const uint16_t *text, int32_t length, uint16_t *folded, int32_t capacity) {
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2 *form = unorm2_getNFKCCasefoldInstance(&error);
    int32_t needed = unorm2_normalize(
        form, (const UChar *)text, length, (UChar *)folded, capacity, &error);
    return U_SUCCESS(error) || error == U_BUFFER_OVERFLOW_ERROR ? needed : -1;
}
