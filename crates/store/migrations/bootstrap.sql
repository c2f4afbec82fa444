-- What stands before the first migration on PostgreSQL: roles, schemas and the two functions that every tenant table relies on.
-- Run by the owner at each `rowhouse migrate`; repeating it changes nothing. `{app}`, `{control}`, `{ops}` and `{eraser}` are the role names.

CREATE SCHEMA IF NOT EXISTS control;
CREATE SCHEMA IF NOT EXISTS org;
REVOKE ALL ON SCHEMA control, org FROM PUBLIC;
GRANT USAGE ON SCHEMA control TO {control}, {ops};
GRANT USAGE ON SCHEMA org TO {app}, {ops}, {eraser};

-- Temporary tables would be a place outside the walls, and PostgreSQL lets everybody make them.
DO $$ BEGIN
  EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;

CREATE TABLE IF NOT EXISTS control.migrations (
  part    text   NOT NULL,
  number  bigint NOT NULL,
  name    text   NOT NULL,
  hash    text   NOT NULL,
  at      bigint NOT NULL,
  PRIMARY KEY (part, number)
);

ALTER DEFAULT PRIVILEGES IN SCHEMA control GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {control};
GRANT SELECT ON control.migrations TO {control}, {ops};

-- The organisation of this transaction. After a transaction that set it the setting is '' and not NULL, hence NULLIF.
CREATE OR REPLACE FUNCTION org.current_org() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('rowhouse.org', true), '')::uuid;

-- Puts a table under the tenant wall: forced row security for reading and writing, and no more rights than needed.
CREATE OR REPLACE FUNCTION org.protect(name text) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  EXECUTE format('ALTER TABLE org.%I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE org.%I FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY tenant ON org.%I USING (org_id = (SELECT org.current_org())) WITH CHECK (org_id = (SELECT org.current_org()))', name);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON org.%I TO {app}', name);
  EXECUTE format('GRANT SELECT, DELETE ON org.%I TO {eraser}', name);
END $$;

CREATE OR REPLACE FUNCTION org.append_only(name text) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  EXECUTE format('REVOKE UPDATE, DELETE ON org.%I FROM {app}', name);
END $$;

CREATE OR REPLACE FUNCTION control.append_only(name text) RETURNS void LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  EXECUTE format('REVOKE UPDATE, DELETE ON control.%I FROM {control}', name);
END $$;

REVOKE ALL ON FUNCTION org.protect(text), org.append_only(text), control.append_only(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION org.current_org() TO {app}, {ops}, {eraser};
