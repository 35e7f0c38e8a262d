//! N05, N08: the helper's process is killed again and again while jobs and claims are under way.

#[path = "../helper/stage.rs"]
#[expect(dead_code, reason = "it is of the helper's own tests, which use more of it")]
mod scene;

use crate::stage::binaries;
use fellestall_coordinator::helper::client::{HelperCallError, HelperClient};
use fellestall_tests::process::free_port;
use scene::{Made, Stage, claim, client_at, job, leaders_half, reasons, sums};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Jobs of two reports each.
const JOBS: usize = 12;

/// A helper's process, killed without a word when it goes.
struct Process(Child);

impl Process {
    fn start(directory: &Path, address: SocketAddr) -> Self {
        let child = Command::new(&binaries().coordinator)
            .args(["--dir", &directory.to_string_lossy(), "helper", "run"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let process = Self(child);
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "the helper does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        process
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Calls until there is an answer; before that the helper is killed once for each delay, so long after
/// the call began.
async fn call<T, F>(
    call: impl Fn() -> F,
    (directory, address): (&Path, SocketAddr),
    delays: &[u64],
    killed: &mut usize,
) -> T
where
    F: Future<Output = Result<T, HelperCallError>>,
{
    for delay in delays {
        let process = Process::start(directory, address);
        let kill = async {
            tokio::time::sleep(Duration::from_millis(*delay)).await;
            drop(process);
        };
        // The answer, if there was one in time, is lost: the leader was killed, too.
        let (answer, ()) = tokio::join!(call(), kill);
        *killed += usize::from(answer.is_err());
    }
    let _process = Process::start(directory, address);
    call().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_that_is_killed_at_any_moment_counts_every_report_once() {
    let stage = Stage::new(u32::try_from(2 * JOBS).expect("a number")).await;
    let task = stage.told().await;
    let digest = task.digest();
    let port = free_port().expect("a port");
    let address: SocketAddr = ([127, 0, 0, 1], port).into();
    let directory = stage.directory();
    let file = directory.join("helper.toml");
    let text = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(&file, text.replace("127.0.0.1:0", &address.to_string())).expect("a file");
    let at = (directory.as_path(), address);

    let ones = vec![1; stage.length()];
    let made: Vec<Made> = stage.nodes.iter().map(|node| stage.report(&task, node, &ones)).collect();
    let mut killed = 0;
    let mut results = Vec::new();
    let fresh = |client: &mut HelperClient| *client = client_at(&stage, address);
    let mut client = client_at(&stage, address);
    for (number, reports) in (1..).zip(made.chunks(2)) {
        let work = job(1, reports);
        // From the moment on at which the first call begins.
        let delays = [u64::from(number - 1) * 4, u64::from(number) * 9];
        fresh(&mut client);
        let result = call(|| client.job(digest, number, &work), at, &delays, &mut killed).await;
        assert!(reasons(&result).iter().all(Option::is_none), "{result:?}");
        results.push(result);
    }
    fresh(&mut client);
    let wanted = claim(&made);
    let delays = [5, 10, 20, 40];
    let opened = call(|| client.batch(digest, 1, &wanted), at, &delays, &mut killed).await;
    assert!(killed > 0, "no call was cut off: the delays are too long for this machine");
    let count = u128::try_from(made.len()).expect("a count");
    let half = leaders_half(&stage.vdaf, made, &results);
    assert_eq!(sums(&stage, &half, &opened), vec![count; stage.length()]);
}
