//! What a rule of a filter makes of a packet: whether it matches, as far as can be told, and what
//! happens to it then.

/// Whether a packet matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    No,
    /// It depends on what is not known here.
    Maybe,
    Yes,
}

impl Match {
    pub fn when(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }

    pub fn negated(self, not: bool) -> Self {
        match self {
            Self::Yes if not => Self::No,
            Self::No if not => Self::Yes,
            Self::Yes | Self::No | Self::Maybe => self,
        }
    }

    /// What tells senders apart: a stranger is none of those who are named, and may be one of all
    /// others.
    pub fn stranger(not: bool) -> Self {
        if not { Self::Maybe } else { Self::No }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accept,
    Refuse,
    Return,
    /// It gets another address or port, and what is said of this one does not count.
    Move,
    /// Into another chain, and back at its end.
    Jump(String),
    /// Into another chain for good.
    Goto(String),
}

/// What may happen, in order; nothing where a rule only looks.
pub type Outcomes = Vec<(Match, Verdict)>;

/// The first packet of a stranger's, who comes in from another machine.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    pub port: &'a str,
    pub protocol: &'a str,
    /// Whether it is of IPv6.
    pub six: bool,
}

impl Packet<'_> {
    /// By name, or by number in an IP header.
    pub fn is_of(&self, protocol: &str) -> bool {
        protocol == self.protocol
            || matches!((protocol, self.protocol), ("6", "tcp") | ("17", "udp") | ("all" | "any" | "0", _))
    }
}

/// A port from which a stranger may come: of those that systems choose from.
pub const THEIRS: &str = "40000";

/// Whether it is no address by which another machine reaches this one.
pub fn elsewhere(address: &str) -> bool {
    ["224.", "239.", "255.", "127.", "ff", "::1"].iter().any(|start| address.starts_with(start))
}

/// A text's words; what stands in quotes is one, with them.
pub fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for letter in text.chars() {
        if !quoted && letter.is_whitespace() {
            words.push(core::mem::take(&mut word));
            continue;
        }
        quoted ^= letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        word.push(letter);
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
