//! Globs, as Python's fnmatch has them, whatever the case.

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// `?`, or of an allow rule a `[…]`.
    Any,
    Many,
    Class {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

fn tokens(glob: &str) -> Vec<Token> {
    let letters: Vec<char> = glob.to_lowercase().chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(letter) = letters.get(at) {
        at += 1;
        match letter {
            '*' => tokens.push(Token::Many),
            '?' => tokens.push(Token::Any),
            '[' => {
                let not = letters.get(at) == Some(&'!');
                let start = at + usize::from(not);
                // A `]` right at the beginning is one of its letters.
                let close =
                    letters.iter().skip(start + 1).position(|letter| *letter == ']').map(|close| start + 1 + close);
                match close.and_then(|close| Some((close, letters.get(start..close)?))) {
                    Some((close, inner)) => {
                        tokens.push(Token::Class { not, ranges: ranges(inner) });
                        at = close + 1;
                    }
                    None => tokens.push(Token::Letter('[')),
                }
            }
            letter => tokens.push(Token::Letter(*letter)),
        }
    }
    tokens
}

fn ranges(inner: &[char]) -> Vec<(char, char)> {
    let (mut ranges, mut rest) = (Vec::new(), inner);
    loop {
        match rest {
            [from, '-', to, more @ ..] => {
                ranges.push((*from, *to));
                rest = more;
            }
            [letter, more @ ..] => {
                ranges.push((*letter, *letter));
                rest = more;
            }
            [] => return ranges,
        }
    }
}

/// Whether a class holds no letter, so that nothing matches.
pub fn has_empty_class(glob: &str) -> bool {
    tokens(glob)
        .iter()
        .any(|token| matches!(token, Token::Class { not: false, ranges } if ranges.iter().all(|(from, to)| from > to)))
}

/// Whether a `[` begins a class that never ends.
pub fn has_open_class(glob: &str) -> bool {
    tokens(glob).contains(&Token::Letter('['))
}

/// Whether all that matches the glob `narrow` matches `wide`: no only where it is certain.
pub fn covers(wide: &str, narrow: &str) -> bool {
    // What may come in place of a class of the narrow one is one letter, of which nothing is known
    // unless it is the only one.
    let narrow: Vec<Token> = tokens(narrow)
        .into_iter()
        .map(|token| match token {
            Token::Class { not: false, ranges } => match ranges[..] {
                [(from, to)] if from == to => Token::Letter(from),
                _ => Token::Any,
            },
            Token::Class { .. } => Token::Any,
            other => other,
        })
        .collect();
    let mut wide = tokens(wide);
    if all(&wide, &narrow) {
        return true;
    }
    // `sudo *` is about `sudo` without further words, too.
    let further = wide.ends_with(&[Token::Letter(' '), Token::Many]);
    wide.truncate(wide.len().saturating_sub(2));
    further && all(&wide, &narrow)
}

/// Whether the tokens of `narrow`, taken as text, are what `wide` stands for. Row by row: in time
/// of the product of both.
fn all(wide: &[Token], narrow: &[Token]) -> bool {
    // For each beginning of `narrow`, whether the part of `wide` so far stands for it.
    let mut row: Vec<bool> = std::iter::once(true).chain(narrow.iter().map(|_| false)).collect();
    for token in wide {
        let mut before = false;
        let mut next = Vec::with_capacity(row.len());
        for (at, stands) in row.iter().enumerate() {
            let letter = at.checked_sub(1).and_then(|at| narrow.get(at));
            let now = match token {
                Token::Many => *stands || next.last() == Some(&true),
                _ => before && letter.is_some_and(|letter| takes(token, letter)),
            };
            before = *stands;
            next.push(now);
        }
        row = next;
    }
    row.last() == Some(&true)
}

fn takes(wide: &Token, narrow: &Token) -> bool {
    match (wide, narrow) {
        (Token::Any, Token::Letter(_) | Token::Any) => true,
        (Token::Letter(wide), Token::Letter(narrow)) => wide == narrow,
        (Token::Class { not, ranges }, Token::Letter(letter)) => {
            ranges.iter().any(|(from, to)| from <= letter && letter <= to) != *not
        }
        _ => false,
    }
}
