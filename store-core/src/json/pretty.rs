//! Compact JSON text, made readable: only white space is added.

/// Breaks a compact, valid JSON text into lines, indented by two spaces a level.
pub(crate) fn pretty(compact: &str) -> String {
    let mut text = String::with_capacity(compact.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut chars = compact.chars().peekable();
    while let Some(c) = chars.next() {
        if quoted {
            text.push(c);
            quoted = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                text.push(c);
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(end);
                } else {
                    depth += 1;
                    break_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            c => {
                quoted = c == '"';
                text.push(c);
            }
        }
    }
    text.push('\n');
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Json;

    #[test]
    fn only_white_space_is_added() {
        for compact in [
            "1e400",
            "\"\"",
            "{}",
            "[[],{}]",
            r#"{"b":1.50,"a":[null,{"x\"y":"a, b: {c}\\"},"\\\""],"b":-0}"#,
            r#"{"ä":"\u00e4 🦀","":[12345678901234567890123]}"#,
        ] {
            let text = pretty(compact);
            assert_eq!(text.parse::<Json>().unwrap().as_str(), compact, "{text}");
        }
    }

    #[test]
    fn each_member_has_a_line() {
        let text = pretty(r#"{"a":{"x":[1,2]},"b":[],"c":"{,}"}"#);
        let lines = "{\n  \"a\": {\n    \"x\": [\n      1,\n      2\n    ]\n  },\n  \"b\": [],\n  \"c\": \"{,}\"\n}\n";
        assert_eq!(text, lines);
    }
}
