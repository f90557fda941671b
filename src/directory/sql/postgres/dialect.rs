//! SQLite's scripts as PostgreSQL reads them.

/// A script without comments and `WITHOUT ROWID`, in whose tables texts compare by their bytes, as SQLite's do.
pub(super) fn translate(script: &str) -> String {
    let plain: String = script.lines().map(|line| line.split("--").next().unwrap_or_default()).fold(
        String::with_capacity(script.len() * 2),
        |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        },
    );
    plain.split_inclusive(';').map(statement).collect()
}

fn statement(text: &str) -> String {
    let defines = ["CREATE TABLE", "ALTER TABLE"].iter().any(|start| text.trim_start().starts_with(start));
    if !defines {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut before = "";
    for word in text.replace(" WITHOUT ROWID", "").split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let end =
            word.len() - word.chars().next_back().filter(|c| !c.is_ascii_alphanumeric()).map_or(0, char::len_utf8);
        let (name, rest) = word.split_at(end);
        out.push_str(name);
        if name == "TEXT" && before != "AS" {
            out.push_str(" COLLATE \"C\"");
        }
        out.push_str(rest);
        if !name.is_empty() {
            before = if name == "AS" { "AS" } else { "" };
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_loses_its_rowid_clause_and_its_comments_and_compares_by_bytes() {
        let script = "-- one; two\nCREATE TABLE t (\n a_TEXT TEXT NOT NULL, -- three\n b TEXT, c BIGINT,\n PRIMARY KEY (a_TEXT)\n) WITHOUT ROWID;\n";
        let made = translate(script);
        assert_eq!(
            made.split_whitespace().collect::<Vec<_>>().join(" "),
            "CREATE TABLE t ( a_TEXT TEXT COLLATE \"C\" NOT NULL, b TEXT COLLATE \"C\", c BIGINT, PRIMARY KEY (a_TEXT) );"
        );
    }

    #[test]
    fn a_cast_and_what_defines_no_table_stay() {
        for script in ["UPDATE t SET a = CAST(b AS TEXT);\n", "CREATE TABLE t AS SELECT CAST(b AS TEXT) FROM u;\n"] {
            assert_eq!(translate(script).trim(), script.trim());
        }
    }
}
