use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// A port of loopback that nothing listens on. The port ten thousand above is free too, because
/// nodes of a cluster of Redis talk to each other there.
pub fn free_port() -> io::Result<u16> {
    let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // Below the ports that the system assigns.
        let port = 10_000 + listener.local_addr()?.port() % 20_000;
        drop(listener);
        if is_free(port) && is_free(port + 10_000) {
            return Ok(port);
        }
    }
}
