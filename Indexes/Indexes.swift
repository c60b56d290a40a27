// The SQL files of this folder, compiled into the binary.
//
// SwiftPM writes each file into a byte array of `PackageResources`, named after the file (a digit
// cannot begin a name, so `0001_…` becomes `_001_…`). Nothing is read at run time: the program
// finds its migrations whichever folder it runs in. A test reads the folder and proves that the
// lists below name every file.

/// The database's shape, as text.
package enum Indexes {
    /// A file of SQL: its name without folder and extension, and what it says.
    package struct File: Sendable {
        package let name: String
        package let bytes: [UInt8]

        package var text: String { String(decoding: bytes, as: UTF8.self) }

        package init(name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    /// Everything the migrations make, in one piece, to read.
    package static let schema = File(name: "schema", bytes: PackageResources.schema_sql)

    /// How an existing database gets there, oldest first. History: files are added, never changed.
    package static let migrations = [
        File(name: "0001_create_schema", bytes: PackageResources._001_create_schema_sql),
        File(name: "0002_create_accounts", bytes: PackageResources._002_create_accounts_sql),
        File(
            name: "0003_create_study_sessions",
            bytes: PackageResources._003_create_study_sessions_sql),
        File(name: "0004_create_documents", bytes: PackageResources._004_create_documents_sql),
        File(
            name: "0005_create_topics_and_chats",
            bytes: PackageResources._005_create_topics_and_chats_sql),
        File(
            name: "0006_create_document_chunks",
            bytes: PackageResources._006_create_document_chunks_sql),
        File(name: "0007_create_jobs", bytes: PackageResources._007_create_jobs_sql),
        File(
            name: "0008_add_chunk_revisions", bytes: PackageResources._008_add_chunk_revisions_sql),
        File(name: "0009_move_graph_aside", bytes: PackageResources._009_move_graph_aside_sql),
        File(name: "0010_create_audit_log", bytes: PackageResources._010_create_audit_log_sql),
        File(name: "0011_create_folders", bytes: PackageResources._011_create_folders_sql),
        File(name: "0012_create_quotas", bytes: PackageResources._012_create_quotas_sql),
        File(name: "0013_add_topic_vectors", bytes: PackageResources._013_add_topic_vectors_sql),
        File(name: "0014_grant_roles", bytes: PackageResources._014_grant_roles_sql),
        File(name: "0015_fence_rows", bytes: PackageResources._015_fence_rows_sql),
        File(
            name: "0016_create_groups_and_shares",
            bytes: PackageResources._016_create_groups_and_shares_sql),
        File(
            name: "0017_prune_removed_documents",
            bytes: PackageResources._017_prune_removed_documents_sql),
        File(name: "0018_create_logins", bytes: PackageResources._018_create_logins_sql),
        File(
            name: "0019_create_extraction_records",
            bytes: PackageResources._019_create_extraction_records_sql),
        File(
            name: "0020_note_unclaimed_blobs", bytes: PackageResources._020_note_unclaimed_blobs_sql
        ),
        File(
            name: "0021_create_cloud_connections",
            bytes: PackageResources._021_create_cloud_connections_sql),
        File(name: "0022_ask_owners_first", bytes: PackageResources._022_ask_owners_first_sql),
        File(
            name: "0023_count_imported_texts", bytes: PackageResources._023_count_imported_texts_sql
        ),
        File(
            name: "0024_drop_chunk_text_index",
            bytes: PackageResources._024_drop_chunk_text_index_sql),
        File(
            name: "0025_create_reembeddings", bytes: PackageResources._025_create_reembeddings_sql),
    ]

    /// One retrieval index each, with the reason for every parameter.
    package static let definitions = [
        File(
            name: "chunk_graph_embedding", bytes: PackageResources.chunk_graph_embedding_sql),
        File(
            name: "document_chunks_related_topic_ids",
            bytes: PackageResources.document_chunks_related_topic_ids_sql),
    ]
}
