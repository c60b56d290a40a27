import Foundation
import Testing
import carrel

@Suite("What is shown on a terminal")
struct TerminalTests {
    @Test("A table is as wide as its cells when they fit")
    func fits() {
        var table = Table(.elastic("name"), .number("bytes"))
        table.add("a.pdf", "12")
        table.add("long name.pdf", "1234567")
        #expect(
            table.lines(width: 80) == [
                "name             bytes",
                "a.pdf               12",
                "long name.pdf  1234567",
            ])
    }

    @Test("The widest elastic column gives way, and no line is longer than the terminal")
    func givesWay() {
        var table = Table(.elastic("name"), .text("state"), .elastic("reason"))
        table.add("a.pdf", "FAILED", String(repeating: "because ", count: 30))
        for width in 40...120 {
            let lines = table.lines(width: width)
            #expect(lines.allSatisfy { $0.count <= width }, "\(width): \(lines)")
            #expect(lines[1].hasPrefix("a.pdf  FAILED  because"))
            #expect(lines[1].hasSuffix("…"))
        }
    }

    @Test("A line break in a cell does not break the table")
    func lineBreaks() {
        var table = Table(.elastic("reason"))
        table.add("first\nsecond")
        #expect(table.lines(width: 80) == ["reason", "first second"])
    }

    @Test("Progress tells rate and time left once there is something to divide by")
    func progress() {
        var line = ProgressLine(label: "load", unit: "chunks")
        #expect(line.text(elapsed: 3) == "load")
        line.total = 200
        #expect(line.text(elapsed: 3) == "load: 0/200 chunks")
        line.done = 50
        #expect(line.text(elapsed: 10) == "load: 50/200 chunks, 5.0/s, 0:30 left")
        line.done = 200
        #expect(line.text(elapsed: 40) == "load: 200/200 chunks, 5.0/s")
    }

    @Test("The bar is empty at the start, full at the end and never overfull")
    func bar() {
        var line = ProgressLine(label: "load", unit: "chunks")
        line.total = 10
        #expect(line.bar == String(repeating: "░", count: 20))
        line.done = 5
        #expect(line.bar == String(repeating: "█", count: 10) + String(repeating: "░", count: 10))
        line.done = 12
        #expect(line.bar == String(repeating: "█", count: 20))
    }
}
