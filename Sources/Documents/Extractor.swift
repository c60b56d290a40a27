// Takes a file apart without trusting it. The C libraries that read PDF, DOCX, HTML and Markdown
// are linked only into `carrel-extract`; this target starts it, feeds it the opened file and nothing
// else, and reads its answer. A file that crashes, hangs or bloats its reader costs one process.

import Dispatch
import Glibc

/// Reads documents in a limited child process.
package struct Extractor: Sendable {
    private let helper: String
    package let limits: ExtractionLimits

    /// Each extraction sits in `poll` on a thread of its own here, never on the cooperative pool.
    private static let queue = DispatchQueue(label: "carrel.extract", attributes: .concurrent)

    /// - Parameters:
    ///   - helper: The path of `carrel-extract`; `nil` takes `CARREL_EXTRACT`, or else the one
    ///     beside the running executable.
    ///   - limits: What one file may cost.
    package init(helper: String? = nil, limits: ExtractionLimits = ExtractionLimits()) {
        self.helper = helper ?? Self.defaultHelper
        self.limits = limits
    }

    /// What the file at `path` says, and where.
    ///
    /// `fileName` is the user's name for it. Content decides the type; the name only settles what
    /// content cannot, whether a text is Markdown. Cancelling the task kills the child.
    package func extract(
        _ path: String, fileName: String
    ) async throws(DocumentError) -> ExtractedDocument {
        let process = HelperProcess(
            executable: helper,
            arguments: ExtractionRequest(limits: limits, namedMarkdown: fileName.isMarkdownName)
                .arguments,
            limits: limits)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                Self.queue.async {
                    continuation.resume(returning: process.run(readingFrom: path))
                }
            }
        } onCancel: {
            process.cancel()
        }
        return try Handover.decode(result.get())
    }

    private static var defaultHelper: String {
        if let named = unsafe getenv("CARREL_EXTRACT") { return unsafe String(cString: named) }
        let executable = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) {
            buffer in
            let count = unsafe readlink("/proc/self/exe", buffer.baseAddress!, buffer.count)
            let bytes = unsafe buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }
            return String(decoding: bytes, as: UTF8.self)
        }
        let directory = executable.lastIndex(of: "/").map { executable[...$0] } ?? "./"
        return directory + "carrel-extract"
    }
}

/// What the parent tells the child on its command line.
package struct ExtractionRequest: Sendable {
    package var limits: ExtractionLimits
    package var namedMarkdown: Bool
    /// The process that asked; the child ends itself when it is gone before the child is ready.
    package var parent: Int32

    package init(limits: ExtractionLimits, namedMarkdown: Bool) {
        self.limits = limits
        self.namedMarkdown = namedMarkdown
        self.parent = getpid()
    }

    package var arguments: [String] {
        [
            limits.fileBytes, limits.pages, limits.textBytes, limits.unpackedBytes,
            limits.memoryBytes, limits.processorSeconds, limits.wallSeconds,
            namedMarkdown ? 1 : 0, Int(parent),
        ].map(String.init)
    }

    /// `nil` unless these are exactly what `arguments` gives.
    package init?(arguments: [String]) {
        let numbers = arguments.compactMap(Int.init)
        guard numbers.count == arguments.count, numbers.count == 9 else { return nil }
        limits = ExtractionLimits()
        limits.fileBytes = numbers[0]
        limits.pages = numbers[1]
        limits.textBytes = numbers[2]
        limits.unpackedBytes = numbers[3]
        limits.memoryBytes = numbers[4]
        limits.processorSeconds = numbers[5]
        limits.wallSeconds = numbers[6]
        namedMarkdown = numbers[7] == 1
        parent = Int32(truncatingIfNeeded: numbers[8])
    }
}

extension String {
    fileprivate var isMarkdownName: Bool {
        let name = lowercased()
        return [".md", ".markdown", ".mdown", ".mkd"].contains { name.hasSuffix($0) }
    }
}
