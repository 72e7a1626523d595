//! An nft table: as the kernel has it, and as the kernel prints what its file would make, loaded into an empty network namespace.
//!
//! Both texts come from the same `nft`, so that they can be compared; counters' values are left out.

use super::{Ask, Facts, Family, Seen, sections};
use crate::shell::Frame;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What is in force.
    pub live: Vec<String>,
    /// What the file would put in force; none when there is no such file, or it does not load.
    pub wanted: Option<Vec<String>>,
}

pub const FAMILY: Family = Family { name: "table", fragment, learn };

// unshare(1) makes the namespace, which is gone with the process; nothing outside of it is touched.
const FRAGMENT: &str = r#"
command -v nft >/dev/null || return 3
while [ $# -gt 0 ]; do
	echo "== live $1 $2"
	live=$(nft -s list table "$1" "$2" 2>&1) || case $live in
	*'No such file or directory'*) live= ;;
	*) printf '%s\n' "$live" >&2; exit 4 ;;
	esac
	printf '%s\n' "$live"
	# A file that does not load fills no table.
	if [ -f "$3" ] && wanted=$(unshare -n sh -c 'nft -f "$3" && nft -s list table "$1" "$2"' sh "$1" "$2" "$3"); then
		printf '== wanted %s %s\n%s\n' "$1" "$2" "$wanted"
	fi
	shift 3
done
"#;

fn tables(asks: &BTreeSet<Ask>) -> impl Iterator<Item = (&String, String)> {
    asks.iter().filter_map(|ask| match ask {
        Ask::Table { table, file } => Some((table, file.to_string())),
        _ => None,
    })
}

fn fragment(asks: &BTreeSet<Ask>) -> Option<(&'static str, Vec<String>)> {
    let args: Vec<String> = tables(asks)
        .flat_map(|(table, file)| {
            let (family, name) = table.split_once(' ').unwrap_or(("inet", table));
            [family.to_owned(), name.to_owned(), file]
        })
        .collect();
    (!args.is_empty()).then_some((FRAGMENT, args))
}

fn learn(asks: &BTreeSet<Ask>, frame: &Frame, facts: &mut Facts) -> Result<(), String> {
    let text = frame.text();
    let sections = sections(&text);
    let lines = |name: String| {
        sections.get(name.as_str()).map(|lines| {
            lines
                .iter()
                .filter(|line| !line.trim().is_empty())
                .map(|line| line.trim_end().to_owned())
                .collect::<Vec<_>>()
        })
    };
    for (table, _) in tables(asks) {
        let seen = match frame.rc {
            0 => {
                let live = lines(format!("live {table}")).ok_or_else(|| format!("nothing about `{table}`"))?;
                Seen::Is(Table { live, wanted: lines(format!("wanted {table}")) })
            }
            3 => Seen::Absent,
            _ => Seen::Unreadable(frame.error_text()),
        };
        facts.tables.insert(table.clone(), seen);
    }
    Ok(())
}
