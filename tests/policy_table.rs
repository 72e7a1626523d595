//! The policy's own tables and those that `pin` holds a release to are the same.
use petasos::release::reviewed;
use petasos::review::Table;
use std::collections::BTreeSet;
use std::path::Path;

fn policy(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("remote/policy").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The texts of a tuple: what stands in double quotes between its name and the line that closes it.
fn tuple(text: &str, name: &str) -> BTreeSet<String> {
    let list = text.split_once(&format!("\n{name} = (\n")).expect("it is there").1.split("\n)").next().unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_choke_point_of_the_policy_is_one_that_pin_looks_for() {
    let key = |line: &str| {
        let (name, rest) = line.strip_prefix("    \"")?.split_once("\": (")?;
        (rest.is_empty() || rest.starts_with('(')).then(|| name.replace(':', "."))
    };
    let mut there: BTreeSet<String> = policy("chokes.py").lines().filter_map(key).collect();
    let handlers: BTreeSet<_> =
        ["api.py", "jobs.py"].iter().flat_map(|file| tuple(&policy(file), "HANDLERS")).collect();
    there.extend(handlers.iter().map(|name| format!("gateway.platforms.api_server.APIServerAdapter.{name}")));
    let table: BTreeSet<String> = Table::built_in().unwrap().chokes.into_iter().map(|choke| choke.at).collect();
    assert_eq!(table, there);
}

#[test]
fn every_file_that_the_policy_stands_on_has_its_digest() {
    let modules = tuple(&policy("release.py"), "REVIEWED");
    for known in reviewed::all().unwrap() {
        let files: BTreeSet<String> = known.files.keys().map(ToString::to_string).collect();
        assert_eq!(files, modules, "{}", known.version);
    }
}
