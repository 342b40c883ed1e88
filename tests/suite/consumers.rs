//! Consumers of queues and streams: the same loop with one fact changed, and the verdict that must change with it.

use crate::tree::{self, Tree};

const HEAD: &str = "use futures_util::StreamExt;\nuse sqlx::PgPool;\nuse std::collections::{HashMap, HashSet};\n\
    async fn store(db: &PgPool, n: i64) { sqlx::query(\"INSERT INTO visits (n) VALUES ($1)\").bind(n).execute(db).await.unwrap(); }\n\
    fn read(bytes: &[u8]) -> i64 { bytes.len() as i64 }\n";

const DEPENDENCIES: &[&str] = &[
    "sqlx",
    "tokio",
    "futures-util",
    "lapin",
    "rdkafka",
    "aws-sdk-sqs",
    "async-nats",
    "redis",
    "apalis",
    "uuid",
    "omniqueue",
    "sqlxmq",
    "axum",
    "rskafka",
    "aws-sdk-kinesis",
    "pulsar",
    "eventstore",
    "postgres-replication",
];

/// The ids of the rules that speak of a program with these items.
fn rules(items: &str) -> Vec<&'static str> {
    tree::rules(&Tree::service("visits", DEPENDENCIES, format!("{HEAD}{items}")).read().findings)
}

/// A broker's loop, with `{before}` the loop and `{body}` run on each `m`.
const BROKERS: &[(&str, &str, &str)] = &[
    (
        "lapin",
        "async fn run(db: PgPool, channel: lapin::Channel) { {before} let mut c = channel.basic_consume(\"q\".into(), \"t\".into(), Default::default(), Default::default()).await.unwrap(); \
         while let Some(m) = c.next().await { let m = m.unwrap(); {body} } }",
        "m.ack(Default::default()).await.unwrap();",
    ),
    (
        "rdkafka",
        "async fn run(db: PgPool, c: rdkafka::consumer::StreamConsumer) { {before} loop { match c.recv().await { Err(e) => println!(\"{e}\"), Ok(m) => { {body} } } } }",
        "c.commit_message(&m, rdkafka::consumer::CommitMode::Async).unwrap();",
    ),
    (
        "sqs",
        "async fn run(db: PgPool, c: aws_sdk_sqs::Client) { {before} loop { let reply = c.receive_message().queue_url(\"u\").send().await.unwrap(); \
         for m in reply.messages() { {body} } } }",
        "c.delete_message().queue_url(\"u\").send().await.unwrap();",
    ),
    (
        "jetstream",
        "async fn run(db: PgPool, c: async_nats::jetstream::consumer::PullConsumer) { {before} let mut all = c.messages().await.unwrap(); \
         while let Some(Ok(m)) = all.next().await { {body} } }",
        "m.ack().await.unwrap();",
    ),
    (
        "redis streams",
        "async fn run(db: PgPool, mut c: redis::aio::MultiplexedConnection) { {before} loop { \
         let m: Vec<u8> = redis::cmd(\"XREADGROUP\").arg(\"GROUP\").arg(\"g\").query_async(&mut c).await.unwrap(); {body} } }",
        "redis::cmd(\"XACK\").arg(\"s\").query_async::<()>(&mut c).await.unwrap();",
    ),
    (
        "a consumer behind a helper",
        "struct Source { inner: lapin::Consumer }\nimpl Source { async fn take(&mut self) -> lapin::message::Delivery { self.inner.next().await.unwrap().unwrap() } }\n\
         async fn run(db: PgPool, mut c: Source) { {before} loop { let m = c.take().await; {body} } }",
        "m.ack(Default::default()).await.unwrap();",
    ),
    (
        "a consumer behind a timeout",
        "async fn run(db: PgPool, mut c: lapin::Consumer) { {before} while let Ok(Some(m)) = tokio::time::timeout(std::time::Duration::from_secs(1), c.next()).await { let m = m.unwrap(); {body} } }",
        "m.ack(Default::default()).await.unwrap();",
    ),
    (
        "a consumer in select",
        "async fn run(db: PgPool, mut c: lapin::Consumer, mut stop: tokio::sync::oneshot::Receiver<()>) { {before} loop { tokio::select! { \
         _ = &mut stop => break, Some(m) = c.next() => { let m = m.unwrap(); {body} } } } }",
        "m.ack(Default::default()).await.unwrap();",
    ),
];

const STREAM: &[&str] = &["unrecoverable-stream-state"];
const QUIET: &[&str] = &[];

/// Each row: what is before the loop, what is done with a message (`{ack}` stands for the broker's way), the verdict.
const CASES: &[(&str, &str, &str, &[&str])] = &[
    ("stored, then acknowledged", "", "store(&db, 1).await; {ack}", QUIET),
    ("acknowledged, then stored", "", "{ack} store(&db, 1).await;", STREAM),
    ("acknowledged on the way out only", "", "if db.is_closed() { {ack} continue; } store(&db, 1).await; {ack}", QUIET),
    ("acknowledged or stored", "", "if db.is_closed() { {ack} } else { store(&db, 1).await; {ack} }", QUIET),
    (
        "totals in memory",
        "let mut totals: HashMap<i64, i64> = HashMap::new();",
        "let n = read(m.payload()); *totals.entry(n).or_default() += 1; store(&db, totals[&n]).await; {ack}",
        STREAM,
    ),
    (
        "totals of one message",
        "",
        "let mut totals: HashMap<i64, i64> = HashMap::new(); *totals.entry(1).or_default() += 1; store(&db, totals[&1]).await; {ack}",
        QUIET,
    ),
    (
        "seen keys in memory",
        "let mut seen = HashSet::new();",
        "let n = read(m.payload()); if !seen.insert(n) { continue; } store(&db, n).await; {ack}",
        STREAM,
    ),
    ("a task that acknowledges", "", "let db = db.clone(); tokio::spawn(async move { store(&db, 1).await; {ack} });", QUIET),
    (
        "a task beside the acknowledgement",
        "",
        "let db = db.clone(); tokio::spawn(async move { store(&db, 1).await; }); {ack}",
        &["detached-task"],
    ),
    (
        "only logged",
        "let mut count: HashMap<i64, u64> = HashMap::new();",
        "let n = count.entry(1).or_default(); *n += 1; println!(\"{n}\"); store(&db, 1).await; {ack}",
        QUIET,
    ),
];

#[test]
fn every_broker_is_judged_alike() {
    for (broker, run, ack) in BROKERS {
        for (what, before, body, verdict) in CASES {
            let run = run.replace("{before}", before).replace("{body}", body).replace("{ack}", ack);
            assert_eq!(
                rules(&format!("{run}\n#[tokio::main] async fn main() {{ tokio::spawn(run(todo!(), todo!())); }}")),
                *verdict,
                "{broker}: {what}"
            );
        }
    }
}

#[test]
fn a_count_that_a_log_line_tells_misses_nobody() {
    let counted = |tell: &str| {
        rules(&format!(
            "use std::sync::{{Arc, atomic::{{AtomicI64, Ordering}}}};\n#[derive(Default)] struct Figures {{ seen: AtomicI64 }}\n\
            async fn run(figures: Arc<Figures>, c: lapin::Channel) {{ let mut all = c.basic_consume(\"q\".into(), \"t\".into(), Default::default(), Default::default()).await.unwrap(); \
            while let Some(m) = all.next().await {{ let m = m.unwrap(); m.ack(Default::default()).await.unwrap(); figures.seen.fetch_add(1, Ordering::Relaxed); }} }}\n\
            #[tokio::main] async fn main() {{ let db: PgPool = todo!(); let figures = Arc::new(Figures::default()); let own = figures.clone(); \
            tokio::spawn(async move {{ loop {{ tokio::time::sleep(std::time::Duration::from_secs(60)).await; \
            let n = own.seen.swap(0, Ordering::Relaxed); {tell} }} }}); run(figures, todo!()).await; }}"
        ))
    };
    assert_eq!(counted("println!(\"{n} seen\");"), QUIET);
    assert_eq!(counted("sqlx::query(\"UPDATE totals SET n = n + $1\").bind(n).execute(&db).await.unwrap();"), STREAM);
}

/// A Kafka consumer that is built with this configuration and keeps totals in memory.
fn kafka(config: &str, body: &str) -> Vec<&'static str> {
    rules(&format!(
        "async fn run(db: PgPool) {{ let c: rdkafka::consumer::StreamConsumer = rdkafka::ClientConfig::new(){config}.create().unwrap(); \
         let mut totals: HashMap<i64, i64> = HashMap::new(); while let Ok(m) = c.recv().await {{ {body} }} }}\n\
         #[tokio::main] async fn main() {{ tokio::spawn(run(todo!())); }}"
    ))
}

#[test]
fn a_group_of_this_process_alone_gets_everything() {
    let totals = "*totals.entry(read(m.payload())).or_default() += 1; if totals.len() > 9 { println!(\"{}\", totals.len()); } \
        if totals.contains_key(&1) { store(&db, totals[&1]).await; } c.commit_message(&m, rdkafka::consumer::CommitMode::Sync).unwrap();";
    assert_eq!(kafka(".set(\"group.id\", \"visits\")", totals), STREAM);
    assert_eq!(kafka(".set(\"group.id\", uuid::Uuid::new_v4().to_string())", totals), QUIET);
}

#[test]
fn automatic_commits_lose_the_message_at_hand_unless_offsets_follow_the_work() {
    let auto = ".set(\"enable.auto.commit\", \"true\")";
    assert_eq!(kafka(auto, "store(&db, read(m.payload())).await;"), STREAM);
    assert_eq!(kafka(".set(\"enable.auto.commit\", \"false\")", "store(&db, read(m.payload())).await;"), QUIET);
    assert_eq!(kafka(auto, "store(&db, read(m.payload())).await; c.store_offset_from_message(&m).unwrap();"), QUIET);
    assert_eq!(kafka(auto, "println!(\"{}\", read(m.payload()));"), QUIET);
}

/// Subscribers of a subject count into a map of their own.
fn nats(subscribe: &str) -> Vec<&'static str> {
    rules(&format!(
        "async fn run(db: PgPool, c: async_nats::Client) {{ let mut totals: HashMap<i64, i64> = HashMap::new(); let mut all = c.{subscribe}.await.unwrap(); \
         while let Some(m) = all.next().await {{ *totals.entry(read(&m.payload)).or_default() += 1; if totals[&1] > 3 {{ store(&db, totals[&1]).await; }} }} }}\n\
         #[tokio::main] async fn main() {{ tokio::spawn(run(todo!(), todo!())); }}"
    ))
}

#[test]
fn a_queue_group_splits_what_a_subject_brings_to_all() {
    assert_eq!(nats("queue_subscribe(\"a\", \"g\".into())"), STREAM);
    assert_eq!(nats("subscribe(\"a\")"), QUIET);
}

#[test]
fn a_job_of_a_library_is_an_entry_point() {
    let job = |body: &str| {
        rules(&format!(
            "#[derive(Clone)] struct Seen {{ ids: std::sync::Arc<std::sync::Mutex<HashSet<i64>>> }}\n\
             async fn mail(job: Vec<u8>, seen: apalis::prelude::Data<Seen>) {{ let db: PgPool = todo!(); {body} }}\n\
             #[tokio::main] async fn main() {{ apalis::prelude::WorkerBuilder::new(\"m\").data(Seen {{ ids: Default::default() }}).build_fn(mail); }}"
        ))
    };
    assert_eq!(job("if seen.ids.lock().unwrap().insert(read(&job)) { store(&db, 1).await; }"), STREAM);
    assert_eq!(job("tokio::spawn(async move { store(&db, 1).await; });"), ["detached-task"]);
    assert_eq!(job("store(&db, 1).await;"), QUIET);
}

/// What a consumer writes and a request reads is judged like what requests write.
#[test]
fn a_request_that_reads_what_a_consumer_wrote_asks_the_wrong_instance() {
    let service = |broker: &str| {
        rules(&format!(
            "use axum::{{Router, extract::State, http::StatusCode, routing::get}};\nuse std::sync::{{Arc, Mutex}};\n\
             type Last = Arc<Mutex<HashMap<i64, i64>>>;\n\
             async fn show(State(last): State<Last>) -> Result<String, StatusCode> {{ last.lock().unwrap().get(&1).map(|n| n.to_string()).ok_or(StatusCode::NOT_FOUND) }}\n\
             async fn run(last: Last, c: async_nats::Client) {{ let mut all = c.{broker}.await.unwrap(); \
             while let Some(m) = all.next().await {{ last.lock().unwrap().insert(1, read(&m.payload)); }} }}\n\
             #[tokio::main] async fn main() {{ let last: Last = Default::default(); tokio::spawn(run(last.clone(), todo!())); \
             axum::serve(todo!(), Router::new().route(\"/\", get(show)).with_state(last)).await; }}"
        ))
    };
    assert_eq!(service("queue_subscribe(\"a\", \"g\".into())"), ["authoritative-memory"]);
    assert_eq!(service("subscribe(\"a\")"), QUIET);
}

#[test]
fn a_count_that_only_this_instance_logs_is_a_measure() {
    let run = |round: &str| {
        rules(&format!(
            "use std::sync::atomic::{{AtomicU64, Ordering::Relaxed}};\nuse std::time::Duration;\n\
             struct Stats {{ done: AtomicU64 }}\n\
             async fn run(db: PgPool, channel: lapin::Channel, stats: std::sync::Arc<Stats>) {{ let own = stats.clone(); let pool = db.clone(); \
             tokio::spawn(async move {{ loop {{ tokio::time::sleep(Duration::from_secs(9)).await; let n = own.done.swap(0, Relaxed); {round} }} }}); \
             let mut c = channel.basic_consume(\"q\".into(), \"t\".into(), Default::default(), Default::default()).await.unwrap(); \
             while let Some(m) = c.next().await {{ let m = m.unwrap(); m.ack(Default::default()).await.unwrap(); stats.done.fetch_add(1, Relaxed); }} }}\n\
             #[tokio::main] async fn main() {{ run(PgPool::connect(\"a\").await.unwrap(), lapin::Channel::default(), \
             std::sync::Arc::new(Stats {{ done: AtomicU64::new(0) }})).await; }}"
        ))
    };
    assert!(!run("println!(\"{n} done\"); let _ = pool;").contains(&"unrecoverable-stream-state"));
    assert!(run("store(&pool, n as i64).await;").contains(&"unrecoverable-stream-state"));
}

/// Brokers whose readers begin where they say: what opens one from `{from}`, and the loop over it with `{body}`.
const READERS: &[(&str, &str, &str)] = &[
    (
        "rskafka by offset",
        "async fn run(db: PgPool, c: std::sync::Arc<rskafka::client::partition::PartitionClient>) { let mut at = {from}; \
         loop { let (all, high) = c.fetch_records(at, 1..9_999, 500).await.unwrap(); for m in all { at = m.offset + 1; {body} } } }",
        "0",
    ),
    (
        "rskafka's stream",
        "async fn run(db: PgPool, c: std::sync::Arc<rskafka::client::partition::PartitionClient>) { let at = {from}; \
         let mut all = rskafka::client::consumer::StreamConsumerBuilder::new(c, at).with_max_wait_ms(100).build(); \
         while let Some(m) = all.next().await { {body} } }",
        "rskafka::client::consumer::StartOffset::Latest",
    ),
    (
        "kinesis",
        "async fn run(db: PgPool, c: aws_sdk_kinesis::Client) { let at = {from}; \
         let shard = c.get_shard_iterator().stream_name(\"s\").starting_sequence_number(at).send().await.unwrap(); \
         let mut next = shard.shard_iterator; loop { let page = c.get_records().set_shard_iterator(next).send().await.unwrap(); \
         for m in page.records() { {body} } next = page.next_shard_iterator; } }",
        "\"TRIM_HORIZON\"",
    ),
    (
        "pulsar",
        "async fn run(db: PgPool, c: pulsar::Pulsar<pulsar::TokioExecutor>) { let at = {from}; \
         let mut all = c.reader().with_topic(\"t\").with_options(pulsar::ConsumerOptions { start_message_id: at, ..Default::default() }) \
         .into_reader::<String>().await.unwrap(); while let Some(m) = all.next().await { {body} } }",
        "None",
    ),
    (
        "an ordered consumer of JetStream",
        "async fn run(db: PgPool, c: async_nats::jetstream::stream::Stream) { let at = {from}; \
         let own = c.create_consumer(async_nats::jetstream::consumer::pull::OrderedConfig { start: at, ..Default::default() }).await.unwrap(); \
         let mut all = own.messages().await.unwrap(); while let Some(Ok(m)) = all.next().await { {body} } }",
        "0",
    ),
    (
        "catch-up of EventStoreDB",
        "async fn run(db: PgPool, c: eventstore::Client) { let at = {from}; \
         let options = eventstore::SubscribeToAllOptions::default().position(at); let mut all = c.subscribe_to_all(&options).await; \
         loop { let m = all.next().await.unwrap(); {body} } }",
        "eventstore::StreamPosition::End",
    ),
];

#[test]
fn a_reader_that_alone_knows_how_far_it_has_read_skips_or_repeats() {
    const STORED: &str = "sqlx::query_scalar(\"SELECT at FROM positions\").fetch_one(&db).await.unwrap()";
    for (broker, run, fixed) in READERS {
        let read = |from: &str, body: &str| {
            let run = run.replace("{from}", from).replace("{body}", body);
            rules(&format!("{run}\n#[tokio::main] async fn main() {{ tokio::spawn(run(todo!(), todo!())); }}"))
        };
        assert_eq!(read(fixed, "store(&db, 1).await;"), STREAM, "{broker}");
        assert_eq!(read(STORED, "store(&db, 1).await;"), QUIET, "{broker} from a stored position");
        assert_eq!(read(fixed, "println!(\"{m:?}\");"), QUIET, "{broker} that only looks");
    }
}

#[test]
fn a_slot_forgets_what_its_status_update_confirms() {
    let replicate = |body: &str| {
        rules(&format!(
            "async fn run(db: PgPool, mut slot: postgres_replication::LogicalReplicationStream) {{ \
             while let Some(m) = slot.next().await {{ let m = m.unwrap(); {body} }} }}\n\
             #[tokio::main] async fn main() {{ tokio::spawn(run(todo!(), todo!())); }}"
        ))
    };
    let confirm = "slot.standby_status_update(m.lsn(), m.lsn(), m.lsn(), 0, 0).await.unwrap();";
    assert_eq!(replicate(&format!("{confirm} store(&db, 1).await;")), STREAM);
    assert_eq!(replicate(&format!("store(&db, 1).await; {confirm}")), QUIET);
}

#[test]
fn a_bus_among_the_brokers_gives_each_message_to_all() {
    let feed = |variant: &str, arm: &str| {
        rules(&format!(
            "enum Feed {{ Kafka(rdkafka::consumer::StreamConsumer), {variant} }}\n\
            impl Feed {{ async fn bring(&mut self) -> Option<Vec<u8>> {{ match self {{ \
            Feed::Kafka(c) => {{ let m = c.recv().await.ok()?; c.commit_message(&m, rdkafka::consumer::CommitMode::Async).unwrap(); m.payload().map(|p| p.to_vec()) }} {arm} }} }} }}\n\
            async fn run(db: PgPool, mut feed: Feed) {{ while let Some(m) = feed.bring().await {{ store(&db, read(&m)).await; }} }}\n\
            #[tokio::main] async fn main() {{ run(todo!(), todo!()).await; }}"
        ))
    };
    assert_eq!(feed("", ""), ["unrecoverable-stream-state"]);
    assert_eq!(feed("Nats(async_nats::Subscriber)", "Feed::Nats(s) => s.next().await.map(|m| m.payload.to_vec()),"), [""; 0]);
}
