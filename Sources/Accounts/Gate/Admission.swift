// What a login gives.

package import FoundationEssentials
internal import Library

/// Somebody let in, with the tokens to stay. The tokens cannot be had again.
package struct Admission: Sendable {
    package let principal: Principal
    package let accessToken: Secret
    package let accessExpiresAt: Date
    package let refreshToken: Secret
    package let refreshExpiresAt: Date

    init(_ login: LoginOwner, _ tokens: NewTokens) {
        principal = Principal(login)
        accessToken = tokens.access
        accessExpiresAt = login.accessExpiresAt
        refreshToken = tokens.refresh
        refreshExpiresAt = login.expiresAt
    }
}

/// Two tokens just made.
struct NewTokens: Sendable {
    let access = Secret.random(.accessToken)
    let refresh = Secret.random(.refreshToken)

    func pair(_ lifetimes: Gatekeeper.Lifetimes) -> TokenPair {
        TokenPair(
            accessHash: access.hash, accessSeconds: lifetimes.access, refreshHash: refresh.hash,
            refreshSeconds: lifetimes.refresh)
    }
}
