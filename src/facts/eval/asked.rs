//! What a request to a store does, by the names of the calls that make it and by its text.

use crate::facts::sql;

/// Whether a chain of calls on an HTTP client sends something, and does not only fetch or read an answer.
pub(super) fn posts(verbs: &[String]) -> bool {
    let has = |words: &[&str]| verbs.iter().any(|v| words.contains(&v.as_str()));
    has(&["post", "put", "patch", "delete"]) || has(&["send", "execute", "request", "create", "update", "call"]) && !has(&["get", "head"])
}

/// `send_serde_json`, `publish_with_headers`, `enqueue`.
pub(super) fn publishes(verb: &str) -> bool {
    matches!(verb.split('_').next(), Some("send" | "publish" | "produce" | "enqueue" | "schedule"))
}

/// Whether a call by these names or this SQL changes the store.
pub(super) fn changes(text: Option<&str>, verbs: &[String]) -> bool {
    if let Some(text) = text {
        let upper = text.trim_start().to_ascii_uppercase();
        let first = upper.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        match first {
            // A setting of the session: `SET LOCAL statement_timeout`. Redis' SET comes without one.
            "SET" if matches!(upper.split_whitespace().nth(1), Some("LOCAL" | "SESSION" | "TRANSACTION")) => return false,
            "SELECT" | "SHOW" | "GET" | "MGET" | "EXISTS" | "HGET" | "HGETALL" | "PING" | "LRANGE" | "TTL" | "PRAGMA" => return false,
            "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "UPSERT" | "REPLACE" | "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "SET"
            | "SETEX" | "SETNX" | "INCR" | "DECR" | "DEL" | "HSET" | "LPUSH" | "RPUSH" | "ZADD" | "EXPIRE" | "PUBLISH" | "XADD" => {
                return true;
            }
            // Upkeep and the frame of a transaction: the same however many do it.
            "VACUUM" | "ANALYZE" | "REFRESH" | "REINDEX" | "CHECKPOINT" | "OPTIMIZE" | "EXPLAIN" | "LISTEN" | "BEGIN" | "COMMIT"
            | "ROLLBACK" | "SAVEPOINT" => return false,
            "WITH" => return ["INSERT ", "UPDATE ", "DELETE "].iter().any(|w| upper.contains(w)),
            _ => {}
        }
    }
    const WORDS: &[&str] = &[
        "save",
        "set",
        "put",
        "create",
        "remove",
        "incr",
        "decr",
        "del",
        "publish",
        "push",
        "post",
        "patch",
        "replace",
        "execute_batch",
        "append",
        "increment",
        "set_ex",
        "set_nx",
        "hset",
        "lpush",
        "rpush",
        "zadd",
        "sadd",
        "expire",
        "send",
        "upload",
        "copy",
        "rename",
        "drop",
        "produce",
        "ack",
        "put_object",
        "send_message",
        "basic_publish",
        "execute",
        "write",
        "batch_execute",
        "create_table",
        "mutate",
        "xadd",
        "xadd_map",
        "xadd_maxlen",
        "mset",
        "mset_nx",
        "pset_ex",
        "hset_multiple",
        "hset_nx",
        "hdel",
        "hincr",
        "srem",
        "zrem",
        "zincr",
        "zadd_multiple",
        "lrem",
        "pexpire",
    ];
    // `get_object().key(k).send()`: each operation of such a client ends with `send`, and its first name says which it is.
    let asks = |v: &String| matches!(v.split('_').next(), Some("get" | "list" | "head" | "describe" | "query" | "scan" | "receive"));
    let asks = verbs.first().is_some_and(asks) || verbs.len() > 1 && verbs.iter().any(|v| v.contains('_') && asks(v));
    // `update_many`, `delete_by_id`, `insert_or_ignore`.
    let first = |verb: &str| matches!(verb.split('_').next(), Some("insert" | "update" | "delete" | "upsert"));
    verbs.iter().any(|v| WORDS.contains(&v.as_str()) && !(asks && v == "send") || first(v))
}

/// Rows that are deleted, or marked on the condition that they are unmarked, and handed back: whoever came
/// first has them.
fn takes_rows(sql: &str) -> bool {
    // `WITH due AS (..) UPDATE ..`: what is done stands last.
    let done = if sql.trim_start().starts_with("WITH") {
        ["UPDATE ", "DELETE "].iter().filter_map(|w| sql.rfind(w)).max().unwrap_or(0)
    } else {
        0
    };
    let (sql, whole) = (&sql[done..], sql);
    // Of old rows that are only counted nobody gets any.
    if whole.contains("SELECT COUNT(") && sql::ages_out(sql) {
        return false;
    }
    sql.contains("RETURNING") && (sql.trim_start().starts_with("DELETE") || sql::settles(sql))
}

/// Whether it takes something that only one instance can get.
pub(super) fn claims(text: Option<&str>, verbs: &[String]) -> bool {
    let in_text = text.is_some_and(|t| {
        let upper = sql::words(t);
        ["SKIP LOCKED", "FOR UPDATE", "ADVISORY", "SETNX", " NX", "GET_LOCK", "LPOP", "RPOP", "ZPOPMIN", "BLPOP", "SPOP", "GETDEL"]
            .iter()
            .any(|w| upper.contains(w))
            || takes_rows(&upper)
    });
    const WORDS: &[&str] = &[
        "set_nx",
        "lpop",
        "rpop",
        "zpopmin",
        "spop",
        "getdel",
        "blpop",
        "skip_locked",
        "for_update",
        "lock_exclusive",
        "lock_with_behavior",
        "try_advisory_lock",
        "find_one_and_update",
        "compare_and_swap",
        "pg_advisory_lock",
        "advisory_lock",
    ];
    in_text || verbs.iter().any(|v| WORDS.contains(&v.as_str()))
}
