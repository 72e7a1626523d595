//! Reads the frames of an answer, as they arrive.

/// What one step answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub name: String,
    /// The step's exit status.
    pub rc: i32,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    /// What the step says is to be done about its failure.
    pub hint: Vec<u8>,
}

impl Frame {
    /// Standard output as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Standard error as text, without white space around it.
    pub fn error_text(&self) -> String {
        String::from_utf8_lossy(&self.err).trim().to_owned()
    }

    /// What the step says is to be done about its failure, if it says so.
    pub fn hint_text(&self) -> Option<String> {
        Some(String::from_utf8_lossy(&self.hint).trim().to_owned()).filter(|hint| !hint.is_empty())
    }
}

/// An answer that is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the host's answer was cut off after {0} steps")]
    CutOff(usize),
    #[error("the host gave no answer: {}", printed(.0))]
    NoAnswer(String),
    #[error("the host's answer has the line `{0}` where a frame should begin")]
    Broken(String),
    #[error("the host counted {counted} steps, but {got} arrived")]
    Count { counted: usize, got: usize },
    #[error("the host's answer lacks the step `{0}`")]
    Missing(String),
    #[error("the host's answer goes on after its end")]
    Trailing,
    #[error("the host answers to `{0}`, which it was not asked at that place")]
    Unasked(String),
    #[error("the host's answer is longer than {} KiB", .0 / 1024)]
    TooLarge(usize),
}

fn printed(text: &str) -> String {
    match text {
        "" => "its login shell ended without a word".to_owned(),
        text => format!("it printed `{text}`"),
    }
}

/// What a script may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The frames' names, in their order, each once. Fewer may come where a failed step ends the
    /// script.
    pub names: Vec<String>,
    /// Whether all must come, whatever each says.
    pub all: bool,
    /// How many bytes all frames may have together.
    pub room: usize,
}

/// How much may come before the answer begins: banners and the like.
const NOISE: usize = 64 * 1024;
/// The longest header line that a frame may have.
const HEADER: usize = 512;

/// Turns bytes into frames; never yields one that was not received whole, that was not asked for,
/// or that has no room.
#[derive(Debug)]
pub struct Reader {
    opening: Vec<u8>,
    asked: Asked,
    buffer: Vec<u8>,
    open: bool,
    ended: bool,
    count: usize,
    /// How much of the room is left.
    left: usize,
    /// Whether the last frame is that of a step that failed.
    failed: bool,
}

impl Reader {
    /// `nonce` as given to [`super::Script::text`], `asked` as from [`super::Script::asked`].
    pub fn new(nonce: &str, asked: Asked) -> Self {
        let opening = format!("@petasos {nonce}\n").into_bytes();
        let left = asked.room;
        Self { opening, asked, buffer: Vec::new(), open: false, ended: false, count: 0, left, failed: false }
    }

    /// Takes what arrived and returns the frames that it completed. What it keeps is never much
    /// more than the room, since a frame's length comes before the frame.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, FrameError> {
        self.buffer.extend_from_slice(bytes);
        let mut frames = Vec::new();
        if !self.open && !self.find_opening()? {
            return Ok(frames);
        }
        while let Some(frame) = self.next()? {
            frames.push(frame);
        }
        Ok(frames)
    }

    /// Must be called at the end of the stream: says whether the answer was whole.
    pub fn finish(self) -> Result<usize, FrameError> {
        if self.ended {
            return Ok(self.count);
        }
        if self.open {
            return Err(FrameError::CutOff(self.count));
        }
        Err(FrameError::NoAnswer(String::from_utf8_lossy(&self.buffer).trim().chars().take(300).collect()))
    }

    fn find_opening(&mut self) -> Result<bool, FrameError> {
        let found = self.buffer.windows(self.opening.len()).position(|window| window == self.opening);
        match found {
            // The opening counts only at the start of a line.
            Some(at) if at == 0 || self.buffer.get(at - 1) == Some(&b'\n') => {
                self.buffer.drain(..at + self.opening.len());
                self.open = true;
                Ok(true)
            }
            _ if self.buffer.len() > NOISE => Err(FrameError::NoAnswer("more than 64 KiB of other output".into())),
            _ => Ok(false),
        }
    }

    fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.ended {
            return if self.buffer.is_empty() { Ok(None) } else { Err(FrameError::Trailing) };
        }
        let Some(line_end) = self.buffer.iter().take(HEADER).position(|&byte| byte == b'\n') else {
            if self.buffer.len() >= HEADER {
                return Err(self.broken(HEADER));
            }
            return Ok(None);
        };
        let Some(header) = self.buffer.get(..line_end).and_then(Header::parse) else {
            return Err(self.broken(line_end));
        };
        match header {
            Header::End(counted) if counted != self.count => Err(FrameError::Count { counted, got: self.count }),
            Header::End(_) => {
                let ended_early = !self.asked.all && self.failed;
                if let Some(lacking) = self.asked.names.get(self.count).filter(|_| !ended_early) {
                    return Err(FrameError::Missing(lacking.clone()));
                }
                self.buffer.drain(..=line_end);
                self.ended = true;
                self.next()
            }
            Header::Step { name, rc, out, err, hint } => {
                if self.asked.names.get(self.count) != Some(&name) {
                    return Err(FrameError::Unasked(name.chars().take(120).collect()));
                }
                if [out, err, hint].iter().try_fold(self.left, |left, size| left.checked_sub(*size)).is_none() {
                    return Err(FrameError::TooLarge(self.asked.room));
                }
                let (body, whole) = (line_end + 1, line_end + 1 + out + err + hint);
                if self.buffer.len() < whole {
                    return Ok(None);
                }
                let content: Vec<u8> = self.buffer.drain(..whole).skip(body).collect();
                let (out, rest) = content.split_at(out);
                let (err, hint) = rest.split_at(err);
                self.count += 1;
                self.left -= content.len();
                self.failed = rc != 0;
                Ok(Some(Frame { name, rc, out: out.to_vec(), err: err.to_vec(), hint: hint.to_vec() }))
            }
        }
    }

    fn broken(&self, length: usize) -> FrameError {
        let line = self.buffer.get(..length).unwrap_or(&self.buffer);
        FrameError::Broken(String::from_utf8_lossy(line).chars().take(120).collect())
    }
}

enum Header {
    Step { name: String, rc: i32, out: usize, err: usize, hint: usize },
    End(usize),
}

impl Header {
    fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?.strip_prefix('@')?;
        let mut fields = line.split(' ');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let numbers: Vec<&str> = fields.collect();
        match (name, numbers.as_slice()) {
            ("end", [count]) => Some(Self::End(decimal(count)?)),
            ("end", _) => None,
            (name, [rc, out, err, hint]) => {
                let rc = u8::try_from(decimal(rc)?).ok()?;
                let (out, err, hint) = (decimal(out)?, decimal(err)?, decimal(hint)?);
                Some(Self::Step { name: name.to_owned(), rc: rc.into(), out, err, hint })
            }
            _ => None,
        }
    }
}

fn decimal(field: &str) -> Option<usize> {
    let digits = !field.is_empty() && field.len() <= 12 && field.bytes().all(|byte| byte.is_ascii_digit());
    if digits { field.parse().ok() } else { None }
}
