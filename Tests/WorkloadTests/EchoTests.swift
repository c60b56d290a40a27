import Testing
import Workload

@Suite("The echo")
struct EchoTests {
    @Test(
        "Every round is timed, however long the lines",
        arguments: [(1, 1), (8_000, 12_000), (1, 1 << 20)])
    func rounds(request: Int, answer: Int) throws {
        let times = try Echo.measure(request: request, answer: answer, count: 20)
        #expect(times.count == 20)
        #expect(times.allSatisfy { $0 > 0 })
    }
}
