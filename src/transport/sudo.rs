//! Becoming root by sudo, where it wants a password: the password goes to sudo's standard input,
//! once sudo has asked for it and not before, so that no shell can ever read it as a command.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How long sudo may take over a password; wrong ones make PAM slow.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What is read before the shell is there, in bytes: a lecture, and the modules of PAM.
const MOST: usize = 64 << 10;

/// The command that asks on standard error, then says that it is root's shell, then reads a script.
/// sudo's messages are those of no locale.
pub fn command(nonce: &str) -> String {
    format!("env LC_ALL=C sudo -S -- sh -c 'echo ready {nonce}; exec sh -s'")
}

/// Why nobody became root.
#[derive(Debug, PartialEq, Eq)]
pub enum Denied {
    /// sudo asked again after the password.
    Wrong,
    /// sudo's message.
    Other(String),
}

/// Whether the last line is an open question for a password: `[sudo] password for ops: `, `[sudo:
/// authenticate] Password: `.
fn asks(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default();
    last.to_ascii_lowercase().contains("password") && last.trim_end().ends_with(':')
}

/// Talks with sudo until the shell is there.
///
/// # Errors
/// See [`Denied`].
pub async fn talk(
    nonce: &str,
    password: &str,
    stdin: &mut (impl AsyncWrite + Unpin),
    stdout: &mut (impl AsyncRead + Unpin),
    stderr: &mut (impl AsyncRead + Unpin),
) -> Result<(), Denied> {
    let ready = format!("ready {nonce}\n");
    let (mut output, mut complaints, mut given) = (Vec::new(), String::new(), false);
    let (mut out, mut err) = ([0; 4096], [0; 4096]);
    let mut mute = false;
    let talk = async {
        loop {
            tokio::select! {
                read = stdout.read(&mut out) => match read {
                    Ok(count) if count > 0 => output.extend_from_slice(out.get(..count).unwrap_or_default()),
                    _ => return Err(Denied::Other(complaints.trim().to_owned())),
                },
                read = stderr.read(&mut err), if !mute => match read {
                    Ok(count) if count > 0 => complaints.push_str(&String::from_utf8_lossy(err.get(..count).unwrap_or_default())),
                    _ => mute = true,
                },
            }
            if output.len() + complaints.len() > MOST {
                return Err(Denied::Other("it says too much".into()));
            }
            if output.windows(ready.len()).any(|window| window == ready.as_bytes()) {
                return Ok(());
            }
            if asks(&complaints) {
                if given {
                    return Err(Denied::Wrong);
                }
                given = true;
                complaints.clear();
                let line = format!("{password}\n");
                let written = async {
                    stdin.write_all(line.as_bytes()).await?;
                    stdin.flush().await
                };
                written.await.map_err(|error| Denied::Other(error.to_string()))?;
            } else if given && complaints.contains("try again") {
                return Err(Denied::Wrong);
            }
        }
    };
    match tokio::time::timeout(TIMEOUT, talk).await {
        Ok(done) => done,
        Err(_) => {
            Err(Denied::Other(format!("sudo did not answer within {} s: {}", TIMEOUT.as_secs(), complaints.trim())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sudo, as this end sees it: prints `prompts` on standard error, one after each line that
    /// it reads.
    async fn prompted(prompts: &[&str], end: &str) -> (Result<(), Denied>, String) {
        let ((mut stdin, heard), (mut stdout, out), (mut stderr, err)) =
            (tokio::io::duplex(64), tokio::io::duplex(64), tokio::io::duplex(64));
        let (prompts, end): (Vec<String>, _) =
            (prompts.iter().map(|prompt| (*prompt).to_owned()).collect(), end.to_owned());
        let sudo = tokio::spawn(async move {
            let (mut heard, mut out, mut err) = (tokio::io::BufReader::new(heard), out, err);
            let mut lines = String::new();
            for prompt in prompts {
                let _ = err.write_all(prompt.as_bytes()).await;
                let _ = tokio::io::AsyncBufReadExt::read_line(&mut heard, &mut lines).await;
            }
            let _ = out.write_all(end.as_bytes()).await;
            lines
        });
        let result = talk("n", "secret", &mut stdin, &mut stdout, &mut stderr).await;
        drop(stdin);
        (result, sudo.await.unwrap())
    }

    #[tokio::test]
    async fn the_password_is_given_to_whoever_asks_and_to_nobody_else() {
        let (result, heard) = prompted(&["[sudo] password for ops: "], "ready n\n").await;
        assert_eq!((result.is_ok(), heard.as_str()), (true, "secret\n"));
        let (result, heard) = prompted(&[], "ready n\n").await;
        assert_eq!((result.is_ok(), heard.as_str()), (true, ""));
    }

    // Nobody waits for the end of the timeout.
    #[tokio::test(start_paused = true)]
    async fn it_is_given_once() {
        let lecture = "We trust you have received the usual lecture.\nThe password you type is not shown.\n";
        let (result, heard) = prompted(&[&format!("{lecture}Password: "), "Sorry, try again.\nPassword: "], "").await;
        assert_eq!((result, heard.as_str()), (Err(Denied::Wrong), "secret\n"));
        let (result, _) = prompted(&["Password:", "ops is not in the sudoers file.\n"], "").await;
        assert!(matches!(result, Err(Denied::Other(_))));
    }
}
