import NIOCore
import Testing
import Wire

@Suite("Lines are found however the bytes were cut")
struct FrameSplitterTests {
    /// Feeds the bytes in pieces of one size and takes all frames.
    private func frames(_ text: String, limit: Int, pieces: Int) -> [String] {
        var splitter = FrameSplitter(lineLimit: limit)
        var rest = ByteBuffer(string: text)
        var found: [String] = []
        while let piece = rest.readSlice(length: min(pieces, rest.readableBytes)),
            piece.readableBytes > 0
        {
            splitter.append(piece)
            while let frame = splitter.next() {
                switch frame {
                case .line(let line): found.append(String(buffer: line))
                case .tooLong: found.append("TOO LONG")
                }
            }
            #expect(splitter.waitingBytes <= limit + 1 + pieces)
        }
        return found
    }

    @Test("Every size of piece gives the same lines", arguments: [1, 2, 3, 5, 7, 64])
    func pieces(size: Int) {
        #expect(
            frames("one\ntwo\r\n\nlong line here\nfour\nhalf", limit: 10, pieces: size)
                == ["one", "two", "", "TOO LONG", "four"])
    }

    @Test("A line of exactly the limit fits, with its CR too; one byte more does not")
    func border() {
        #expect(
            frames("12345\n12345\r\n123456\n1\n", limit: 5, pieces: 100)
                == ["12345", "12345", "TOO LONG", "1"])
    }

    @Test("A line without end is refused once and thrown away as it comes")
    func endless() {
        let text = String(repeating: "x", count: 10_000) + "\nafter\n"
        #expect(frames(text, limit: 100, pieces: 33) == ["TOO LONG", "after"])
    }
}
