//! Egress by name against the straight way: one large download, and many small requests with a
//! connection each.

use crate::hosts::{Bench, Way, timed};
use crate::table::{self, Samples};
use anyhow::{Context, Result, ensure};
use std::time::Duration;

pub const HOSTS: [&str; 2] = ["b-egress", "b-source"];

/// What the requests go to: nginx with TLS, from memory.
const SOURCE: &str = r#"
exec >/dev/null 2>&1
apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install nginx openssl || exit 1
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=lab -keyout /root/key -out /root/crt
mkdir -p /dev/shm/www && truncate -s 256M /dev/shm/www/large && echo small >/dev/shm/www/small
printf 'server { listen 443 ssl; ssl_certificate /root/crt; ssl_certificate_key /root/key; root /dev/shm/www; }\n' >/etc/nginx/sites-enabled/default
systemctl restart nginx.service
"#;

/// A resolver on the host that sends the lab's name there, and all other questions on.
const RESOLVER: &str = r#"
apt-get -qq update >/dev/null && apt-get -qq -y install dnsmasq-base >/dev/null 2>&1 || exit 1
systemd-run -q --unit=liar dnsmasq --keep-in-foreground --conf-file=/dev/null --port=53 --listen-address=127.0.0.9 --bind-interfaces \
	--no-resolv --server=198.51.100.2 --filter-AAAA --address="/api.example.com/$1"
echo nameserver 127.0.0.9 >/etc/resolv.conf
"#;

const LARGE: &str = "curl -sk -o /dev/null -w '%{http_code} %{time_total}\\n' https://api.example.com/large";
const SMALL: &str = "curl -sk -o /dev/null -w '%{http_code} %{time_total}\\n' -H 'Connection: close' 'https://api.example.com/small?[1-200]'";

pub async fn compare(bench: &Bench, rounds: usize) -> Result<()> {
    let [name, source] = HOSTS;
    let source = bench.way(&bench.host(source).await?, Duration::ZERO).await?;
    timed(source.ssh("root", &[SOURCE])).await?;
    let way = bench.way(&bench.host(name).await?, Duration::ZERO).await?;
    timed(way.ssh("root", &[&format!("set -- {}\n{RESOLVER}", source.address)])).await?;
    let yaml = bench.path("egress.yaml");
    std::fs::write(&yaml, "network: { egress: { allow: [api.example.com] } }\n")?;
    let mut up = bench.up(&[&way], "root")?;
    up.args(["--config".as_ref(), yaml.as_os_str()]);
    timed(up).await?;
    let titles = ["a download of 256 MB (target: at least 0.8x of the speed)", "200 small requests, a connection each"];
    for ((title, request), (target, rounds)) in
        titles.into_iter().zip([LARGE, SMALL]).zip([(1.25, rounds.max(5)), (1.3, rounds)])
    {
        let (mut straight, mut named) = (Samples::new(), Samples::new());
        for round in 0..rounds {
            // Alternating, as everywhere here.
            for by_name in [round % 2 == 0, round % 2 != 0] {
                let (user, samples) = if by_name { ("hermes", &mut named) } else { ("root", &mut straight) };
                times(&way, user, request).await?.into_iter().for_each(|time| samples.add(time));
            }
        }
        table::pair(title, ("straight, as root", &straight), ("by name, as hermes", &named), Some(target));
    }
    let (_, memory) = timed(way.ssh("ops", &["ps -o rss= -u petasos-resolver,petasos-proxy | paste -sd+"])).await?;
    println!("  resident memory of resolver and proxy, in KiB: {}", String::from_utf8_lossy(&memory.stdout).trim());
    Ok(())
}

async fn times(way: &Way, user: &str, request: &str) -> Result<Vec<Duration>> {
    // The agent's unit has a resolv.conf of its own.
    let asked = if user == "hermes" { "/etc/petasos/resolv.conf" } else { "/etc/resolv.conf" };
    let script = format!("mount --bind {asked} /etc/resolv.conf && runuser -u {user} -- {request}");
    let (_, output) = timed(way.ssh("ops", &[&format!("sudo unshare -m sh -s <<'END'\n{script}\nEND")])).await?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let time = |line: &str| -> Result<Duration> {
        let (code, time) = line.split_once(' ').with_context(|| stdout.clone())?;
        ensure!(code == "200", "{user} got {code}");
        Ok(Duration::from_secs_f64(time.parse()?))
    };
    stdout.lines().map(time).collect()
}
