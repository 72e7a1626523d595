//! The census of the reviewed releases: made again from the real sources, which are not here.
use petasos::pin::git::Repo;
use petasos::pin::source;
use petasos::review::{Census, Table, differences};

async fn census(url: &str, tag: &str, reviewed: &Census) -> (Census, usize) {
    let table = Table::built_in().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let repo = Repo::init(dir.path()).await.unwrap();
    repo.fetch(url, &[tag], None).await.unwrap();
    let commit = repo.id(&format!("refs/tags/{tag}^{{commit}}")).await.unwrap();
    let began = std::time::Instant::now();
    let read = source::read(&repo, &commit, &table).await.unwrap();
    eprintln!("{tag}: {} modules in {:?}", read.modules.len(), began.elapsed());
    let found = differences(&table, reviewed, &read.modules, &read.others);
    for one in &found {
        println!("{}\t{one}{}", one.path, if one.is_sandboxed() { "  [sandboxed]" } else { "" });
    }
    eprintln!("{tag}: {} differences, {:?}", found.len(), began.elapsed());
    (Census::of(&table, &read.modules), found.len())
}

/// `PETASOS_AGENT=URL cargo test --test review_census -- --ignored`
#[tokio::test]
#[ignore = "needs the agent's own repository: PETASOS_AGENT=URL cargo test --test review_census -- --ignored"]
async fn explore() {
    let url = std::env::var("PETASOS_AGENT").unwrap();
    let mut reviewed = match std::env::var("CENSUS") {
        Ok(path) => Census::parse(&std::fs::read_to_string(path).unwrap()),
        Err(_) => Census::default(),
    };
    let mut all: Option<Census> = None;
    for tag in std::env::var("TAGS").unwrap().split(',') {
        let (one, _) = census(&url, tag, &reviewed).await;
        all = Some(match all { Some(all) => all.union(one), None => one });
    }
    reviewed = all.unwrap();
    if let Ok(out) = std::env::var("OUT") {
        std::fs::write(out, reviewed.render()).unwrap();
    }
}
