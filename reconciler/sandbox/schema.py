"""Defines the tables of the sandbox's database."""

APPLICATION_ID = 0x45435342
"""Marks a SQLite file as the sandbox's own (`PRAGMA application_id`)."""

VERSION = 4
"""The version of these tables (`PRAGMA user_version`)."""

TABLES = (
    """CREATE TABLE meta (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    )""",
    """CREATE TABLE site (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        instance_id TEXT UNIQUE,
        premium INTEGER NOT NULL
    )""",
    """CREATE TABLE api_key (
        key TEXT NOT NULL,
        site_id TEXT NOT NULL REFERENCES site (id),
        may_write INTEGER NOT NULL,
        PRIMARY KEY (key, site_id)
    )""",
    """CREATE TABLE token (
        token TEXT PRIMARY KEY,
        site_id TEXT NOT NULL REFERENCES site (id),
        expires_at REAL NOT NULL
    )""",
    """CREATE TABLE schedule (
        site_id TEXT NOT NULL REFERENCES site (id),
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        external_id TEXT,
        owner_id TEXT,
        owner_name TEXT,
        time_zone TEXT NOT NULL,
        app_id TEXT NOT NULL,
        status TEXT NOT NULL,
        PRIMARY KEY (site_id, id)
    )""",
    """CREATE TABLE provider (
        site_id TEXT NOT NULL REFERENCES site (id),
        id TEXT NOT NULL,
        slug TEXT NOT NULL,
        name TEXT NOT NULL,
        calendar_type TEXT NOT NULL,
        connect_methods TEXT NOT NULL,
        update_sync_config INTEGER NOT NULL,
        import_support TEXT NOT NULL,
        export_support TEXT NOT NULL,
        has_primary INTEGER NOT NULL,
        down INTEGER NOT NULL,
        PRIMARY KEY (site_id, id)
    )""",
    """CREATE TABLE connection (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        site_id TEXT NOT NULL,
        schedule_id TEXT NOT NULL,
        provider_id TEXT NOT NULL,
        account_email TEXT NOT NULL COLLATE NOCASE,
        password TEXT,
        email_shown INTEGER NOT NULL,
        status TEXT NOT NULL,
        error_reason TEXT,
        connected_at REAL NOT NULL,
        connected_by TEXT,
        sync_config TEXT NOT NULL,
        dedicated_calendar TEXT,
        export_error TEXT,
        FOREIGN KEY (site_id, schedule_id) REFERENCES schedule (site_id, id),
        FOREIGN KEY (site_id, provider_id) REFERENCES provider (site_id, id)
    )""",
    "CREATE INDEX connection_site ON connection (site_id, seq)",
    """CREATE TABLE site_event (
        id TEXT PRIMARY KEY,
        site_id TEXT NOT NULL,
        schedule_id TEXT NOT NULL,
        title TEXT NOT NULL,
        start_at INTEGER NOT NULL,
        end_at INTEGER NOT NULL,
        cancelled INTEGER NOT NULL DEFAULT 0,
        sequence INTEGER NOT NULL DEFAULT 0,
        changed_at REAL NOT NULL,
        FOREIGN KEY (site_id, schedule_id) REFERENCES schedule (site_id, id)
    )""",
    "CREATE INDEX site_event_schedule ON site_event (site_id, schedule_id, start_at)",
    """CREATE TABLE exported (
        connection_seq INTEGER NOT NULL REFERENCES connection (seq),
        event_id TEXT NOT NULL REFERENCES site_event (id),
        calendar_id TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        attempted TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        refusal TEXT,
        PRIMARY KEY (connection_seq, event_id, calendar_id)
    )""",
    """CREATE TABLE consent (
        id TEXT PRIMARY KEY,
        site_id TEXT NOT NULL,
        schedule_id TEXT NOT NULL,
        provider_id TEXT NOT NULL,
        redirect_url TEXT NOT NULL,
        used INTEGER NOT NULL DEFAULT 0,
        FOREIGN KEY (site_id, schedule_id) REFERENCES schedule (site_id, id),
        FOREIGN KEY (site_id, provider_id) REFERENCES provider (site_id, id)
    )""",
)

CHILDREN_FIRST = (
    "consent",
    "exported",
    "site_event",
    "connection",
    "provider",
    "schedule",
    "token",
    "api_key",
    "site",
)
"""The tables of a world, in the order in which their rows can be deleted."""
