//! What each format yields, and what bad input costs.

use super::*;

fn facts(files: &[(&str, &str)]) -> ManifestFacts {
    let files: Vec<_> = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    read(&files)
}

#[test]
fn a_broken_file_is_listed_with_its_line_and_the_others_go_on() {
    let facts = facts(&[
        ("a.yaml", "apiVersion: v1\nkind: [\n  - broken"),
        ("b.yaml", "services:\n  shop:\n    image: shop\n"),
        ("c.tf", "resource {\n  = 3\n}"),
        ("fly.toml", "a = 1\nb = = 2\n"),
        ("data.toml", "a = 1\nb = = 2\n"),
    ]);
    let paths = |errors: &[ManifestError]| errors.iter().map(|error| error.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(&facts.errors), ["a.yaml", "c.tf", "fly.toml"]);
    assert_eq!(paths(&facts.passed_over), ["data.toml"], "nothing says that it is a manifest");
    assert!(facts.errors.iter().all(|error| error.line > 0), "{:?}", facts.errors);
    assert_eq!(facts.workloads.len(), 1);
}

/// Nine levels of nine aliases each would be 387 million nodes written out.
#[test]
fn an_alias_bomb_is_refused_without_being_expanded() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}", level - 1);
        let items = vec![below; 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let facts = facts(&[("compose.yaml", &text)]);
    assert_eq!(facts.errors.len(), 1);
    assert!(facts.errors[0].reason.contains("aliases"));
}

#[test]
fn deep_nesting_is_refused_in_every_format() {
    let deep = 10_000;
    let blocks: String = (0..2_000).map(|level| format!("{}k:\n", " ".repeat(level))).collect();
    let files = [
        ("flow.yaml", "[".repeat(deep)),
        ("block.yaml", blocks.chars().take(900_000).collect()),
        ("dashes.yaml", format!("{}x\n", "- ".repeat(deep))),
        ("deep.toml", format!("a = {}{}", "[".repeat(deep), "]".repeat(deep))),
        ("deep.tf", format!("a = {}{}", "[".repeat(deep), "]".repeat(deep))),
        ("conditional.tf", format!("a = {}1", "x ? 1 : ".repeat(deep))),
        ("unary.tf", format!("a = {}1", "!".repeat(deep))),
        ("nginx.conf", "a {".repeat(deep)),
        ("Caddyfile", "a {\n".repeat(deep)),
        ("chart/templates/x.yaml", "{{ a }}\n---\nk: 1\n".repeat(deep)),
        ("compose.json", format!("{{\"apiVersion\": {}", "[".repeat(deep))),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let facts = facts(&files);
    let broken: Vec<_> = facts.errors.iter().chain(&facts.passed_over).map(|error| error.path.as_str()).collect();
    for path in ["flow.yaml", "block.yaml", "dashes.yaml", "deep.toml", "deep.tf", "compose.json"] {
        assert!(broken.contains(&path), "{path} in {broken:?}");
    }
}

#[test]
fn a_chain_of_anchors_is_no_deep_tree() {
    let mut text = String::from("a0: &a0 x\n");
    for level in 1..2_000 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert_eq!(facts(&[("compose.yaml", &text)]).errors.len(), 1);
}

#[test]
fn a_huge_file_is_listed_and_not_read() {
    let text = "a: 1\n".repeat(MAX_FILE_BYTES / 4);
    let facts = facts(&[("values.yaml", &text)]);
    assert_eq!(facts.errors.len(), 1);
    assert!(facts.settings.is_empty());
}

#[test]
fn merge_keys_are_followed() {
    let facts =
        facts(&[("compose.yaml", "x-base: &base\n  image: postgres:16\nservices:\n  store:\n    <<: *base\n    container_name: x\n")]);
    assert_eq!(facts.workloads[0].owner, Owner::SomebodyElses);
}

#[test]
fn settings_are_flattened_with_places() {
    let facts = facts(&[
        ("config/app.toml", "[database]\nurl = \"db.sqlite\"\n"),
        (".env", "# none\nexport DATABASE_URL=\"sqlite://é.db\" # local\n"),
        ("compose.yaml", "services:\n  shop:\n    build: .\n    environment:\n      - MODE=memory\n"),
        ("config.yaml", "cache:\n  backends: [memory]\n"),
    ]);
    let found: Vec<_> =
        facts.settings.iter().map(|setting| (setting.key.as_str(), setting.value.as_str(), setting.location.line)).collect();
    assert_eq!(
        found,
        [("DATABASE_URL", "sqlite://é.db", 2), ("MODE", "memory", 5), ("cache.backends.0", "memory", 2), ("database.url", "db.sqlite", 2),]
    );
    assert!(facts.seen);
}

#[test]
fn settings_alone_are_no_manifest() {
    assert!(!facts(&[("Rocket.toml", "[default]\nport = 1\n")]).seen);
}

#[test]
fn volumes_carry_their_mount_paths() {
    let facts = facts(&[(
        "deploy.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  template:\n    spec:\n      containers:\n        - image: shop\n          volumeMounts:\n            - {name: tmp, mountPath: /tmp}\n            - {name: host, mountPath: /data}\n      volumes:\n        - name: tmp\n          emptyDir: {}\n        - name: host\n          hostPath: {path: /srv}\n",
    )]);
    let found: Vec<_> = facts.volumes.iter().map(|volume| (volume.kind, volume.mount_path.as_deref())).collect();
    assert_eq!(found, [(VolumeKind::EmptyDir, Some("/tmp")), (VolumeKind::HostPath, Some("/data"))]);
}

#[test]
fn a_place_counts_characters_from_one() {
    let facts = facts(&[("compose.yaml", "services:\n  shop:\n    image: é\n    container_name: é\n")]);
    let place = &facts.replicas[0].location;
    assert_eq!((place.line, place.column, place.end_line, place.end_column), (4, 5, 4, 22));
}

#[test]
fn the_order_of_the_input_does_not_show() {
    let a = ("a.yaml", "services:\n  shop:\n    image: shop\n    container_name: a\n");
    let b = ("b.yaml", "services:\n  shop:\n    image: shop\n    container_name: b\n");
    assert_eq!(format!("{:?}", facts(&[a, b])), format!("{:?}", facts(&[b, a])));
}

/// Strictly no YAML, and yet in every other compose file.
#[test]
fn a_bracket_may_close_at_the_level_of_its_key() {
    let facts =
        facts(&[("compose.yaml", "services:\n  shop:\n    command: [\n      serve\n    ]\n    image: shop\n    container_name: x\n")]);
    assert_eq!(facts.errors, []);
    assert_eq!(facts.replicas[0].location.line, 7);
}

/// Both branches stay in the text, and together they are no YAML.
#[test]
fn a_template_costs_no_more_than_the_lines_that_do_not_fit() {
    let template = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Chart.Name }}\nspec:\n  replicas: 1\n  template:\n    spec:\n      tolerations:\n      {{- range .Values.all }}\n      - {{ toYaml . }}\n        effect:\n          key: x\n      {{- end }}\n      containers:\n        - image: \"{{ .Values.image.repository }}:1\"\n";
    let facts = facts(&[("shop/templates/d.yaml", template), ("shop/values.yaml", "image:\n  repository: acme/shop\n")]);
    assert_eq!(facts.errors, []);
    assert_eq!(facts.workloads[0].image.as_deref(), Some("acme/shop"));
    assert_eq!(facts.replicas[0].location.line, 6);
}

#[test]
fn a_chart_gives_its_name_to_its_workloads() {
    let template =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{- include \"acme-shop.fullname\" . -}}-web\nspec: {replicas: 1}\n";
    let facts = facts(&[("chart/templates/d.yaml", template)]);
    assert_eq!(facts.workloads[0].name, "acme-shop-web");
}

/// Formats whose files have no comments to mark a line with.
#[test]
fn json_says_how_many_instances_run() {
    let counted = |path: &str, text: &str| {
        let facts = facts(&[(path, text)]);
        facts.replicas.iter().map(|replicas| (replicas.count, replicas.location.line)).collect::<Vec<_>>()
    };
    assert_eq!(counted("railway.json", "{\n \"deploy\": {\"numReplicas\": 1}\n}"), [(Some(1), 2)]);
    assert_eq!(counted("app.json", "{\"name\": \"shop\",\n\"formation\": {\"web\": {\"quantity\": 2}}}"), [(Some(2), 2)]);
    assert_eq!(counted("service.json", "{\"serviceName\": \"shop\",\n\"desiredCount\": 3}"), [(Some(3), 2)]);
    let task = "{\"family\": \"shop\", \"containerDefinitions\": [{\"name\": \"main\", \"image\": \"acme/shop:1\"}]}";
    assert_eq!(facts(&[("task.json", task)]).workloads[0].image.as_deref(), Some("acme/shop:1"));
    assert!(facts(&[("data.json", "{\"rows\": [1, 2]}")]).workloads.is_empty());
}

#[test]
fn a_recipe_ships_settings() {
    let facts = facts(&[("Dockerfile", "FROM rust\nENV DATABASE_URL=sqlite:///data/x.db\n")]);
    assert_eq!((facts.settings[0].key.as_str(), facts.settings[0].location.line), ("DATABASE_URL", 2));
    assert!(!facts.seen, "it deploys nothing");
}

/// The same keys, once as what there may be and once as what there is.
#[test]
fn a_schema_sets_nothing() {
    let keys = "{\"sessionAffinity\": {\"type\": \"string\"}, \"apiVersion\": {\"type\": \"string\"}}";
    let draft = format!("{{\"$schema\": \"http://json-schema.org/draft-07/schema#\", \"properties\": {keys}}}");
    let definition = |kind: &str| {
        format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\nspec:\n  properties:\n    sessionAffinity: {{type: string}}\n")
    };
    let schema = definition("CustomResourceDefinition");
    let schemas = facts(&[
        ("chart/values.schema.json", &draft.replace("$schema", "title")),
        ("chart/values-shape.json", &draft),
        ("schemas/settings.json", &draft.replace("apiVersion", "version")),
        ("crds/x.yaml", &schema),
        ("chart/templates/x.yaml", &format!("{{{{ if .Values.x }}}}\n{schema}{{{{ end }}}}\n")),
    ]);
    assert_eq!((schemas.affinities.len(), schemas.settings.len(), schemas.seen), (0, 0, false), "{schemas:?}");
    let values = draft.replace("$schema", "title");
    assert_eq!(facts(&[("chart/values-shape.json", &values), ("x.yaml", &definition("Shop"))]).affinities.len(), 2);
}

#[test]
fn a_sidecar_does_not_say_what_a_pod_runs() {
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: x}}\nspec:\n  containers:\n    - {{name: {name}, image: acme/probe}}\n    - {{name: main, image: acme/shop}}\n"
        )
    };
    let image = |name: &str| facts(&[("pod.yaml", &pod(name))]).workloads[0].image.clone();
    assert_eq!(image("shop-metrics").as_deref(), Some("acme/shop"));
    assert_eq!(image("front").as_deref(), Some("acme/probe"));
}

/// A client that is built beside the service, in an image of its own, is no instance of it.
#[test]
fn an_image_that_starts_another_binary_is_not_the_service() {
    let compose = "services:\n  agent:\n    scale: 1\n    build:\n      context: .\n      dockerfile: agent/Dockerfile\n";
    let is_own = |program: &str| {
        let recipe = format!("FROM rust\nWORKDIR /src/shop\nRUN cargo build\nENTRYPOINT [\"/usr/bin/{program}\"]\n");
        let facts = facts(&[("docker-compose.yml", compose), ("agent/Dockerfile", &recipe)]);
        let service = Service { names: vec!["shop".to_owned()], folder: "shop".to_owned(), packages: Vec::new() };
        let mut context = ManifestContext::new(vec![service], Vec::new(), Vec::new());
        context.others = vec!["shop_agent".to_owned()];
        context.own(&facts, Some(WorkloadId(0)), None, facts.workloads[0].owner).is_some()
    };
    assert_eq!((is_own("shop-agent"), is_own("shop")), (false, true));
}

/// An exporter that is written here is the service, and any other is not.
#[test]
fn an_exporter_is_own_where_a_service_is_called_so() {
    let template = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ template \"shop.exporter.fullname\" . }}\nspec:\n  template:\n    spec:\n      containers:\n        - image: {{ .Values.image }}\n";
    let facts = facts(&[("chart/templates/d.yaml", template)]);
    let workload = &facts.workloads[0];
    let is_own = |service: &str| {
        let service = Service { names: vec![service.to_owned()], folder: String::new(), packages: Vec::new() };
        let context = ManifestContext::new(vec![service], Vec::new(), Vec::new());
        context.own(&facts, Some(WorkloadId(0)), None, workload.owner).is_some()
    };
    assert_eq!(workload.name, "shop-exporter");
    assert_eq!((is_own("shop-exporter"), is_own("shop")), (true, false));
}

#[test]
fn a_chart_of_a_store_is_own_where_a_service_is_called_so() {
    let read = |chart: &str| facts(&[("x/Chart.yaml", &format!("name: {chart}\n")), ("x/values.yaml", "sessionAffinity: ClientIP\n")]);
    let is_own = |chart: &str| {
        let service = Service { names: vec!["shop-metrics".to_owned()], folder: String::new(), packages: Vec::new() };
        let (facts, context) = (read(chart), ManifestContext::new(vec![service], Vec::new(), Vec::new()));
        let affinity = &facts.affinities[0];
        context.own(&facts, affinity.workload, affinity.target.as_deref(), affinity.owner).is_some()
    };
    assert_eq!((is_own("shop"), is_own("shop-metrics"), is_own("loki")), (true, true, false));
}
