/// The best k rows seen so far: a heap with the worst of them on top.
///
/// What is frequent is a row that is worse than the top, and costs one comparison. Memory is taken
/// once and kept by `restart`, unless someone still holds the rows that were taken out.
struct BestRows {
    private var heap: [Ranked] = []
    private var capacity: Int

    init(capacity: Int) {
        precondition(capacity > 0, "the best \(capacity) rows")
        self.capacity = capacity
    }

    /// Forgets all rows, to find the best `capacity` others.
    mutating func restart(capacity: Int) {
        precondition(capacity > 0, "the best \(capacity) rows")
        self.capacity = capacity
        heap.removeAll(keepingCapacity: true)
    }

    /// Makes room for that many rows, so that inserting them allocates nothing.
    mutating func reserve(_ count: Int) { heap.reserveCapacity(count) }

    /// The best rows so far, in no order.
    var rows: [Ranked] { heap }

    /// The distance a new row must not exceed to enter: infinite until there are k.
    var worstDistance: Float { heap.count < capacity ? .infinity : heap[0].distance }

    mutating func insert(_ row: Ranked, tieBreak: (Int, Int) -> Bool) {
        assert(!row.distance.isNaN, "row \(row.index) has no distance")
        if heap.count < capacity {
            heap.append(row)
            siftUp(tieBreak)
        } else if row.distance <= heap[0].distance, isBefore(row, heap[0], tieBreak) {
            heap[0] = row
            siftDown(within: heap.count, tieBreak)
        }
    }

    /// The rows, nearest first, in the memory of the heap, which is no heap any more: `restart` it.
    ///
    /// The worst goes to the end, again and again; the standard library's sort takes memory.
    mutating func sort(tieBreak: (Int, Int) -> Bool) -> [Ranked] {
        var rest = heap.count
        while rest > 1 {
            rest -= 1
            heap.swapAt(0, rest)
            siftDown(within: rest, tieBreak)
        }
        return heap
    }

    private func isBefore(_ a: Ranked, _ b: Ranked, _ tieBreak: (Int, Int) -> Bool) -> Bool {
        a.distance < b.distance || (a.distance == b.distance && tieBreak(a.index, b.index))
    }

    private mutating func siftUp(_ tieBreak: (Int, Int) -> Bool) {
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(heap[parent], heap[child], tieBreak) else { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown(within count: Int, _ tieBreak: (Int, Int) -> Bool) {
        var parent = 0
        while true {
            var worst = parent
            let left = 2 * parent + 1
            if left < count, isBefore(heap[worst], heap[left], tieBreak) { worst = left }
            let right = left + 1
            if right < count, isBefore(heap[worst], heap[right], tieBreak) { worst = right }
            guard worst != parent else { return }
            heap.swapAt(worst, parent)
            parent = worst
        }
    }
}
