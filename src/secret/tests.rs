use super::*;
use crate::act::Text;
use crate::name::EnvName;
use age::secrecy::ExposeSecret;
use std::path::Path;
use std::process::Command;

/// A key and its public half: of age, and of OpenSSH without a comment.
type Pair = (String, String);

fn of_age() -> Pair {
    let key = age::x25519::Identity::generate();
    (key.to_string().expose_secret().to_owned(), key.to_public().to_string())
}

fn of_ssh() -> Pair {
    behind("")
}

/// A key of OpenSSH with this passphrase.
fn behind(passphrase: &str) -> Pair {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f"]).arg(&file);
    assert!(keygen.status().unwrap().success());
    let read = |file: &Path| std::fs::read_to_string(file).unwrap();
    (read(&file), read(&file.with_extension("pub")).trim().to_owned())
}

fn name(text: &str) -> EnvName {
    EnvName::new(text).unwrap()
}

fn sealed(text: &str, lines: &[&str]) -> Vec<u8> {
    let recipients = Recipients::read(lines).map_err(|(_, fault)| fault).unwrap();
    seal(&Plain::new(text.to_owned()), &recipients).unwrap().into_bytes()
}

fn opened(file: &[u8], key: &str) -> Result<String, OpenError> {
    match Key::read(key.as_bytes()).unwrap().remove(0) {
        Key::Open(key) => key.open(file).map(|plain| plain.reveal().to_owned()),
        Key::Locked(_) => panic!("it has no passphrase"),
    }
}

#[test]
fn those_for_whom_it_is_open_it_and_nobody_else() {
    let (age, ssh) = (of_age(), of_ssh());
    let file = sealed("text", &[&age.1, &ssh.1]);
    let other = sealed("text", &[&of_age().1]);
    for (key, _) in [age, ssh] {
        assert_eq!(opened(&file, &key).unwrap(), "text");
        assert!(matches!(opened(&other, &key), Err(OpenError::OtherKeys)));
    }
}

#[test]
fn a_header_tells_for_which_ssh_key_a_file_is() {
    let fits = |file: &[u8], key: &str| Key::read(key.as_bytes()).unwrap()[0].fits(&Header::read(file).unwrap());
    let (age, ssh) = (of_age(), of_ssh());
    let both = sealed("", &[&age.1, &ssh.1]);
    assert!(fits(&both, &ssh.0));
    assert!(!fits(&sealed("", &[&age.1, &of_ssh().1]), &ssh.0), "nobody is asked for its passphrase in vain");
    assert!(fits(&sealed("", &[&of_age().1]), &age.0), "that only trying tells");
    let header = Header::read(&both).unwrap();
    assert_eq!(header.shown(), "2 keys (age, ssh-ed25519)");
}

#[test]
fn a_passphrase_opens_what_it_protects() {
    let locked = |text: &[u8]| match Key::read(text).unwrap().remove(0) {
        Key::Locked(key) => key,
        Key::Open(_) => panic!("it is open"),
    };
    let (ssh, public) = behind("pass word");
    let (age, of_age) = of_age();
    // As `age -p` writes it, without the seconds that it lets a passphrase take.
    let mut passphrase = age::scrypt::Recipient::new("pass word".to_owned().into());
    passphrase.set_work_factor(2);
    let wrapped = age::encrypt_and_armor(&passphrase, format!("# mine\n{age}\n").as_bytes()).unwrap();
    let file = sealed("text", &[&public, &of_age]);
    for key in [locked(ssh.as_bytes()), locked(wrapped.as_bytes())] {
        assert!(key.unlock(String::new()).is_none() && key.unlock("password".to_owned()).is_none());
        assert_eq!(key.unlock("pass word".to_owned()).unwrap().open(&file).unwrap().reveal(), "text");
        let other = sealed("text", &[&of_ssh().1]);
        assert!(matches!(key.unlock("pass word".to_owned()).unwrap().open(&other), Err(OpenError::OtherKeys)));
    }
}

/// Any byte changed, and any end cut off: it does not open, or it is the same text.
#[test]
fn what_was_tampered_with_does_not_open() {
    let (key, public) = of_age();
    let file = sealed("a text", &[&public]);
    let opens = |file: &[u8]| Header::read(file).and_then(|_| opened(file, &key));
    assert_eq!(opens(&file).unwrap(), "a text");
    let mut refused = 0;
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        match opens(&changed) {
            Ok(text) => assert_eq!(text, "a text", "byte {at}"),
            Err(_) => refused += 1,
        }
        // The last line break may go.
        assert!(at == file.len() - 1 || opens(&file[..at]).is_err(), "cut off at {at}");
    }
    assert_eq!(refused, file.len(), "each byte counts");
}

#[test]
fn values_are_kept_to_the_letter() {
    let tricky = [
        "true",
        "null",
        "~",
        "1",
        "0x1f",
        "1e3",
        ".5",
        "2024-01-01",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "{}",
        "[a]",
        "-",
        "=",
        ">",
        "|",
        "?",
        ":",
        "a:",
        ",",
        "$a",
        "a=b==",
        "no",
        "0o7",
        ".inf",
    ];
    let mut values = Values::default();
    for (at, value) in tricky.iter().enumerate() {
        assert!(!values.set(None, &name(&format!("X{at}")), Text::secret(*value)).unwrap());
    }
    let read = Values::read(&values.plain().unwrap()).unwrap();
    for (at, value) in tricky.iter().enumerate() {
        assert_eq!(read.get(Some("web"), &name(&format!("X{at}"))).unwrap().reveal(), *value);
    }
}

#[test]
fn what_the_agent_would_not_read_as_it_is_is_refused_unseen() {
    for value in ["", "s3cret line\n", "s3\"cret", "s3cret'", "s3cretü", "s3cret\0", "s3cret#", "s3cret ", "s3${cret"]
    {
        let refused = Values::default().set(None, &name("X"), Text::secret(value)).unwrap_err().to_string();
        assert!(refused.contains("`X`") && !refused.contains("s3"), "{refused}");
    }
}

#[test]
fn a_hosts_own_value_wins() {
    let mut values = Values::default();
    values.set(None, &name("X"), Text::secret("common")).unwrap();
    values.set(Some("web"), &name("X"), Text::secret("own")).unwrap();
    let of = |values: &Values, host| values.get(host, &name("X")).map(|value| value.reveal().to_owned());
    assert_eq!(of(&values, Some("web")).unwrap(), "own");
    assert_eq!(of(&values, Some("db")).unwrap(), "common");
    assert_eq!(of(&values, None).unwrap(), "common");
    assert_eq!(values.names(), [(&name("X"), None), (&name("X"), Some("web"))]);
    assert!(values.set(None, &name("X"), Text::secret("new")).unwrap(), "it takes the place of another");
    assert!(values.remove(Some("web"), &name("X")) && !values.remove(Some("web"), &name("X")));
    assert_eq!(of(&values, Some("web")).unwrap(), "new");
    assert!(!format!("{values:?}").contains("new"), "{values:?}");
}

#[test]
fn what_petasos_does_not_write_is_refused_unseen() {
    let read = |text: &str| Values::read(&Plain::new(text.to_owned()));
    assert!(read("version: 1\nsecrets: { X: s3cret }\n").is_ok());
    for text in [
        "",
        "s3cret",
        "version: 1\nsecrets: { X: s3cret, X: s3cret }\n",
        "version: 1\nsecrets: { x: s3cret }\n",
        "version: 1\nsecrets: { X: [s3cret] }\n",
        "version: 1\ns3cret: { X: a }\n",
        "version: 1\nsecrets: { X: \"s3cret\n",
        "version: 2\nsecrets: { X: s3cret }\n",
    ] {
        let refused = read(text).unwrap_err().to_string();
        assert!(!refused.contains("s3cret") && refused.contains("hint: "), "{text}: {refused}");
    }
}

#[test]
fn recipients_that_could_not_decrypt_are_refused() {
    let read = |line: &str| Recipients::read(&[line]).map_err(|(_, fault)| fault.to_string());
    let (age, (ssh, public)) = (of_age().0, of_ssh());
    assert_eq!(read(&public).unwrap().lines(), std::slice::from_ref(&public));
    let twice = Recipients::read(&[&format!("{public} me@laptop"), &public]).map_err(|(_, fault)| fault).unwrap();
    assert_eq!((twice.lines(), twice.shown().len()), (vec![public], 1));
    assert!(twice.shown()[0].ends_with(" me@laptop"), "{:?}", twice.shown());
    for (line, why) in [
        ("sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t me", "can sign, but not decrypt"),
        ("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= me", "can sign, but not decrypt"),
        ("ssh-ed25519 AAAAC3Nz me", "is not whole"),
        ("age1qqqq", "is no age recipient"),
        ("me@laptop", "is no recipient"),
    ] {
        let refused = read(line).err().unwrap();
        assert!(refused.contains(why) && refused.contains("\nhint: "), "{refused}");
    }
    for private in [&age, &age.to_lowercase(), &ssh] {
        let refused = read(private).err().unwrap();
        assert!(refused.contains("a private key") && refused.len() < 300, "{refused}");
        assert!(is_key(private), "not the name of a file");
    }
}

#[test]
fn keys_that_cannot_decrypt_say_why() {
    let why = |text: &str| Key::read(text.as_bytes()).err().unwrap().to_string();
    let public = of_ssh().1;
    assert!(why(&public).contains("a public key") && why(&public).contains("ssh-agent"));
    for text in ["", "s3cret", "-----BEGIN OPENSSH PRIVATE KEY-----\ns3cret\n", "AGE-SECRET-KEY-1S3CRET"] {
        assert!(why(text).contains("no private key") && !why(text).to_lowercase().contains("s3cret"), "{}", why(text));
    }
}
