//! Providers that take no key: the agent's own login, on the host.

/// What an administrator types on the host. The login runs as the agent, within the agent's own
/// egress where that goes by name; it shows a code to enter in a browser, anywhere.
pub fn command(provider: &str, by_name: bool) -> String {
    // As in the unit: the agent's resolver, and no other door to one. The launcher asks the audit
    // writer before anything else.
    let resolver = if by_name {
        "-p BindReadOnlyPaths=/etc/petasos/resolv.conf:/etc/resolv.conf -p TemporaryFileSystem=/run:ro -p BindReadOnlyPaths=/run/petasos-agent "
    } else {
        ""
    };
    format!(
        "sudo systemd-run --pty --unit=petasos-login --uid=hermes -p UMask=0077 {resolver}-E HOME=/home/hermes -E HERMES_HOME=/home/hermes/.hermes \
         /opt/hermes/current/venv/bin/hermes -p default auth add {provider} --no-browser"
    )
}
