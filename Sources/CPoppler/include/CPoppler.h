// The words of a PDF with place, size and font, in reading order, through Debian's poppler-cpp.
//
// Why not `pdftotext -bbox-layout`: it is the same Poppler and the same reading order (flows, blocks
// and lines, so that columns are read one after the other), but it leaves out font names, reports
// the height of a line's ink box for its size, and would be one more process and 5 MB of XML to
// parse for a hundred pages. Headings are found by size and weight, so the fonts decide it.
#ifndef CPOPPLER_H
#define CPOPPLER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    CARREL_PDF_OK = 0,
    CARREL_PDF_LOCKED = 1,
    CARREL_PDF_DAMAGED = 2,
    CARREL_PDF_MEMORY = 3,
};

typedef struct carrel_pdf carrel_pdf;

typedef struct {
    // UTF-8; valid until the next page is read.
    const char *text;
    const char *font;
    // Points from the page's top left corner.
    double left, top, right, bottom;
    double size;
    int space_after;
} carrel_pdf_word;

typedef struct {
    const char *title;
    // 1 for the outermost entries.
    int depth;
} carrel_pdf_outline_entry;

// The buffer must outlive the document.
int carrel_pdf_open(const void *bytes, size_t count, carrel_pdf **pdf);
void carrel_pdf_close(carrel_pdf *pdf);

int carrel_pdf_page_count(carrel_pdf *pdf);
// UTF-8, valid until the document is closed; "" when there is none.
const char *carrel_pdf_title(carrel_pdf *pdf);
int carrel_pdf_outline(carrel_pdf *pdf, const carrel_pdf_outline_entry **entries, size_t *count);

// Reads one page, counted from 0; words and sizes are valid until the next call.
int carrel_pdf_read_page(
    carrel_pdf *pdf, int index, const carrel_pdf_word **words, size_t *count, double *height);

#ifdef __cplusplus
}
#endif

#endif
