#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension UUID {
    /// As it stands on the wire.
    var wireText: String { uuidString.lowercased() }
}

extension String {
    /// As much of it as a refusal repeats.
    func shortened(to count: Int) -> String {
        self.count > count ? prefix(count) + "…" : self
    }
}
