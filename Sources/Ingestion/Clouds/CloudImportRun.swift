// One import under one lease: list once, then one object after another. An object's document, its
// ingestion, its line in the report and the progress are one transaction: a worker that takes over
// goes on with the first object that is not in the report, and none is imported twice.

import Clouds
import Foundation
import Library
import Postgres

struct CloudImportRun {
    private let ingestor: Ingestor
    private let lease: Lease
    private let order: CloudImport
    private let source: CloudSource
    private var items: [CloudImportItem]?
    private var report: CloudImportReport

    init(_ ingestor: Ingestor, _ lease: Lease) async throws {
        guard let state = CloudImportState(payload: lease.job.payload) else {
            throw IngestionError.conflict("the import cannot be read")
        }
        self.ingestor = ingestor
        self.lease = lease
        order = state.order
        items = state.items
        report = state.report ?? CloudImportReport()
        source = try await ingestor.openCloud(order.connection, order.profile)
    }

    mutating func work() async throws {
        let items = try await listed()
        while report.count < items.count {
            let item = items[report.count]
            do {
                try await take(item)
            } catch {
                guard let failure = failure(error, item) else { throw error }
                try await note(failure)
            }
            try await ingestor.observe(.imported(object: report.count - 1))
        }
        try await finish(items.count)
    }

    // MARK: Steps

    /// The objects, listed once and kept.
    private mutating func listed() async throws -> [CloudImportItem] {
        if let items { return items }
        let found: [CloudImportItem]
        if let names = order.objects {
            found = names.map { CloudImportItem(name: $0) }
        } else {
            found = try await listing()
        }
        try await lease.transaction { db in
            try await record(found, under: "items", on: db)
            try await progress(of: found.count, on: db)
        }
        items = found
        return found
    }

    private func listing() async throws -> [CloudImportItem] {
        var found: [CloudImportItem] = []
        var next: String?
        repeat {
            let page = try await source.list(prefix: order.prefix, after: next, limit: 1000)
            // A name that ends with a slash is how consoles draw a folder.
            found += page.objects.filter { !$0.key.hasSuffix("/") }.map {
                CloudImportItem(name: $0.key, size: $0.size, etag: $0.etag)
            }
            next = page.next
            guard found.count <= CloudImport.objectLimit else {
                throw IngestionError.invalid(
                    field: "prefix",
                    reason: "more than \(CloudImport.objectLimit) objects begin with it")
            }
        } while next != nil
        return found
    }

    /// Downloads one object and makes it a document.
    private mutating func take(_ item: CloudImportItem) async throws {
        let limit = ingestor.options.importedBytes
        if let size = item.size, size > limit { throw CloudError.tooLarge(limit: limit) }
        let (source, scratch) = (source, ingestor.scratchDirectory)
        let file = try await Backoff().retrying { () async throws(CloudError) in
            guard let file = try? TemporaryFile(in: scratch) else {
                throw .local(reason: "no room for a file")
            }
            // From the start each time: what a broken transfer left is in another file.
            try await source.get(item.name, ifMatch: item.etag, limit: limit) { piece in
                try file.write(piece)
            }
            return file
        }
        let blob = try await ingestor.keep {
            try await ingestor.blobs.put(contentsOf: file.path, as: $0)
        }
        var after = report
        after.imported += 1
        let session = lease.job.sessionID
        do {
            try await lease.transaction { [after] db in
                _ = try await Ingestor.enqueue(
                    blob, session: session, fileName: item.name, description: nil,
                    sourceURI: source.uri(of: item.name), on: db)
                try await record(after, under: "report", on: db)
                try await progress(done: after.count, on: db)
            }
        } catch {
            if (error as? PostgresError)?.isOutcomeUnknown != true {
                await ingestor.discard(blob.key)
            }
            throw error
        }
        report = after
        ingestor.bell.ring()
    }

    private mutating func note(_ outcome: Outcome) async throws {
        var after = report
        switch outcome {
        case .duplicate: after.duplicates += 1
        case .failed(let failure): after.failed.append(failure)
        }
        try await lease.transaction { [after] db in
            try await record(after, under: "report", on: db)
            try await progress(done: after.count, on: db)
        }
        report = after
    }

    /// SUCCEEDED, unless there were objects and none could be had.
    private func finish(_ count: Int) async throws {
        let isLost = count > 0 && report.failed.count == count
        try await lease.transaction { db in
            guard
                try await JobRepository.finish(
                    id: lease.job.id, state: isLost ? .failed : .succeeded,
                    error: isLost ? "none of \(count) objects could be imported" : nil,
                    owner: lease.owner, on: db)
            else { throw LeaseLost() }
        }
    }

    // MARK: Outcomes

    private enum Outcome {
        case duplicate
        case failed(CloudImportReport.Failure)
    }

    /// What an error says about this one object; nil when it is about the whole import, or may pass
    /// and there is another attempt.
    private func failure(_ error: any Error, _ item: CloudImportItem) -> Outcome? {
        func failed(_ code: String, _ reason: String) -> Outcome {
            .failed(.init(object: item.name, code: code, reason: reason))
        }
        switch error {
        case LibraryError.duplicateDocument: return .duplicate
        case LibraryError.quotaExceeded:
            return failed("quota_exceeded", "the account may not keep so much")
        case CloudError.cancelled: return nil
        case let error as CloudError:
            let mayPass =
                switch error {
                case .unavailable, .local: true
                default: false
                }
            guard !mayPass || lease.job.attempt >= ingestor.options.attempts else { return nil }
            return failed(error.code, error.description)
        default: return nil
        }
    }

    private func record(
        _ value: some Encodable, under name: String, on db: some Queryable
    ) async throws {
        try await JobRepository.record(
            id: lease.job.id,
            payload: String(decoding: try JSONEncoder().encode(value), as: UTF8.self),
            under: name, on: db)
    }

    private func progress(
        done: Int? = nil, of total: Int? = nil, on db: some Queryable
    ) async throws {
        try await JobRepository.progress(
            id: lease.job.id, done: Int64(done ?? report.count),
            total: Int64(total ?? items?.count ?? 0), stage: "import", owner: lease.owner, on: db)
    }
}

extension PostgresError {
    fileprivate var isOutcomeUnknown: Bool {
        if case .outcomeUnknown = self { true } else { false }
    }
}

extension CloudError {
    /// As it stands in a report and before a job's error.
    var code: String {
        switch self {
        case .invalid: "invalid"
        case .forbiddenAddress: "forbidden_address"
        case .unavailable, .local: "unavailable"
        case .denied: "denied"
        case .notFound: "not_found"
        case .redirected: "redirected"
        case .rejected: "rejected"
        case .tooLarge: "too_large"
        case .malformed: "malformed"
        case .cancelled: "cancelled"
        }
    }
}
