#include "CPoppler.h"

#include <memory>
#include <new>
#include <poppler/cpp/poppler-document.h>
#include <poppler/cpp/poppler-global.h>
#include <poppler/cpp/poppler-page.h>
#include <poppler/cpp/poppler-toc.h>
#include <string>
#include <vector>

struct carrel_pdf {
    std::unique_ptr<poppler::document> document;
    std::string title;
    std::vector<std::string> outline_titles;
    std::vector<carrel_pdf_outline_entry> outline;
    std::vector<std::string> strings;
    std::vector<carrel_pdf_word> words;
};

namespace {

std::string utf8(const poppler::ustring &text) {
    poppler::byte_array bytes = text.to_utf8();
    return std::string(bytes.begin(), bytes.end());
}

// Nothing C++ may leave this file: what is thrown becomes a code.
template <typename Body> int guarded(Body body) {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return CARREL_PDF_MEMORY;
    } catch (...) {
        return CARREL_PDF_DAMAGED;
    }
}

// An outline may be as deep and as long as its author likes, and hostile ones are; nobody reads
// further than this.
constexpr int deepest = 12;
constexpr size_t longest = 20'000;

void flatten(const poppler::toc_item *item, int depth, carrel_pdf *pdf) {
    if (depth > deepest) return;
    for (const poppler::toc_item *child : item->children()) {
        if (pdf->outline_titles.size() == longest) return;
        pdf->outline_titles.push_back(utf8(child->title()));
        pdf->outline.push_back({nullptr, depth});
        flatten(child, depth + 1, pdf);
    }
}

} // namespace

int carrel_pdf_open(const void *bytes, size_t count, carrel_pdf **result) {
    return guarded([&] {
        poppler::set_debug_error_function([](const std::string &, void *) {}, nullptr);
        auto pdf = std::make_unique<carrel_pdf>();
        pdf->document.reset(poppler::document::load_from_raw_data(
            static_cast<const char *>(bytes), static_cast<int>(count)));
        if (!pdf->document) return CARREL_PDF_DAMAGED;
        if (pdf->document->is_locked()) return CARREL_PDF_LOCKED;
        pdf->title = utf8(pdf->document->get_title());
        *result = pdf.release();
        return CARREL_PDF_OK;
    });
}

void carrel_pdf_close(carrel_pdf *pdf) { delete pdf; }

int carrel_pdf_page_count(carrel_pdf *pdf) { return pdf->document->pages(); }

const char *carrel_pdf_title(carrel_pdf *pdf) { return pdf->title.c_str(); }

int carrel_pdf_outline(carrel_pdf *pdf, const carrel_pdf_outline_entry **entries, size_t *count) {
    return guarded([&] {
        pdf->outline.clear();
        pdf->outline_titles.clear();
        std::unique_ptr<poppler::toc> toc(pdf->document->create_toc());
        if (toc && toc->root()) flatten(toc->root(), 1, pdf);
        for (size_t i = 0; i < pdf->outline.size(); i++)
            pdf->outline[i].title = pdf->outline_titles[i].c_str();
        *entries = pdf->outline.data();
        *count = pdf->outline.size();
        return CARREL_PDF_OK;
    });
}

int carrel_pdf_read_page(
    carrel_pdf *pdf, int index, const carrel_pdf_word **words, size_t *count, double *height) {
    return guarded([&] {
        std::unique_ptr<poppler::page> page(pdf->document->create_page(index));
        if (!page) return CARREL_PDF_DAMAGED;
        pdf->strings.clear();
        pdf->words.clear();
        for (const poppler::text_box &box : page->text_list(poppler::page::text_list_include_font)) {
            poppler::rectf place = box.bbox();
            pdf->strings.push_back(utf8(box.text()));
            pdf->strings.push_back(box.has_font_info() ? box.get_font_name() : std::string());
            pdf->words.push_back(
                {nullptr, nullptr, place.left(), place.top(), place.right(), place.bottom(),
                 box.has_font_info() ? box.get_font_size() : place.height(), box.has_space_after()});
        }
        for (size_t i = 0; i < pdf->words.size(); i++) {
            pdf->words[i].text = pdf->strings[2 * i].c_str();
            pdf->words[i].font = pdf->strings[2 * i + 1].c_str();
        }
        *words = pdf->words.data();
        *count = pdf->words.size();
        *height = page->page_rect().height();
        return CARREL_PDF_OK;
    });
}
