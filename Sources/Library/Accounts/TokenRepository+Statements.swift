// What `TokenRepository` asks. Lifetimes are added to the database's clock: several servers need not
// agree on the time.

import Postgres

extension TokenRepository {
    /// The account is locked: a deactivation either comes first, or finds this login to end.
    static let insertFamily = Statement(
        "token.insertFamily",
        """
        INSERT INTO carrel.token_families
            (profile_id, access_hash, access_expires_at, expires_at)
        SELECT id, $2,
            now() + $3::bigint * interval '1 second', now() + $4::bigint * interval '1 second'
        FROM carrel.profiles
        WHERE id = $1 AND is_active
        FOR SHARE
        RETURNING id
        """)

    /// Expires with its family, whose time begins anew with each token.
    static let insertToken = Statement(
        "token.insertToken",
        """
        INSERT INTO carrel.refresh_tokens
            (id, profile_id, token_hash, family_id, expires_at, user_agent, ip)
        SELECT $1, $2, $3, f.id, f.expires_at, $5, $6
        FROM carrel.token_families AS f
        WHERE f.id = $4
        """)

    static let selectToken = Statement(
        "token.select",
        """
        SELECT id, replaced_by IS NOT NULL, NOT revoked AND expires_at > now()
        FROM carrel.refresh_tokens
        WHERE token_hash = $1
        """)

    static let renewFamily = Statement(
        "token.renewFamily",
        """
        UPDATE carrel.token_families AS f
        SET access_hash = $2,
            access_expires_at = now() + $3::bigint * interval '1 second',
            expires_at = now() + $4::bigint * interval '1 second'
        WHERE f.id = $1
            AND NOT f.revoked
            AND EXISTS (
                SELECT FROM carrel.profiles AS p WHERE p.id = f.profile_id AND p.is_active
            )
        """)

    static let markReplaced = Statement(
        "token.markReplaced",
        "UPDATE carrel.refresh_tokens SET replaced_by = $2 WHERE id = $1")

    private static let columns = """
        f.id, f.profile_id, p.handle, p.role, f.access_expires_at, f.expires_at
        """

    static let selectOwner = Statement(
        "token.selectOwner",
        """
        SELECT \(columns)
        FROM carrel.token_families AS f
        JOIN carrel.profiles AS p ON p.id = f.profile_id
        WHERE f.id = $1
        """)

    static let selectUsable = Statement(
        "token.selectUsable",
        """
        SELECT \(columns)
        FROM carrel.token_families AS f
        JOIN carrel.profiles AS p ON p.id = f.profile_id
        WHERE f.access_hash = $1
            AND NOT f.revoked
            AND f.access_expires_at > clock_timestamp()
            AND p.is_active
        """)

    static let selectFamily = Statement(
        "token.selectFamily",
        "SELECT family_id, profile_id FROM carrel.refresh_tokens WHERE token_hash = $1")

    static let revokeFamily = Statement(
        "token.revokeFamily", "UPDATE carrel.token_families SET revoked = true WHERE id = $1")

    static let revokeTokens = Statement(
        "token.revokeTokens",
        "UPDATE carrel.refresh_tokens SET revoked = true WHERE family_id = $1 AND NOT revoked")

    static let revokeFamilies = Statement(
        "token.revokeFamilies",
        """
        UPDATE carrel.token_families
        SET revoked = true
        WHERE profile_id = $1 AND NOT revoked AND ($2::uuid IS NULL OR id <> $2)
        """)

    static let revokeAllTokens = Statement(
        "token.revokeAllTokens",
        """
        UPDATE carrel.refresh_tokens
        SET revoked = true
        WHERE profile_id = $1 AND NOT revoked AND ($2::uuid IS NULL OR family_id <> $2)
        """)

    static let deleteExpired = Statement(
        "token.deleteExpired",
        "DELETE FROM carrel.token_families WHERE profile_id = $1 AND expires_at < now()")
}
