//! What a program on this machine needs so that its `git` sees the lab's github.com in place of the real one.
use super::{Lab, net};

impl Lab {
    /// Environment variables for a child process: git takes `github.com` for the lab's, and trusts the lab's authority for it.
    pub fn git_env(&self) -> Vec<(&'static str, String)> {
        let authority = self.paths.authority().join("ca.crt").display().to_string();
        vec![
            ("GIT_CONFIG_COUNT", "1".to_owned()),
            ("GIT_CONFIG_KEY_0", "http.curloptResolve".to_owned()),
            ("GIT_CONFIG_VALUE_0", format!("github.com:443:{}", net::ROUTER)),
            ("GIT_SSL_CAINFO", authority),
        ]
    }
}
