import Foundation
import Testing
import Workload

@Suite("What benchmarks store, ask and judge by")
struct WorkloadTests {
    private func cosine(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    @Test("Seeded rows are the same every time, of length 1, and near their own subject")
    func seededRows() throws {
        let source = VectorSource(clustered: 3)
        let rows = try (0..<600).map { try source.vector($0) }
        #expect(try VectorSource(clustered: 3).vector(17) == rows[17])
        #expect(try VectorSource(clustered: 3, part: 1).vector(17) != rows[17])
        #expect(rows.allSatisfy { abs(cosine($0, $0) - 1) < 1e-6 })
        let question = try VectorSource(clustered: 3, part: 1).vector(0)
        let scores = rows.map { cosine($0, question) }.sorted(by: >)
        // 600 rows on 128 subjects: a few share the question's, at about 0.5; the others are at about 0.
        #expect(scores[0] > 0.35 && scores[300] < 0.15, "\(scores[0]), \(scores[300])")
    }

    @Test("Lifting a file's rows to 768 dimensions keeps every cosine and fills every coordinate")
    func lifting() throws {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "carrel-lift-\(UUID().uuidString).npy").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (count, width) = (5, 32)
        var values = (0..<count * width).map { Float(sin(Double($0 * $0 + 1))) }
        let header =
            "{'descr': '<f4', 'fortran_order': False, 'shape': (\(count), \(width)), }"
            .padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
        var file = Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8))
        unsafe values.withUnsafeMutableBytes { unsafe file.append(contentsOf: $0) }
        try file.write(to: URL(filePath: path))

        let source = try VectorSource(file: path)
        let raw = (0..<count).map { Array(values[$0 * width..<($0 + 1) * width]) }
        for (i, j) in [(0, 1), (0, 4), (2, 3)] {
            let before =
                cosine(raw[i], raw[j])
                / (cosine(raw[i], raw[i]) * cosine(raw[j], raw[j])).squareRoot()
            #expect(abs(cosine(try source.vector(i), try source.vector(j)) - before) < 1e-6)
        }
        #expect(try source.vector(0).count { $0 != 0 } == 768)
    }

    @Test("The judge counts the true nearest, by a sum in double precision")
    func judging() throws {
        let source = VectorSource(clustered: 5)
        let judge = try ExactNearest(400, of: source)
        for number in 0..<10 {
            let question = try VectorSource(clustered: 5, part: 1).vector(number)
            let order = try (0..<400).map {
                (row: $0, score: cosine(try source.vector($0), question))
            }
            .sorted { $0.score > $1.score }.map(\.row)
            #expect(judge.right(Array(order[..<10]), for: question, k: 10) == 10)
            #expect(judge.right(Array(order[1..<11]), for: question, k: 10) == 9)
            #expect(judge.right(Array(repeating: order[0], count: 10), for: question, k: 10) == 1)
            #expect(judge.right(Array(order[10..<20]), for: question, k: 10) == 0)
        }
    }

    @Test("A session of fewer rows than are asked for is judged by what it has")
    func small() throws {
        let judge = try ExactNearest(3, of: VectorSource(clustered: 5))
        let question = try VectorSource(clustered: 5, part: 1).vector(0)
        #expect(judge.right([2, 0, 1], for: question, k: 10) == 3)
    }

    @Test("A chunk's id names its row, and no other id does")
    func ids() {
        for row in [0, 1, 255, 256, 49_999, 1_000_000] {
            #expect(Passage.index(of: Passage.id(row)) == row)
            #expect(Passage.id(row) != Passage.id(row, session: 1))
        }
        #expect(Passage.index(of: UUID()) == nil)
        #expect(Set((0..<1_000).map { Passage.id($0) }).count == 1_000)
    }

    @Test("Texts are as long as real passages and questions short enough for a query")
    func texts() {
        for row in 0..<50 {
            #expect((850..<1_000).contains(Passage.text(row).utf8.count))
            #expect(Passage.question(row).split(separator: " ").count <= 12)
        }
        #expect(Passage.text(1) != Passage.text(2))
    }

    @Test("Equal answers have equal digests; another order has another")
    func digests() throws {
        func answer(_ ids: [Int]) throws -> Answer {
            let hits = ids.map { #"{"chunk":"\#(Passage.id($0).uuidString)","score":0.5}"# }
            let line =
                #"{"jsonrpc":"2.0","id":1,"result":{"hits":[\#(hits.joined(separator: ","))],"#
                + #""meta":{"plan":"scan","tookUs":{"scan":1}}}}"#
            return try Answer.read(Array(line.utf8))
        }
        let one = try [answer([1, 2]), answer([3])]
        #expect(one[0].rows == [1, 2])
        #expect(one.digest == (try [answer([1, 2]), answer([3])].digest))
        #expect(one.digest != (try [answer([2, 1]), answer([3])].digest))
        #expect(throws: WorkloadError.self) { try Answer.read(Array(#"{"id":1,"error":{}}"#.utf8)) }
    }
}
