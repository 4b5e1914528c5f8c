//! A Rust file as words: enough of a lexer to tell code from comments and strings.

/// A token and the number of the line it starts on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) line: usize,
    pub(super) kind: Kind<'a>,
}

/// What a token is, as far as the checks care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// An identifier or a keyword.
    Word(&'a str),
    /// What stands between the quotes of a string without escapes worth resolving.
    Text(&'a str),
    /// Any other character that is not white space.
    Mark(char),
}

/// The tokens of a file, comments and white space left out. Numbers and lifetimes come out as
/// words and marks, which no check asks for.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let (len, kind) = next(rest, first);
        if let Some(kind) = kind {
            tokens.push(Token { line, kind });
        }
        let (taken, after) = rest.split_at(len);
        line += taken.matches('\n').count();
        rest = after;
    }
    tokens
}

/// The length of what stands in front, and its kind unless it says nothing.
fn next(rest: &str, first: char) -> (usize, Option<Kind<'_>>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), None);
    }
    if let Some((len, text)) = string(rest) {
        return (len, Some(Kind::Text(text)));
    }
    if first == '\'' {
        return (character(rest), None);
    }
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if word > 0 {
        return (word, Some(Kind::Word(&rest[..word])));
    }
    (first.len_utf8(), (!first.is_whitespace()).then_some(Kind::Mark(first)))
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest[at..];
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// A string of any kind: its length with prefix and quotes, and what it holds.
fn string(rest: &str) -> Option<(usize, &str)> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix).map(|after| after.trim_start_matches('#'));
        after.is_some_and(|after| after.starts_with('"'))
    })?;
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    if hashes > 0 && !prefix.ends_with('r') {
        return None;
    }
    let start = prefix.len() + hashes + 1;
    let body = &rest[start..];
    let end = if prefix.ends_with('r') {
        body.find(&format!("\"{}", "#".repeat(hashes)))
    } else {
        let mut escaped = false;
        body.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })
    };
    let end = end.unwrap_or(body.len());
    Some(((start + end + 1 + hashes).min(rest.len()), &body[..end]))
}

/// A character in quotes, or the quote of a lifetime alone.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            // The escaped character first: it may be a quote.
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(rest.len(), |(at, _)| at + 1)
        }
        Some((at, c)) if rest[at + c.len_utf8()..].starts_with('\'') => at + c.len_utf8() + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text)
            .into_iter()
            .filter_map(|token| match token.kind {
                Kind::Word(word) => Some(word),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn comments_strings_and_characters_are_no_words() {
        let text = r####"
            // a
            /* b /* c */ d */
            one "e \" f" two r#"g " h"# three b"i" four br##"j"# k"## '\'' 'l' '\u{6d}' five
        "####;
        assert_eq!(words(text), ["one", "two", "three", "four", "five"]);
    }

    #[test]
    fn lifetimes_and_raw_names_do_not_swallow_what_follows() {
        assert_eq!(
            words("fn f<'a>(x: &'a str) r#type 'static"),
            ["fn", "f", "a", "x", "a", "str", "r", "type", "static"]
        );
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let text = "/*\n\n*/ \"\n\" word";
        assert_eq!(tokens(text).last(), Some(&Token { line: 4, kind: Kind::Word("word") }));
    }

    #[test]
    fn what_never_ends_ends_with_the_file() {
        for text in ["/* a", "\"a", "r#\"a\"", "'\\", "//"] {
            tokens(text);
        }
    }
}
