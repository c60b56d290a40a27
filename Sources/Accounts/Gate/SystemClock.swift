internal import FoundationEssentials

extension Gatekeeper {
    /// The time of this machine.
    package static var systemClock: @Sendable () -> Int64 {
        { Int64(Date().timeIntervalSince1970.rounded(.down)) }
    }
}
