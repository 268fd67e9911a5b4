//! The processes: started, watched, killed and stopped.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mis_sync_cli::{Config, Failure, open_database};
use mis_sync_devservices::free_port;
use mis_sync_wonde_sim::{RunningSimulator, Simulator};
use reqwest::Client;
use rustix::{
    param::clock_ticks_per_second,
    process::{Pid, Signal, kill_process},
};
use secrecy::SecretString;
use serde_json::Value;
use tokio::{task::spawn_blocking, time::interval};

use crate::{
    arguments::Scale,
    bench::installation::Installation,
    private::{Servers, Transport, throw_away_key},
};

/// Between two looks whether an API is ready.
const POLL: Duration = Duration::from_millis(50);

/// APIs and workers as processes of their own, on private servers.
pub(super) struct Fleet {
    pub(super) installation: Installation,
    servers: Servers,
    _simulator: RunningSimulator,
    apis: Vec<Running>,
    workers: Vec<Running>,
    /// Processor time of the worker that was killed.
    of_killed: Duration,
}

/// Processor time, since the start.
pub(super) struct Usage {
    pub(super) apis: Duration,
    pub(super) workers: Duration,
    pub(super) postgres: Duration,
    pub(super) redis: Duration,
}

impl Fleet {
    pub(super) async fn start(simulator: Simulator, options: &Scale) -> Result<Self, Failure> {
        let servers = Servers::start(|_| {}, Transport::Tcp).await?;
        let simulator = RunningSimulator::serve(simulator).await?;
        let program = Program::new(&servers, &simulator)?;
        program.run(&["migrate"]).await?;
        let key = program.run(&["keys", "create", "--name", "scale", "--role", "admin", "--json"]);
        let key: Value = serde_json::from_str(&key.await?).map_err(Failure::work)?;
        let key = key["key"].as_str().ok_or_else(|| Failure::work("no key was created"))?;
        let config = Config::built_in_with(|figment| {
            figment.merge(("database.url", servers.database_url.as_str()))
        })?;
        let mut fleet = Self {
            installation: Installation {
                api_urls: Vec::new(),
                api_key: SecretString::from(key),
                pool: open_database(&config)?,
                simulator: simulator.simulator().clone(),
                http: Client::builder().build()?,
            },
            servers,
            _simulator: simulator,
            apis: Vec::new(),
            workers: Vec::new(),
            of_killed: Duration::ZERO,
        };
        for _ in 0..options.workers {
            fleet.workers.push(Running::start(program.command(&["worker"]))?);
        }
        for _ in 0..options.apis {
            fleet.start_api(&program).await?;
        }
        Ok(fleet)
    }

    async fn start_api(&mut self, program: &Program) -> Result<(), Failure> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = program.command(&["serve"]);
        command.env("MIS_SYNC__API__LISTEN", &address);
        let mut api = Running::start(command)?;
        let url = format!("http://{address}");
        let mut tick = interval(POLL);
        loop {
            let ready = self.installation.http.get(format!("{url}/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            if api.0.try_wait()?.is_some() {
                return Err(Failure::work("an API has ended"));
            }
            tick.tick().await;
        }
        self.apis.push(api);
        self.installation.api_urls.push(url);
        Ok(())
    }

    /// What every process has used so far.
    pub(super) fn usage(&self) -> Result<Usage, Failure> {
        let pids = self.servers.pids();
        let (postgres, redis) = pids.ok_or_else(|| {
            Failure::usage("unset DATABASE_URL and REDIS_URL: only private servers can be measured")
        })?;
        let of = |processes: &[Running]| -> Result<Duration, Failure> {
            processes.iter().map(|process| processor_time(process.0.id())).sum()
        };
        let mut of_postgres = processor_time(postgres)?;
        for session in children(postgres)? {
            // It may have ended since; then the time is with its parent at the next look.
            of_postgres += processor_time(session).unwrap_or_default();
        }
        Ok(Usage {
            apis: of(&self.apis)?,
            workers: of(&self.workers)? + self.of_killed,
            postgres: of_postgres,
            redis: processor_time(redis)?,
        })
    }

    /// Ends a worker without a word.
    pub(super) fn kill_a_worker(&mut self) -> Result<(), Failure> {
        if let Some(worker) = self.workers.pop() {
            self.of_killed += processor_time(worker.0.id())?;
            drop(worker);
        }
        Ok(())
    }

    /// The most memory that an API and that a worker has used, in MB.
    pub(super) fn peak_memory(&self) -> Result<(u64, u64), Failure> {
        let most = |processes: &[Running]| -> Result<u64, Failure> {
            let each = processes.iter().map(|process| peak_megabytes(process.0.id()));
            Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().max().unwrap_or_default())
        };
        Ok((most(&self.apis)?, most(&self.workers)?))
    }

    /// Stops everything in order; each process has to end well.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        let running: Vec<Running> = self.apis.into_iter().chain(self.workers).collect();
        spawn_blocking(move || running.into_iter().try_for_each(Running::stop))
            .await
            .map_err(Failure::work)??;
        self.installation.pool.close().await;
        self.servers.stop().await
    }
}

/// The released program, and the environment that it runs in.
struct Program {
    path: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Program {
    fn new(servers: &Servers, simulator: &RunningSimulator) -> Result<Self, Failure> {
        let path = std::env::current_exe()?.with_file_name("mis-sync");
        if !path.is_file() {
            return Err(Failure::usage(format!(
                "there is no {}. Build it: cargo build --release -p mis-sync-cli",
                path.display()
            )));
        }
        let environment = vec![
            ("DATABASE_URL", servers.database_url.clone()),
            ("REDIS_URL", servers.redis_url.clone()),
            ("MIS_SYNC__DATABASE__MAX_CONNECTIONS", "10".to_owned()),
            ("MIS_SYNC__ENCRYPTION__KEY", throw_away_key()),
            ("MIS_SYNC__WONDE__BASE_URL", simulator.base_url()),
            ("MIS_SYNC__WONDE__ALLOW_LOOPBACK", "true".to_owned()),
            ("MIS_SYNC__SCHEDULER__ENABLED", "false".to_owned()),
            ("MIS_SYNC__LOG__LEVEL", "error".to_owned()),
        ];
        Ok(Self { path, environment })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command that ends by itself; returns what it prints.
    async fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = self.command(arguments);
        let output = spawn_blocking(move || command.stderr(Stdio::inherit()).output());
        let output = output.await.map_err(Failure::work)??;
        if !output.status.success() {
            return Err(Failure::work(format!("`mis-sync {}` failed", arguments[0])));
        }
        String::from_utf8(output.stdout).map_err(Failure::work)
    }
}

/// A process; killed when it goes out of scope.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Result<Self, Failure> {
        Ok(Self(command.stdout(Stdio::null()).spawn()?))
    }

    fn stop(mut self) -> Result<(), Failure> {
        kill_process(Pid::from_child(&self.0), Signal::TERM).map_err(Failure::work)?;
        let status = self.0.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::work(format!("a process ended badly: {status}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a process has used, and those of its children that have ended.
fn processor_time(pid: u32) -> Result<Duration, Failure> {
    // utime, stime, cutime and cstime.
    let ticks: u64 = stat(pid)?[11..15].iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / clock_ticks_per_second()))
}

/// The fields of /proc/PID/stat from the third on: the second is a name, which may hold anything.
fn stat(pid: u32) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = text.rsplit_once(')').unwrap_or_default();
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

fn children(parent: u32) -> Result<Vec<u32>, Failure> {
    let parent = parent.to_string();
    let entries =
        fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = entries.filter_map(|name| name.parse().ok());
    Ok(pids.filter(|pid| stat(*pid).is_ok_and(|fields| fields[1] == parent)).collect())
}

fn peak_megabytes(pid: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().map_err(Failure::work)?;
    Ok(kilobytes / 1000)
}
