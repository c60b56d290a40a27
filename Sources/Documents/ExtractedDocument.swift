/// What a file says, and where: the text with its pages and sections as spans.
///
/// Every offset counts Unicode scalars from the start of `text`, because that is what PostgreSQL's
/// `substr` counts and what every language on the other side of the wire can count. Scalars are not
/// normalised (no NFC): the offsets, the stored text and what a reader copies out of the original
/// stay one and the same; the tokenizer normalises for itself.
///
/// Invariants, checked by `validated()` for whatever comes out of the helper process: `text` holds
/// no NUL and its only line break is U+000A; pages are numbered from 1, contiguous and cover the
/// text; sections are in order, contiguous and cover the text.
package struct ExtractedDocument: Sendable, Codable, Equatable {
    package let fileType: FileType
    /// The title the file states for itself, not its name.
    package let title: String?
    package let text: String
    package let pages: [PageSpan]
    package let sections: [SectionSpan]
    /// Code and tables: spans whose line breaks mean something, in order, none overlapping. The
    /// chunker breaks them between lines where it breaks prose between sentences.
    package let verbatim: [Range<Int>]

    package init(
        fileType: FileType, title: String?, text: String, pages: [PageSpan],
        sections: [SectionSpan], verbatim: [Range<Int>] = []
    ) {
        self.fileType = fileType
        self.title = title
        self.text = text
        self.pages = pages
        self.sections = sections
        self.verbatim = verbatim
    }
}

/// What kind of file it is, decided by its content.
package enum FileType: String, Sendable, Codable, CaseIterable {
    case pdf, html, docx, markdown, text
}

/// One page; empty (`start == end`) when nothing is written on it.
package struct PageSpan: Sendable, Codable, Equatable {
    /// From 1. A format without pages is one page.
    package let number: Int
    package let start: Int
    package let end: Int

    package init(number: Int, start: Int, end: Int) {
        self.number = number
        self.start = start
        self.end = end
    }
}

/// One section: a heading and what stands under it, up to the next heading of any level.
package struct SectionSpan: Sendable, Codable, Equatable {
    /// The number of the page it starts on.
    package let page: Int
    /// From 0 on that page.
    package let index: Int
    /// `nil` for what stands before the first heading, and in files without headings.
    package let heading: String?
    /// The headings above this one, outermost first, ending with its own.
    package let headingPath: [String]
    package let start: Int
    package let end: Int

    package init(
        page: Int, index: Int, heading: String?, headingPath: [String], start: Int, end: Int
    ) {
        self.page = page
        self.index = index
        self.heading = heading
        self.headingPath = headingPath
        self.start = start
        self.end = end
    }
}

extension ExtractedDocument {
    /// Whether the spans are what this type promises; what is wrong with them, if not.
    ///
    /// - Complexity: O(length of the text).
    package func violation() -> String? {
        var length = 0
        for scalar in text.unicodeScalars {
            if scalar.value == 0 || scalar.value == 13 { return "a forbidden character" }
            length += 1
        }
        guard let lastPage = pages.last, let lastSection = sections.last else {
            return "no page or no section"
        }
        var end = 0
        for (position, page) in pages.enumerated() {
            guard page.number == position + 1, page.start == end, page.end >= page.start else {
                return "page \(page.number) is out of order"
            }
            end = page.end
        }
        guard lastPage.end == length else { return "the pages do not cover the text" }
        end = 0
        var page = 0
        var index = 0
        for section in sections {
            index = section.page == page ? index + 1 : 0
            guard section.start == end, section.end > section.start, section.page >= page,
                section.index == index, (1...pages.count).contains(section.page),
                section.start >= pages[section.page - 1].start,
                section.start < pages[section.page - 1].end
            else { return "the section at \(section.start) is out of order" }
            end = section.end
            page = section.page
        }
        guard lastSection.end == length else { return "the sections do not cover the text" }
        end = 0
        for span in verbatim {
            guard span.lowerBound >= end, span.upperBound <= length else {
                return "the verbatim span at \(span.lowerBound) is out of order"
            }
            end = span.upperBound
        }
        return nil
    }
}
