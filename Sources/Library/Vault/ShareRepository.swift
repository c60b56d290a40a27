// Documents shared to an account or a group, to be read.

package import Postgres
package import FoundationEssentials

/// To whom.
package enum ShareRecipient: Sendable, Equatable {
    case profile(UUID)
    case group(UUID)
}

package struct Share: Sendable, Equatable {
    package let sessionID: UUID
    package let id: UUID
    package let documentID: UUID
    package let fileName: String
    package let recipient: ShareRecipient
    /// The account's handle or the group's name.
    package let recipientName: String
    /// The handle of the account whose document it is.
    package let owner: String
    package let createdAt: Date
    /// Nil: until it is revoked.
    package let expiresAt: Date?
}

/// What a recipient is told of a session.
package struct SharedSession: Sendable, Equatable {
    package let modelID: UUID
    package let modelName: String
}

package enum ShareRepository {
    /// Shares a document. One that was shared to the same and has expired is shared anew.
    ///
    /// - Throws: `LibraryError.conflict` when it is shared to them already; a `PostgresError` with
    ///   SQLSTATE `foreign_key_violation` when the session has no such document.
    package static func create(
        sessionID: UUID, documentID: UUID, to recipient: ShareRecipient, expiresAt: Date? = nil,
        on db: some Queryable
    ) async throws -> Share {
        let rows =
            switch recipient {
            case .profile(let id):
                try await db.query(insertForProfile, sessionID, documentID, id, expiresAt)
            case .group(let id):
                try await db.query(insertForGroup, sessionID, documentID, id, expiresAt)
            }
        guard let row = rows.first else {
            throw LibraryError.conflict("the document is shared to them already")
        }
        let id: UUID = try row.get(0)
        guard let share = try await db.query(selectByID, sessionID, id).first else {
            throw LibraryError.notFound
        }
        return try Share(share)
    }

    /// What of a session is shared, expired ones included, newest first; `before` is the last one seen.
    package static func list(
        sessionID: UUID, limit: Int, before: TimeCursor? = nil, on db: some Queryable
    ) async throws -> [Share] {
        try await db.query(selectBySession, sessionID, limit, before?.createdAt, before?.id)
            .map(Share.init)
    }

    /// What is shared to an account now, by itself or through its groups, newest first.
    package static func received(
        by profileID: UUID, limit: Int, before: TimeCursor? = nil, on db: some Queryable
    ) async throws -> [Share] {
        try await db.query(selectReceived, profileID, limit, before?.createdAt, before?.id)
            .map(Share.init)
    }

    /// Ends a share; from its commit on nobody reads by it. Returns the document it was of, nil when
    /// there is no such share.
    package static func revoke(sessionID: UUID, id: UUID, on db: some Queryable) async throws
        -> UUID?
    {
        try await db.query(remove, sessionID, id).first?.get(0)
    }

    /// The documents of a session that are shared to an account now. Empty when there are none, when
    /// the session is gone, when the owner's account or the recipient's key, login or account is not good any more.
    package static func visibleDocuments(
        sessionID: UUID, to profileID: UUID, credential: UUID?, on db: some Queryable
    ) async throws -> [UUID] {
        try await db.query(selectVisible, sessionID, profileID, credential).map {
            row throws(PostgresError) in try row.get(0)
        }
    }

    /// A session of which something is shared to an account now.
    package static func session(_ id: UUID, to profileID: UUID, on db: some Queryable)
        async throws -> SharedSession?
    {
        try await db.query(selectSession, id, profileID).first.map(SharedSession.init)
    }
}

extension ShareRepository {
    private static let insertForProfile = Statement(
        "share.insertForProfile",
        """
        INSERT INTO carrel.shares AS s (session_id, document_id, recipient_id, expires_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (session_id, document_id, recipient_id) DO UPDATE
        SET expires_at = EXCLUDED.expires_at, created_at = now()
        WHERE s.expires_at <= clock_timestamp()
        RETURNING s.id
        """)

    private static let insertForGroup = Statement(
        "share.insertForGroup",
        """
        INSERT INTO carrel.shares AS s (session_id, document_id, group_id, expires_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (session_id, document_id, group_id) DO UPDATE
        SET expires_at = EXCLUDED.expires_at, created_at = now()
        WHERE s.expires_at <= clock_timestamp()
        RETURNING s.id
        """)

    private static let shares = """
        SELECT s.session_id, s.id, s.document_id, d.file_name, s.recipient_id, s.group_id,
            coalesce(r.handle, g.name), o.handle, s.created_at, s.expires_at
        FROM carrel.shares AS s
        JOIN carrel.documents AS d ON d.session_id = s.session_id AND d.id = s.document_id
        JOIN carrel.study_sessions AS t ON t.id = s.session_id
        JOIN carrel.profiles AS o ON o.id = t.profile_id
        LEFT JOIN carrel.profiles AS r ON r.id = s.recipient_id
        LEFT JOIN carrel.groups AS g ON g.id = s.group_id
        """

    /// A page of them, newest first, from $3 and $4 on.
    private static let page = """
        AND (s.created_at, s.id) < (
                coalesce($3, 'infinity'::timestamptz),
                coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
            )
        ORDER BY s.created_at DESC, s.id DESC
        LIMIT $2
        """

    private static let isUnexpired = "(s.expires_at IS NULL OR s.expires_at > clock_timestamp())"

    private static let selectByID = Statement(
        "share.selectByID", "\(shares) WHERE s.session_id = $1 AND s.id = $2")

    private static let selectBySession = Statement(
        "share.selectBySession", "\(shares) WHERE s.session_id = $1 \(page)")

    private static let selectReceived = Statement(
        "share.selectReceived",
        """
        \(shares)
        WHERE (s.recipient_id = $1
            OR s.group_id IN (
                SELECT m.group_id FROM carrel.group_members AS m WHERE m.profile_id = $1
            ))
            AND t.profile_id <> $1
            AND o.is_active
            AND \(isUnexpired)
            \(page)
        """)

    private static let remove = Statement(
        "share.delete",
        "DELETE FROM carrel.shares WHERE session_id = $1 AND id = $2 RETURNING document_id")

    // Plan: Index Scan using shares_pkey (or a unique one) by the session; the shares of one session
    // are few.
    private static let selectVisible = Statement(
        "share.selectVisible",
        """
        SELECT DISTINCT s.document_id
        \(visible)
            AND ($3::uuid IS NULL OR EXISTS (
                SELECT
                FROM carrel.profiles AS p
                WHERE p.id = $2 AND \(CredentialRepository.end("$3")) IS NOT NULL
            ))
        """)

    private static let selectSession = Statement(
        "share.selectSession",
        """
        SELECT m.id, m.name
        FROM carrel.study_sessions AS x
        JOIN carrel.embedding_models AS m ON m.id = x.embedding_model_id
        WHERE x.id = $1 AND EXISTS (SELECT \(visible))
        """)

    /// The shares of session $1 that account $2 may read by.
    private static let visible = """
        FROM carrel.shares AS s
        JOIN carrel.study_sessions AS t ON t.id = s.session_id
        JOIN carrel.profiles AS o ON o.id = t.profile_id
        WHERE s.session_id = $1
            AND (s.recipient_id = $2
                OR s.group_id IN (
                    SELECT m.group_id FROM carrel.group_members AS m WHERE m.profile_id = $2
                ))
            AND o.is_active
            AND \(isUnexpired)
        """
}

extension SharedSession {
    init(_ row: Row) throws(PostgresError) {
        modelID = try row.get(0)
        modelName = try row.get(1)
    }
}

extension Share {
    init(_ row: Row) throws(PostgresError) {
        sessionID = try row.get(0)
        id = try row.get(1)
        documentID = try row.get(2)
        fileName = try row.get(3)
        if let profile: UUID = try row.get(4) {
            recipient = .profile(profile)
        } else {
            recipient = .group(try row.get(5))
        }
        recipientName = try row.get(6)
        owner = try row.get(7)
        createdAt = try row.get(8)
        expiresAt = try row.get(9)
    }
}
