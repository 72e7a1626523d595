//! Starting QEMU, detached from whoever started it.
use super::super::cgroup::Groups;
use super::super::paths::write;
use super::super::record::Record;
use super::super::{net, tool};
use super::{Accel, DISK, cable, socket};
use anyhow::{Context, Result};
use std::fs::File;
use std::path::Path;

const BOOT: &str = include_str!("../../../remote/lab/vm/boot.sh");

/// Starts the machine; what its kernel says goes to `dir`/console.log.
pub async fn start(groups: &Groups, record: &Record, accel: Accel, dir: &Path) -> Result<()> {
    let script = dir.join("boot.sh");
    write(&script, BOOT)?;
    groups.create(&record.name)?;
    let log = dir.join("console.log");
    let console = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
    let errors = console.try_clone().context("cannot share the console's log")?;
    let mut command = tool::command(&["setsid", "--fork", "sh"]);
    command.arg(&script).arg(groups.members(&record.name)).arg(net::namespace(&record.name));
    command.args(words(record, accel, dir)).stdout(console).stderr(errors).current_dir("/");
    let status = command.status().await.context("cannot run `setsid`")?;
    anyhow::ensure!(status.success(), "cannot start the machine `{}`: {status}", record.name);
    Ok(())
}

fn words(record: &Record, accel: Accel, dir: &Path) -> Vec<String> {
    let path = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let (cpu, accel) = match accel {
        // All that QEMU can do, but for a fifth level of pages, which is work and no use here.
        Accel::Tcg => ("max,la57=off", "tcg,thread=multi,tb-size=512"),
        Accel::Kvm => ("host", "kvm"),
    };
    let disk = format!(
        "if=none,id=disk,format=raw,cache=unsafe,discard=unmap,detect-zeroes=unmap,file={}",
        path(dir.join(DISK))
    );
    let net = format!("tap,id=net,ifname={},script=no,downscript=no", cable::TAP);
    let card = format!("virtio-net-pci,netdev=net,romfile=,mac={}", net::hardware(record.address));
    let agent = format!("socket,id=agent,server=on,wait=off,path={}", path(socket(dir)));
    let pairs = [
        ("-name", record.name.clone()),
        ("-machine", "q35,usb=off,vmport=off".to_owned()),
        ("-accel", accel.to_owned()),
        ("-cpu", cpu.to_owned()),
        ("-smp", "2".to_owned()),
        ("-m", "2048".to_owned()),
        ("-kernel", path(record.image.join("kernel"))),
        ("-initrd", path(dir.join("initrd"))),
        ("-append", "root=/dev/vda rw net.ifnames=0 console=ttyS0 quiet".to_owned()),
        ("-drive", disk),
        ("-device", "virtio-blk-pci,drive=disk".to_owned()),
        ("-netdev", net),
        ("-device", card),
        ("-device", "virtio-rng-pci".to_owned()),
        ("-chardev", agent),
        ("-device", "virtio-serial-pci".to_owned()),
        ("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0".to_owned()),
        ("-display", "none".to_owned()),
        ("-serial", "stdio".to_owned()),
        ("-monitor", "none".to_owned()),
    ];
    let head = ["qemu-system-x86_64", "-nodefaults", "-no-user-config"].map(str::to_owned);
    head.into_iter().chain(pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value])).collect()
}
