import Accounts
import Library
import Postgres
import Vectors
import Wire

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Method {
    /// Re-embedding where the model is not: texts out, vectors in.
    static let reembeddingTexts: [Method] = [
        account(
            "reembed.texts", .read,
            "The texts that a paused re-embedding has no vectors of, to be embedded elsewhere.",
            .paged([.id("job")])
        ) { call, principal, result in
            try await giveTexts(&call, principal, &result)
        },
        account(
            "reembed.stage", .write,
            "Gives a paused re-embedding vectors that were made elsewhere. All of them or none.",
            [
                .id("job"),
                .objects(
                    "vectors", maximumCount: Limits.standard.importChunks,
                    [.id("chunk"), .string("md5", maximumBytes: 32)] + Parameter.vectorOfModel),
                .optionalFlag("skipOutdated"),
            ]
        ) { call, principal, result in
            try await takeVectors(&call, principal, &result)
        },
    ]

    private static func giveTexts(
        _ call: inout Call, _ principal: Principal, _ result: inout JSONWriter
    ) async throws {
        let id = try call.params.id("job")
        let page = try ListPage<UUID>(&call)
        try call.params.finish()
        let (run, model) = try await pausedRun(id, call, principal)
        let (left, texts, next) = try await call.services.pool.withConnection(
            as: principal.asker
        ) { db in
            // Every chunk is looked at for this: once, not for every page.
            let left =
                page.cursor == nil
                ? try await ReembeddingRepository.countTexts(of: run, on: db) : nil
            let (texts, next) = try await ReembeddingRepository.texts(
                of: run, after: page.cursor, limit: page.limit, bytes: textPageBytes, on: db)
            return (left, texts, next)
        }
        result.member("session", run.sessionID)
        result.object("model") { $0.members(ofPassagesFor: model) }
        left.map { result.member("left", $0) }
        result.array("texts", of: texts) { writer, text in
            writer.object {
                $0.member("chunk", text.chunkID)
                $0.member("md5", text.digest.hexadecimal)
                $0.member("text", text.text)
            }
        }
        next.map { page.write(next: $0, &result) }
    }

    private static func takeVectors(
        _ call: inout Call, _ principal: Principal, _ result: inout JSONWriter
    ) async throws {
        let id = try call.params.id("job")
        let objects = try call.params.objects("vectors", maximumCount: call.limits.importChunks)
        let skipsOutdated = try call.params.optionalFlag("skipOutdated") ?? false
        try call.params.finish()
        let given = try objects.map { try GivenVector($0) }
        try requireDifferent(given)
        let (run, model) = try await pausedRun(id, call, principal)
        for vector in given { try vector.requireWidth(of: model) }
        let staged = try await call.services.pool.withTransaction(as: principal.asker) { db in
            let places = try await ReembeddingRepository.places(
                of: given.map(\.chunkID), in: run, on: db)
            let current = try given.filter {
                try $0.fits(places[$0.chunkID], orIsSkipped: skipsOutdated)
            }
            let fresh = current.count { places[$0.chunkID]?.isStaged == false }
            let vectors = try current.map { try $0.staged() }
            guard
                try await ReembeddingRepository.stageGiven(
                    vectors, fresh: fresh, of: run, on: db)
            else { throw notPaused }
            return Set(current.map(\.chunkID))
        }
        result.member("staged", staged.count)
        result.member("outdated", given.map(\.chunkID).filter { !staged.contains($0) })
    }

    /// Texts of one answer take about so many bytes at most, and one text if that takes more.
    private static let textPageBytes = 4 << 20

    private static let noSuchRun = WireError(
        .notFound, "This account has no such re-embedding.", field: "job")

    private static let notPaused = WireError(
        .conflict, "This re-embedding is not paused; see `reembed.pause`.", field: "job")

    /// The account's re-embedding, which waits for somebody, and the model it goes to.
    private static func pausedRun(
        _ id: UUID, _ call: Call, _ principal: Principal
    ) async throws -> (Reembedding, EmbeddingModel) {
        let (job, run, model) = try await call.services.pool.withConnection(as: principal.asker) {
            db in
            guard
                let job = try await JobRepository.get(
                    id: id, profileID: principal.profileID, on: db),
                principal.mayOpen(job.sessionID),
                let run = try await ReembeddingRepository.get(
                    sessionID: job.sessionID, jobID: id, on: db),
                let model = try await EmbeddingModelRepository.get(id: run.toModelID, on: db)
            else { throw noSuchRun }
            return (job, run, model)
        }
        if job.state.isEnded {
            throw WireError(.conflict, "This re-embedding has ended.", field: "job")
        }
        guard job.isPaused else { throw notPaused }
        // Its stage is what the switch before it set aside: nothing of that is to be lost.
        guard run.takesBack == nil else {
            throw WireError(
                .conflict, "This run takes a switch back: it has its vectors.", field: "job")
        }
        return (run, model)
    }

    private static func requireDifferent(_ given: [GivenVector]) throws(WireError) {
        var seen: Set<UUID> = []
        for vector in given where !seen.insert(vector.chunkID).inserted {
            throw .invalid(
                vector.chunkField, expected: "each chunk once", got: vector.chunkID.wireText)
        }
    }
}

/// A vector of `reembed.stage`.
private struct GivenVector {
    let chunkID: UUID
    private let digest: UUID
    /// As it was given: not padded, of any length.
    private let vector: [Float]
    let chunkField: String
    private let digestField: String
    private let vectorField: String

    init(_ object: Parameters) throws(WireError) {
        var object = object
        chunkID = try object.id("chunk")
        let text = try object.string("md5", maximumBytes: 32)
        guard let digest = UUID(hexadecimal: text) else {
            throw .invalid(object.field("md5"), expected: "32 hexadecimal digits", got: text)
        }
        self.digest = digest
        let isEncoded = object.value("vector") == nil
        guard let vector = try object.optionalVector(dimensions: 1...UnitVector.dimension) else {
            throw .missing(object.field("vector"))
        }
        self.vector = vector
        try object.finish()
        chunkField = object.field("chunk")
        digestField = object.field("md5")
        vectorField = isEncoded ? object.field("vectorB64") : object.field("vector")
    }

    func requireWidth(of model: EmbeddingModel) throws(WireError) {
        guard vector.count != model.nativeDimension else { return }
        var error = WireError.invalid(
            vectorField, expected: "\(model.nativeDimension) numbers", got: "\(vector.count)")
        error.kind = .invalidVector
        throw error
    }

    /// Filled with zeros and of unit length, as the model's own.
    func staged() throws -> StagedVector {
        StagedVector(
            chunkID: chunkID, digest: digest, vector: try UnitVector(padding: vector).values,
            isGiven: true)
    }

    /// Whether it is of the text that its chunk has now. Outdated, it is refused unless it may be
    /// skipped.
    func fits(_ place: VectorPlace?, orIsSkipped: Bool) throws(WireError) -> Bool {
        guard let place else {
            if orIsSkipped { return false }
            throw WireError(
                .notFound, "The session has no such chunk (any more).", field: chunkField)
        }
        guard !place.isComputed else {
            throw .invalid(
                chunkField, expected: "a chunk of `reembed.texts`",
                got: "a parent, whose vector is computed from its children's")
        }
        if place.digest == digest { return true }
        if orIsSkipped { return false }
        throw WireError(
            .conflict, "The chunk's text is another than this vector was made of.",
            field: digestField)
    }
}

extension JSONWriter {
    /// What somebody who is to embed passages has to know.
    fileprivate mutating func members(ofPassagesFor model: EmbeddingModel) {
        member("name", model.name)
        member("revision", model.revision)
        member("dimension", model.nativeDimension)
        member("pooling", model.pooling)
        member("passagePrefix", model.passagePrefix)
        model.weightsSHA256.map { member("weightsSha256", $0) }
    }
}

extension UUID {
    /// 32 digits, as MD5s are written.
    fileprivate var hexadecimal: String { wireText.filter { $0 != "-" } }

    fileprivate init?(hexadecimal text: String) {
        guard text.utf8.count == 32 else { return nil }
        var rest = Substring(text)
        let groups = [8, 4, 4, 4, 12].map { count in
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        self.init(uuidString: groups.joined(separator: "-"))
    }
}
