// Bytes to lines. Pure: it knows no socket, and how the bytes were cut into packets never shows.

package import NIOCore

/// Splits a stream of bytes into lines that end in LF.
///
/// States: *collecting* a line (may become *skipping* when the line passes the limit) and
/// *skipping* to the next LF (becomes *collecting* behind it). Memory never exceeds the limit
/// plus what one `append` brings.
package struct FrameSplitter: Sendable {
    /// What stands next in the stream.
    package enum Frame: Equatable, Sendable {
        /// A line without its LF, and without one CR before it.
        case line(ByteBuffer)
        /// A line longer than the limit; its bytes are being thrown away.
        case tooLong(limit: Int)
    }

    /// How many bytes a line may have, its ending not counted. May change between lines.
    package var lineLimit: Int

    private var pending = ByteBuffer()
    /// How many bytes of `pending` are known to hold no LF.
    private var searched = 0
    private var isSkipping = false

    /// A splitter at the start of a stream.
    package init(lineLimit: Int) { self.lineLimit = lineLimit }

    /// How many bytes wait here without having been returned.
    package var waitingBytes: Int { pending.readableBytes }

    /// Adds what arrived. No copy when nothing was waiting, which is the frequent case.
    package mutating func append(_ bytes: ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = bytes
            searched = 0
        } else {
            pending.writeImmutableBuffer(bytes)
        }
    }

    /// The next frame, or `nil` when more bytes are needed.
    ///
    /// - Complexity: every byte is searched once, however often this is called.
    package mutating func next() -> Frame? {
        if isSkipping {
            guard let end = lineEnd(of: pending, from: 0) else {
                pending.clear()
                return nil
            }
            pending.moveReaderIndex(forwardBy: end + 1)
            isSkipping = false
        }
        guard let end = lineEnd(of: pending, from: searched) else {
            searched = pending.readableBytes
            // One byte more than the limit may still be the CR of a line that just fits.
            guard searched > lineLimit + 1 else { return nil }
            pending.clear()
            searched = 0
            isSkipping = true
            return .tooLong(limit: lineLimit)
        }
        searched = 0
        guard var line = pending.readSlice(length: end) else { return nil }
        pending.moveReaderIndex(forwardBy: 1)
        if pending.readableBytes > 0, pending.readerIndex > 1 << 20 { pending.discardReadBytes() }
        if line.readableBytesView.last == 0x0D { line.moveWriterIndex(to: line.writerIndex - 1) }
        return line.readableBytes > lineLimit ? .tooLong(limit: lineLimit) : .line(line)
    }
}
