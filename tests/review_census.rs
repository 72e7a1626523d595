//! The census of the reviewed releases, made again from their real sources, which are not here.
use petasos::pin::git::Repo;
use petasos::pin::source;
use petasos::release::reviewed;
use petasos::review::{Census, Table};
use std::path::Path;

/// The upstream repository, or one that has the same tags: `PETASOS_AGENT=URL`; `UPDATE=1` writes
/// the census anew.
#[tokio::test]
#[ignore = "needs the agent's real tags: PETASOS_AGENT=URL cargo test --test review_census -- --ignored"]
async fn the_census_is_that_of_the_reviewed_releases() {
    let url = std::env::var("PETASOS_AGENT").expect("PETASOS_AGENT names a repository");
    let table = Table::built_in().unwrap();
    let mut both: Option<Census> = None;
    for known in reviewed::all().unwrap() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::init(dir.path()).await.unwrap();
        repo.fetch(&url, &[known.tag.as_str()], None).await.unwrap();
        assert_eq!(repo.id(&format!("{}^{{tree}}", known.tag)).await.unwrap(), known.tree.as_str());
        let read = source::read(&repo, known.commit.as_str(), &table).await.unwrap();
        for (module, digest) in &known.files {
            assert_eq!(read.digests.get(module.as_str()).map(String::as_str), Some(digest.as_str()), "{module}");
        }
        let one = Census::of(&table, &read.modules);
        both = Some(match both {
            Some(both) => both.union(one),
            None => one,
        });
    }
    let now = both.unwrap().render();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reviewed/census.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap() == now, "run again with UPDATE=1, and read the difference");
}
