//! What SQL text says about repeating it.

/// The text in capitals, with single spaces: statements are often written over several lines.
pub fn words(sql: &str) -> String {
    sql.split_whitespace().map(str::to_ascii_uppercase).collect::<Vec<_>>().join(" ")
}

/// An update whose condition tests a column that it sets: done once, it finds nothing more to do.
pub fn settles(sql: &str) -> bool {
    let upper = words(sql);
    let Some((head, condition)) = upper.split_once("WHERE") else { return false };
    let condition = condition.split_once("RETURNING").map_or(condition, |(condition, _)| condition);
    let Some((_, set)) = head.split_once("SET ").filter(|_| upper.starts_with("UPDATE")) else { return false };
    let apart = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let mut columns = set.split(',').filter_map(|part| part.split('=').next()).map(str::trim).filter(|c| !c.is_empty());
    columns.any(|column| condition.split(apart).any(|word| word == column))
}

/// An update that sets columns to nothing but what a query of its own finds, with no value given from outside: the
/// second one finds the same.
pub fn recomputes(sql: &str) -> bool {
    let upper = words(sql);
    let Some((_, set)) = upper.split_once("SET ").filter(|_| upper.starts_with("UPDATE")) else { return false };
    let given = upper.contains(['$', '?', ':', '@', '%', '{']);
    let queried = |part: &str| {
        let column = part.trim().split('=').next().unwrap_or_default().trim();
        part.split_once('=').is_some_and(|(_, value)| {
            let value = value.trim_start();
            let apart = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            value.starts_with("(SELECT ") && value.split(apart).all(|word| word != column)
        })
    };
    // A comma inside a query parts no assignments.
    let mut depth = 0;
    let mut parts = set.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    !given && parts.all(queried)
}

/// An update that sets nothing but one moment to now: a sign of life, which is as good from any instance.
pub fn touches(sql: &str) -> bool {
    let upper = sql.to_ascii_uppercase();
    let set = upper.split_once("SET ").filter(|_| upper.trim_start().starts_with("UPDATE")).map(|(_, set)| set);
    let set = set.map(|set| set.split_once("WHERE").map_or(set, |(set, _)| set));
    set.is_some_and(|set| !set.contains(',') && set.split_once('=').is_some_and(|(column, _)| is_moment(column.trim())))
}

/// `updated_at`, `last_seen`, `heartbeat`: in capitals.
pub fn is_moment(column: &str) -> bool {
    column.ends_with("_AT") || column.ends_with("_SEEN") || column.contains("HEARTBEAT") || column.ends_with("_UNTIL")
}

/// A change of the schema: whoever comes second finds it made.
pub fn shapes(sql: &str) -> bool {
    sql.split_whitespace().next().is_some_and(|verb| ["ALTER", "CREATE", "DROP"].iter().any(|v| verb.eq_ignore_ascii_case(v)))
}

/// A deletion of what has become old: the next one deletes what this one did not.
pub fn ages_out(sql: &str) -> bool {
    let condition = sql.to_ascii_uppercase().split_once("WHERE").map(|(_, condition)| condition.to_owned());
    deletes(sql) && condition.is_some_and(|c| c.contains(['<', '>']))
}

/// A deletion, also one whose rows are found by a common table expression, and nothing else.
pub fn deletes(sql: &str) -> bool {
    let upper = words(sql);
    let has = |verb: &str| upper.split(|c: char| !c.is_ascii_alphabetic() && c != '_').any(|word| word == verb);
    let by_table = upper.starts_with("WITH") && has("DELETE") && !has("UPDATE") && !has("INSERT");
    by_table || upper.starts_with("DELETE")
}

/// A change that only goes through if what is there is not newer than what is given: `WHERE epoch <= $1`.
pub fn fences(sql: &str) -> bool {
    let upper = words(sql);
    let Some((_, condition)) = upper.split_once("WHERE") else { return false };
    let given = |text: &str| text.trim_start_matches(['=', ' ']).starts_with(['$', '?', ':', '{']);
    condition
        .split_once(['<', '>'])
        .is_some_and(|(left, right)| given(right) || left.trim_end().ends_with(|c: char| c.is_ascii_digit() || c == '?'))
}

#[cfg(test)]
mod tests {
    use super::{ages_out, deletes, recomputes, settles, shapes, touches};

    #[test]
    fn an_update_from_a_query_of_its_own_finds_the_same_again() {
        assert!(recomputes("update shops set seen = (select count(id), 1 from visits), staff = (select count(*) from people)"));
        assert!(!recomputes("update shops set seen = (select max(seen) + 1 from shops)"));
        assert!(!recomputes("update shops set seen = (select count(*) from visits), cents = cents + 5"));
        assert!(!recomputes("update shops set seen = (select count(*) from visits where shop = $1)"));
        assert!(!recomputes("insert into days set seen = (select count(*) from visits)"));
    }

    #[test]
    fn an_update_that_tests_what_it_sets_settles() {
        assert!(settles("UPDATE jobs SET state = 'taken', taken_at = now() WHERE state = 'new' RETURNING id"));
        assert!(settles("update bans set active = false where active and ends < now()"));
        assert!(settles("\n  update jobs\n  set\n    run_after = $2\n  where\n    run_after <= $1\n  returning *"));
        assert!(!settles("UPDATE loans SET reminded_at = now() WHERE id = $1"));
        assert!(!settles("UPDATE totals SET cents = 0"));
        assert!(!settles("UPDATE loans SET closed = true WHERE id = $1 RETURNING closed"));
        assert!(!settles("SELECT state FROM jobs WHERE state = 'new'"));
    }

    #[test]
    fn deletions_and_changes_of_the_schema_are_told_from_changes_of_rows() {
        assert!(deletes("delete from bans where ends < now()"));
        assert!(deletes("WITH old AS (SELECT id FROM loans WHERE ended < $1) DELETE FROM loans USING old WHERE loans.id = old.id"));
        assert!(!deletes("WITH old AS (DELETE FROM loans WHERE ended < $1 RETURNING id) INSERT INTO archive SELECT id FROM old"));
        assert!(!deletes("WITH old AS (SELECT deleted FROM loans) SELECT deleted FROM old"));
        assert!(shapes("alter table loans add column if not exists note text"));
        assert!(!shapes("UPDATE loans SET note = 'alter'"));
        assert!(touches("UPDATE leases SET seen_at = $1 WHERE id IN ({})"));
        assert!(!touches("UPDATE loans SET fee = $1 WHERE id = $2"));
        assert!(!touches("UPDATE loans SET reminded_at = now(), fee = 3 WHERE id = $1"));
        assert!(ages_out("delete from bans where ends < now()"));
        assert!(!ages_out("DELETE FROM bans WHERE id = $1"));
        assert!(!ages_out("UPDATE bans SET ended = true WHERE ends < now()"));
    }
}
