/// Why a file could not be read. The description can be shown to whoever uploaded it.
package enum DocumentError: Error, Sendable, Codable, Equatable {
    /// Not a format we read; says what it looks like instead.
    case unsupported(String)
    /// Needs a password.
    case encrypted
    /// Cut short or broken; says where.
    case damaged(String)
    /// Nothing to read in it; says why that may be.
    case empty(String)
    /// Over a limit. `got` is `nil` when counting stopped at the limit.
    case tooLarge(Measure, limit: Int, got: Int?)
    /// The wall clock or the processor time ran out.
    case timedOut(seconds: Int)
    /// The helper would have needed more memory than it may have.
    case outOfMemory(limitBytes: Int)
    /// The file could not be opened at all.
    case unreadable(String)
    /// Our fault: the helper process is missing or broke its protocol.
    case extractorFailed(String)
    /// The task that asked was cancelled.
    case cancelled

    package enum Measure: String, Sendable, Codable {
        /// Bytes of the file, pages, bytes of the text taken out of it, bytes of a part unpacked.
        case fileBytes, pages, textBytes, unpackedBytes
    }

    /// A stable word for machines; `error_message` and the wire carry it.
    package var code: String {
        switch self {
        case .unsupported: "unsupported"
        case .encrypted: "encrypted"
        case .damaged: "damaged"
        case .empty: "empty"
        case .tooLarge: "too_large"
        case .timedOut: "timed_out"
        case .outOfMemory: "out_of_memory"
        case .unreadable: "unreadable"
        case .extractorFailed: "extractor_failed"
        case .cancelled: "cancelled"
        }
    }
}

extension DocumentError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unsupported(let what):
            "This file cannot be read: \(what). Carrel reads PDF, DOCX, HTML, Markdown and text."
        case .encrypted:
            "The file is protected by a password. Save a copy without one and upload that."
        case .damaged(let what):
            "The file is damaged or incomplete: \(what)."
        case .empty(let why):
            "There is no text in this file: \(why)."
        case .tooLarge(let measure, let limit, let got):
            "The file is too large: \(measure.phrase(limit: limit, got: got))."
        case .timedOut(let seconds):
            "Reading the file took longer than \(seconds) seconds and was stopped."
        case .outOfMemory(let limit):
            "Reading the file needs more than the \(limit >> 20) MiB of memory it may use."
        case .unreadable(let why):
            "The file could not be opened: \(why)."
        case .extractorFailed(let why):
            "The document reader failed: \(why)."
        case .cancelled:
            "Reading the file was cancelled."
        }
    }
}

extension DocumentError.Measure {
    fileprivate func phrase(limit: Int, got: Int?) -> String {
        let noun =
            switch self {
            case .fileBytes: "bytes"
            case .pages: "pages"
            case .textBytes: "bytes of text"
            case .unpackedBytes: "bytes once unpacked"
            }
        return got.map { "\($0) \(noun), and the limit is \(limit)" }
            ?? "more than \(limit) \(noun)"
    }
}
