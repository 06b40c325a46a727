//! Tables of millions of rows in a short time: copies of one row that the store itself has written, put into its SQLite file beside
//! it. Through the store each of them would be a transaction.

use std::path::Path;

use rusqlite::{Connection, params};

/// A table of the store, and what each copy has of its own, as SQL of the copy's number `n`.
pub struct Copies<'a> {
    pub table: &'a str,
    /// Which row is copied.
    pub model: &'a str,
    pub own: &'a [(&'a str, &'a str)],
}

/// 16 bytes for `n`, made in this order, below the ids of this moment.
pub const ID: &str = "unhex(printf('0190000000%022x', n))";

/// Adds `count` copies and indexes them.
pub fn add(place: &Path, count: usize, all: &[Copies<'_>]) {
    let mut db = Connection::open(place.join("state")).unwrap();
    db.execute_batch("PRAGMA cache_size = -1000000; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE").unwrap();
    let db = db.transaction().unwrap();
    for copies in all {
        let names = |sql: &str| -> Vec<String> {
            let mut statement = db.prepare(sql).unwrap();
            statement.query_map([copies.table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        };
        let columns = names("SELECT name FROM pragma_table_info(?1) ORDER BY cid");
        // In the order of the table: to put a million rows in at random would write each page many times.
        let key = names("SELECT CAST(cid + 1 AS TEXT) FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk");
        let values: Vec<&str> = columns
            .iter()
            .map(|column| copies.own.iter().find(|(own, _)| own == column).map_or(column.as_str(), |(_, value)| value))
            .collect();
        let indexes: Vec<(String, String)> = db
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1 AND sql IS NOT NULL")
            .and_then(|mut statement| {
                statement.query_map([copies.table], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
            })
            .unwrap();
        // An index that is made at the end is sorted once, rather than written a million times at random.
        for (name, _) in &indexes {
            db.execute_batch(&format!("DROP INDEX {name}")).unwrap();
        }
        let sql = format!(
            "WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ?1)
             INSERT INTO {table} ({columns})
             SELECT {values} FROM number, (SELECT * FROM {table} WHERE {model} LIMIT 1)
             ORDER BY {key}",
            table = copies.table,
            columns = columns.join(", "),
            values = values.join(", "),
            model = copies.model,
            key = key.join(", "),
        );
        let added = db.execute(&sql, params![i64::try_from(count).unwrap()]).unwrap();
        assert_eq!(added, count, "{}", copies.table);
        for (_, sql) in indexes {
            db.execute_batch(&sql).unwrap();
        }
    }
    db.commit().unwrap();
}
