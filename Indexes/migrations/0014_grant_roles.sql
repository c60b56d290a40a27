-- Who may do what. carrel_migrate owns every table and is the only one to alter them; it runs the
-- migrations, this one too. The server logs in as carrel_app and does its own work, across accounts, as
-- carrel_service (0015). Neither of them can create or alter anything.
--
-- The roles belong to the whole server, so they are made before the first migration and not by one:
-- Sources/Library/Migrations/Roles.swift.
--
-- What a later migration creates needs no grant: the default privileges see to it, for tables and for
-- sequences. A table with fewer rights than these takes some back, right after it is created, as the
-- last statements here do.

GRANT USAGE ON SCHEMA carrel TO carrel_app, carrel_service;

GRANT SELECT, INSERT, UPDATE, DELETE
    ON ALL TABLES IN SCHEMA carrel
    TO carrel_app, carrel_service;

GRANT USAGE, SELECT
    ON ALL SEQUENCES IN SCHEMA carrel
    TO carrel_app, carrel_service;

ALTER DEFAULT PRIVILEGES IN SCHEMA carrel
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO carrel_app, carrel_service;

ALTER DEFAULT PRIVILEGES IN SCHEMA carrel
    GRANT USAGE, SELECT ON SEQUENCES TO carrel_app, carrel_service;

REVOKE INSERT, UPDATE, DELETE ON carrel.schema_migrations FROM carrel_app, carrel_service;

REVOKE UPDATE, DELETE ON carrel.audit_log FROM carrel_app, carrel_service;

REVOKE INSERT, DELETE ON carrel.audit_head FROM carrel_app, carrel_service;

-- down
ALTER DEFAULT PRIVILEGES IN SCHEMA carrel
    REVOKE ALL ON SEQUENCES FROM carrel_app, carrel_service;

ALTER DEFAULT PRIVILEGES IN SCHEMA carrel
    REVOKE ALL ON TABLES FROM carrel_app, carrel_service;

REVOKE ALL ON ALL SEQUENCES IN SCHEMA carrel FROM carrel_app, carrel_service;

REVOKE ALL ON ALL TABLES IN SCHEMA carrel FROM carrel_app, carrel_service;

REVOKE USAGE ON SCHEMA carrel FROM carrel_app, carrel_service;
