//! Snapshots of lab hosts.

use super::harness::trial;
use super::harness::world::{reap, world};
use super::smoke::ok;
use libtest_mimic::Trial;
use petasos::lab::{Form, Lab};
use std::process::Command;

const HOSTS: [&str; 2] = ["t-snap-one", "t-snap-two"];
const SNAPSHOTS: [&str; 2] = ["t-snap-lower", "t-snap-upper"];

pub fn trials() -> Vec<Trial> {
    vec![trial("snapshot::a host that is kept starts as others, and what is used stays", || {
        HOSTS.iter().try_for_each(|host| reap(host))?;
        SNAPSHOTS.iter().try_for_each(|snapshot| reap(&format!("+{snapshot}")))?;
        world().runtime.block_on(snapshots());
        Ok(())
    })]
}

async fn clear(lab: &Lab) {
    for name in HOSTS {
        lab.down(name).await.unwrap();
    }
    for snapshot in SNAPSHOTS.iter().rev() {
        lab.remove_snapshot(snapshot).await.unwrap();
    }
}

fn kept(lab: &Lab) -> Vec<String> {
    let ours = |name: &String| SNAPSHOTS.contains(&name.as_str());
    lab.snapshots().into_iter().map(|snapshot| snapshot.name).filter(ours).collect()
}

async fn snapshots() {
    let lab = &world().lab;
    clear(lab).await;
    let [one, two] = HOSTS;
    let [lower, upper] = SNAPSHOTS;
    let (mut say, mut other) = (|line: &str| eprintln!("{line}"), |line: &str| eprintln!("{line}"));
    let first = lab.up(one, &Form::of_suite("trixie"), &mut say).await.unwrap();
    // Something new, something changed, something removed.
    ok(&first, "echo new >/srv/new; echo changed >/etc/issue; rm -r /etc/cron.daily /etc/motd");
    let identity = ok(&first, "cat /etc/machine-id");
    lab.snapshot(one, lower).await.unwrap();
    assert!(lab.list().await.unwrap().iter().all(|host| host.name != one), "the host still runs");
    assert!(lab.snapshot(one, lower).await.is_err(), "a host that is gone was kept");

    let from = |name: &str| Form { from: Some(name.to_owned()), ..Form::default() };
    let (form, same) = (from(lower), from(lower));
    let (first, second) = tokio::join!(lab.up(one, &form, &mut say), lab.up(two, &same, &mut other));
    let [first, second] = [first.unwrap(), second.unwrap()];
    for host in [&first, &second] {
        assert_eq!(
            ok(host, "cat /srv/new /etc/issue; ls -d /etc/cron.daily /etc/motd 2>/dev/null || :"),
            "new\nchanged"
        );
        assert_eq!(ok(host, "hostname"), host.name);
        assert_ne!(ok(host, "cat /etc/machine-id"), identity);
        assert_eq!(ok(host, "systemctl is-system-running --wait"), "running");
    }
    // Neither sees what the other writes.
    ok(&first, "rm /srv/new; echo first >/srv/first");
    assert_eq!(ok(&second, "ls /srv"), "new");

    // What is used stays.
    let error = format!("{:#}", lab.remove_snapshot(lower).await.unwrap_err());
    assert!(error.contains("lies on the snapshot `t-snap-lower`\nhint: `petasos lab down t-snap-one`"), "{error}");
    lab.snapshot(one, upper).await.unwrap();
    lab.down(two).await.unwrap();
    let error = format!("{:#}", lab.remove_snapshot(lower).await.unwrap_err());
    assert!(error.contains("the snapshot `t-snap-upper` lies on `t-snap-lower`"), "{error}");
    let error = format!("{:#}", lab.up(two, &from("t-snap-none"), &mut say).await.unwrap_err());
    assert!(error.contains("there is no snapshot `t-snap-none`\nhint: "), "{error}");

    // A snapshot of a host that lies on one; and what goes away with a restart does not.
    let third = lab.up(two, &from(upper), &mut say).await.unwrap();
    assert_eq!(ok(&third, "ls /srv; cat /etc/issue"), "first\nchanged");
    ok(&third, "echo again >/srv/again; (sleep 0.2; systemctl reboot) >/dev/null 2>&1 &");
    let began = std::time::Instant::now();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let login = format!("root@{}", third.address);
    let content = loop {
        let mut ssh = Command::new("ssh");
        let output = ssh.arg("-F").arg(&third.ssh_config).args([&login, "ls /srv; cat /etc/issue"]).output().unwrap();
        if output.status.success() {
            break String::from_utf8_lossy(&output.stdout).into_owned();
        }
        assert!(began.elapsed().as_secs() < 60, "it does not come back");
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    assert_eq!(content, "again\nfirst\nchanged\n");
    let error = lab.up(two, &from(lower), &mut say).await.unwrap_err();
    assert!(format!("{error:#}").contains("lab host `t-snap-two` lies on t-snap-upper, not t-snap-lower"), "{error:#}");

    // A host that died, as when the machine's power went, is in nobody's way.
    Command::new("ssh")
        .arg("-F")
        .arg(&third.ssh_config)
        .args([&login, "(sleep 0.2; systemctl poweroff -ff) >/dev/null 2>&1 &"])
        .status()
        .unwrap();
    let began = std::time::Instant::now();
    while lab.list().await.unwrap().iter().any(|host| host.name == two) {
        assert!(began.elapsed().as_secs() < 60, "it does not end");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert_eq!(kept(lab), SNAPSHOTS);
    for snapshot in SNAPSHOTS.iter().rev() {
        lab.remove_snapshot(snapshot).await.unwrap();
    }
    assert!(kept(lab).is_empty());
    assert!(super::harness::left::of(&[two]).is_ok(), "the dead host's files stay");
}
