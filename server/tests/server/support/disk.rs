//! A disk that fails at a chosen moment, by a library that is loaded into the server.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// Where in a commit to the journal a server dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Before anything of it is written.
    Begun,
    /// When a part of it is written.
    Torn,
    /// When all of it is written, but not on the disk yet.
    Written,
    /// When it is on the disk, but nobody knows of it yet.
    Durable,
}

impl When {
    pub const ALL: [Self; 4] = [Self::Begun, Self::Torn, Self::Written, Self::Durable];

    fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Torn => "torn",
            Self::Written => "written",
            Self::Durable => "durable",
        }
    }
}

/// The library, built once for a folder.
pub struct Disk {
    library: PathBuf,
    armed: PathBuf,
    read_only: PathBuf,
}

impl Disk {
    pub fn new(folder: &Path) -> Self {
        let library = folder.join("disk.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server/support/disk.c");
        let mut compiler = std::process::Command::new("cc");
        let built = compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
        assert!(built.unwrap().success());
        Self { library, armed: folder.join("armed"), read_only: folder.join("read-only") }
    }

    /// The command with a disk that can be switched to read-only. No permission takes back what is
    /// open already, so the writes themselves are made to fail.
    pub fn switchable(&self, mut command: Command) -> Command {
        command.env("LD_PRELOAD", &self.library).env("READ_ONLY_WHILE", &self.read_only);
        command
    }

    pub fn turn_read_only(&self) {
        std::fs::write(&self.read_only, "").unwrap();
    }

    pub fn turn_writable(&self) {
        std::fs::remove_file(&self.read_only).unwrap();
    }

    /// The command of a server that counts its commits once it is told to.
    pub fn counting(&self, mut command: Command) -> Command {
        let _ = std::fs::remove_file(&self.armed);
        command.env("LD_PRELOAD", &self.library).env("KILL_ARMED", &self.armed);
        command
    }

    /// The command of a server that dies at its `commit`-th counted commit.
    pub fn deadly(&self, command: Command, commit: u64, when: When) -> Command {
        let mut command = self.counting(command);
        command.env("KILL_AT", commit.to_string()).env("KILL_WHEN", when.word());
        command
    }

    /// From now on commits are counted.
    pub fn arm(&self) {
        std::fs::write(&self.armed, "").unwrap();
    }

    /// How many commits were counted.
    pub fn commits(&self) -> u64 {
        std::fs::metadata(&self.armed).unwrap().len()
    }
}
