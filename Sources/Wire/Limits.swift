// Every bound that a client can meet, in one value: `initialize` announces it, the server
// enforces it.

/// What a connection may ask for.
package struct Limits: Sendable, Equatable {
    /// Bytes of a line, LF not counted, once the client is known.
    package var lineBytes = 16 << 20
    /// Bytes of a line before that.
    package var unauthenticatedLineBytes = 16 << 10
    /// How deep arrays and objects may nest.
    package var nesting = 32
    /// Requests of one connection under way at once.
    package var maximumInFlight = 64
    /// Bytes of the requests of one connection under way at once; beyond, it is not read from.
    package var inFlightBytes = 32 << 20
    /// Hits of one search.
    package var k = 1000
    /// Queries of one `search.batch`.
    package var batch = 256
    /// Chunks of one `chunk.import`.
    package var importChunks = 256
    /// Bytes of a query's text.
    package var textBytes = 32 << 10
    /// Bytes of one `document.upload.chunk`, decoded.
    package var uploadChunkBytes = 4 << 20
    /// Bytes of one uploaded document.
    package var documentBytes = 100 << 20
    /// Entries of one page of a list.
    package var pageEntries = 500
    /// How long a known client may say nothing while nothing runs.
    package var idle: Duration = .seconds(300)
    /// How long a client may take to say who it is.
    package var unauthenticated: Duration = .seconds(5)
    /// How long a client may leave answers unread.
    package var unread: Duration = .seconds(30)

    /// The limits of docs/protocol.md.
    package init() {}

    /// The limits of docs/protocol.md.
    package static let standard = Limits()
}
