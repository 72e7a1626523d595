//! The lab's certificate authority, and the one certificate that its internet shows.
use super::paths::{Paths, create_dir, write};
use super::{Say, lock, tool};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The authority's certificate; it is made once and then kept, as the hosts' images trust it.
pub async fn authority(paths: &Paths, say: Say<'_>) -> Result<PathBuf> {
    let dir = paths.authority();
    let _lock = lock::acquire(&paths.lock("ca"), "the lab's authority is being made", say).await?;
    let (key, certificate) = (dir.join("ca.key"), dir.join("ca.crt"));
    if !certificate.exists() {
        create_dir(&dir)?;
        request(
            &key,
            &certificate,
            "/CN=Petasos lab CA",
            3650,
            &["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"],
            None,
        )
        .await?;
    }
    Ok(certificate)
}

/// A fresh server certificate for all of these names, in `dir` as server.key and server.crt.
pub async fn server(paths: &Paths, names: &[String], dir: &Path) -> Result<()> {
    create_dir(dir)?;
    let alternatives: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
    let extension = format!("subjectAltName={}", alternatives.join(","));
    let home = paths.authority();
    request(
        &dir.join("server.key"),
        &dir.join("server.crt"),
        "/CN=Petasos lab",
        90,
        &["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth", &extension],
        Some(&home),
    )
    .await
}

async fn request(
    key: &Path,
    certificate: &Path,
    subject: &str,
    days: u32,
    extensions: &[&str],
    issuer: Option<&Path>,
) -> Result<()> {
    // No configuration file: the distribution's would add extensions of its own.
    let config = tempfile::NamedTempFile::new().context("cannot create a temporary file")?;
    write(config.path(), "[req]\ndistinguished_name=dn\n[dn]\n")?;
    let partial = certificate.with_extension("part");
    let days = days.to_string();
    let mut command = tool::command(&["openssl", "req", "-x509", "-newkey", "ec", "-nodes"]);
    command
        .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-sha256", "-subj", subject, "-days", &days])
        .arg("-config")
        .arg(config.path())
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(&partial);
    for extension in extensions {
        command.args(["-addext", extension]);
    }
    if let Some(home) = issuer {
        command.arg("-CA").arg(home.join("ca.crt")).arg("-CAkey").arg(home.join("ca.key"));
    }
    tool::finish(command, tool::SHORT).await?;
    std::fs::rename(&partial, certificate).with_context(|| format!("cannot write `{}`", certificate.display()))
}
