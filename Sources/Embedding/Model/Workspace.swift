/// The buffers of one encoder thread, grown to the largest batch it has seen.
@safe final class Workspace {
    /// Hidden states, `[rows × hidden]`.
    private(set) var states: UnsafeMutablePointer<Float>
    /// Queries, keys and values side by side, `[rows × 3·hidden]`.
    private(set) var projected: UnsafeMutablePointer<Float>
    /// What the heads give, `[rows × hidden]`.
    private(set) var context: UnsafeMutablePointer<Float>
    /// A product before it is added, `[rows × hidden]`.
    private(set) var product: UnsafeMutablePointer<Float>
    /// The feed-forward layer of one tile, `[tile × intermediate]`.
    private(set) var wide: UnsafeMutablePointer<Float>
    private(set) var attention: UnsafeMutablePointer<Float>

    private var memory: UnsafeMutableRawPointer
    private var bytes = 0

    init() {
        unsafe memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        let start = unsafe memory.assumingMemoryBound(to: Float.self)
        unsafe (states, projected, context, product, wide, attention) =
            unsafe (start, start, start, start, start, start)
    }

    deinit { unsafe memory.deallocate() }

    /// Makes room, in one allocation: six arrays, each beginning on its own cache line.
    func prepare(rows: Int, hidden: Int, intermediate: Int, tile: Int, attention scratch: Int) {
        let counts = [
            rows * hidden, rows * 3 * hidden, rows * hidden, rows * hidden, tile * intermediate,
            scratch,
        ].map { ($0 + 15) / 16 * 16 }
        let wanted = counts.reduce(0, +) * MemoryLayout<Float>.stride
        if wanted > bytes {
            unsafe memory.deallocate()
            unsafe memory = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 64)
            bytes = wanted
        }
        var next = unsafe memory.bindMemory(to: Float.self, capacity: wanted / 4)
        func take(_ index: Int) -> UnsafeMutablePointer<Float> {
            defer { unsafe next += counts[index] }
            return unsafe next
        }
        unsafe states = take(0)
        unsafe projected = take(1)
        unsafe context = take(2)
        unsafe product = take(3)
        unsafe wide = take(4)
        unsafe attention = take(5)
    }
}
