use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use mis_sync_devservices::{Redis, RedisOptions};

use crate::{binaries, runs};

/// Sends one command and returns the first bytes of the answer.
fn ask(redis: &Redis, command: &str) -> std::io::Result<String> {
    let mut socket = UnixStream::connect(redis.socket())?;
    socket.set_read_timeout(Some(Duration::from_millis(300)))?;
    socket.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = [0; 256];
    let read = socket.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
}

#[test]
fn a_server_answers_and_leaves_nothing() {
    let redis = Redis::start(&binaries(), RedisOptions::volatile()).unwrap();
    let (socket, pid) = (redis.socket(), redis.pid());
    assert_eq!(redis.url(), format!("redis+unix://{}", socket.display()));
    assert_eq!(ask(&redis, "SET a 1").unwrap(), "+OK\r\n");
    assert!(ask(&redis, "CONFIG GET maxmemory-policy").unwrap().contains("noeviction"));
    redis.stop().unwrap();
    assert!(!runs(pid) && !socket.parent().unwrap().exists());
}

#[test]
fn two_servers_do_not_hold_each_other() {
    let binaries = binaries();
    let first = Redis::start(&binaries, RedisOptions::volatile()).unwrap();
    let second = Redis::start(&binaries, RedisOptions::volatile()).unwrap();
    let (pid, socket) = (first.pid(), first.socket());
    // This would hang if the second server or its watchdog had inherited the first one's pipe.
    drop(first);
    assert!(!runs(pid) && !socket.exists());
    assert_eq!(ask(&second, "PING").unwrap(), "+PONG\r\n");
}

#[test]
fn a_kill_empties_it_unless_it_is_persistent() {
    for (options, expected) in
        [(RedisOptions::volatile(), "$-1\r\n"), (RedisOptions::persistent(), "$1\r\n1\r\n")]
    {
        let mut redis = Redis::start(&binaries(), options).unwrap();
        assert_eq!(ask(&redis, "SET a 1").unwrap(), "+OK\r\n");
        let (first, url) = (redis.pid(), redis.url());
        redis.kill().unwrap();
        assert!(!runs(first) && ask(&redis, "PING").is_err());
        redis.restart().unwrap();
        assert_eq!(redis.url(), url);
        assert_eq!(ask(&redis, "GET a").unwrap(), expected);
    }
}

#[test]
fn a_paused_server_is_silent_until_it_goes_on() {
    let mut redis = Redis::start(&binaries(), RedisOptions::volatile()).unwrap();
    redis.pause().unwrap();
    assert!(ask(&redis, "PING").is_err());
    redis.resume().unwrap();
    assert_eq!(ask(&redis, "PING").unwrap(), "+PONG\r\n");
    redis.pause().unwrap();
    let pid = redis.pid();
    drop(redis);
    assert!(!runs(pid));
}
