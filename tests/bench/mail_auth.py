"""mail-auth, the fastest other parser of aggregate reports that we know, as a program that tests/bench/run compares with.

mail-auth is a Rust crate. A small Cargo project in build/tests/mail-auth, written here, brings the release below and what
it needs from crates.io, once.
"""
import shutil
import subprocess

RELEASE = "0.7.1"
MANIFEST = f"""[package]
name = "mail_auth_load"
version = "0.0.0"
edition = "2021"

[dependencies]
mail-auth = {{ version = "={RELEASE}", default-features = false, features = ["report", "ring"] }}

[profile.release]
lto = true
codegen-units = 1
"""
# As parse_load.c: all is in memory before anything is measured, and what is found is dropped.
PROGRAM = """use mail_auth::report::Report;
use std::{env, fs};

/* Processor time of this thread, the only one, in seconds. */
fn processor_time() -> f64 {
    let words = fs::read_to_string("/proc/self/schedstat").unwrap();
    words.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn main() {
    let words: Vec<String> = env::args().collect();
    let files: Vec<Vec<u8>> =
        fs::read_dir(&words[2]).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    let (mut records, mut refused) = (0, 0);
    let start = processor_time();
    for file in &files {
        let report = if words[1] == "mail" { Report::parse_rfc5322(file).ok() } else { Report::parse_xml(file).ok() };
        match report {
            Some(report) => records += report.records().len(),
            None => refused += 1,
        }
    }
    println!("{} files {:.6} s, {records} records, {refused} refused", files.len(), processor_time() - start);
}
"""


class Unavailable(Exception):
    """mail-auth cannot be built here."""


def build(folder):
    """Build the program, or use the one of an earlier run; returns its path."""
    if shutil.which("cargo") is None:
        raise Unavailable("there is no cargo")
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(MANIFEST)
    (folder / "src/main.rs").write_text(PROGRAM)
    with open(folder / "build.log", "w", encoding="utf-8") as log:
        done = subprocess.run(["cargo", "build", "--release", "--target-dir", folder / "target"], cwd=folder, stdout=log,
                              stderr=log, check=False)
    if done.returncode != 0:
        raise Unavailable(f"cargo could not build it (see {folder / 'build.log'})")
    return folder / "target/release/mail_auth_load"


def read(program, kind, folder):
    """Read the files of folder, of kind "mail" or "xml"; returns processor time, and how many were refused."""
    words = subprocess.run([program, kind, folder], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return float(words[2]), int(words[6])
