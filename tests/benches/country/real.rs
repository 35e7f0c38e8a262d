//! Real nodes answer a half-year's round.

use crate::print;
use crate::scene::{Stage, study, tell};
use anyhow::{Context, Result, ensure};
use fellestall_coordinator::config::host_and_port;
use fellestall_shared::clock::{Clock, SystemClock};
use fellestall_shared::municipality;
use fellestall_shared::wire::v1::Answer;
use fellestall_tests::instances::Balancer;
use fellestall_tests::synthetic;
use fellestall_tests::world::World;
use std::sync::Arc;
use std::time::Instant;
use tokio::task::JoinSet;

/// Nodes that work at once: they share this machine.
const AT_ONCE: usize = 8;
const SEED: u64 = 2016;

/// One cycle of every node, so many at once; gives how many releases are on their way or sent.
async fn cycles(world: &Arc<World>) -> Result<()> {
    let (mut tasks, mut next) = (JoinSet::new(), 0);
    loop {
        while next < world.nodes.len() && tasks.len() < AT_ONCE {
            let (world, place) = (Arc::clone(world), next);
            tasks.spawn(async move {
                let node = world.nodes.get(place).context("a node")?;
                node.cycle().await.map(drop)
            });
            next = next.saturating_add(1);
        }
        let Some(done) = tasks.join_next().await else { return Ok(()) };
        done??;
    }
}

/// Enrols real nodes, lets them approve, and measures the round that they answer.
pub async fn round(stage: &Stage, nodes: usize) -> Result<()> {
    let database = stage.database("country").await?;
    let folder = stage.folder.path().join("real");
    let mut world = World::found(&folder, &database, SystemClock.now()).await?;
    // The directory is made; from now on the shipped program serves it.
    world.take_down().await;
    let home = world.home()?;
    let instances = stage.instances(&home.directory, "real")?;
    let (_, port) = host_and_port(&home.config.url).context("the address that nodes dial")?;
    let addresses = instances.iter().map(|instance| instance.address).collect();
    let balancer = Balancer::start(port, addresses).await?;
    let period = synthetic::PUBLISHED_PERIOD.parse()?;
    print(&format!("{nodes} real nodes, daemons in this process, over a balancer:"));
    let started = Instant::now();
    for known in municipality::all().iter().take(nodes) {
        world.enrol(&synthetic::municipality(&known.number, period, SEED)).await?;
    }
    print(&format!("  invite, enrol, write exports   {:.1} s", started.elapsed().as_secs_f64()));
    let study = study()?;
    world.publish_study(&study).await?;
    let world = Arc::new(world);
    let started = Instant::now();
    cycles(&world).await?;
    for node in &world.nodes {
        node.decide(Answer::Approved)?;
    }
    print(&format!("  fetch the study, approve       {:.1} s", started.elapsed().as_secs_f64()));
    let round = world.open_round(&study, period).await?;
    let before = stage.snapshot(&instances)?;
    cycles(&world).await?;
    let after = stage.snapshot(&instances)?;
    let stored = world.store.releases(&round).await?.len();
    ensure!(stored == nodes, "{stored} of {nodes} nodes have answered");
    let wall = after.at.saturating_duration_since(before.at).as_secs_f64();
    print(&format!("  answer the round               {wall:.1} s, {AT_ONCE} nodes at once"));
    tell(&before, &after, nodes, "all nodes");
    let first = instances.first().context("an instance")?;
    stage.close(&first.directory, round.as_str())?;
    stage.sizes("country").await?;
    drop(balancer);
    world.store.close().await;
    Ok(())
}
