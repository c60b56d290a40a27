// What makes vectors: one row per model identity.

package import Postgres
package import FoundationEssentials

/// A model's identity as stored. Two rows of one identity do not exist.
package struct EmbeddingModel: Sendable, Equatable {
    package let id: UUID
    package let name: String
    package let revision: String
    /// Width of what the model makes, 1 to 768; stored vectors are padded to 768 with zeros.
    package let nativeDimension: Int
    package let pooling: String
    package let queryPrefix: String
    package let passagePrefix: String
    package let weightsSHA256: String?
    package let provider: String
    package let createdAt: Date
}

/// A model's identity before it has a row.
package struct NewEmbeddingModel: Sendable, Equatable {
    package let name: String
    package let revision: String
    package let nativeDimension: Int
    package let pooling: String
    package let queryPrefix: String
    package let passagePrefix: String
    package let weightsSHA256: String?
    package let provider: String

    package init(
        name: String, revision: String, nativeDimension: Int, pooling: String,
        queryPrefix: String = "", passagePrefix: String = "", weightsSHA256: String? = nil,
        provider: String
    ) {
        self.name = name
        self.revision = revision
        self.nativeDimension = nativeDimension
        self.pooling = pooling
        self.queryPrefix = queryPrefix
        self.passagePrefix = passagePrefix
        self.weightsSHA256 = weightsSHA256
        self.provider = provider
    }
}

package enum EmbeddingModelRepository {
    /// The row of this name, revision and provider, made when there is none.
    ///
    /// - Throws: `LibraryError.conflict` when the row says something else of the model (width,
    ///   pooling, prefixes, weights): vectors of the two would not compare.
    package static func register(_ model: NewEmbeddingModel, on db: some Queryable) async throws
        -> EmbeddingModel
    {
        try await db.execute(
            insert, model.name, model.revision, model.nativeDimension, model.pooling,
            model.queryPrefix, model.passagePrefix, model.weightsSHA256, model.provider)
        let rows = try await db.query(
            selectByIdentity, model.name, model.revision, model.provider)
        guard let row = rows.first else { throw LibraryError.notFound }
        let stored = try EmbeddingModel(row)
        guard stored.describes(model) else {
            throw LibraryError.conflict(
                "the model \(model.name) revision \(model.revision) is registered with another "
                    + "width, pooling, prefix or weights; give this one a revision of its own")
        }
        return stored
    }

    package static func get(id: UUID, on db: some Queryable) async throws -> EmbeddingModel? {
        try await db.query(selectByID, id).first.map(EmbeddingModel.init)
    }

    /// The newest row of this name.
    package static func getByName(_ name: String, on db: some Queryable) async throws
        -> EmbeddingModel?
    {
        try await db.query(selectByName, name).first.map(EmbeddingModel.init)
    }

    /// All of them, oldest first.
    package static func list(on db: some Queryable) async throws -> [EmbeddingModel] {
        try await db.query(selectAll).map(EmbeddingModel.init)
    }
}

extension EmbeddingModelRepository {
    private static let columns = """
        id, name, revision, native_dimension, pooling, query_prefix, passage_prefix,
        weights_sha256, provider, created_at
        """

    private static let insert = Statement(
        "embeddingModel.insert",
        """
        INSERT INTO carrel.embedding_models
            (name, revision, native_dimension, pooling, query_prefix, passage_prefix,
             weights_sha256, provider)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (name, revision, provider) DO NOTHING
        """)

    private static let selectByIdentity = Statement(
        "embeddingModel.selectByIdentity",
        """
        SELECT \(columns)
        FROM carrel.embedding_models
        WHERE name = $1 AND revision = $2 AND provider = $3
        """)

    private static let selectByID = Statement(
        "embeddingModel.selectByID",
        "SELECT \(columns) FROM carrel.embedding_models WHERE id = $1")

    private static let selectByName = Statement(
        "embeddingModel.selectByName",
        """
        SELECT \(columns)
        FROM carrel.embedding_models
        WHERE name = $1
        ORDER BY created_at DESC, id DESC
        LIMIT 1
        """)

    private static let selectAll = Statement(
        "embeddingModel.selectAll",
        "SELECT \(columns) FROM carrel.embedding_models ORDER BY created_at, id")
}

extension EmbeddingModel {
    init(_ row: Row) throws(PostgresError) {
        id = try row.get(0)
        name = try row.get(1)
        revision = try row.get(2)
        nativeDimension = try row.get(3)
        pooling = try row.get(4)
        queryPrefix = try row.get(5)
        passagePrefix = try row.get(6)
        weightsSHA256 = try row.get(7)
        provider = try row.get(8)
        createdAt = try row.get(9)
    }

    fileprivate func describes(_ model: NewEmbeddingModel) -> Bool {
        (nativeDimension, pooling, queryPrefix, passagePrefix, weightsSHA256)
            == (
                model.nativeDimension, model.pooling, model.queryPrefix, model.passagePrefix,
                model.weightsSHA256
            )
    }
}
