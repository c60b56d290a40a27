import ArgumentParser
import Clouds

/// Which addresses the server may be made to ask by somebody who connects a cloud.
struct CloudOptions: ParsableArguments {
    @Option(
        help: """
            Addresses that are not public but where clouds may be, e.g. 10.1.0.0/16,fd00::/8 \
            (default: $CARREL_CLOUD_ALLOW, else none).
            """)
    var cloudAllow: String?

    func validate() throws { _ = try rule() }

    func rule() throws -> AddressRule {
        let text = cloudAllow ?? Home.environment("CARREL_CLOUD_ALLOW") ?? ""
        return AddressRule(
            allowing: try text.split(separator: ",").map { part in
                guard let range = AddressRange(part) else {
                    throw ValidationError(
                        "--cloud-allow wants addresses like 10.0.0.0/8, got \(part)")
                }
                return range
            })
    }
}
