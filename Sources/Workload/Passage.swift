// The chunks of a benchmark's session: row i of the vectors under an id and with a text made from i.

public import Foundation

/// What is stored with row `index` of the vectors.
public enum Passage {
    private static let mark: UInt64 = 0x0D9A_5C44_3F6B_8B57

    /// The chunk's id: a UUID of our own making (version 8, RFC 9562) that holds the index.
    ///
    /// Its upper half scatters, as real ids do, so that an order by id is not the order of rows.
    ///
    /// - Parameters:
    ///   - index: the row.
    ///   - session: tells apart the sessions of one benchmark.
    /// - Returns: the same id every time.
    public static func id(_ index: Int, session: Int = 0) -> UUID {
        var random = SeededRandom(seed: mark &+ UInt64(session), stream: UInt64(index))
        let high = random.next() & ~0xF000 | 0x8000
        let low = UInt64(index) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        func byte(_ word: UInt64, _ at: UInt64) -> UInt8 {
            UInt8(truncatingIfNeeded: word >> (56 - 8 * at))
        }
        return UUID(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3), byte(high, 4),
                byte(high, 5), byte(high, 6), byte(high, 7), byte(low, 0), byte(low, 1),
                byte(low, 2), byte(low, 3), byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
            ))
    }

    /// The row of an id.
    ///
    /// - Parameter id: as ``id(_:session:)`` made it.
    /// - Returns: nil for an id that it did not make.
    public static func index(of id: UUID) -> Int? {
        let b = id.uuid
        guard b.6 >> 4 == 8, b.8 >> 6 == 2 else { return nil }
        return [b.9, b.10, b.11, b.12, b.13, b.14, b.15].reduce(0) { $0 << 8 | Int($1) }
    }

    /// No text is longer.
    static let mostBytes = 1_000

    /// About 860 bytes, as long as a real passage, so that answers weigh what they weigh in earnest.
    ///
    /// - Parameter index: the row.
    /// - Returns: a text that names its row; otherwise words drawn from a seed, so that an index of
    ///   words has something to hold.
    public static func text(_ index: Int) -> String {
        var random = SeededRandom(seed: mark, stream: UInt64(index))
        var text = "Passage \(index)."
        while text.utf8.count < 850 {
            let words = (0..<9).map { _ in Self.word(&random) }.joined(separator: " ")
            text += " The " + words + "."
        }
        return text
    }

    /// A question of about ten words, at most 32 tokens for a WordPiece tokenizer.
    ///
    /// - Parameter index: which.
    /// - Returns: the same question every time.
    public static func question(_ index: Int) -> String {
        var random = SeededRandom(seed: mark &+ 1, stream: UInt64(index))
        return "why does the " + (0..<7).map { _ in Self.word(&random) }.joined(separator: " ")
            + "?"
    }

    private static let words = """
        iteration theorem session passage vector memory process scheduler proof lemma network \
        message enzyme membrane voltage current market price supply demand river basin orbit planet \
        verb grammar painter fresco treaty border parliament statute contract tenant neuron synapse \
        integral matrix kernel buffer socket thread compiler parser gradient sample variance margin
        """.split(separator: " ").map(String.init)

    private static func word(_ random: inout SeededRandom) -> String {
        words[Int.random(in: 0..<words.count, using: &random)]
    }
}
