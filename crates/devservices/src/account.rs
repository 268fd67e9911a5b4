//! The account that the servers run as. Postgres refuses root, so under root they run as `nobody`,
//! otherwise as the user.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::Error;
use crate::error::io;

/// The identity of the servers and the owner of their files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The user who runs this process.
    Current,
    /// `nobody`, because this process is root.
    Nobody { uid: u32, gid: u32 },
}

impl Account {
    pub(crate) fn for_servers() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Current);
        }
        let path = Path::new("/etc/passwd");
        let passwd = fs::read_to_string(path).map_err(io("cannot read", path))?;
        nobody_in(&passwd).ok_or(Error::NoAccount)
    }

    /// Makes `command` run as this account. Setting a uid also drops root's supplementary groups.
    pub(crate) fn apply(self, command: &mut Command) {
        if let Self::Nobody { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
    }

    /// Gives one file or directory to this account.
    pub(crate) fn take(self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Current => Ok(()),
            Self::Nobody { uid, gid } => {
                chown(path, Some(uid), Some(gid)).map_err(io("cannot change the owner of", path))
            }
        }
    }
}

fn nobody_in(passwd: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.starts_with("nobody:"))?;
    let mut ids = line.split(':').skip(2).map(parse_id);
    Some(Account::Nobody { uid: ids.next()??, gid: ids.next()?? })
}

/// macOS writes the ids of `nobody` as -2, which stands for the unsigned number with the same bits.
fn parse_id(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_read_from_linux_and_macos_accounts() {
        let linux =
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/nonexistent:/usr/sbin/nologin\n";
        let macos = "# a comment\nnobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n";
        assert_eq!(nobody_in(linux), Some(Account::Nobody { uid: 65534, gid: 65533 }));
        assert_eq!(
            nobody_in(macos),
            Some(Account::Nobody { uid: u32::MAX - 1, gid: u32::MAX - 1 })
        );
        assert_eq!(nobody_in("root:x:0:0::/root:/bin/sh\n"), None);
    }
}
