//! Text of others, made safe to print: a name, a message or a path may hold any character.

/// Replaces each character that is not printable by its escape: control characters, those that change the direction of
/// writing, separators of lines, and all that a terminal shows nothing for. `keep` is left as it is.
pub(crate) fn escape(text: &str, keep: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if keep.contains(&c) || is_printable(c) {
            escaped.push(c);
        } else {
            escaped.extend(c.escape_default());
        }
    }
    escaped
}

/// Whether a terminal shows a character as itself. The standard library knows for its own escapes, which leave a combining
/// character alone behind another one.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    let behind = String::from_iter(['x', c]);
    behind.escape_debug().eq(behind.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printable_stays() {
        for text in [
            "plain \"text\" \\",
            "Grüße",
            "日本語",
            "हिन्दी",
            "e\u{301}",
            "🦀",
        ] {
            assert_eq!(escape(text, &[]), text);
        }
        assert_eq!(escape("a\tb\n", &['\t']), "a\tb\\n");
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        let ranges = [
            '\0'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{ad}'..='\u{ad}',
            '\u{61c}'..='\u{61c}',
            '\u{200b}'..='\u{200f}',
            '\u{2028}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{feff}'..='\u{feff}',
            '\u{fff9}'..='\u{fffb}',
            '\u{e000}'..='\u{e00f}',
            '\u{e0001}'..='\u{e0001}',
            '\u{e0020}'..='\u{e007f}',
            '\u{10fff0}'..='\u{10ffff}',
        ];
        for c in ranges.into_iter().flatten() {
            let escaped = escape(&format!("a{c}b"), &[]);
            assert_eq!(escaped, format!("a{}b", c.escape_default()));
            assert!(escaped.is_ascii());
        }
    }
}
