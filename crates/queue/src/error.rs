/// What can go wrong with the queue.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] mis_sync_store::Error),
    /// Redis failed where nothing can replace it.
    #[error("Redis is away: {0}")]
    Redis(#[from] crate::RedisError),
    /// apalis ended a worker.
    #[error("the worker runtime failed: {0}")]
    Runtime(String),
}
