// What goes on during one exchange: the head is read, the body goes where it belongs, and anything
// that is too much ends it.

internal import Synchronization

/// One exchange under way. Everything but `cancel` is called on the one thread that performs it.
final class Transfer: @unchecked Sendable {
    /// Takes the body in pieces, of a success only.
    typealias Sink = @Sendable ([UInt8]) throws -> Void

    let request: HTTPRequest
    let host: String
    private let rule: AddressRule
    private let bodyLimit: Int
    private let sink: Sink?
    private var reader: HTTPBody.Reader?
    private let cancellation = Atomic(false)

    var response = HTTPResponse()
    /// Why we stopped it ourselves.
    private(set) var failure: CloudError?
    private var headBytes = 0
    private var bodyBytes = 0

    /// Heads are small; one that is not is an attack on memory.
    private static let headLimit = 64 << 10
    /// Of a refusal so much is kept as says why.
    private static let refusalLimit = 16 << 10

    init(
        _ request: HTTPRequest, rule: AddressRule, bodyLimit: Int, sink: Sink?
    ) throws(CloudError) {
        self.request = request
        self.rule = rule
        self.bodyLimit = bodyLimit
        self.sink = sink
        guard let host = WebAddress(request.url)?.host else {
            throw .invalid(field: "url", reason: "is not one of HTTP")
        }
        self.host = host
        do { reader = try request.body?.open() } catch { throw Self.local(error) }
    }

    var isCancelled: Bool { cancellation.load(ordering: .relaxed) }

    func cancel() { cancellation.store(true, ordering: .relaxed) }

    func allows(_ address: [UInt8]) -> Bool { rule.permits(IPAddress(bytes: address)) }

    /// Nil stops.
    func nextPiece(_ count: Int) -> [UInt8]? {
        do { return try reader?(count) ?? [] } catch {
            failure = Self.local(error)
            return nil
        }
    }

    /// False stops.
    func header(_ line: [UInt8]) -> Bool {
        headBytes += line.count
        guard headBytes <= Self.headLimit else {
            failure = .malformed(reason: "its head is longer than \(Self.headLimit) bytes")
            return false
        }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            // Another head after a provisional one: this is the answer's.
            response.headers = [:]
            response.status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            response.headers[text[..<colon].lowercased()] = String(
                value.prefix { !$0.isNewline })
            return announcedSizeFits()
        }
        return true
    }

    /// False stops.
    func write(_ piece: [UInt8]) -> Bool {
        guard isSuccess else {
            response.body += piece.prefix(Self.refusalLimit - response.body.count)
            // A refusal that never ends is not waited for.
            bodyBytes += piece.count
            return bodyBytes <= max(bodyLimit, Self.refusalLimit)
        }
        bodyBytes += piece.count
        guard bodyBytes <= bodyLimit else {
            failure = .tooLarge(limit: bodyLimit)
            return false
        }
        guard let sink else {
            response.body += piece
            return true
        }
        do {
            try sink(piece)
            return true
        } catch {
            failure = Self.local(error)
            return false
        }
    }

    private var isSuccess: Bool { (200..<300).contains(response.status) }

    private func announcedSizeFits() -> Bool {
        guard isSuccess, request.method != "HEAD",
            let length = response.headers["content-length"].flatMap({ Int($0) }),
            length > bodyLimit
        else { return true }
        failure = .tooLarge(limit: bodyLimit)
        return false
    }

    private static func local(_ error: any Error) -> CloudError {
        if let error = error as? CloudError { return error }
        return .local(reason: "the bytes could not be read or kept on this machine")
    }
}
