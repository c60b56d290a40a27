// The three roles of a database, made before the first migration because a migration runs as one of them.
//
//   carrel_migrate   owns the tables; migrations run as it
//   carrel_app       what the server logs in as: reads and writes rows, alters nothing
//   carrel_service   what carrel_app becomes for work that crosses accounts
//
// carrel_app is not to *inherit* from carrel_service, only to be able to become it: else the policies
// that are open to the service would be open to every account.

package import Postgres

/// What of the roles is there, and what the connection may do about the rest.
package struct Roles: Sendable {
    private let user: String
    private let missing: [String]
    private let canMakeRoles: Bool
    private let isServiceGranted: Bool
    private let canOwn: Bool
    private let canCreateSchemas: Bool
    private let hasVector: Bool
    private let hasStrangers: Bool
    private let isSuperuser: Bool

    /// What a database's administrator runs where `prepare` may not; in psql, connected to the database.
    package static let setUp = """
        CREATE ROLE carrel_migrate LOGIN;
        CREATE ROLE carrel_app LOGIN NOINHERIT;
        CREATE ROLE carrel_service BYPASSRLS;
        GRANT carrel_service TO carrel_app;
        CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;
        SELECT format('GRANT CREATE ON DATABASE %I TO carrel_migrate', current_database()) \\gexec
        """

    /// Brings the roles, the extension and who owns what to where migrations can run as carrel_migrate.
    ///
    /// What is there already is left as it is, so an administrator may have done all of it. Of a
    /// database from before there were roles, the tables change owner.
    ///
    /// - Throws: `LibraryError.migration(.roles)` naming what is missing and how to get it.
    package static func prepare(on connection: Connection) async throws {
        for step in try await read(on: connection).steps() {
            try await step.run(on: connection)
        }
    }

    private struct Step {
        let sql: String
        /// What it means that it was refused.
        let failure: String

        func run(on connection: Connection) async throws {
            do {
                try await connection.script(sql)
            } catch {
                guard error.sqlState == .insufficientPrivilege else { throw error }
                throw LibraryError.migration(.roles("\(failure) (\(error))"))
            }
        }
    }

    private func steps() throws -> [Step] {
        guard missing.isEmpty || canMakeRoles else {
            throw LibraryError.migration(
                .roles(
                    "the server has no role \(missing.joined(separator: ", ")), and \(user) may "
                        + "make none; as a superuser run \(Self.oneLine)"))
        }
        guard canOwn || canMakeRoles else {
            throw LibraryError.migration(
                .roles(
                    "connected as \(user), which may not act as carrel_migrate, the owner of the "
                        + "tables; name a role that may with CARREL_MIGRATE_URL"))
        }
        var steps = missing.map { role in
            Step(
                sql: creation(of: role), failure: "\(user) may not make the role \(role)")
        }
        if !isServiceGranted {
            steps.append(
                Step(
                    sql: "GRANT carrel_service TO carrel_app",
                    failure: "a superuser must run GRANT carrel_service TO carrel_app"))
        }
        if !canOwn {
            steps.append(
                Step(
                    sql: "GRANT carrel_migrate TO CURRENT_USER",
                    failure: "\(user) may not act as carrel_migrate, the owner of the tables"))
        }
        if !hasVector {
            steps.append(
                Step(
                    sql: "CREATE EXTENSION IF NOT EXISTS vector SCHEMA public",
                    failure: "a superuser must run CREATE EXTENSION vector in this database"))
        }
        if !canCreateSchemas {
            steps.append(
                Step(
                    sql: Self.grantCreation,
                    failure: "a superuser must GRANT CREATE ON DATABASE … TO carrel_migrate"))
        }
        if hasStrangers {
            steps.append(
                Step(
                    sql: Self.adoption,
                    failure: "the schema carrel has objects that carrel_migrate does not own; a "
                        + "superuser must run `carrel migrate up` once"))
        }
        return steps
    }

    private static var oneLine: String { setUp.replacing("\n", with: " ") }
}

extension Roles {
    /// Roles belong to the server: another database's migrator may be making the same one.
    ///
    /// The policies are open to carrel_service as they are. Where it bypasses them besides, the planner may
    /// use all statistics; only a superuser may grant that.
    private func creation(of role: String) -> String {
        let options =
            switch role {
            case "carrel_migrate": "LOGIN"
            case "carrel_app": "LOGIN NOINHERIT"
            default: isSuperuser ? "BYPASSRLS" : ""
            }
        return """
            DO $$ BEGIN
                CREATE ROLE \(role) \(options);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$
            """
    }

    private static let grantCreation = """
        DO $$ BEGIN
            EXECUTE format('GRANT CREATE ON DATABASE %I TO carrel_migrate', current_database());
        END $$
        """

    /// Sequences follow the tables they belong to.
    private static let adoption = """
        DO $$
        DECLARE
            command text;
        BEGIN
            FOR command IN
                SELECT format('ALTER SCHEMA %I OWNER TO carrel_migrate', nspname)
                FROM pg_catalog.pg_namespace
                WHERE nspname = 'carrel'
                UNION ALL
                SELECT format('ALTER %s %s OWNER TO carrel_migrate',
                    CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass)
                FROM pg_catalog.pg_class
                WHERE relnamespace = 'carrel'::regnamespace AND relkind IN ('r', 'p', 'v')
                UNION ALL
                SELECT format('ALTER TYPE %s OWNER TO carrel_migrate', oid::regtype)
                FROM pg_catalog.pg_type
                WHERE typnamespace = 'carrel'::regnamespace AND typtype = 'e'
                UNION ALL
                SELECT format('ALTER ROUTINE %s OWNER TO carrel_migrate', oid::regprocedure)
                FROM pg_catalog.pg_proc
                WHERE pronamespace = 'carrel'::regnamespace
            LOOP
                EXECUTE command;
            END LOOP;
        END $$
        """

    private static func read(on db: some Queryable) async throws -> Roles {
        let row = try await db.query(select)[0]
        return Roles(
            user: try row.get(0), missing: try row.get(1), canMakeRoles: try row.get(2),
            isServiceGranted: try row.get(3), canOwn: try row.get(4),
            canCreateSchemas: try row.get(5), hasVector: try row.get(6),
            hasStrangers: try row.get(7), isSuperuser: try row.get(8))
    }

    private static let select = Statement(
        "roles.select",
        """
        SELECT current_user::text,
            ARRAY(
                SELECT name
                FROM unnest(ARRAY['carrel_migrate', 'carrel_app', 'carrel_service']) AS name
                WHERE to_regrole(name) IS NULL
            ),
            (
                SELECT rolsuper OR rolcreaterole
                FROM pg_catalog.pg_roles
                WHERE rolname = current_user
            ),
            coalesce(
                pg_has_role(to_regrole('carrel_app'), to_regrole('carrel_service'), 'MEMBER'),
                false
            ),
            coalesce(pg_has_role(to_regrole('carrel_migrate'), 'MEMBER'), false),
            coalesce(
                has_database_privilege(
                    to_regrole('carrel_migrate'), current_database(), 'CREATE'),
                false
            ),
            EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'vector'),
            EXISTS (
                SELECT
                FROM pg_catalog.pg_namespace AS n
                LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid
                WHERE n.nspname = 'carrel'
                    AND (
                        n.nspowner::regrole IS DISTINCT FROM to_regrole('carrel_migrate')
                        OR c.relowner::regrole <> to_regrole('carrel_migrate')
                    )
            ),
            (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
        """)
}
