//! Databases that go away, fill up and come back; processes that are killed; journals that are not the ones they were.

mod support;

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;
use support::play::Play;
use support::{Cluster, assert_same, follow, made_anew, until};
use tradewind_machine::clock::Clock;
use tradewind_store::{
    Contents, FollowSettings, State, Store, StoreError, Target, compare, contents, inspect, migrate,
    migrate_to, rebuild,
};

const ROLE: &str = "TRADEWIND_STORE_TEST_DATA";

fn clock() -> Clock {
    Clock::start().expect("a clock")
}

/// A journal of so many rounds that has ended.
fn journal(data: &Path, id: u8, flavour: i64, rounds: u64) {
    let mut play = Play::new(data, id, flavour);
    play.rounds(0..rounds);
    play.stop();
}

fn fill(url: &str, data: &Path) -> Result<(), StoreError> {
    Store::start(follow(url, data), clock()).expect("threads").stop()
}

#[test]
fn a_server_that_is_killed_in_mid_load_misses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut cluster = Cluster::start();
    let url = cluster.database("killed");
    let mut play = Play::new(folder.path(), 1, 0);
    let store = Store::start(follow(&url, folder.path()), clock()).expect("threads");
    let status = store.status();
    for burst in 0..6u64 {
        play.rounds(burst * 4_000..burst * 4_000 + 4_000);
        if burst % 2 == 1 {
            let written = status.figures().records;
            until("rows are written", || status.figures().records > written);
            cluster.kill();
            play.rounds(100_000 + burst * 100..100_000 + burst * 100 + 100);
            until("the store sees that the server is gone", || {
                status.state() == State::Waiting
            });
            cluster.up();
        }
    }
    play.stop();
    store.stop().expect("everything written");
    assert!(status.figures().retries >= 3);
    let target = Target::parse(&url, folder.path()).expect("an address");
    assert_same(
        &made_anew(folder.path()),
        &contents(&target).expect("its contents"),
    );
}

#[test]
fn a_database_that_is_down_at_the_start_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut cluster = Cluster::start();
    let url = cluster.database("later");
    cluster.kill();
    journal(folder.path(), 1, 0, 500);
    let store = Store::start(follow(&url, folder.path()), clock()).expect("threads");
    let status = store.status();
    until("the store waits", || {
        status.state() == State::Waiting && status.problem().is_some()
    });
    cluster.up();
    until("it writes", || status.figures().records > 0);
    store.stop().expect("everything written");
    let target = Target::parse(&url, folder.path()).expect("an address");
    assert_same(
        &made_anew(folder.path()),
        &contents(&target).expect("its contents"),
    );
}

#[test]
fn a_stop_does_not_wait_for_ever_for_a_database_that_is_down() {
    let folder = tempfile::tempdir().expect("a folder");
    journal(folder.path(), 1, 0, 10);
    let settings = FollowSettings {
        drain: Duration::from_millis(300),
        ..follow("postgres://nobody@127.0.0.1:1/none", folder.path())
    };
    let store = Store::start(settings, clock()).expect("threads");
    let error = store.stop().expect_err("a database that is not there");
    assert!(error.is_passing(), "{}", error.line());
}

/// Follows until it is killed: this test's binary as another process.
#[test]
fn as_a_process_that_is_killed() {
    let Some(data) = std::env::var_os(ROLE) else {
        return;
    };
    let settings = FollowSettings {
        records_max: Some(50),
        ..follow("sqlite:killed.db", Path::new(&data))
    };
    let store = Store::start(settings, clock()).expect("threads");
    until("somebody kills it", || false);
    drop(store);
}

fn other_process(data: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["as_a_process_that_is_killed", "--exact", "--nocapture"])
        .env(ROLE, data)
        .spawn()
        .expect("another process")
}

#[test]
fn a_process_that_is_killed_misses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    journal(folder.path(), 1, 0, 4_000);
    let target = Target::parse("sqlite:killed.db", folder.path()).expect("an address");
    let seq = || {
        inspect(&target)
            .ok()
            .and_then(|found| found.saved.place)
            .map_or(0, |place| place.seq)
    };
    let mut written = 0;
    for _ in 0..4 {
        let mut other = other_process(folder.path());
        until("the other process writes", || seq() > written + 500);
        other.kill().expect("a running process");
        other.wait().expect("its end");
        written = seq();
    }
    assert!(written < 20_000, "it was killed in the middle");
    fill("sqlite:killed.db", folder.path()).expect("everything written");
    assert_same(
        &made_anew(folder.path()),
        &contents(&target).expect("its contents"),
    );
}

/// A tablespace on a file system of a few MiB, where this process may mount one; else the server says that its disk is full through a
/// trigger, with the same error.
#[test]
fn a_full_disk_of_the_database_is_waited_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start();
    let small = cluster.folder().join("small");
    std::fs::create_dir(&small).expect("a folder");
    let is_mounted = Command::new("mount")
        .args([
            "-t",
            "tmpfs",
            "-o",
            "size=16m,uid=65534,gid=65534,mode=0700",
            "none",
        ])
        .arg(&small)
        .status()
        .is_ok_and(|status| status.success());
    eprintln!(
        "the disk is {}",
        if is_mounted {
            "a tmpfs of 16 MiB"
        } else {
            "made full by a trigger"
        }
    );
    let mut play = Play::new(folder.path(), 1, 0);
    let url = if is_mounted {
        let location = small.display();
        cluster
            .query(&format!("CREATE TABLESPACE small LOCATION '{location}'"))
            .expect("a tablespace");
        cluster
            .query("CREATE DATABASE filled TABLESPACE small")
            .expect("a database");
        cluster.url("filled")
    } else {
        let url = cluster.database("filled");
        migrate(&Target::parse(&url, folder.path()).expect("an address")).expect("a schema");
        let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; \
             CREATE TRIGGER full_disk BEFORE INSERT ON store_place EXECUTE FUNCTION full_disk()";
        cluster.query_in("filled", full).expect("a trigger");
        url
    };
    let store = Store::start(follow(&url, folder.path()), clock()).expect("threads");
    let status = store.status();
    play.rounds(0..20_000);
    until("the disk is full", || status.state() == State::Waiting);
    let problem = status.problem().unwrap_or_default();
    assert!(problem.contains("No space left on device"), "{problem}");
    let mend = if is_mounted {
        let grown = Command::new("mount")
            .args(["-o", "remount,size=512m"])
            .arg(&small)
            .status();
        grown.is_ok_and(|status| status.success())
    } else {
        cluster
            .query_in("filled", "DROP TRIGGER full_disk ON store_place")
            .is_some()
    };
    assert!(mend, "there is room again");
    play.stop();
    store.stop().expect("everything written");
    let target = Target::parse(&url, folder.path()).expect("an address");
    assert_same(
        &made_anew(folder.path()),
        &contents(&target).expect("its contents"),
    );
    drop(cluster);
    if is_mounted {
        let _ = Command::new("umount").arg("-l").arg(&small).status();
    }
}

#[test]
fn a_database_that_knows_what_the_journal_lost_is_refused_and_a_rebuild_mends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (long, short, other) = (
        folder.path().join("long"),
        folder.path().join("short"),
        folder.path().join("other"),
    );
    for path in [&long, &short, &other] {
        std::fs::create_dir(path).expect("a folder");
    }
    journal(&long, 1, 0, 300);
    journal(&short, 1, 0, 200); // what is left of it
    journal(&other, 1, 1, 400); // it went on otherwise
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    fill(&url, &long).expect("everything written");
    for (data, why) in [(&short, "ends at"), (&other, "has ")] {
        let error = fill(&url, data).expect_err("a database that is ahead");
        assert!(matches!(error, StoreError::Ahead { .. }), "{}", error.line());
        let line = error.line();
        assert!(
            line.contains("tradewind store rebuild") && line.contains(why),
            "{line}"
        );
    }
    let target = Target::parse(&url, &long).expect("an address");
    assert_same(&made_anew(&long), &contents(&target).expect("untouched"));
    rebuild(follow(&url, &short), clock(), |_| ()).expect("a whole store");
    assert_same(&made_anew(&short), &contents(&target).expect("its contents"));
    assert_eq!(
        compare(&short, &inspect(&target).expect("a place").saved).ok(),
        Some(0)
    );
}

#[test]
fn a_group_that_a_crash_cut_off_waits_and_what_is_before_it_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut play = Play::new(folder.path(), 1, 0);
    play.rounds(0..20);
    let whole = play.last_seq();
    play.open_group();
    play.stop();
    fill("sqlite:store.db", folder.path()).expect("everything whole written");
    let target = Target::parse("sqlite:store.db", folder.path()).expect("an address");
    let saved = inspect(&target).expect("a place").saved;
    assert_eq!(saved.place.map(|place| place.seq), Some(whole));
    assert!(
        compare(folder.path(), &saved).is_ok_and(|bytes| bytes > 0),
        "the open group is left"
    );
}

#[test]
fn a_database_of_another_journal_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    std::fs::create_dir(&one).expect("a folder");
    std::fs::create_dir(&two).expect("a folder");
    journal(&one, 1, 0, 10);
    journal(&two, 2, 0, 10);
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    fill(&url, &one).expect("everything written");
    let error = fill(&url, &two).expect_err("another journal's database");
    assert!(
        matches!(error, StoreError::OtherJournal { .. }),
        "{}",
        error.line()
    );
}

#[test]
fn a_schema_comes_up_from_nothing_and_from_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    journal(folder.path(), 1, 0, 50);
    let cluster = Cluster::start();
    for (old, new) in [
        ("sqlite:old.db".to_owned(), "sqlite:new.db".to_owned()),
        (cluster.database("old"), cluster.database("new")),
    ] {
        let target = |url: &str| Target::parse(url, folder.path()).expect("an address");
        assert_eq!(inspect(&target(&old)).expect("an empty database").schema, 0);
        assert_eq!(migrate_to(&target(&old), 1).expect("the first schema").len(), 1);
        assert_eq!(inspect(&target(&old)).expect("a schema").schema, 1);
        fill(&old, folder.path()).expect("everything written, in the newest schema");
        let found = inspect(&target(&old)).expect("a schema");
        assert_eq!(found.schema, found.schema_known);
        assert_eq!(
            migrate(&target(&new)).expect("the newest schema").len(),
            found.schema_known as usize
        );
        assert!(migrate(&target(&new)).expect("nothing to do").is_empty());
        fill(&new, folder.path()).expect("everything written");
        assert_same(
            &contents(&target(&old)).expect("rows"),
            &contents(&target(&new)).expect("rows"),
        );
    }
}

/// The rows of a database of this build in the tables of an earlier schema in `old`, as the build of then would have written them: in
/// schema 2 every leg is a row.
fn as_before(by_day: &[&str]) -> String {
    let partitions: Vec<String> = by_day
        .iter()
        .map(|table| {
            format!(
                "CREATE TABLE old.{table}_20260302 PARTITION OF old.{table}
                    FOR VALUES FROM ('2026-03-02') TO ('2026-03-03');"
            )
        })
        .collect();
    format!(
        "DO $$ DECLARE t RECORD; columns TEXT; BEGIN
            {}
            FOR t IN SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'old'::regnamespace
                AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'store_migrations' LOOP
                SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
                    WHERE attrelid = format('old.%I', t.name)::regclass AND attnum > 0;
                EXECUTE format('INSERT INTO old.%I (%s) SELECT %s FROM public.%I', t.name, columns, columns, t.name);
            END LOOP; END $$",
        partitions.join(" ")
    )
}

/// Everything but profit in base currency: of days that began before schema 4 it is not known.
fn without_base(mut all: Vec<Contents>) -> Vec<Contents> {
    for table in all.iter_mut().filter(|table| table.table == "pnl_days") {
        let at = table.columns.iter().position(|column| column == "realised_base");
        let at = at.expect("a column of schema 4");
        let known = table.rows.iter().flat_map(|row| &row[at..]).flatten().count();
        assert!(
            known == 0 || known == 3 * table.rows.len(),
            "all of it or nothing"
        );
        table.columns.truncate(at);
        table.rows.iter_mut().for_each(|row| row.truncate(at));
    }
    all
}

/// Everything but where the legs of trades stand, which is what schema 3 changed.
fn without_places_of_legs(all: Vec<Contents>) -> Vec<Contents> {
    let mut all = without_base(all);
    all.retain(|table| table.table != "ledger_legs");
    for table in &mut all {
        if table.table == "executions" {
            let at = table.columns.iter().position(|column| column == "template");
            let at = at.expect("a column of schema 3");
            table.columns.drain(at..at + 5);
            table.rows.iter_mut().for_each(|row| drop(row.drain(at..at + 5)));
        }
    }
    all
}

#[test]
fn rows_of_the_schema_before_stay_and_new_ones_join_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start();
    let (new, old) = (
        cluster.database("moved"),
        format!("{}?options[search_path]=old", cluster.url("moved")),
    );
    let target = Target::parse(&old, folder.path()).expect("an address");
    let mut play = Play::new(folder.path(), 1, 0);
    play.rounds(0..200);
    fill(&new, folder.path()).expect("everything written");
    cluster.query_in("moved", "CREATE SCHEMA old").expect("a schema");
    migrate_to(&target, 2).expect("the schema before");
    let by_day = [
        "orders",
        "executions",
        "ledger_entries",
        "limit_events",
        "refusals",
    ];
    cluster
        .query_in("moved", &as_before(&by_day))
        .expect("rows of then");
    play.rounds(200..300);
    play.stop();
    fill(&old, folder.path()).expect("everything written, in the newest schema");
    assert_same(
        &without_places_of_legs(made_anew(folder.path())),
        &without_places_of_legs(contents(&target).expect("rows")),
    );
    let lists = "SELECT count(*) FILTER (WHERE o), count(*) FILTER (WHERE NOT o) FROM
        (SELECT account_id, true AS o, unnest(orders) AS id FROM old.account_rows
            UNION ALL SELECT account_id, false, unnest(executions) FROM old.account_rows) l
        WHERE CASE WHEN o THEN EXISTS (SELECT FROM old.orders t WHERE t.order_id = l.id AND t.account_id = l.account_id)
            ELSE EXISTS (SELECT FROM old.executions t WHERE t.seq = l.id AND t.account_id = l.account_id) END";
    assert_eq!(cluster.query_in("moved", lists).as_deref(), Some("300|300"));
    assert_lists_name_all_legs(&cluster, "moved", "old");
}

/// Every leg of a client is named by a list of its account and day, once, and lists name nothing else.
fn assert_lists_name_all_legs(cluster: &Cluster, database: &str, schema: &str) {
    let sql = format!(
        "WITH listed AS (SELECT account_id, day, unnest(legs) AS seq FROM {schema}.account_rows),
            held AS (SELECT DISTINCT account_id, day, seq FROM {schema}.ledger_legs WHERE account_id <> -1)
        SELECT (SELECT count(*) FROM listed) = (SELECT count(*) FROM held),
            (SELECT count(*) FROM (TABLE held EXCEPT TABLE listed) AS missing), (SELECT count(*) > 0 FROM held)"
    );
    assert_eq!(cluster.query_in(database, &sql).as_deref(), Some("t|0|t"));
}

/// Fills the tables of a file's earlier schema from those of one of this build.
fn fill_as_before(old: &Path, new: &Path) {
    use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let copied = runtime.expect("a runtime").block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(old);
        let mut file = options.connect().await?;
        let attach = format!("ATTACH '{}' AS new", new.display());
        file.execute(AssertSqlSafe(attach)).await?;
        let tables = "SELECT name, (SELECT group_concat(name) FROM pragma_table_info(m.name)) FROM main.sqlite_master m \
            WHERE type = 'table' AND name <> 'store_migrations'";
        for row in file.fetch_all(tables).await? {
            let (name, columns): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let copy = format!("INSERT INTO main.{name} ({columns}) SELECT {columns} FROM new.{name}");
            file.execute(AssertSqlSafe(copy)).await?;
        }
        file.close().await
    });
    copied.expect("rows of then");
}

#[test]
fn rows_of_schema_3_stay_in_both_databases_and_new_ones_join_them() {
    rows_of_a_schema_stay(3);
}

#[test]
fn rows_of_schema_4_stay_in_both_databases_and_new_ones_join_them() {
    rows_of_a_schema_stay(4);
}

fn rows_of_a_schema_stay(version: i32) {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::start();
    let server = cluster.database("moved");
    let urls = [
        "sqlite:old.db".to_owned(),
        format!("{}?options[search_path]=old", cluster.url("moved")),
    ];
    let target = |url: &String| Target::parse(url, folder.path()).expect("an address");
    let mut play = Play::new(folder.path(), 1, 0);
    play.rounds(0..200);
    fill("sqlite:new.db", folder.path()).expect("everything written");
    fill(&server, folder.path()).expect("everything written");
    cluster.query_in("moved", "CREATE SCHEMA old").expect("a schema");
    for url in &urls {
        migrate_to(&target(url), version).expect("the schema before");
    }
    fill_as_before(&folder.path().join("old.db"), &folder.path().join("new.db"));
    let by_day = [
        "orders",
        "executions",
        "ledger_legs",
        "limit_events",
        "refusals",
        "account_rows",
    ];
    cluster
        .query_in("moved", &as_before(&by_day))
        .expect("rows of then");
    play.rounds(200..300);
    play.stop();
    let anew = without_base(made_anew(folder.path()));
    for url in &urls {
        fill(url, folder.path()).expect("everything written, in the newest schema");
        assert_same(&anew, &without_base(contents(&target(url)).expect("rows")));
    }
    assert_lists_name_all_legs(&cluster, "moved", "old");
    for url in &urls {
        rebuild(follow(url, folder.path()), clock(), |_| ()).expect("a whole store");
        assert_same(&made_anew(folder.path()), &contents(&target(url)).expect("rows"));
    }
}
