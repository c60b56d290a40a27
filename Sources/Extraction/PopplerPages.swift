// The words of a PDF, page by page. The only file that calls Poppler.

import CPoppler
import Documents

/// One word as it stands on the page; points from the top left corner.
struct PDFWord {
    var text: String
    var font: String
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double
    var size: Double
    var spaceAfter: Bool
}

struct PDFPage {
    var words: [PDFWord]
    var height: Double
}

struct PDFContent {
    var title: String
    var outline: [(title: String, depth: Int)]
    var pages: [PDFPage]
}

enum Poppler {
    /// Everything written in a PDF, words in reading order.
    ///
    /// Throws `encrypted` when it does not open without a password, `damaged`, or `tooLarge` when
    /// it has more pages than `limits` allows.
    static func content(
        of bytes: [UInt8], limits: ExtractionLimits
    ) throws(DocumentError) -> PDFContent {
        let result = unsafe bytes.withUnsafeBytes { buffer -> Result<PDFContent, DocumentError> in
            var pdf: OpaquePointer?
            let code = unsafe carrel_pdf_open(buffer.baseAddress, buffer.count, &pdf)
            guard let pdf = unsafe pdf else {
                return .failure(error(code, "it cannot be opened", limits))
            }
            defer { unsafe carrel_pdf_close(pdf) }
            return unsafe read(pdf, limits)
        }
        return try result.get()
    }

    private static func read(
        _ pdf: OpaquePointer, _ limits: ExtractionLimits
    ) -> Result<PDFContent, DocumentError> {
        let count = unsafe Int(carrel_pdf_page_count(pdf))
        guard count > 0 else { return .failure(.damaged("none of its pages can be found")) }
        guard count <= limits.pages else {
            return .failure(.tooLarge(.pages, limit: limits.pages, got: count))
        }
        var pages: [PDFPage] = []
        for index in 0..<count {
            var words: UnsafePointer<carrel_pdf_word>?
            var wordCount = 0
            var height = 0.0
            let code = unsafe carrel_pdf_read_page(pdf, Int32(index), &words, &wordCount, &height)
            guard Int(code) == CARREL_PDF_OK else {
                return .failure(error(code, "page \(index + 1) cannot be read", limits))
            }
            pages.append(
                PDFPage(
                    words: unsafe UnsafeBufferPointer(start: words, count: wordCount).map {
                        unsafe word($0)
                    }, height: height))
        }
        return .success(
            PDFContent(
                title: unsafe String(cString: carrel_pdf_title(pdf)), outline: unsafe outline(pdf),
                pages: pages))
    }

    private static func outline(_ pdf: OpaquePointer) -> [(title: String, depth: Int)] {
        var entries: UnsafePointer<carrel_pdf_outline_entry>?
        var count = 0
        guard unsafe carrel_pdf_outline(pdf, &entries, &count) == Int32(CARREL_PDF_OK) else {
            return []
        }
        return unsafe UnsafeBufferPointer(start: entries, count: count).map {
            unsafe (String(cString: $0.title), Int($0.depth))
        }
    }

    private static func word(_ word: carrel_pdf_word) -> PDFWord {
        unsafe PDFWord(
            text: String(cString: word.text), font: String(cString: word.font), left: word.left,
            top: word.top, right: word.right, bottom: word.bottom, size: word.size,
            spaceAfter: word.space_after != 0)
    }

    private static func error(
        _ code: Int32, _ what: String, _ limits: ExtractionLimits
    ) -> DocumentError {
        switch Int(code) {
        case CARREL_PDF_LOCKED: .encrypted
        case CARREL_PDF_MEMORY: .outOfMemory(limitBytes: limits.memoryBytes)
        default: .damaged(what)
        }
    }
}
