#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension UUID {
    /// As it stands on the wire.
    var wireText: String { uuidString.lowercased() }
}
