// A session's plan, from draft to topics. Each step is one transaction; the drafting itself runs
// between two of them, because it takes seconds and must hold no lock.

package import Library
package import Lexical
package import Postgres
package import struct Foundation.UUID

internal import Dispatch
internal import Vectors

package enum Planning {
    /// Drafts a plan from what the session holds now, and keeps it.
    ///
    /// A session that was UPLOADING, or is EDITING_PLAN, goes to GENERATING_PLAN meanwhile and to
    /// EDITING_PLAN after it; one left in GENERATING_PLAN by a process that was killed goes on from
    /// there. One that is searched already (ACTIVE, COMPLETED) keeps its status: there is no way
    /// back from it, and none is needed.
    ///
    /// - Throws: `LibraryError.conflict` when there is nothing to plan, while documents are taken in,
    ///   or when the session was moved elsewhere meanwhile.
    package static func draft(
        as asker: Asker, session: UUID, language: Language?, pool: Pool
    ) async throws -> StudyPlan {
        let material = try await pool.withTransaction(
            as: asker, isolation: .repeatableRead, readOnly: true
        ) {
            try await SessionRepository.planMaterial(
                of: session, limit: PlanDrafter.limit, on: $0)
        }
        let began = try await pool.withTransaction(as: asker) { db in
            let status = try await SessionRepository.planState(id: session, on: db).status
            guard status != .chunking else {
                throw LibraryError.conflict(
                    "documents are being taken in; draft the plan when the session is ACTIVE")
            }
            guard !material.parents.isEmpty else {
                throw LibraryError.conflict("the session has no content to draft a plan from")
            }
            if status == .uploading || status == .editingPlan {
                try await SessionRepository.move(id: session, to: .generatingPlan, on: db)
            }
            return status
        }
        let plan = try await computed {
            PlanDrafter.draft(
                material.parents, vectors: Block(material.vectors), language: language)
        }
        try await pool.withTransaction(as: asker) { db in
            let status = try await SessionRepository.planState(id: session, on: db).status
            if began == .active || began == .completed {
                // Whatever it is by now: the draft moves nothing.
            } else if status == .generatingPlan {
                try await SessionRepository.move(id: session, to: .editingPlan, on: db)
            } else {
                throw LibraryError.conflict(
                    "the session went on to \(status.rawValue) while the plan was drafted")
            }
            try await SessionRepository.setDraft(plan.json, id: session, on: db)
        }
        return plan
    }

    /// Puts these topics in the place of the draft's.
    ///
    /// - Throws: `LibraryError.invalid` naming the topic; `.conflict` before there can be a plan.
    package static func edit(
        session: UUID, topics: [NewTopic], on transaction: Transaction
    ) async throws -> StudyPlan {
        try NewTopic.check(topics)
        let (status, draft) = try await SessionRepository.planState(id: session, on: transaction)
        guard status != .uploading && status != .generatingPlan else {
            throw LibraryError.conflict(
                "a plan cannot be edited while the session is \(status.rawValue): draft it first")
        }
        let plan = StudyPlan(topics, evidenceFrom: draft.flatMap { try? StudyPlan(json: $0) })
        try await SessionRepository.setDraft(plan.json, id: session, on: transaction)
        return plan
    }

    /// Makes the draft's topics the session's, and enqueues the job that relates chunks to them.
    ///
    /// EDITING_PLAN becomes CHUNKING until that job has ended. Accepting the same plan again changes
    /// nothing but to relate once more.
    ///
    /// - Throws: `LibraryError.conflict` without a draft, and when topics that are not in it would
    ///   have to go but `removingOthers` does not allow it.
    package static func accept(
        session: UUID, removingOthers: Bool, on transaction: Transaction
    ) async throws -> (topics: [Topic], job: Job) {
        // Topics that go are taken from chunks, which wants the documents locked first.
        try await TopicRelations.lockDocuments(sessionID: session, on: transaction)
        let (status, draft) = try await SessionRepository.planState(id: session, on: transaction)
        guard let draft else {
            throw LibraryError.conflict("the session has no plan to accept: draft or edit one")
        }
        guard status != .uploading && status != .generatingPlan else {
            throw LibraryError.conflict(
                "a session cannot move from \(status.rawValue) to CHUNKING by accepting a plan")
        }
        let wanted = try StudyPlan(json: draft).newTopics()
        let topics = try await TopicRepository.replaceAll(
            with: wanted, removingOthers: removingOthers, sessionID: session, on: transaction)
        if status == .editingPlan {
            try await SessionRepository.move(id: session, to: .chunking, on: transaction)
        }
        let job = try await JobRepository.enqueueAssignment(sessionID: session, on: transaction)
        return (topics, job)
    }

    /// One draft at a time in this process: each is seconds of arithmetic on one core.
    private static let desk = DispatchQueue(label: "carrel.study", qos: .utility)

    /// Runs arithmetic off the threads that answer.
    private static func computed<R: Sendable>(
        _ body: @escaping @Sendable () -> R
    ) async throws -> R {
        try Task.checkCancellation()
        return await withCheckedContinuation { continuation in
            desk.async { continuation.resume(returning: body()) }
        }
    }
}

extension Block {
    /// Rows of 768 numbers, one after another.
    fileprivate init(_ vectors: [Float]) {
        self.init(
            count: vectors.count / UnitVector.dimension, dimension: UnitVector.dimension
        ) { elements in
            for (place, value) in vectors.enumerated() { elements[place] = value }
        }
    }
}
