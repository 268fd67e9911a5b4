//! A path to Postgres on which one statement of a caller is cut off, and the caller with it.
//!
//! How often a future is polled depends on how fast the server answers: an answer that is there
//! already is read without a wait. So a cut is counted in what passes between client and server.

use std::{
    io,
    sync::{Arc, Mutex},
};

use mis_sync_store::Pool;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream, UnixStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
        unix,
    },
    sync::Semaphore,
    task::JoinHandle,
};

use crate::fixture::TestStore;

/// How something under way can be cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The caller is dropped when the server has executed the statement and no answer has come.
    CallerDropped,
    /// The connection is lost before the statement has reached the server.
    Unheard,
    /// The connection is lost when the server has executed the statement and no answer has come.
    Unanswered,
}

impl Cut {
    pub(crate) const ALL: [Self; 3] = [Self::CallerDropped, Self::Unheard, Self::Unanswered];
}

/// What a path has carried for its caller.
#[derive(Debug, Default)]
struct Traffic {
    asked: usize,
    answered: usize,
    /// The statement at the cut, if it is a simple one.
    statement: Option<String>,
    was_cut: bool,
    /// The caller is done or dropped, and nothing more is cut off.
    is_over: bool,
}

/// The cut is at one statement, counted from 1 over all connections of the path.
struct Plan {
    cut: Cut,
    at: usize,
    traffic: Mutex<Traffic>,
    /// Gets its permit when the answer is held back.
    reached: Semaphore,
    /// Gets its permit when the answer may follow.
    dropped: Semaphore,
}

/// A path with a pool of a single connection: the next user gets the one that was cut off, or none.
pub(crate) struct Path {
    pub(crate) pool: Pool,
    plan: Arc<Plan>,
    accepting: JoinHandle<()>,
}

impl Drop for Path {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Path {
    pub(crate) async fn to(store: &TestStore, cut: Cut, at: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = store.servers.postgres.socket_dir().join(".s.PGSQL.5432");
        let plan = Arc::new(Plan {
            cut,
            at,
            traffic: Mutex::default(),
            reached: Semaphore::new(0),
            dropped: Semaphore::new(0),
        });
        let own = Arc::clone(&plan);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.unwrap();
                tokio::spawn(carry(Arc::clone(&own), client, server));
            }
        });
        let url = store.servers.database_url();
        let database = url.split(['/', '?']).nth(3).unwrap();
        let url = format!("postgres://postgres@{address}/{database}?sslmode=disable");
        Self { pool: mis_sync_store::connect(&url, 1).unwrap(), plan, accepting }
    }

    /// Does the work until it is done or cut off. `None` if its caller was dropped.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let done = tokio::select! {
            biased;
            done = work => Some(done),
            _ = self.plan.reached.acquire() => None,
        };
        self.plan.traffic.lock().unwrap().is_over = true;
        self.plan.dropped.add_permits(1);
        done
    }

    /// Whether the cut was made.
    pub(crate) fn was_cut(&self) -> bool {
        self.plan.traffic.lock().unwrap().was_cut
    }

    /// Whether the cut was made at a commit.
    pub(crate) fn was_cut_at_a_commit(&self) -> bool {
        let traffic = self.plan.traffic.lock().unwrap();
        traffic.was_cut && traffic.statement.as_deref() == Some("COMMIT")
    }
}

/// Carries a connection until either side closes it, or it is lost.
async fn carry(plan: Arc<Plan>, client: TcpStream, server: UnixStream) {
    client.set_nodelay(true).unwrap();
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    tokio::select! {
        _ = questions(&plan, from_client, to_server) => {},
        _ = answers(&plan, from_server, to_client) => {},
    }
}

async fn questions(
    plan: &Plan,
    mut from: OwnedReadHalf,
    mut to: unix::OwnedWriteHalf,
) -> io::Result<()> {
    // The first message has no letter.
    to.write_all(&message(&mut from, 0).await?).await?;
    let mut question = Vec::new();
    loop {
        let message = message(&mut from, 1).await?;
        let letter = message[0];
        question.extend_from_slice(&message);
        // A simple statement, the end of a prepared one, and a farewell.
        if [b'Q', b'S'].contains(&letter) && plan.is_asked(&message) {
            return Ok(());
        }
        if [b'Q', b'S', b'X'].contains(&letter) {
            to.write_all(&std::mem::take(&mut question)).await?;
        }
    }
}

async fn answers(
    plan: &Plan,
    mut from: unix::OwnedReadHalf,
    mut to: OwnedWriteHalf,
) -> io::Result<()> {
    let (mut answer, mut has_begun) = (Vec::new(), false);
    loop {
        let message = message(&mut from, 1).await?;
        let is_ready = message[0] == b'Z';
        answer.extend_from_slice(&message);
        if !is_ready {
            continue;
        }
        // The greeting ends like an answer.
        if std::mem::replace(&mut has_begun, true) && plan.is_answered() {
            if plan.cut == Cut::Unanswered {
                return Ok(());
            }
            plan.reached.add_permits(1);
            plan.dropped.acquire().await.unwrap().forget();
        }
        to.write_all(&std::mem::take(&mut answer)).await?;
    }
}

impl Plan {
    /// Counts a statement. Whether it is lost.
    fn is_asked(&self, message: &[u8]) -> bool {
        let mut traffic = self.traffic.lock().unwrap();
        traffic.asked += 1;
        let is_at_cut = traffic.asked == self.at && !traffic.is_over;
        if is_at_cut && message[0] == b'Q' {
            let text = message[5..].strip_suffix(&[0]).unwrap();
            traffic.statement = Some(String::from_utf8(text.to_vec()).unwrap());
        }
        traffic.was_cut |= is_at_cut && self.cut == Cut::Unheard;
        is_at_cut && self.cut == Cut::Unheard
    }

    /// Counts an answer. Whether it is held back.
    fn is_answered(&self) -> bool {
        let mut traffic = self.traffic.lock().unwrap();
        traffic.answered += 1;
        let is_at_cut = traffic.answered == self.at && !traffic.is_over;
        traffic.was_cut |= is_at_cut && self.cut != Cut::Unheard;
        is_at_cut && self.cut != Cut::Unheard
    }
}

/// A whole message: its letters, its length, its content.
async fn message(from: &mut (impl AsyncRead + Unpin), letters: usize) -> io::Result<Vec<u8>> {
    let mut message = vec![0; letters + 4];
    from.read_exact(&mut message).await?;
    let length = u32::from_be_bytes(message[letters..].try_into().unwrap());
    message.resize(letters + usize::try_from(length).unwrap(), 0);
    from.read_exact(&mut message[letters + 4..]).await?;
    Ok(message)
}
