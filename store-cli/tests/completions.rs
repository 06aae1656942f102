//! `completions`: scripts that shells take.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::process::{Command, Stdio};

use common::Place;

#[test]
fn each_shell_has_a_script_of_what_help_shows() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.run(&["completions", shell]).ok();
        for word in ["statestore", "namespaces", "edit", "config", "tail"] {
            assert!(script.contains(word), "{word} is not in that of {shell}");
        }
        assert!(!script.contains("demo-part"), "{shell} completes what is hidden");
    }
    let ran = place.run(&["completions", "tcsh"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("fish"), "{ran:?}");
}

#[test]
fn shells_parse_their_scripts() {
    let place = Place::new();
    for (shell, check) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let script = place.run(&["completions", shell]).ok();
        let path = place.write(&format!("completions.{shell}"), script);
        // A machine need not have every shell.
        if Command::new(shell).arg("--version").stdout(Stdio::null()).status().is_err() {
            continue;
        }
        let output = Command::new(shell).args(check).arg(path).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
    }
}

#[test]
fn bash_completes_a_command() {
    let place = Place::new();
    let script = place.write("completions.bash", place.run(&["completions", "bash"]).ok());
    let ask = "source \"$0\"; COMP_WORDS=(statestore name); COMP_CWORD=1; _statestore statestore name statestore; \
               echo \"${COMPREPLY[*]}\"";
    let Ok(output) = Command::new("bash").args(["-c", ask]).arg(script).output() else { return };
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "namespaces\n");
}
